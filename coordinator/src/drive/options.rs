use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use unanimous_protocol::limits;

use super::answer::ServiceError;
use crate::clock::{Clock, SystemClock};
use crate::decide;
use crate::store::{Store, StoreError};

/// How a coordinator is started.
#[derive(Debug)]
pub struct Options {
    pub(super) place: Place,
    pub(super) wait: Duration,
    pub(super) restored: bool,
    pub(super) settings: Settings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) seed: Option<u64>,
}

#[derive(Debug)]
pub(super) enum Place {
    Given(Box<dyn Store>),
    Memory,
    Redb(PathBuf),
}

/// The numbers a coordinator works with. All have defaults in
/// [`limits`](unanimous_protocol::limits).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// Age at which an ended transaction may be forgotten, in uptime.
    pub clean_after: Duration,
    /// How often the horizon moves and is announced.
    pub horizon_interval: Duration,
    /// How long outcomes are remembered at least, one bit each, in uptime.
    pub remember_for: Duration,
    /// How long a stop waits for open transactions before it rolls them back.
    pub drain: Duration,
    /// How long a branch that no attached instance can decode is retried before it parks.
    pub undecodable_after: Duration,
    /// First wait before a phase two is repeated; it doubles from then on.
    pub retry_min: Duration,
    /// Longest wait before a phase two is repeated.
    pub retry_max: Duration,
    /// When a phase two that was delivered and not answered counts as lost and is delivered
    /// again. Harmless where it is merely slow: one branch's phase two never runs twice at once
    /// in a process.
    pub lost_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clean_after: limits::CLEAN_AFTER,
            horizon_interval: limits::HORIZON_INTERVAL,
            remember_for: limits::REMEMBER_FOR,
            drain: limits::DRAIN,
            undecodable_after: limits::UNDECODABLE_AFTER,
            retry_min: limits::PHASE_TWO_RETRY_MIN,
            retry_max: limits::PHASE_TWO_RETRY_MAX,
            // Longer than any wait between repeats, so that a slow participant is not pressed.
            lost_after: limits::LOST_AFTER,
        }
    }
}

impl Settings {
    /// The same numbers as `decide` counts them.
    pub(super) fn counted(&self) -> decide::Settings {
        let interval = self.horizon_interval().as_millis();
        let ticks = self.clean_after.as_millis().div_ceil(interval);
        decide::Settings {
            clean_ticks: usize::try_from(ticks).unwrap_or(usize::MAX),
            ..decide::Settings::default()
        }
    }

    /// How often transactions age by one; never so often that nothing else is done.
    pub(super) fn horizon_interval(&self) -> Duration {
        self.horizon_interval.max(Duration::from_millis(1))
    }

    /// How often remembered outcomes age by one.
    pub(super) fn remember_interval(&self) -> Duration {
        let ticks = u32::try_from(self.counted().remember_ticks).unwrap_or(u32::MAX);
        (self.remember_for / ticks.max(1)).max(Duration::from_millis(1))
    }
}

impl Options {
    fn over_place(place: Place) -> Self {
        Self {
            place,
            wait: Duration::ZERO,
            restored: false,
            settings: Settings::default(),
            clock: Arc::new(SystemClock::new()),
            seed: None,
        }
    }

    /// A coordinator whose log ends with the process. For tests.
    #[must_use]
    pub fn memory() -> Self {
        Self::over_place(Place::Memory)
    }

    /// A coordinator whose log is the file `path`, created where it is missing.
    #[must_use]
    pub fn redb(path: impl Into<PathBuf>) -> Self {
        Self::over_place(Place::Redb(path.into()))
    }

    /// A coordinator over a store of the caller's.
    #[must_use]
    pub fn over(store: impl Store) -> Self {
        Self::over_place(Place::Given(Box::new(store)))
    }

    /// Waits so long for another process that has the log open. Default: not at all.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Declares that the log is a restored backup: transactions that it does not know may have
    /// been committed after the copy was made, so they are told as foreign, never as rolled back.
    #[must_use]
    pub fn restored(mut self, restored: bool) -> Self {
        self.restored = restored;
        self
    }

    /// The numbers to work with.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The clock. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The seed of all randomness: incarnations and jitter. Default: the operating system's.
    /// Two starts of one log must never share a seed, except in tests.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
}

/// Why a coordinator cannot be started.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The store cannot be opened, or holds what this version does not know.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system gave no randomness.
    #[error(
        "the operating system gives no randomness, without which starts cannot be told apart: {0}"
    )]
    Randomness(Arc<str>),
    /// The coordinator ended before it served.
    #[error(transparent)]
    Service(#[from] ServiceError),
}
