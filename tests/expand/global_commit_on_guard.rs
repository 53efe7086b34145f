//! A guard may call methods of the error.

use unanimous::global_transactional;

use crate::world::{Failure, Probe, World};

impl Failure {
    fn is_harmless(&self) -> bool {
        matches!(self, Self::Business(word) if word.starts_with("no "))
    }
}

#[global_transactional(commit_on(error if error.is_harmless()))]
async fn purchase(probe: &Probe, word: &'static str) -> Result<(), Failure> {
    probe.touch(word).await?;
    Failure::business(word)
}

pub(crate) async fn run() {
    let world = World::start().await;
    world
        .commits_with_error(purchase(&world.probe, "no coupon"))
        .await;
    world.rolls_back(purchase(&world.probe, "no")).await;
}
