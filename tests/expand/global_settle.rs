//! With `settle` the caller waits after Committed until the branches have ended.

use unanimous::global_transactional;

use crate::world::{Failure, Probe, World};

#[global_transactional(settle = "20s")]
async fn purchase(probe: &Probe) -> Result<(), Failure> {
    probe.touch("settled").await?;
    Ok(())
}

pub(crate) async fn run() {
    let world = World::start().await;
    world.commits(purchase(&world.probe)).await;
}
