//! What a function takes, and what of it it returns.

use std::fmt::Display;

use unanimous::global_transactional;

use crate::Ending;
use crate::world::{Failure, Probe, World};

pub(crate) async fn impl_trait_argument(ending: Ending) {
    #[global_transactional]
    async fn shape(
        probe: &Probe,
        words: impl Iterator<Item = &str> + Send,
        ending: Ending,
    ) -> Result<usize, Failure> {
        let mut length = 0;
        for word in words {
            length += probe.touch(word).await?;
        }
        ending.with(length)
    }

    let world = World::start().await;
    let words = ["one", "three"].into_iter();
    let value = ending.of(&world, shape(&world.probe, words, ending)).await;
    assert!(value.is_none_or(|value| value == 8));
}

pub(crate) async fn impl_trait_return(ending: Ending) {
    #[global_transactional]
    async fn shape(
        probe: &Probe,
        ending: Ending,
    ) -> Result<(impl Display + use<>, Vec<impl Display + use<>>), Failure> {
        let length = probe.touch("impl").await?;
        ending.with((length, vec!["a"]))
    }

    let world = World::start().await;
    let call = async {
        let (length, words) = shape(&world.probe, ending).await?;
        Ok::<_, Failure>(format!("{length} {}", words[0]))
    };
    let value = ending.of(&world, call).await;
    assert!(value.is_none_or(|value| value == "4 a"));
}

pub(crate) async fn destructured_parameters(ending: Ending) {
    struct Order {
        sku: &'static str,
        count: u8,
    }

    #[global_transactional]
    async fn shape(
        probe: &Probe,
        Order { sku, count }: Order,
        (first, [_, second]): (u8, [u8; 2]),
        ending: Ending,
    ) -> Result<u8, Failure> {
        probe.touch(sku).await?;
        ending.with(count + first + second)
    }

    let world = World::start().await;
    let order = Order {
        sku: "bread",
        count: 1,
    };
    let call = shape(&world.probe, order, (2, [0, 4]), ending);
    let value = ending.of(&world, call).await;
    assert!(value.is_none_or(|value| value == 7));
}

pub(crate) async fn mutable_parameters(ending: Ending) {
    #[global_transactional]
    async fn shape(
        probe: &Probe,
        mut word: String,
        (mut count, _): (u8, u8),
        ending: Ending,
    ) -> Result<(String, u8), Failure> {
        word.push('!');
        count += 1;
        probe.touch(&word).await?;
        ending.with((word, count))
    }

    let world = World::start().await;
    let call = shape(&world.probe, "mut".to_owned(), (6, 0), ending);
    let value = ending.of(&world, call).await;
    assert!(value.is_none_or(|value| value == ("mut!".to_owned(), 7)));
}

pub(crate) async fn exclusive_reference(ending: Ending) {
    #[global_transactional]
    async fn shape(probe: &Probe, log: &mut Vec<usize>, ending: Ending) -> Result<(), Failure> {
        log.push(probe.touch("&mut").await?);
        ending.with(())
    }

    let world = World::start().await;
    let mut log = Vec::new();
    let call = shape(&world.probe, &mut log, ending);
    ending.of(&world, call).await;
    assert_eq!(log, [4]);
}

pub(crate) async fn const_generic_with_named_lifetime(ending: Ending) {
    #[global_transactional]
    async fn shape<'a, T, const N: usize>(
        probe: &Probe,
        items: &'a [T; N],
        ending: Ending,
    ) -> Result<&'a T, Failure>
    where
        T: Display + Sync,
    {
        for item in items {
            probe.touch(&item.to_string()).await?;
        }
        ending.with(&items[N - 1])
    }

    let world = World::start().await;
    let items = [5, 6, 7];
    let value = ending.of(&world, shape(&world.probe, &items, ending)).await;
    assert!(value.is_none_or(|value| *value == 7));
}

pub(crate) async fn raw_identifiers(ending: Ending) {
    #[global_transactional]
    async fn r#try(r#type: &Probe, r#in: &str, r#match: Ending) -> Result<usize, Failure> {
        let r#fn = r#type.touch(r#in).await?;
        r#match.with(r#fn)
    }

    let world = World::start().await;
    let value = ending.of(&world, r#try(&world.probe, "r#", ending)).await;
    assert!(value.is_none_or(|value| value == 2));
}

