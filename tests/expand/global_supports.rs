//! A function that joins a transaction where there is one, and runs without one elsewhere.

use unanimous::{Error, Xid, global_transactional};

use crate::world::{Failure, Probe, World};

#[global_transactional(propagation = supports, commit_on(Failure::Business("waiting")))]
async fn price(probe: &Probe, wait: bool) -> Result<Option<Xid>, Failure> {
    if unanimous::xid().is_some() {
        probe.touch("price").await?;
    }
    if wait {
        return Failure::business("waiting");
    }
    Ok(unanimous::xid())
}

#[global_transactional]
async fn purchase(probe: &Probe) -> Result<bool, Failure> {
    Ok(price(probe, false).await? == unanimous::xid())
}

#[global_transactional]
async fn fails_after(probe: &Probe) -> Result<(), Failure> {
    price(probe, false).await?;
    Failure::business("outer")
}

/// An error that the joined function's own `commit_on` matches is no failed call.
#[global_transactional]
async fn goes_on(probe: &Probe) -> Result<(), Failure> {
    let waits = price(probe, true).await;
    assert!(waits.is_err(), "it waits");
    Ok(())
}

pub(crate) async fn run() {
    let world = World::start().await;
    assert!(world.commits(purchase(&world.probe)).await);
    let error = world.rolls_back(fails_after(&world.probe)).await;
    assert!(matches!(error, Failure::Business("outer")), "{error:?}");
    world.commits(goes_on(&world.probe)).await;
    // Alone: no transaction, and its error is returned as it is.
    let alone = world.runtime.scope(price(&world.probe, false)).await;
    assert_eq!(alone.expect("it runs without"), None);
    let error = world.refuses(price(&world.probe, true)).await;
    assert!(matches!(error, Failure::Business("waiting")), "{error:?}");
    // What needs a transaction says so there.
    let touched = world.runtime.scope(world.probe.touch("alone")).await;
    assert!(
        matches!(touched, Err(Error::NotInTransaction { .. })),
        "{touched:?}"
    );
}
