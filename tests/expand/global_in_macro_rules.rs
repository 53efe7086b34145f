//! Annotated functions that another macro writes: its fragments arrive in invisible groups, and
//! its `self` is not ours.

use std::time::Duration;

use unanimous::global_transactional;

use crate::world::{Failure, Probe, World};

macro_rules! transactional {
    ($name:ident, $word:expr, $time:expr, $ok:ty, $body:block) => {
        #[global_transactional(name = $word, timeout = $time, crate = ::unanimous)]
        async fn $name(probe: &Probe) -> Result<$ok, Failure> {
            probe.touch($word).await?;
            $body
        }
    };
}

macro_rules! method {
    ($name:ident, $vis:vis, $patience:expr) => {
        #[global_transactional(timeout = self.patience + $patience)]
        $vis async fn $name(&self) -> Result<(), Failure> {
            self.probe.touch("method").await?;
            Ok(())
        }
    };
}

transactional!(purchase, "fragment", "30s", u32, { Ok(7) });

struct Shop<'a> {
    probe: &'a Probe,
    patience: Duration,
}

impl Shop<'_> {
    method!(purchase, pub(crate), Duration::from_secs(1));
}

pub(crate) async fn run() {
    let world = World::start().await;
    assert_eq!(world.commits(purchase(&world.probe)).await, 7);
    let shop = Shop {
        probe: &world.probe,
        patience: Duration::from_secs(1),
    };
    world.commits(shop.purchase()).await;
}
