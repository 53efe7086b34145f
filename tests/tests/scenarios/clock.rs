//! A clock that runs faster than the system's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use unanimous::clock::{Clock, SystemClock};

/// How many times faster: a back-off of 100 ms costs a test 5 ms, and a timeout of 60 s three.
const SPEED: u32 = 20;

/// The system's clock, sped up: waits between repeats cost little, and nothing is ordered by them.
#[derive(Clone, Debug)]
pub(crate) struct FastClock {
    system: SystemClock,
    started_ms: i64,
    /// How far the wall clock was set wrong, in milliseconds.
    wrong_ms: Arc<AtomicI64>,
}

impl FastClock {
    pub(crate) fn new() -> Self {
        let system = SystemClock::new();
        Self {
            started_ms: system.wall_ms(),
            system,
            wrong_ms: Arc::default(),
        }
    }

    /// Sets the wall clock wrong.
    pub(crate) fn step_wall(&self, by_ms: i64) {
        self.wrong_ms.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for FastClock {
    fn now(&self) -> Duration {
        self.system.now().saturating_mul(SPEED)
    }

    fn wall_ms(&self) -> i64 {
        let passed_ms = i64::try_from(self.now().as_millis()).expect("a test is short");
        self.started_ms + passed_ms + self.wrong_ms.load(Ordering::SeqCst)
    }

    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()> {
        self.system.sleep_until(at / SPEED)
    }
}
