//! Under `#[async_trait]` the method arrives boxed: its future is wrapped, not the function. The
//! snapshot shows the method beside it that writes the same form by hand.

use std::pin::Pin;

use async_trait::async_trait;
use unanimous::global_transactional;

use crate::world::{Failure, Probe, World};

#[async_trait]
trait Shop {
    async fn purchase(&self, word: &str) -> Result<usize, Failure>;

    #[global_transactional]
    async fn gift(&self) -> Result<(), Failure>
    where
        Self: Sized + Sync,
    {
        self.purchase("gift").await?;
        Ok(())
    }
}

struct Corner<'a>(&'a Probe);

#[async_trait]
impl Shop for Corner<'_> {
    #[global_transactional]
    async fn purchase(&self, word: &str) -> Result<usize, Failure> {
        let count = self.0.touch(word).await?;
        if word == "bomb" {
            Failure::business("refused")
        } else {
            Ok(count)
        }
    }
}

#[async_trait(?Send)]
trait Local {
    #[global_transactional]
    async fn borrow(&self, probe: &Probe) -> Result<usize, Failure> {
        let not_send = std::rc::Rc::new("local");
        Ok(probe.touch(&not_send).await?)
    }
}

impl Local for () {}

impl Corner<'_> {
    #[global_transactional]
    fn by_hand<'life0, 'async_trait>(
        &'life0 self,
    ) -> Pin<Box<dyn Future<Output = Result<usize, Failure>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let count = self.0.touch("by hand").await?;
            Ok(count)
        })
    }
}

pub(crate) async fn run() {
    let world = World::start().await;
    let corner = Corner(&world.probe);
    assert_eq!(world.commits(corner.purchase("bread")).await, 5);
    world.rolls_back(corner.purchase("bomb")).await;
    world.commits(corner.gift()).await;
    assert_eq!(world.commits(().borrow(&world.probe)).await, 5);
    assert_eq!(world.commits(corner.by_hand()).await, 7);
}
