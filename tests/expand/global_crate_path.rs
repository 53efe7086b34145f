//! The crate under another name: every path of the expansion starts there.

use crate::renamed::global_transactional;
use crate::world::{Probe, World};

#[global_transactional(
    crate = crate::renamed,
    propagation = requires_new,
    commit_on(_),
    map_err = |error| error.to_string()
)]
async fn purchase(probe: &Probe) -> Result<(), String> {
    probe
        .touch("renamed")
        .await
        .map_err(|error| error.to_string())?;
    Err("commits all the same".to_owned())
}

pub(crate) async fn run() {
    let world = World::start().await;
    let error = world.commits_with_error(purchase(&world.probe)).await;
    assert_eq!(error, "commits all the same");
}
