//! Waits for the end of branches, by asking again.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::Runtime;
use crate::clock::Clock;

/// Passes the time between two questions.
pub(crate) trait Pace: Send + Sync {
    /// Completes when it is time to ask again. `false`: nothing new would be heard, so that the
    /// wait is over.
    fn pause(&self, clock: &dyn Clock, wait: Duration) -> BoxFuture<'static, bool>;
}

/// Asks again when the clock says so.
pub(super) struct Clocked;

impl Pace for Clocked {
    fn pause(&self, clock: &dyn Clock, wait: Duration) -> BoxFuture<'static, bool> {
        let sleep = clock.sleep(wait);
        Box::pin(async move {
            sleep.await;
            true
        })
    }
}

impl Runtime {
    /// Asks again, 5 ms to 200 ms apart, until it is seen or the time is over.
    pub(super) async fn poll_until<F: Future<Output = bool>>(
        &self,
        within: Duration,
        seen: impl Fn() -> F,
    ) -> bool {
        let clock = self.clock();
        let deadline = clock.now().saturating_add(within);
        let mut wait = Duration::from_millis(5);
        loop {
            // A coordinator that does not answer is not waited for any longer.
            let seen = tokio::select! {
                biased;
                seen = seen() => seen,
                () = clock.sleep_until(deadline) => return false,
            };
            if seen {
                return true;
            }
            if clock.now() >= deadline || !self.inner.pace.pause(clock, wait).await {
                return false;
            }
            wait = (wait * 2).min(Duration::from_millis(200));
        }
    }
}
