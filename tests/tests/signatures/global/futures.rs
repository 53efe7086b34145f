//! Functions that return a future, and what callers do with futures.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::{join, try_join_all};
use unanimous::global_transactional;

use crate::Ending;
use crate::world::{Failure, Probe, World};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

pub(crate) async fn async_block_as_body(ending: Ending) {
    #[allow(clippy::manual_async_fn)]
    #[global_transactional]
    fn shape<'a>(
        probe: &'a Probe,
        word: &'a str,
        ending: Ending,
    ) -> impl Future<Output = Result<usize, Failure>> + Send + 'a {
        async move {
            let length = probe.touch(word).await?;
            ending.with(length)
        }
    }

    let world = World::start().await;
    let value = ending
        .of(&world, shape(&world.probe, "block", ending))
        .await;
    assert!(value.is_none_or(|value| value == 5));
}

pub(crate) async fn boxed_future(ending: Ending) {
    #[global_transactional]
    fn shape(probe: &Probe, ending: Ending) -> BoxFuture<'_, Result<usize, Failure>> {
        Box::pin(async move {
            let length = probe.touch("boxed").await?;
            ending.with(length)
        })
    }

    let world = World::start().await;
    let value = ending.of(&world, shape(&world.probe, ending)).await;
    assert!(value.is_none_or(|value| value == 5));
}

pub(crate) async fn boxed_future_with_early_return(ending: Ending) {
    #[global_transactional]
    fn shape(probe: &Probe, ending: Ending) -> BoxFuture<'_, Result<usize, Failure>> {
        let word = format!("{ending:?}");
        if ending.fails() {
            return Box::pin(async move {
                probe.touch(&word).await?;
                Failure::business("early")
            });
        }
        Box::pin(async move { Ok(probe.touch(&word).await?) })
    }

    let world = World::start().await;
    let value = ending.of(&world, shape(&world.probe, ending)).await;
    assert!(value.is_none_or(|value| value == 6));
}

#[global_transactional]
async fn plain(probe: &Probe, word: &str, ending: Ending) -> Result<usize, Failure> {
    let length = probe.touch(word).await?;
    ending.with(length)
}

pub(crate) async fn spawned(ending: Ending) {
    let world = World::start().await;
    let (runtime, probe) = (world.runtime.clone(), Arc::clone(&world.probe));
    let call = async move {
        let task = tokio::spawn(async move {
            let call = plain(&probe, "spawned", ending);
            runtime.scope(call).await
        });
        task.await.expect("the task ends")
    };
    ending.of(&world, call).await;
}

/// Two transactions at a time in one task, and several branches at a time in one of them.
pub(crate) async fn joined(ending: Ending) {
    #[global_transactional]
    async fn shape(probe: &Probe, words: &[&str], ending: Ending) -> Result<usize, Failure> {
        let lengths = try_join_all(words.iter().map(|word| probe.touch(word))).await?;
        ending.with(lengths.into_iter().sum())
    }

    let world = World::start().await;
    let probe = &*world.probe;
    let call = async {
        let (first, second) = join(
            shape(probe, &["a", "bb"], ending),
            shape(probe, &["ccc"], ending),
        )
        .await;
        Ok::<_, Failure>(first? + second?)
    };
    let value = ending.of(&world, call).await;
    assert!(value.is_none_or(|value| value == 6));
}
