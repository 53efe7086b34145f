//! Every argument at once.

use unanimous::{Runtime, global_transactional};

use crate::world::{Failure, Probe, World};

#[global_transactional(
    name = "everything",
    timeout = "2m",
    settle = "5s",
    propagation = requires_new,
    commit_on(Failure::Business(word) if word.is_empty()),
    map_err = Failure::Transaction,
    runtime = runtime,
    crate = ::unanimous,
)]
async fn purchase(runtime: &Runtime, probe: &Probe, word: &'static str) -> Result<(), Failure> {
    probe.touch("everything").await?;
    Failure::business(word)
}

pub(crate) async fn run() {
    let world = World::start().await;
    world
        .commits_with_error(purchase(&world.runtime, &world.probe, ""))
        .await;
    world
        .rolls_back(purchase(&world.runtime, &world.probe, "x"))
        .await;
}
