//! What a body does and what it returns.

use std::error::Error;
use std::fmt::Display;
use std::num::ParseIntError;

use unanimous::global_transactional;

use crate::Ending;
use crate::world::{Failure, Probe, World};

#[derive(Debug, thiserror::Error)]
enum ShopError {
    #[error(transparent)]
    Transaction(#[from] unanimous::Error),
    #[error(transparent)]
    Number(#[from] ParseIntError),
}

/// What is a number if the run is to commit.
fn number(ending: Ending) -> &'static str {
    if ending.fails() { "seven" } else { "7" }
}

pub(crate) async fn question_mark_with_conversion(ending: Ending) {
    #[global_transactional]
    async fn shape(probe: &Probe, number: &str) -> Result<u8, ShopError> {
        probe.touch("?").await?;
        let number = number.parse::<u8>()?;
        Ok(number)
    }

    let world = World::start().await;
    let value = ending.of(&world, shape(&world.probe, number(ending))).await;
    assert!(value.is_none_or(|value| value == 7));
}

pub(crate) async fn early_return(ending: Ending) {
    #[global_transactional]
    async fn shape(probe: &Probe, ending: Ending) -> Result<u8, Failure> {
        probe.touch("return").await?;
        if ending.fails() {
            return Err(Failure::Business("early"));
        }
        for count in 0.. {
            if count == 3 {
                return Ok(count);
            }
        }
        Ok(0)
    }

    let world = World::start().await;
    let value = ending.of(&world, shape(&world.probe, ending)).await;
    assert!(value.is_none_or(|value| value == 3));
}

pub(crate) async fn inferred_ok_type(ending: Ending) {
    #[global_transactional]
    async fn shape(probe: &Probe, number: &str) -> Result<(u8, Vec<String>), ShopError> {
        probe.touch("inferred").await?;
        let (number, nothing) = (number.parse()?, Vec::new());
        Ok((number, nothing))
    }

    let world = World::start().await;
    let value = ending.of(&world, shape(&world.probe, number(ending))).await;
    assert!(value.is_none_or(|value| value == (7, Vec::new())));
}

pub(crate) async fn collect_into_result(ending: Ending) {
    #[global_transactional]
    async fn shape(probe: &Probe, numbers: &[&str]) -> Result<Vec<u8>, ShopError> {
        probe.touch("collect").await?;
        numbers.iter().map(|number| Ok(number.parse()?)).collect()
    }

    let world = World::start().await;
    let numbers = ["1", number(ending)];
    let value = ending.of(&world, shape(&world.probe, &numbers)).await;
    assert!(value.is_none_or(|value| value == [1, 7]));
}

pub(crate) async fn boxed_trait_object_result(ending: Ending) {
    #[global_transactional]
    async fn shape(probe: &Probe, ending: Ending) -> Result<Box<dyn Display + Send>, Failure> {
        probe.touch("dyn").await?;
        ending.with(())?;
        Ok(Box::new(7))
    }

    let world = World::start().await;
    let call = async {
        let shown = shape(&world.probe, ending).await;
        shown.map(|shown| shown.to_string())
    };
    let value = ending.of(&world, call).await;
    assert!(value.is_none_or(|value| value == "7"));
}

pub(crate) async fn anyhow_result(ending: Ending) {
    #[global_transactional]
    async fn shape(probe: &Probe, number: &str) -> anyhow::Result<u8> {
        probe.touch("anyhow").await?;
        Ok(number.parse()?)
    }

    let world = World::start().await;
    let value = ending.of(&world, shape(&world.probe, number(ending))).await;
    assert!(value.is_none_or(|value| value == 7));
}

pub(crate) async fn boxed_error(ending: Ending) {
    #[global_transactional]
    async fn shape(probe: &Probe, number: &str) -> Result<u8, Box<dyn Error + Send + Sync>> {
        probe.touch("boxed").await?;
        Ok(number.parse()?)
    }

    #[global_transactional]
    async fn local(probe: &Probe, number: &str) -> Result<u8, Box<dyn Error>> {
        probe.touch("local").await?;
        Ok(number.parse()?)
    }

    let world = World::start().await;
    let value = ending.of(&world, shape(&world.probe, number(ending))).await;
    assert!(value.is_none_or(|value| value == 7));
    ending.of(&world, local(&world.probe, number(ending))).await;
}

pub(crate) async fn own_result_alias(ending: Ending) {
    type Answer<T = (), E = Failure> = Result<T, E>;

    #[global_transactional]
    async fn shape(probe: &Probe, ending: Ending) -> Answer {
        probe.touch("alias").await?;
        ending.with(())
    }

    let world = World::start().await;
    ending.of(&world, shape(&world.probe, ending)).await;
}

pub(crate) async fn result_of_a_module(ending: Ending) {
    mod shop {
        pub(crate) type Res<T> = Result<T, crate::world::Failure>;
    }

    #[global_transactional]
    async fn shape(probe: &Probe, ending: Ending) -> shop::Res<u8> {
        probe.touch("module").await?;
        ending.with(7)
    }

    let world = World::start().await;
    ending.of(&world, shape(&world.probe, ending)).await;
}

pub(crate) async fn recursion(ending: Ending) {
    #[global_transactional]
    async fn shape(probe: &Probe, depth: u8, ending: Ending) -> Result<u8, Failure> {
        probe.touch(&depth.to_string()).await?;
        if depth == 0 {
            return ending.with(0);
        }
        let below = Box::pin(shape(probe, depth - 1, ending)).await?;
        Ok(below + 1)
    }

    let world = World::start().await;
    let value = ending.of(&world, shape(&world.probe, 3, ending)).await;
    assert!(value.is_none_or(|value| value == 3));
}
