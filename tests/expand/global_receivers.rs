//! Methods with every receiver, also one that returns a borrow of it.

use std::pin::Pin;
use std::sync::Arc;

use unanimous::global_transactional;

use crate::world::{Failure, Probe, World};

struct Shop {
    probe: Arc<Probe>,
    last: String,
}

impl Shop {
    #[global_transactional]
    async fn by_reference(&self) -> Result<&str, Failure> {
        self.probe.touch("&self").await?;
        Ok(&self.last)
    }

    #[global_transactional]
    async fn exclusive<'a>(&'a mut self, word: &str) -> Result<&'a mut String, Failure> {
        self.probe.touch(word).await?;
        self.last.push_str(word);
        Ok(&mut self.last)
    }

    #[global_transactional]
    async fn shared(self: Arc<Self>) -> Result<Arc<Self>, Failure> {
        self.probe.touch("Arc<Self>").await?;
        Ok(self)
    }

    #[global_transactional]
    async fn pinned(mut self: Pin<&mut Self>) -> Result<(), Failure> {
        self.probe.touch("Pin").await?;
        self.last.clear();
        Ok(())
    }

    #[global_transactional]
    async fn by_value(mut self) -> Result<String, Failure> {
        self.probe.touch("self").await?;
        self.last.push('.');
        Ok(self.last)
    }
}

pub(crate) async fn run() {
    let world = World::start().await;
    let mut shop = Shop {
        probe: world.probe.clone(),
        last: "a".to_owned(),
    };
    world.commits(Pin::new(&mut shop).pinned()).await;
    world.commits(shop.exclusive("b")).await.push('c');
    assert_eq!(world.commits(shop.by_reference()).await, "bc");
    let shop = world.commits(Arc::new(shop).shared()).await;
    let shop = Arc::into_inner(shop).expect("the only one");
    assert_eq!(world.commits(shop.by_value()).await, "bc.");
}
