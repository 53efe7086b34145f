//! Counts the transactions that this process began and has not decided.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// The transactions that are open, and whether new ones may begin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Open(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Told whenever the last open one ends.
    drained: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// When each began, by a number of its own.
    begun: BTreeMap<u64, Duration>,
    next: u64,
    closed: bool,
}

/// A transaction counts as open while this lives.
#[derive(Debug)]
pub(crate) struct OpenTransaction {
    open: Open,
    number: u64,
}

impl Open {
    /// One more is open, unless the runtime is shutting down.
    pub(crate) fn begin(&self, now: Duration) -> Option<OpenTransaction> {
        let mut state = self.state();
        if state.closed {
            return None;
        }
        let number = state.next;
        state.next += 1;
        state.begun.insert(number, now);
        Some(OpenTransaction {
            open: self.clone(),
            number,
        })
    }

    /// From here on nothing begins.
    pub(crate) fn close(&self) {
        self.state().closed = true;
    }

    pub(crate) fn count(&self) -> usize {
        self.state().begun.len()
    }

    /// When the oldest of them began.
    pub(crate) fn oldest(&self) -> Option<Duration> {
        self.state().begun.values().next().copied()
    }

    /// Completes when none is open.
    pub(crate) async fn drained(&self) {
        loop {
            let mut drained = pin!(self.0.drained.notified());
            // Before it is looked: the last one may end in between.
            drained.as_mut().enable();
            if self.count() == 0 {
                return;
            }
            drained.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenTransaction {
    fn drop(&mut self) {
        let mut state = self.open.state();
        state.begun.remove(&self.number);
        let drained = state.begun.is_empty();
        drop(state);
        if drained {
            self.open.0.drained.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn what_is_open_is_awaited_and_nothing_begins_after_the_end() {
        let open = Open::default();
        assert_eq!(open.drained().now_or_never(), Some(()));
        let first = open.begin(Duration::from_secs(1)).expect("it begins");
        let second = open.begin(Duration::from_secs(2)).expect("it begins");
        assert_eq!(
            (open.count(), open.oldest()),
            (2, Some(Duration::from_secs(1)))
        );
        open.close();
        assert!(open.begin(Duration::from_secs(3)).is_none());
        let mut drained = pin!(open.drained());
        drop(first);
        assert_eq!(open.oldest(), Some(Duration::from_secs(2)));
        assert_eq!(drained.as_mut().now_or_never(), None);
        drop(second);
        assert_eq!(drained.now_or_never(), Some(()));
    }
}