#[allow(clippy::large_types_passed_by_value, reason = "this is the shape")]
pub(crate) async fn large_array(ending: Ending) {
    #[global_transactional]
    async fn shape(probe: &Probe, bytes: [u8; 4096], ending: Ending) -> Result<usize, Failure> {
        probe.touch("large").await?;
        let sum = bytes.iter().copied().map(usize::from).sum();
        ending.with(sum)
    }

    let world = World::start().await;
    let call = Box::pin(shape(&world.probe, [1; 4096], ending));
    let value = ending.of(&world, call).await;
    assert!(value.is_none_or(|value| value == 4096));
}

pub(crate) async fn named_like_our_locals(ending: Ending) {
    #[global_transactional(commit_on(unanimous::Error::NoRuntime), map_err = |error| error)]
    async fn mapped(__error: &Probe, __result: &str) -> Result<usize, unanimous::Error> {
        __error.touch(__result).await
    }

    #[global_transactional]
    async fn shape(
        __probe: &Probe,
        __returned: &str,
        __body: u8,
        how: Ending,
    ) -> Result<u8, Failure> {
        mapped(__probe, __returned).await?;
        how.with(__body)
    }

    let world = World::start().await;
    let value = ending
        .of(&world, shape(&world.probe, "ours", 7, ending))
        .await;
    assert!(value.is_none_or(|value| value == 7));
}

pub(crate) async fn borrowed_parameter_returned(ending: Ending) {
    #[global_transactional]
    async fn shape<'a>(
        probe: &Probe,
        words: &'a [String],
        ending: Ending,
    ) -> Result<Vec<&'a str>, Failure> {
        let mut long = Vec::new();
        for word in words {
            if probe.touch(word).await? > 1 {
                long.push(word.as_str());
            }
        }
        ending.with(long)
    }

    let world = World::start().await;
    let words = ["a".to_owned(), "bb".to_owned()];
    let value = ending.of(&world, shape(&world.probe, &words, ending)).await;
    assert!(value.is_none_or(|value| value == ["bb"]));
}

pub(crate) async fn callbacks(ending: Ending) {
    #[global_transactional]
    async fn shape(
        probe: &Probe,
        word: impl Fn(u8) -> String + Sync,
        confirm: impl AsyncFn(&str) -> bool,
        ending: Ending,
    ) -> Result<bool, Failure> {
        probe.touch(&word(7)).await?;
        let confirmed = confirm(&word(8)).await;
        ending.with(confirmed)
    }

    let world = World::start().await;
    let call = shape(
        &world.probe,
        |count| count.to_string(),
        async |word: &str| word == "8",
        ending,
    );
    let value = ending.of(&world, call).await;
    assert!(value.is_none_or(|value| value));
}

pub(crate) async fn dynamic_reference(ending: Ending) {
    #[global_transactional]
    async fn shape(
        probe: &Probe,
        shown: &(dyn Display + Sync),
        ending: Ending,
    ) -> Result<(), Failure> {
        probe.touch(&shown.to_string()).await?;
        ending.with(())
    }

    let world = World::start().await;
    ending.of(&world, shape(&world.probe, &7, ending)).await;
}

pub(crate) async fn exclusive_dynamic_reference(ending: Ending) {
    #[global_transactional]
    async fn shape(
        probe: &Probe,
        next: &mut (dyn FnMut() -> u8 + Send),
        ending: Ending,
    ) -> Result<u8, Failure> {
        probe.touch(&next().to_string()).await?;
        ending.with(next())
    }

    let world = World::start().await;
    let mut count = 0;
    let mut next = || {
        count += 1;
        count
    };
    let value = ending
        .of(&world, shape(&world.probe, &mut next, ending))
        .await;
    assert!(value.is_none_or(|value| value == 2));
}

pub(crate) async fn unnamed_parameters(ending: Ending) {
    #[global_transactional]
    async fn shape(probe: &Probe, _: String, _unused: u8, ending: Ending) -> Result<(), Failure> {
        probe.touch("_").await?;
        ending.with(())
    }

    let world = World::start().await;
    let call = shape(&world.probe, String::new(), 1, ending);
    ending.of(&world, call).await;
}
