//! An error type that cannot be converted from ours: a function or a closure does it.

use unanimous::global_transactional;

use crate::world::{Probe, World};

fn text(error: unanimous::Error) -> String {
    format!("transaction: {error}")
}

#[global_transactional(propagation = mandatory, map_err = text)]
async fn by_function(probe: &Probe) -> Result<usize, String> {
    probe.touch("function").await.map_err(text)
}

#[global_transactional(map_err = |error| error.to_string())]
async fn by_closure(probe: &Probe, fails: bool) -> Result<(), String> {
    let touched = probe.touch("closure").await.map_err(text)?;
    if fails {
        Err(format!("after {touched}"))
    } else {
        Ok(())
    }
}

pub(crate) async fn run() {
    let world = World::start().await;
    let error = world.refuses(by_function(&world.probe)).await;
    assert!(error.starts_with("transaction: "), "{error}");
    world.commits(by_closure(&world.probe, false)).await;
    assert_eq!(
        world.rolls_back(by_closure(&world.probe, true)).await,
        "after 7"
    );
}
