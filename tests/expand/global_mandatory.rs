//! A function that joins and never begins.

use unanimous::global_transactional;

use crate::world::{Failure, Probe, World};

#[global_transactional(propagation = mandatory)]
async fn step(probe: &Probe) -> Result<(), Failure> {
    probe.touch("step").await?;
    Ok(())
}

#[global_transactional]
async fn purchase(probe: &Probe) -> Result<(), Failure> {
    step(probe).await
}

pub(crate) async fn run() {
    let world = World::start().await;
    world.commits(purchase(&world.probe)).await;
    let error = world.refuses(step(&world.probe)).await;
    let refused = matches!(
        error,
        Failure::Transaction(unanimous::Error::NotInTransaction { .. })
    );
    assert!(refused, "{error:?}");
}
