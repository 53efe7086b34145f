//! Fenced transactions of one pool take turns for the one write lock: SQLite's own wait polls, and
//! knows no order.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

use super::RowKey;

/// The queue of one pool.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Queue>);

#[derive(Default)]
struct Queue {
    waiting: Arc<tokio::sync::Mutex<()>>,
    /// The phase one whose turn it is.
    trying: Mutex<Option<RowKey>>,
}

/// One's turn, until it is dropped.
pub(super) struct Turn {
    turns: Turns,
    #[expect(dead_code, reason = "held, not read")]
    held: OwnedMutexGuard<()>,
}

impl Turns {
    pub(super) async fn wait(&self) -> Turn {
        let held = Arc::clone(&self.0.waiting).lock_owned().await;
        Turn {
            turns: self.clone(),
            held,
        }
    }

    /// Whether the phase one whose turn it is waits for this one in its turn: its body called a
    /// service that came back to this pool.
    pub(super) fn waits_for(&self, key: &RowKey) -> bool {
        self.trying().as_ref().is_some_and(|trying| {
            trying.xid == key.xid && trying.call != key.call && trying.call.covers(&key.call)
        })
    }

    fn trying(&self) -> MutexGuard<'_, Option<RowKey>> {
        // Nothing in here panics half-way.
        self.0.trying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// It is the turn of this phase one, from here on.
    pub(super) fn belongs_to(&self, key: &RowKey) {
        *self.turns.trying() = Some(key.clone());
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.turns.trying() = None;
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turn").finish_non_exhaustive()
    }
}
