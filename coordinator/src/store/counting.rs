use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Appended, Batch, Force, Listener, Loaded, Store, StoreError};

/// A store that counts what is asked of another; for tests.
#[derive(Debug)]
pub struct CountingStore<S> {
    inner: S,
    counters: Arc<Counters>,
}

/// The counts of a [`CountingStore`].
#[derive(Debug, Default)]
pub struct Counters {
    forced: AtomicU64,
    lazy: AtomicU64,
}

impl Counters {
    /// Forced waits: batches that somebody waited for.
    #[must_use]
    pub fn forced(&self) -> u64 {
        self.forced.load(Ordering::SeqCst)
    }

    /// Batches that nobody waited for.
    #[must_use]
    pub fn lazy(&self) -> u64 {
        self.lazy.load(Ordering::SeqCst)
    }
}

impl<S: Store> CountingStore<S> {
    /// Counts what is asked of `inner`.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            counters: Arc::default(),
        }
    }

    /// The counts; they go on after the store was handed to a coordinator.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }
}

impl<S: Store> Store for CountingStore<S> {
    fn load(&self) -> Result<Loaded, StoreError> {
        self.inner.load()
    }

    fn listen(&self, listener: Arc<dyn Listener>) {
        self.inner.listen(listener);
    }

    fn append(&self, batch: Batch, force: Force) -> Result<Appended, StoreError> {
        let counter = match force {
            Force::Forced => &self.counters.forced,
            Force::Lazy => &self.counters.lazy,
        };
        counter.fetch_add(1, Ordering::SeqCst);
        self.inner.append(batch, force)
    }

    fn is_full(&self) -> bool {
        self.inner.is_full()
    }

    fn make_reserve(&self) -> bool {
        self.inner.make_reserve()
    }

    fn close(&self) -> Result<(), StoreError> {
        self.inner.close()
    }
}
