//! A function that suspends the surrounding transaction and runs without one.

use unanimous::{Error, Xid, global_transactional};

use crate::world::{Failure, Probe, World};

#[global_transactional(propagation = not_supported)]
async fn look(probe: &Probe, fails: bool) -> Result<Option<Xid>, Failure> {
    let touched = probe.touch("looked").await;
    assert!(
        matches!(touched, Err(Error::NotInTransaction { .. })),
        "it is outside: {touched:?}"
    );
    if fails {
        return Failure::business("not found");
    }
    Ok(unanimous::xid())
}

#[global_transactional]
async fn purchase(probe: &Probe, look_fails: bool) -> Result<(), Failure> {
    let before = unanimous::xid();
    match look(probe, look_fails).await {
        Ok(seen) => assert_eq!(seen, None, "it is suspended"),
        Err(error) => assert!(matches!(error, Failure::Business("not found"))),
    }
    assert_eq!(unanimous::xid(), before);
    probe.touch("purchase").await?;
    Ok(())
}

#[global_transactional]
async fn fails_after(probe: &Probe) -> Result<(), Failure> {
    probe.touch("purchase").await?;
    look(probe, false).await?;
    Failure::business("outer")
}

pub(crate) async fn run() {
    let world = World::start().await;
    // What happens in it is no call of the transaction, so its error changes nothing either.
    for fails in [false, true] {
        world.commits(purchase(&world.probe, fails)).await;
    }
    let error = world.rolls_back(fails_after(&world.probe)).await;
    assert!(matches!(error, Failure::Business("outer")), "{error:?}");
    let error = world.refuses(look(&world.probe, true)).await;
    assert!(matches!(error, Failure::Business("not found")), "{error:?}");
}
