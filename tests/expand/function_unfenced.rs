//! A free function without a fence. What a rollback is passed of phase one may not be there yet; a
//! commit to which nothing is left to do is `none`.

use std::sync::Arc;

use unanimous::{global_transactional, two_phase_action};

use crate::world::{Failure, Journal, World};

#[two_phase_action(commit = send(journal, to), rollback = discard(journal, to, tried))]
async fn prepare(#[state] journal: &Arc<Journal>, to: String, pages: u32) -> Result<u32, Failure> {
    journal.tried(&to);
    if pages > 9 {
        Failure::business("too long")
    } else {
        Ok(pages)
    }
}

async fn send(journal: &Journal, to: String) -> Result<(), Failure> {
    journal.confirmed(to);
    Ok(())
}

async fn discard(journal: &Journal, to: String, pages: Option<&u32>) -> Result<(), Failure> {
    assert_eq!(pages.is_some(), to == "ann");
    journal.cancelled(to);
    Ok(())
}

#[two_phase_action(commit = none, rollback = unstamp)]
async fn stamp(#[state] journal: &Arc<Journal>, to: &str) -> Result<(), Failure> {
    journal.tried(to);
    // What a commit would say, were there anything left to do.
    journal.confirmed(to);
    Ok(())
}

async fn unstamp(journal: &Arc<Journal>, to: &str) -> Result<(), Failure> {
    journal.cancelled(to);
    Ok(())
}

#[global_transactional]
async fn write(to: &str, pages: u32, lost: bool) -> Result<u32, Failure> {
    let pages = prepare(to.to_owned(), pages).await?;
    if lost {
        return Failure::business("lost");
    }
    Ok(pages)
}

#[global_transactional]
async fn mark(to: &str) -> Result<(), Failure> {
    stamp(to).await
}

pub(crate) async fn run() {
    let world = World::with_actions(|builder, journal| {
        let state = Arc::new(journal.clone());
        builder.state(state).action(prepare).action(stamp)
    })
    .await;
    assert_eq!(world.commits(write("ann", 2, false)).await, 2);
    let error = world.rolls_back(write("ann", 2, true)).await;
    assert!(matches!(error, Failure::Business("lost")), "{error:?}");
    let error = world.rolls_back(write("ben", 10, false)).await;
    assert!(matches!(error, Failure::Business("too long")), "{error:?}");
    world.commits(mark("cat")).await;
    let error = world.refuses(prepare("bob".to_owned(), 1)).await;
    let Failure::Transaction(unanimous::Error::NotInTransaction { what }) = error else {
        panic!("{error:?}");
    };
    assert_eq!(what.to_string(), "expand::function_unfenced::prepare");
}
