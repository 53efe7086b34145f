//! An action that is a free function is a participant of its own: both have the name that is given,
//! or the path of the function.

use unanimous::{BranchContext, global_transactional, two_phase_action};

use crate::world::{Failure, Journal, World};

#[two_phase_action(
    name = "shelf.take",
    commit = none,
    rollback = put_back(journal, branch),
    map_err = |error| error.to_string()
)]
async fn take(#[state] journal: &Journal, count: u32) -> Result<u32, String> {
    let branch = BranchContext::current().ok_or("no branch")?;
    journal.tried(branch.action());
    if count > 5 {
        return Err("too many".to_owned());
    }
    journal.confirmed(branch.action());
    Ok(count)
}

async fn put_back(journal: &Journal, branch: &BranchContext) -> Result<(), Failure> {
    assert!(branch.call_id().as_str().ends_with("shelf.take:1"));
    journal.cancelled(branch.action());
    Ok(())
}

#[global_transactional]
async fn sell(count: u32) -> Result<(), Failure> {
    match take(count).await {
        Ok(_) => Ok(()),
        Err(_) => Failure::business("not sold"),
    }
}

pub(crate) async fn run() {
    let world =
        World::with_actions(|builder, journal| builder.state(journal.clone()).action(take)).await;
    world.commits(sell(2)).await;
    world.rolls_back(sell(6)).await;
    let alone = world.refuses(take(1)).await;
    assert!(alone.starts_with("shelf.take needs"), "{alone}");
}
