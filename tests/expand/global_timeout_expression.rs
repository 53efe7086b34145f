//! An expression of type `Duration` is evaluated at every call and may read the parameters.

use std::future::pending;
use std::time::Duration;

use tokio::sync::Notify;
use unanimous::global_transactional;

use crate::world::{Failure, Probe, World};

struct Shop<'a> {
    probe: &'a Probe,
    patience: Duration,
    started: Notify,
}

impl Shop<'_> {
    #[global_transactional(timeout = self.patience * factor, settle = self.patience)]
    async fn purchase(&self, factor: u32) -> Result<(), Failure> {
        self.probe.touch("patient").await?;
        self.started.notify_one();
        pending().await
    }
}

pub(crate) async fn run() {
    let (world, clock) = World::with_manual_clock().await;
    let patience = Duration::from_millis(50);
    let started = Notify::new();
    let shop = Shop {
        probe: &world.probe,
        patience,
        started,
    };
    let passing = async {
        shop.started.notified().await;
        clock.advance(patience * 3);
    };
    let call = world.rolls_back(shop.purchase(3));
    let (error, ()) = tokio::join!(call, passing);
    let timed_out = matches!(
        error,
        Failure::Transaction(unanimous::Error::TimedOut { .. })
    );
    assert!(timed_out, "{error:?}");
}
