//! Waits between repeats: doubling from a minimum to a maximum, with jitter.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A source of random bits, a parameter of whatever needs them.
#[derive(Clone)]
pub(crate) struct Entropy(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Entropy {
    /// The operating system's. Where it cannot be read, jitter is lost and nothing else.
    pub(crate) fn system() -> Self {
        Self(Arc::new(|| getrandom::u64().unwrap_or_default()))
    }

    pub(crate) fn next(&self) -> u64 {
        (self.0)()
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entropy").finish_non_exhaustive()
    }
}

/// The next wait of a repeated attempt.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    next: Duration,
    max: Duration,
    entropy: Entropy,
}

impl Backoff {
    pub(crate) fn new(min: Duration, max: Duration, entropy: Entropy) -> Self {
        Self {
            next: min,
            max,
            entropy,
        }
    }

    /// The wait before the next attempt: the doubled one, plus or minus half of it.
    pub(crate) fn wait(&mut self) -> Duration {
        let base = self.next;
        // A policy may name any wait.
        self.next = base.saturating_mul(2).min(self.max);
        // 0 to 1023 of 1024: a jitter of plus or minus 50 % needs no finer grain.
        let jitter = u32::try_from(self.entropy.next() % 1024).unwrap_or(0);
        base / 2 + base.saturating_mul(jitter) / 1024
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_maximum_and_stay_within_half_of_it() {
        let entropy = Entropy(Arc::new(|| 512));
        let (min, max) = (Duration::from_millis(50), Duration::from_millis(400));
        let mut backoff = Backoff::new(min, max, entropy);
        let waits: Vec<_> = (0..6).map(|_| backoff.wait().as_millis()).collect();
        assert_eq!(waits, [50, 100, 200, 400, 400, 400]);
        for draw in [0, 1023, u64::MAX] {
            let mut backoff = Backoff::new(min, max, Entropy(Arc::new(move || draw)));
            let wait = backoff.wait();
            assert!(wait >= min / 2 && wait <= min * 3 / 2, "{wait:?}");
            let mut longest = Backoff::new(Duration::MAX, Duration::MAX, backoff.entropy);
            for _ in 0..2 {
                assert!(longest.wait() >= Duration::MAX / 2);
            }
        }
    }
}
