//! A clock that runs faster than the system's.

use std::time::Duration;

use futures_util::future::BoxFuture;
use unanimous::clock::{Clock, SystemClock};

/// How many times faster: a back-off of 100 ms costs a test 5 ms, and a timeout of 60 s three.
const SPEED: u32 = 20;

/// The system's clock, sped up: waits between repeats cost little, and nothing is ordered by them.
#[derive(Clone, Debug)]
pub(crate) struct FastClock(SystemClock);

impl FastClock {
    pub(crate) fn new() -> Self {
        Self(SystemClock::new())
    }
}

impl Clock for FastClock {
    fn now(&self) -> Duration {
        self.0.now().saturating_mul(SPEED)
    }

    fn wall_ms(&self) -> i64 {
        self.0.wall_ms().saturating_mul(i64::from(SPEED))
    }

    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep_until(at / SPEED)
    }
}
