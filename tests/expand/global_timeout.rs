//! A literal is turned to milliseconds at expansion; the body is dropped at the deadline.

use std::future::pending;
use std::time::Duration;

use tokio::sync::Notify;
use unanimous::global_transactional;

use crate::world::{Failure, Probe, World};

#[global_transactional(timeout = "100ms")]
async fn never_done(probe: &Probe, started: &Notify) -> Result<(), Failure> {
    probe.touch("slow").await?;
    started.notify_one();
    pending().await
}

pub(crate) async fn run() {
    let (world, clock) = World::with_manual_clock().await;
    let started = Notify::new();
    let passing = async {
        started.notified().await;
        clock.advance(Duration::from_millis(100));
    };
    let call = world.rolls_back(never_done(&world.probe, &started));
    let (error, ()) = tokio::join!(call, passing);
    let timed_out = matches!(
        error,
        Failure::Transaction(unanimous::Error::TimedOut { .. })
    );
    assert!(timed_out, "{error:?}");
}
