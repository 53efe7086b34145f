//! Functions that return a future: an async block as the whole body, or anything that makes a box.

use std::pin::Pin;

use unanimous::global_transactional;

use crate::world::{Failure, Probe, World};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[allow(clippy::manual_async_fn)]
#[global_transactional]
fn block<'a>(probe: &'a Probe, word: &'a str) -> impl Future<Output = Result<usize, Failure>> + 'a {
    async move {
        let count = probe.touch(word).await?;
        if count > 5 {
            Failure::business("long")
        } else {
            Ok(count)
        }
    }
}

#[global_transactional]
fn boxed(probe: &Probe, depth: u32) -> BoxFuture<'_, Result<u32, Failure>> {
    if depth == 0 {
        return Box::pin(async { Failure::business("bottom") });
    }
    let word = format!("depth {depth}");
    Box::pin(async move {
        probe.touch(&word).await?;
        Ok(depth)
    })
}

pub(crate) async fn run() {
    let world = World::start().await;
    assert_eq!(world.commits(block(&world.probe, "short")).await, 5);
    world.rolls_back(block(&world.probe, "longer")).await;
    assert_eq!(world.commits(boxed(&world.probe, 3)).await, 3);
    world.refuses(boxed(&world.probe, 0)).await;
}
