//! A function that refuses to run inside a transaction.

use unanimous::{Error, global_transactional};

use crate::world::{Failure, Probe, World};

#[global_transactional(propagation = never, name = "nightly report")]
async fn report(lines: u32) -> Result<u32, Failure> {
    assert_eq!(unanimous::xid(), None);
    Ok(lines * 2)
}

#[global_transactional]
async fn purchase(probe: &Probe) -> Result<u32, Failure> {
    probe.touch("purchase").await?;
    unanimous::outside(report(4)).await
}

#[global_transactional]
async fn reports_inside(probe: &Probe) -> Result<u32, Failure> {
    probe.touch("purchase").await?;
    report(4).await
}

pub(crate) async fn run() {
    let world = World::start().await;
    assert_eq!(world.runtime.scope(report(2)).await.expect("it runs"), 4);
    assert_eq!(world.commits(purchase(&world.probe)).await, 8);
    let error = world.rolls_back(reports_inside(&world.probe)).await;
    let Failure::Transaction(Error::InTransaction { what, .. }) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(what.to_string(), "nightly report");
}
