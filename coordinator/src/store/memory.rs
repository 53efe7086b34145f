use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use unanimous_protocol::LogId;

use super::{
    Appended, Batch, Force, Forget, Key, Listener, Loaded, Position, Put, Store, StoreError,
};

/// A store without a disk.
///
/// Every batch is durable at once. [`MemoryStore::volatile`] keeps nothing at all: its log ends
/// with the process. One opened from a [`MemoryDisk`] keeps what was synced, and loses the rest
/// in a crash, as a file would.
#[derive(Debug)]
pub struct MemoryStore {
    log: LogId,
    kept: Option<Handle>,
    position: Mutex<Position>,
}

/// A disk in memory, for tests of crashes: what was synced survives, of the rest any prefix may.
#[derive(Clone)]
pub struct MemoryDisk {
    state: Arc<Mutex<Disk>>,
}

#[derive(Debug)]
struct Handle {
    disk: MemoryDisk,
    generation: u64,
}

struct Disk {
    log: LogId,
    synced: BTreeMap<Key, Vec<u8>>,
    pending: Vec<Batch>,
    position: Position,
    /// Counts opens and crashes: a handle of an older generation is dead.
    generation: u64,
    /// While held, a forced batch waits for [`MemoryDisk::sync`].
    held: bool,
    failed: bool,
    full: bool,
    listener: Option<Arc<dyn Listener>>,
}

impl fmt::Debug for MemoryDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryDisk").finish_non_exhaustive()
    }
}

impl MemoryStore {
    /// A store that keeps nothing.
    #[must_use]
    pub fn volatile(log: LogId) -> Self {
        Self {
            log,
            kept: None,
            position: Mutex::new(0),
        }
    }
}

impl Store for MemoryStore {
    fn load(&self) -> Result<Loaded, StoreError> {
        match &self.kept {
            None => Ok(empty(self.log)),
            Some(handle) => Ok(handle.lock()?.loaded()),
        }
    }

    fn listen(&self, listener: Arc<dyn Listener>) {
        if let Some(handle) = &self.kept {
            handle.disk.lock().listener = Some(listener);
        }
    }

    fn append(&self, batch: Batch, force: Force) -> Result<Appended, StoreError> {
        let Some(handle) = &self.kept else {
            let mut position = lock(&self.position);
            *position += 1;
            return Ok(Appended {
                position: *position,
                durable: true,
            });
        };
        let mut disk = handle.lock()?;
        disk.pending.push(batch);
        disk.position += 1;
        let durable = force == Force::Forced && !disk.held;
        if durable {
            disk.sync();
        }
        Ok(Appended {
            position: disk.position,
            durable,
        })
    }

    fn is_full(&self) -> bool {
        self.kept
            .as_ref()
            .is_some_and(|handle| handle.disk.lock().full)
    }

    fn make_reserve(&self) -> bool {
        !self.is_full()
    }

    fn close(&self) -> Result<(), StoreError> {
        if let Some(handle) = &self.kept {
            let mut disk = handle.lock()?;
            disk.sync();
            disk.generation += 1;
        }
        Ok(())
    }
}

impl Handle {
    fn lock(&self) -> Result<MutexGuard<'_, Disk>, StoreError> {
        let disk = self.disk.lock();
        if disk.failed || disk.generation != self.generation {
            return Err(StoreError::Closed);
        }
        Ok(disk)
    }
}

impl MemoryDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        let disk = Disk {
            log: LogId(*b"a disk in memory"),
            synced: BTreeMap::new(),
            pending: Vec::new(),
            position: 0,
            generation: 0,
            held: false,
            failed: false,
            full: false,
            listener: None,
        };
        Self {
            state: Arc::new(Mutex::new(disk)),
        }
    }

    /// Opens the disk; an earlier handle is dead from now on.
    #[must_use]
    pub fn open(&self) -> MemoryStore {
        let mut disk = self.lock();
        disk.generation += 1;
        disk.position = 0;
        disk.listener = None;
        disk.failed = false;
        MemoryStore {
            log: disk.log,
            kept: Some(Handle {
                disk: self.clone(),
                generation: disk.generation,
            }),
            position: Mutex::new(0),
        }
    }

    /// A copy of what is synced, as a backup that was made while running would hold it.
    #[must_use]
    pub fn backup(&self) -> Self {
        let copy = Self::new();
        copy.lock().synced = self.lock().synced.clone();
        copy
    }

    /// From now on forced batches wait for [`MemoryDisk::sync`].
    pub fn hold(&self) {
        self.lock().held = true;
    }

    /// From now on forced batches are synced at once.
    pub fn release(&self) {
        self.lock().held = false;
        self.sync();
    }

    /// Syncs what was appended, and tells the listener.
    pub fn sync(&self) {
        let (listener, position) = {
            let mut disk = self.lock();
            disk.sync();
            (disk.listener.clone(), disk.position)
        };
        if let Some(listener) = listener {
            listener.durable(position);
        }
    }

    /// Loses power: of what was not synced the first `kept` batches survive. Nothing is held then.
    pub fn crash(&self, kept: usize) {
        let mut disk = self.lock();
        disk.pending.truncate(kept);
        disk.sync();
        disk.generation += 1;
        disk.held = false;
        disk.listener = None;
    }

    /// Batches that were appended and not synced.
    #[must_use]
    pub fn unsynced(&self) -> usize {
        self.lock().pending.len()
    }

    /// Fails the store, as a failed sync would (E4).
    pub fn fail(&self) {
        let listener = {
            let mut disk = self.lock();
            disk.failed = true;
            disk.pending.clear();
            disk.listener.take()
        };
        if let Some(listener) = listener {
            listener.failed(StoreError::Io {
                path: "memory".into(),
                message: "a test made it fail".into(),
            });
        }
    }

    /// Says whether the disk is full.
    pub fn set_full(&self, full: bool) {
        self.lock().full = full;
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        lock(&self.state)
    }
}

impl Default for MemoryDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl Disk {
    fn sync(&mut self) {
        for batch in std::mem::take(&mut self.pending) {
            if let Some(forget) = batch.forget {
                self.forget(&forget);
            }
            for Put { key, value } in batch.puts {
                self.synced.insert(key, value);
            }
        }
    }

    fn forget(&mut self, forget: &Forget) {
        self.synced.retain(|key, _| match key {
            Key::Incarnation(row) => !forget.rows.contains(row),
            Key::Record(key) => {
                key.incarnation != forget.incarnation
                    || key.counter > forget.counter
                    || forget.listed.contains(&key.counter)
            }
            Key::Fact(_) => true,
        });
    }

    fn loaded(&self) -> Loaded {
        let entries = self.synced.iter();
        Loaded {
            path: "memory".into(),
            log: self.log,
            entries: entries
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        }
    }
}

fn empty(log: LogId) -> Loaded {
    Loaded {
        path: "memory".into(),
        log,
        entries: Vec::new(),
    }
}

/// A panic elsewhere leaves these values whole: they are changed in single steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
