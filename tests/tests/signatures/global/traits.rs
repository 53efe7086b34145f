//! Methods of traits: native ones, and those that `#[async_trait]` boxes.

use std::fmt::Display;
use std::pin::Pin;
use std::rc::Rc;

use async_trait::async_trait;
use unanimous::global_transactional;

use crate::Ending;
use crate::world::{Failure, Probe, World};

struct Corner<'a>(&'a Probe);

impl Corner<'_> {
    /// The form that `#[async_trait]` leaves behind.
    #[global_transactional]
    fn by_hand<'life0, 'async_trait>(
        &'life0 self,
        ending: Ending,
    ) -> Pin<Box<dyn Future<Output = Result<usize, Failure>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let length = self.0.touch("by hand").await?;
            ending.with(length)
        })
    }
}

pub(crate) async fn trait_method_with_send_future(ending: Ending) {
    trait Shop {
        fn purchase(&self, ending: Ending) -> impl Future<Output = Result<u8, Failure>> + Send;
    }

    impl Shop for Corner<'_> {
        #[global_transactional]
        async fn purchase(&self, ending: Ending) -> Result<u8, Failure> {
            self.0.touch("+ Send").await?;
            ending.with(7)
        }
    }

    fn generic(
        shop: &impl Shop,
        ending: Ending,
    ) -> impl Future<Output = Result<u8, Failure>> + Send {
        shop.purchase(ending)
    }

    let world = World::start().await;
    let corner = Corner(&world.probe);
    ending.of(&world, generic(&corner, ending)).await;
}

pub(crate) async fn async_trait_method_natively(ending: Ending) {
    trait Shop {
        async fn purchase(&mut self, word: &str, ending: Ending) -> Result<usize, Failure>;
    }

    impl Shop for Corner<'_> {
        #[global_transactional]
        async fn purchase(&mut self, word: &str, ending: Ending) -> Result<usize, Failure> {
            let length = self.0.touch(word).await?;
            ending.with(length)
        }
    }

    let world = World::start().await;
    let mut corner = Corner(&world.probe);
    let value = ending.of(&world, corner.purchase("native", ending)).await;
    assert!(value.is_none_or(|value| value == 6));
}

pub(crate) async fn default_body(ending: Ending) {
    trait Shop: Sync {
        fn probe(&self) -> &Probe;

        #[global_transactional]
        async fn refund(&self, ending: Ending) -> Result<(), Failure> {
            self.probe().touch("default").await?;
            ending.with(())
        }
    }

    impl Shop for Corner<'_> {
        fn probe(&self) -> &Probe {
            self.0
        }
    }

    let world = World::start().await;
    let corner = Corner(&world.probe);
    ending.of(&world, corner.refund(ending)).await;
}

pub(crate) async fn async_trait_implementation(ending: Ending) {
    #[async_trait]
    trait Shop: Sync {
        async fn purchase(&self, word: &str, ending: Ending) -> Result<usize, Failure>;
    }

    #[async_trait]
    impl Shop for Corner<'_> {
        #[global_transactional]
        async fn purchase(&self, word: &str, ending: Ending) -> Result<usize, Failure> {
            let length = self.0.touch(word).await?;
            if ending.fails() {
                return Failure::business("early");
            }
            Ok(length)
        }
    }

    let world = World::start().await;
    let corner: &dyn Shop = &Corner(&world.probe);
    let value = ending.of(&world, corner.purchase("boxed", ending)).await;
    assert!(value.is_none_or(|value| value == 5));
}

pub(crate) async fn async_trait_default_body(ending: Ending) {
    #[async_trait]
    trait Shop: Sync {
        fn probe(&self) -> &Probe;

        #[global_transactional]
        async fn refund(&self, ending: Ending) -> Result<(), Failure> {
            self.probe().touch("default").await?;
            ending.with(())
        }
    }

    impl Shop for Corner<'_> {
        fn probe(&self) -> &Probe {
            self.0
        }
    }

    let world = World::start().await;
    let corner: &dyn Shop = &Corner(&world.probe);
    ending.of(&world, corner.refund(ending)).await;
}

pub(crate) async fn async_trait_generic(ending: Ending) {
    #[async_trait]
    trait Shop<T> {
        async fn purchase<W>(&self, item: T, word: W, ending: Ending) -> Result<T, Failure>
        where
            W: Display + Send + Sync + 'static;
    }

    #[async_trait]
    impl<T: Display + Send + Sync + 'static> Shop<T> for Corner<'_> {
        #[global_transactional]
        async fn purchase<W>(&self, item: T, word: W, ending: Ending) -> Result<T, Failure>
        where
            W: Display + Send + Sync + 'static,
        {
            self.0.touch(&format!("{item} {word}")).await?;
            ending.with(item)
        }
    }

    let world = World::start().await;
    let corner = Corner(&world.probe);
    let value = ending.of(&world, corner.purchase(7, 'w', ending)).await;
    assert!(value.is_none_or(|value| value == 7));
}

pub(crate) async fn async_trait_not_send(ending: Ending) {
    #[async_trait(?Send)]
    trait Shop {
        async fn purchase(&self, word: Rc<str>, ending: Ending) -> Result<Rc<str>, Failure>;
    }

    #[async_trait(?Send)]
    impl Shop for Corner<'_> {
        #[global_transactional]
        async fn purchase(&self, word: Rc<str>, ending: Ending) -> Result<Rc<str>, Failure> {
            self.0.touch(&word).await?;
            ending.with(word)
        }
    }

    let world = World::start().await;
    let corner: &dyn Shop = &Corner(&world.probe);
    let value = ending
        .of(&world, corner.purchase("rc".into(), ending))
        .await;
    assert!(value.is_none_or(|value| &*value == "rc"));
}

pub(crate) async fn async_trait_form_by_hand(ending: Ending) {
    let world = World::start().await;
    let corner = Corner(&world.probe);
    ending.of(&world, corner.by_hand(ending)).await;
}
