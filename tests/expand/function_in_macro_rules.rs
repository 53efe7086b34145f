//! Free functions made by a macro: fragments arrive in invisible groups, and names keep their
//! hygiene; the crate goes by another name.

use crate::world::{Failure, Journal, World};

macro_rules! action {
    ($name:ident, $state:ty, $parameter:ident: $recorded:ty, $commit:path, $rollback:expr) => {
        #[unanimous::two_phase_action(commit = $commit, rollback = $rollback, crate = crate::renamed)]
        async fn $name(#[state] journal: $state, $parameter: $recorded) -> Result<(), Failure> {
            journal.tried($parameter);
            match $parameter {
                "" => Failure::business("empty"),
                _ => Ok(()),
            }
        }
    };
}

use unanimous::global_transactional;

async fn keep(journal: &Journal, word: &str) -> Result<(), Failure> {
    journal.confirmed(word);
    Ok(())
}

async fn forget(word: &str, journal: Journal) -> Result<(), Failure> {
    journal.cancelled(word);
    Ok(())
}

action!(note, &Journal, word: &str, keep, forget_note);
action!(remark, Journal, __branch: &str, keep_remark, forget_remark);

async fn forget_note(journal: &Journal, word: &str) -> Result<(), Failure> {
    forget(word, journal.clone()).await
}

async fn keep_remark(journal: Journal, word: &str) -> Result<(), Failure> {
    keep(&journal, word).await
}

async fn forget_remark(journal: Journal, word: &str) -> Result<(), Failure> {
    forget(word, journal).await
}

#[global_transactional]
async fn write(word: &str) -> Result<(), Failure> {
    note("first").await?;
    remark(word).await
}

pub(crate) async fn run() {
    /// Within a function.
    #[unanimous::two_phase_action(commit = keep, rollback = forget_note, crate = crate::renamed)]
    async fn inside(#[state] journal: &Journal, word: &str) -> Result<(), Failure> {
        journal.tried(word);
        Ok(())
    }

    let world = World::with_actions(|builder, journal| {
        let builder = builder.state(journal.clone());
        builder.action(note).action(remark).action(inside)
    })
    .await;
    world.commits(write("second")).await;
    world.rolls_back(write("")).await;
    world.commits(global(inside("third"))).await;
}

#[global_transactional]
async fn global(inside: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    inside.await
}
