//! A name of its own, where module path and function say too little or too much.

use unanimous::global_transactional;

use crate::world::{Failure, Probe, World};

#[global_transactional(name = "shop.purchase")]
async fn purchase(probe: &Probe) -> Result<(), Failure> {
    probe.touch("named").await?;
    Ok(())
}

pub(crate) async fn run() {
    let world = World::start().await;
    world.commits(purchase(&world.probe)).await;
}
