//! Errors that commit all the same: a pattern with alternatives.

use unanimous::global_transactional;

use crate::world::{Failure, Probe, World};

#[global_transactional(commit_on(Failure::Business("partly" | "late")))]
async fn purchase(probe: &Probe, word: &'static str) -> Result<(), Failure> {
    probe.touch(word).await?;
    Failure::business(word)
}

pub(crate) async fn run() {
    let world = World::start().await;
    for word in ["partly", "late"] {
        let error = world.commits_with_error(purchase(&world.probe, word)).await;
        assert!(
            matches!(error, Failure::Business(found) if found == word),
            "{error:?}"
        );
    }
    world.rolls_back(purchase(&world.probe, "sold out")).await;
}
