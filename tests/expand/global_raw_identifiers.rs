//! Keywords as names, and names that look like ours.

use unanimous::global_transactional;

use crate::world::{Failure, Probe, World};

#[global_transactional]
async fn r#try(r#type: &Probe, __returned: &str, __error: &str) -> Result<usize, Failure> {
    let r#match = r#type.touch(__returned).await?;
    Ok(r#match + __error.len())
}

pub(crate) async fn run() {
    let world = World::start().await;
    assert_eq!(world.commits(r#try(&world.probe, "ab", "c")).await, 3);
}
