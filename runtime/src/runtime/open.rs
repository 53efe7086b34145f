//! Counts the transactions that this process began and has not decided.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// The transactions that are open, and whether new ones may begin.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    state: Arc<watch::Sender<State>>,
    ages: Arc<Mutex<Ages>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    open: usize,
    closed: bool,
}

/// When each open transaction began, by a number of its own.
#[derive(Debug, Default)]
struct Ages {
    next: u64,
    begun: BTreeMap<u64, Duration>,
}

/// A transaction counts as open while this lives.
#[derive(Debug)]
pub(crate) struct OpenTransaction {
    open: Open,
    number: u64,
}

impl Open {
    pub(crate) fn new() -> Self {
        Self {
            state: Arc::new(watch::Sender::new(State::default())),
            ages: Arc::default(),
        }
    }

    /// One more is open, unless the runtime is shutting down.
    pub(crate) fn begin(&self, now: Duration) -> Option<OpenTransaction> {
        let begun = self.state.send_if_modified(|state| {
            state.open += usize::from(!state.closed);
            !state.closed
        });
        begun.then(|| {
            let mut ages = self.ages.lock().unwrap_or_else(PoisonError::into_inner);
            let number = ages.next;
            ages.next += 1;
            ages.begun.insert(number, now);
            OpenTransaction {
                open: self.clone(),
                number,
            }
        })
    }

    /// From here on nothing begins.
    pub(crate) fn close(&self) {
        self.state.send_modify(|state| state.closed = true);
    }

    pub(crate) fn count(&self) -> usize {
        self.state.borrow().open
    }

    /// When the oldest of them began.
    pub(crate) fn oldest(&self) -> Option<Duration> {
        let ages = self.ages.lock().unwrap_or_else(PoisonError::into_inner);
        ages.begun.values().next().copied()
    }

    /// Completes when none is open.
    pub(crate) async fn drained(&self) {
        let _ = self
            .state
            .subscribe()
            .wait_for(|state| state.open == 0)
            .await;
    }
}

impl Drop for OpenTransaction {
    fn drop(&mut self) {
        self.open.state.send_modify(|state| state.open -= 1);
        let mut ages = self
            .open
            .ages
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        ages.begun.remove(&self.number);
    }
}
