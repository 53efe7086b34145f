//! The only reader of time.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// A monotonic clock, a parameter of the driver. Clocks decide when something is tried, never what
/// is answered (E1).
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Time since a fixed moment of this process; never goes back.
    fn now(&self) -> Duration;
    /// Ends once [`Clock::now`] is at least `at`.
    fn sleep_until(&self, at: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: tokio::time::Instant,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the system's clock"
)]
impl SystemClock {
    /// A clock that starts now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            origin: tokio::time::Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the system's clock"
)]
impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn sleep_until(&self, at: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let origin = self.origin;
        Box::pin(async move {
            match origin.checked_add(at) {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        })
    }
}

/// A clock that stands still until a test moves it.
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    state: Arc<Mutex<Manual>>,
}

#[derive(Debug, Default)]
struct Manual {
    now: Duration,
    /// Sleepers by when they wake, and their number.
    sleepers: BTreeMap<(Duration, u64), oneshot::Sender<()>>,
    next: u64,
}

impl ManualClock {
    /// A clock at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock on, and wakes who slept until then.
    pub fn advance(&self, by: Duration) {
        let mut state = self.lock();
        state.now += by;
        let now = state.now;
        let later = state.sleepers.split_off(&(now, u64::MAX));
        let awake = std::mem::replace(&mut state.sleepers, later);
        for sleeper in awake.into_values() {
            // It may have stopped waiting.
            let _ = sleeper.send(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Manual> {
        // Changed in single steps: a panic elsewhere leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        self.lock().now
    }

    fn sleep_until(&self, at: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut state = self.lock();
        if at <= state.now {
            return Box::pin(std::future::ready(()));
        }
        let (sender, woken) = oneshot::channel();
        state.next += 1;
        let number = state.next;
        state.sleepers.insert((at, number), sender);
        Box::pin(async move {
            // The clock itself is gone: time stands still for ever.
            if woken.await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests run in no transaction")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_sleepers_whose_time_has_come() {
        let clock = ManualClock::new();
        let early = clock.sleep_until(Duration::from_secs(1));
        let mut late = tokio::spawn(clock.sleep_until(Duration::from_secs(3)));
        clock.advance(Duration::from_secs(2));
        early.await;
        assert_eq!(clock.now(), Duration::from_secs(2));
        let waits = futures_poll(&mut late).await;
        assert!(waits, "it woke too early");
        clock.advance(Duration::from_secs(1));
        late.await.unwrap();
    }

    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> bool {
        std::future::poll_fn(|cx| {
            std::task::Poll::Ready(Pin::new(&mut *future).poll(cx).is_pending())
        })
        .await
    }
}
