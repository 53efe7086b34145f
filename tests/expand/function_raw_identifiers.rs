//! A raw identifier is the name that it spells, in a function and in what its partners are passed.

use std::sync::Arc;

use unanimous::{global_transactional, two_phase_action};

use crate::world::{Failure, Journal, World};

type Note = str;

#[two_phase_action(
    commit = send(r#journal, user, r#type),
    rollback = discard(journal, user.trim(), r#type)
)]
async fn r#try(
    #[state] journal: &Arc<Journal>,
    r#user: &str,
    r#type: Option<&Note>,
) -> Result<(), Failure> {
    journal.tried(r#type.unwrap_or(user));
    Ok(())
}

async fn send(journal: &Journal, user: &str, note: Option<&Note>) -> Result<(), Failure> {
    journal.confirmed(note.unwrap_or(user));
    Ok(())
}

async fn discard(journal: &Journal, user: &str, note: Option<&str>) -> Result<(), Failure> {
    journal.cancelled(note.unwrap_or(user));
    Ok(())
}

#[global_transactional]
async fn write(note: Option<&str>, lost: bool) -> Result<(), Failure> {
    r#try("ann", note).await?;
    if lost {
        return Failure::business("lost");
    }
    Ok(())
}

pub(crate) async fn run() {
    let world = World::with_actions(|builder, journal| {
        builder.state(Arc::new(journal.clone())).action(r#try)
    })
    .await;
    world.commits(write(Some("urgent"), false)).await;
    world.commits(write(None, false)).await;
    world.rolls_back(write(Some("urgent"), true)).await;
}
