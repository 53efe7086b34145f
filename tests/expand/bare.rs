//! The annotation alone: `Ok` commits, an error rolls back and is returned unchanged.

use unanimous::global_transactional;

use crate::world::{Failure, Probe, World};

#[global_transactional]
async fn purchase(probe: &Probe, user: &str, sold_out: bool) -> Result<usize, Failure> {
    let touched = probe.touch(user).await?;
    if sold_out {
        return Failure::business("sold out");
    }
    Ok(touched)
}

pub(crate) async fn run() {
    let world = World::start().await;
    assert_eq!(world.commits(purchase(&world.probe, "ann", false)).await, 3);
    let error = world.rolls_back(purchase(&world.probe, "ann", true)).await;
    assert!(matches!(error, Failure::Business("sold out")), "{error:?}");
}
