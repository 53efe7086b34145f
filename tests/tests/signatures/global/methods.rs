//! Every receiver.

use std::pin::Pin;
use std::sync::Arc;

use unanimous::global_transactional;

use crate::Ending;
use crate::world::{Failure, Probe, World};

#[derive(Debug)]
struct Shop {
    probe: Arc<Probe>,
    last: String,
}

impl Shop {
    async fn start() -> (World, Self) {
        let world = World::start().await;
        let shop = Self {
            probe: world.probe.clone(),
            last: "a".to_owned(),
        };
        (world, shop)
    }

    #[global_transactional]
    async fn lent(&self, ending: Ending) -> Result<&str, Failure> {
        self.probe.touch("&self").await?;
        ending.with(&self.last)
    }

    #[global_transactional]
    async fn exclusive<'a>(
        &'a mut self,
        word: &str,
        ending: Ending,
    ) -> Result<&'a mut String, Failure> {
        self.probe.touch(word).await?;
        self.last.push_str(word);
        ending.with(&mut self.last)
    }

    #[global_transactional]
    async fn shared(self: Arc<Self>, ending: Ending) -> Result<Arc<Self>, Failure> {
        self.probe.touch("Arc<Self>").await?;
        ending.with(self)
    }

    #[global_transactional]
    async fn by_value(mut self, ending: Ending) -> Result<String, Failure> {
        self.probe.touch("self").await?;
        self.last.push('.');
        ending.with(self.last)
    }

    #[global_transactional]
    async fn pinned(mut self: Pin<&mut Self>, ending: Ending) -> Result<usize, Failure> {
        self.probe.touch("Pin<&mut Self>").await?;
        self.last.push('p');
        ending.with(self.last.len())
    }

    #[global_transactional]
    async fn boxed(self: Box<Self>, ending: Ending) -> Result<Box<Self>, Failure> {
        self.probe.touch("Box<Self>").await?;
        ending.with(self)
    }

    #[global_transactional]
    async fn associated(probe: Arc<Probe>, ending: Ending) -> Result<Self, Failure> {
        probe.touch("Self").await?;
        let last = String::new();
        ending.with(Self { probe, last })
    }
}

pub(crate) async fn lent_self(ending: Ending) {
    let (world, shop) = Shop::start().await;
    let value = ending.of(&world, shop.lent(ending)).await;
    assert!(value.is_none_or(|value| value == "a"));
}

pub(crate) async fn exclusive_self_returning_a_borrow(ending: Ending) {
    let (world, mut shop) = Shop::start().await;
    if let Some(last) = ending.of(&world, shop.exclusive("b", ending)).await {
        last.push('c');
        assert_eq!(shop.last, "abc");
    }
}

pub(crate) async fn shared_self(ending: Ending) {
    let (world, shop) = Shop::start().await;
    ending.of(&world, Arc::new(shop).shared(ending)).await;
}

pub(crate) async fn self_by_value(ending: Ending) {
    let (world, shop) = Shop::start().await;
    let value = ending.of(&world, shop.by_value(ending)).await;
    assert!(value.is_none_or(|value| value == "a."));
}

pub(crate) async fn pinned_self(ending: Ending) {
    let (world, mut shop) = Shop::start().await;
    let value = ending.of(&world, Pin::new(&mut shop).pinned(ending)).await;
    assert!(value.is_none_or(|value| value == 2));
}

pub(crate) async fn boxed_self(ending: Ending) {
    let (world, shop) = Shop::start().await;
    ending.of(&world, Box::new(shop).boxed(ending)).await;
}

pub(crate) async fn associated_function(ending: Ending) {
    let world = World::start().await;
    let call = Shop::associated(world.probe.clone(), ending);
    ending.of(&world, call).await;
}

pub(crate) async fn generic_impl(ending: Ending) {
    struct Shelf<T, const N: usize>([T; N]);

    impl<T, const N: usize> Shelf<T, N>
    where
        T: AsRef<str> + Sync,
    {
        #[global_transactional]
        async fn shape<F>(&self, probe: &Probe, pick: F, ending: Ending) -> Result<&T, Failure>
        where
            F: Fn(usize) -> usize + Send,
        {
            let picked = &self.0[pick(N)];
            probe.touch(picked.as_ref()).await?;
            ending.with(picked)
        }
    }

    let world = World::start().await;
    let shelf = Shelf(["a", "b"]);
    let call = shelf.shape(&world.probe, |count| count - 1, ending);
    let value = ending.of(&world, call).await;
    assert!(value.is_none_or(|value| *value == "b"));
}
