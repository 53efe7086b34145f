//! Whether the coordinator has seen what the test's clock shows.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::clock::{Clock, ManualClock};

/// The test's clock as it is lent to the coordinator, whose one timer task fires what is due and
/// sleeps until the next timer: it has seen a time once it sleeps beyond it.
#[derive(Clone, Debug)]
pub(super) struct TimedClock {
    clock: ManualClock,
    /// Until when the coordinator slept, or sleeps.
    asleep_until: Arc<watch::Sender<Duration>>,
}

impl TimedClock {
    pub(super) fn new(clock: ManualClock) -> Self {
        Self {
            clock,
            asleep_until: Arc::new(watch::Sender::new(Duration::ZERO)),
        }
    }

    /// Completes once every timer of the coordinator that is due by now has fired.
    pub(super) async fn seen(&self) {
        let now = self.clock.now();
        // The sender lives as long as `self`.
        let _ = self
            .asleep_until
            .subscribe()
            .wait_for(|until| *until > now)
            .await;
    }
}

impl Clock for TimedClock {
    fn now(&self) -> Duration {
        self.clock.now()
    }

    fn wall_ms(&self) -> i64 {
        self.clock.wall_ms()
    }

    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()> {
        self.asleep_until.send_replace(at);
        self.clock.sleep_until(at)
    }
}
