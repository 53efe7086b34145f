//! An action that is a transaction too: a call from outside is a transaction of this one branch.
//! What stands below `#[two_phase_action]` sees the function as its callers do.

use unanimous::{global_transactional, two_phase_action};

use crate::world::{Failure, Journal, World};

#[two_phase_action(commit = send, rollback = discard)]
#[global_transactional]
async fn prepare(#[state] journal: &Journal, to: &str) -> Result<(), Failure> {
    journal.tried(to);
    match to {
        "nobody" => Failure::business("no address"),
        _ => Ok(()),
    }
}

async fn send(journal: &Journal, to: &str) -> Result<(), Failure> {
    journal.confirmed(to);
    Ok(())
}

async fn discard(journal: &Journal, to: &str) -> Result<(), Failure> {
    journal.cancelled(to);
    Ok(())
}

/// Exists under no condition.
#[cfg(any())]
#[two_phase_action(commit = missing, rollback = missing)]
async fn nowhere() -> Result<(), Failure> {}

pub(crate) async fn run() {
    let world =
        World::with_actions(|builder, journal| builder.state(journal.clone()).action(prepare))
            .await;
    world.commits(prepare("ann")).await;
    world.rolls_back(prepare("nobody")).await;
}
