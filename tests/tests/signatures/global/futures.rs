//! Functions that return a future, and what callers do with futures.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::TryStreamExt;
use futures_util::future::{join, try_join_all};
use futures_util::stream::FuturesUnordered;
use unanimous::global_transactional;
use unanimous::sqlx::{SqlitePool, query_scalar};

use crate::Ending;
use crate::world::{Failure, Probe, World, database};

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

/// Many transactions at a time, ending in any order.
pub(crate) async fn unordered(ending: Ending) {
    let world = World::start().await;
    let call = async {
        let words = ["a", "bb", "ccc"];
        let calls = words.map(|word| plain(&world.probe, word, ending));
        let calls: FuturesUnordered<_> = calls.into_iter().collect();
        let lengths: Vec<usize> = calls.try_collect().await?;
        Ok::<usize, Failure>(lengths.into_iter().sum())
    };
    let value = ending.of(&world, call).await;
    assert!(value.is_none_or(|value| value == 6));
}

/// A stream of rows is held while branches are opened.
pub(crate) async fn rows_while_branches_open(ending: Ending) {
    #[global_transactional]
    async fn shape(probe: &Probe, pool: &SqlitePool, ending: Ending) -> Result<usize, Failure> {
        let mut rows = query_scalar::<_, String>("SELECT user FROM account").fetch(pool);
        let mut length = 0;
        while let Some(user) = rows.try_next().await? {
            length += probe.touch(&user).await?;
        }
        ending.with(length)
    }

    fn sendable<T>(call: impl Future<Output = T> + Send) -> impl Future<Output = T> + Send {
        call
    }

    let (world, pool) = (World::start().await, database().await);
    let call = sendable(shape(&world.probe, &pool, ending));
    let value = ending.of(&world, call).await;
    assert!(value.is_none_or(|value| value == 3));
}
