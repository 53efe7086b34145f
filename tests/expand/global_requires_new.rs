//! A transaction of its own inside another: it stands when the outer one rolls back.

use unanimous::{Xid, global_transactional};

use crate::world::{Failure, Probe, World};

#[global_transactional(propagation = requires_new)]
async fn audit(probe: &Probe) -> Result<Xid, Failure> {
    probe.touch("audit").await?;
    unanimous::xid().ok_or(Failure::Business("no transaction"))
}

#[global_transactional(propagation = required)]
async fn purchase(probe: &Probe) -> Result<(Xid, Xid), Failure> {
    let inner = audit(probe).await?;
    let outer = unanimous::xid().ok_or(Failure::Business("no transaction"))?;
    Ok((outer, inner))
}

#[global_transactional]
async fn fails_after(probe: &Probe) -> Result<(), Failure> {
    audit(probe).await?;
    Failure::business("outer")
}

pub(crate) async fn run() {
    let world = World::start().await;
    let (outer, inner) = world.commits(purchase(&world.probe)).await;
    assert_ne!(outer, inner);
    let error = world.commits_with_error(fails_after(&world.probe)).await;
    assert!(matches!(error, Failure::Business("outer")), "{error:?}");
}
