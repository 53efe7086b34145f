//! Methods of a trait: a default body, and an implementation of a native async method.

use std::future::Future;

use unanimous::global_transactional;

use crate::world::{Failure, Probe, World};

trait Shop: Sync {
    fn probe(&self) -> &Probe;

    #[global_transactional]
    async fn refund(&self) -> Result<(), Failure> {
        self.probe().touch("refund").await?;
        Ok(())
    }

    fn purchase(&self, count: u32) -> impl Future<Output = Result<u32, Failure>> + Send;
}

struct Corner<'a>(&'a Probe);

impl Shop for Corner<'_> {
    fn probe(&self) -> &Probe {
        self.0
    }

    #[global_transactional]
    async fn purchase(&self, count: u32) -> Result<u32, Failure> {
        self.0.touch("purchase").await?;
        if count > 9 {
            Failure::business("too many")
        } else {
            Ok(count)
        }
    }
}

pub(crate) async fn run() {
    let world = World::start().await;
    let corner = Corner(&world.probe);
    world.commits(corner.refund()).await;
    assert_eq!(world.commits(corner.purchase(2)).await, 2);
    world.rolls_back(corner.purchase(10)).await;
}
