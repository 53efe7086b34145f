//! The only reader of time in this crate. Every driver takes a [`Clock`] as a parameter.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;

/// Tells time and waits for it.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// Monotonic time since some fixed moment of this process. Deadlines are measured with it.
    fn now(&self) -> Duration;

    /// Milliseconds since the Unix epoch, for display and for the columns of the fence's tables.
    /// Nothing is decided by it.
    fn wall_ms(&self) -> i64;

    /// Completes once [`Clock::now`] has reached `at`.
    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()>;
}

impl dyn Clock {
    /// Completes after `duration`.
    pub fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.sleep_until(self.now().saturating_add(duration))
    }
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: tokio::time::Instant,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the system's clocks"
)]
impl SystemClock {
    /// A clock that counts from now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            origin: tokio::time::Instant::now(),
        }
    }

    fn elapsed(&self) -> Duration {
        tokio::time::Instant::now().saturating_duration_since(self.origin)
    }

    fn since_epoch() -> Duration {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default()
    }

    fn sleep(self, at: Duration) -> BoxFuture<'static, ()> {
        match self.origin.checked_add(at) {
            Some(at) => Box::pin(tokio::time::sleep_until(at)),
            None => Box::pin(std::future::pending()),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.elapsed()
    }

    fn wall_ms(&self) -> i64 {
        i64::try_from(Self::since_epoch().as_millis()).unwrap_or(i64::MAX)
    }

    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()> {
        (*self).sleep(at)
    }
}

/// A clock that stands still until it is told to go on. For tests.
///
/// Clones show the same time.
#[derive(Clone, Debug)]
pub struct ManualClock {
    now: Arc<watch::Sender<Duration>>,
    wall_ms: Arc<Mutex<i64>>,
}

impl ManualClock {
    /// A clock that shows zero, and a wall clock that shows the epoch.
    #[must_use]
    pub fn new() -> Self {
        Self {
            now: Arc::new(watch::Sender::new(Duration::ZERO)),
            wall_ms: Arc::default(),
        }
    }

    /// Moves both clocks on and wakes whoever waits for a moment that has come.
    pub fn advance(&self, by: Duration) {
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        *self.wall_ms.lock().unwrap_or_else(PoisonError::into_inner) += by_ms;
        self.now.send_modify(|now| *now += by);
    }

    /// Moves the wall clock alone, as a leap or an operator does.
    pub fn step_wall(&self, by_ms: i64) {
        *self.wall_ms.lock().unwrap_or_else(PoisonError::into_inner) += by_ms;
    }

    /// How many sleepers wait; a test uses it to know that a driver has come to its wait.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.now.receiver_count()
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        *self.now.borrow()
    }

    fn wall_ms(&self) -> i64 {
        *self.wall_ms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()> {
        let mut now = self.now.subscribe();
        Box::pin(async move {
            // The sender lives in the clock; when it is gone nobody will ever wake this sleeper.
            if now.wait_for(|now| *now >= at).await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}
