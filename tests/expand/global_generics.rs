//! Generics, `impl Trait` in and out, const generics, patterns and mutable parameters.

use std::fmt::Display;
use std::future::Future;

use unanimous::global_transactional;

use crate::world::{Failure, Probe, World};

#[global_transactional]
async fn generic<T, const N: usize>(probe: &Probe, items: [T; N]) -> Result<[T; N], Failure>
where
    T: Display + Send,
{
    for item in &items {
        probe.touch(&item.to_string()).await?;
    }
    Ok(items)
}

#[global_transactional]
async fn existential(
    probe: &Probe,
    words: impl Iterator<Item = &str> + Send,
) -> Result<impl Display, Failure> {
    let mut last = 0;
    for word in words {
        last = probe.touch(word).await?;
    }
    Ok(last)
}

#[global_transactional]
async fn patterns(
    probe: &Probe,
    (first, mut second): (&str, String),
    [_, third]: [u8; 2],
) -> Result<Box<dyn Display + Send>, Failure> {
    second.push_str(first);
    probe.touch(&second).await?;
    Ok(Box::new(third))
}

#[global_transactional]
async fn collected(probe: &Probe, words: &[&str]) -> Result<Vec<usize>, Failure> {
    let mut counts = Vec::new();
    for word in words {
        counts.push(probe.touch(word).await);
    }
    let counts = counts.into_iter().collect::<Result<_, _>>()?;
    Ok(counts)
}

fn is_send<F: Future + Send>(future: F) -> F {
    future
}

pub(crate) async fn run() {
    let world = World::start().await;
    let probe = &world.probe;
    assert_eq!(world.commits(is_send(generic(probe, [1, 2]))).await, [1, 2]);
    let words = ["one", "three"].into_iter();
    assert_eq!(
        world
            .commits(is_send(existential(probe, words)))
            .await
            .to_string(),
        "5"
    );
    let shown = world
        .commits(is_send(patterns(probe, ("b", "a".to_owned()), [0, 9])))
        .await;
    assert_eq!(shown.to_string(), "9");
    assert_eq!(
        world.commits(is_send(collected(probe, &["x", "yy"]))).await,
        [1, 2]
    );
}
