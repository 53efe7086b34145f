use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use redb::{Database, Durability};
use unanimous_protocol::limits;

use super::held::Held;
use super::rows::{
    FACTS, INCARNATIONS, RECORD_KEY_BYTES, RECORDS, parse_record_key, record_key, seal,
};
use crate::store::{
    Appended, Batch, Force, Forget, Key, Listener, Position, Put, RecordKey, StoreError,
};

/// The one thread that writes: it drains what is queued, commits it in one store transaction with
/// one sync, and goes on. It never lingers for company: what arrives meanwhile is the next batch.
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<Result<(), StoreError>>>>,
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    path: PathBuf,
}

#[derive(Default)]
struct Queue {
    batches: Vec<Batch>,
    position: Position,
    records: usize,
    forced: bool,
    closing: bool,
    /// Why nothing is accepted any more (E4).
    refused: Option<StoreError>,
    listener: Option<Arc<dyn Listener>>,
}

impl Writer {
    pub(super) fn start(database: Database, held: Held, path: &Path) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            wake: Condvar::new(),
            path: path.to_path_buf(),
        });
        let run = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("unanimous-store".to_owned())
            .spawn(move || run.write_until_closed(database, &held))
            .map_err(|error| StoreError::io(path, &error))?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    pub(super) fn listen(&self, listener: Arc<dyn Listener>) {
        self.shared.lock().listener = Some(listener);
    }

    pub(super) fn append(&self, batch: Batch, force: Force) -> Result<Appended, StoreError> {
        let mut queue = self.shared.lock();
        if let Some(error) = &queue.refused {
            return Err(error.clone());
        }
        let was_idle = queue.batches.is_empty();
        let was_due = queue.is_due();
        queue.records += batch.puts.len();
        queue.batches.push(batch);
        queue.position += 1;
        queue.forced |= force == Force::Forced;
        let position = queue.position;
        let wake = was_idle || (!was_due && queue.is_due());
        drop(queue);
        if wake {
            self.shared.wake.notify_one();
        }
        Ok(Appended {
            position,
            durable: false,
        })
    }

    /// Commits what is queued, closes the file and ends the thread.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        {
            let mut queue = self.shared.lock();
            queue.closing = true;
            queue.refused.get_or_insert(StoreError::Closed);
        }
        self.shared.wake.notify_one();
        let thread = lock(&self.thread).take();
        match thread {
            // A listener that drops the last handle runs in the thread itself, which then ends
            // by itself.
            Some(thread) if thread.thread().id() == std::thread::current().id() => Ok(()),
            Some(thread) => thread.join().unwrap_or(Err(StoreError::Closed)),
            None => Ok(()),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the store was not closed cleanly");
        }
    }
}

impl Queue {
    /// Whether a commit is due without waiting for company.
    fn is_due(&self) -> bool {
        self.forced || self.closing || self.records >= limits::LAZY_COMMIT_RECORDS
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }

    fn write_until_closed(&self, database: Database, held: &Held) -> Result<(), StoreError> {
        let mut buffer = Vec::new();
        while let Some((batches, position)) = self.next() {
            // A panic ends the service like a failed write, in the engine or in what hears of it.
            let done = catch_unwind(AssertUnwindSafe(|| {
                commit(&database, &batches, &mut buffer).map_err(|error| self.error(error))?;
                let listener = self.lock().listener.clone();
                if let Some(listener) = listener {
                    listener.durable(position);
                }
                Ok(())
            }));
            let done = done.unwrap_or_else(|_| {
                Err(StoreError::Io {
                    path: self.path.clone(),
                    message: "the engine, or what heard of it, panicked".into(),
                })
            });
            if let Err(error) = done {
                held.stop();
                self.fail(&error);
                // What is left of the engine may panic once more.
                let _ = catch_unwind(AssertUnwindSafe(|| drop(database)));
                return Err(error);
            }
        }
        // A panic leaves nothing to be stopped: `held` passes nothing while the engine unwinds.
        let closed = catch_unwind(AssertUnwindSafe(|| database.close()));
        match closed {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.error(error.into())),
            Err(_) => Err(StoreError::Closed),
        }
    }

    /// Waits for work: at once for a forced batch, after a while for lazy ones.
    fn next(&self) -> Option<(Vec<Batch>, Position)> {
        let queue = self.lock();
        let queue = self
            .wake
            .wait_while(queue, |queue| queue.batches.is_empty() && !queue.closing)
            .unwrap_or_else(PoisonError::into_inner);
        let (mut queue, _) = self
            .wake
            .wait_timeout_while(queue, limits::LAZY_COMMIT_AFTER, |queue| !queue.is_due())
            .unwrap_or_else(PoisonError::into_inner);
        if queue.batches.is_empty() {
            return None;
        }
        queue.forced = false;
        queue.records = 0;
        Some((std::mem::take(&mut queue.batches), queue.position))
    }

    /// E4, L3: nothing is acknowledged after a failed write or sync.
    fn fail(&self, error: &StoreError) {
        let listener = {
            let mut queue = self.lock();
            queue.refused = Some(error.clone());
            queue.batches.clear();
            queue.listener.take()
        };
        tracing::error!(%error, "the store has failed; nothing is decided any more");
        if let Some(listener) = listener {
            let told = catch_unwind(AssertUnwindSafe(|| listener.failed(error.clone())));
            if told.is_err() {
                tracing::error!("the end of the service could not be told");
            }
        }
    }

    fn error(&self, error: redb::Error) -> StoreError {
        match error {
            redb::Error::Io(error) => StoreError::io(&self.path, &error),
            other => StoreError::Io {
                path: self.path.clone(),
                message: other.to_string().into(),
            },
        }
    }
}

fn commit(database: &Database, batches: &[Batch], buffer: &mut Vec<u8>) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    {
        let mut records = transaction.open_table(RECORDS)?;
        for batch in batches {
            if let Some(forget) = &batch.forget {
                let mut incarnations = transaction.open_table(INCARNATIONS)?;
                let (start, end) = (&forget.rows.start[..], &forget.rows.end[..]);
                incarnations.retain_in::<&[u8], _>(start..end, |_, _| false)?;
                forget_records(&mut records, forget)?;
            }
            for Put { key, value } in &batch.puts {
                match key {
                    Key::Record(key) => {
                        let key = record_key(*key);
                        seal("records", &key, value, buffer);
                        records.insert(&key, &buffer[..])?;
                    }
                    // Rare beside records: their tables are opened for each.
                    Key::Incarnation(key) => {
                        seal("incarnations", key, value, buffer);
                        let mut incarnations = transaction.open_table(INCARNATIONS)?;
                        incarnations.insert(&key[..], &buffer[..])?;
                    }
                    Key::Fact(key) => {
                        seal("facts", key, value, buffer);
                        transaction
                            .open_table(FACTS)?
                            .insert(&key[..], &buffer[..])?;
                    }
                }
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

fn forget_records(
    records: &mut redb::Table<'_, &'static [u8; RECORD_KEY_BYTES], &'static [u8]>,
    forget: &Forget,
) -> Result<(), redb::Error> {
    let bound = |counter, slot| {
        record_key(RecordKey {
            incarnation: forget.incarnation,
            counter,
            slot,
        })
    };
    let (first, last) = (bound(0, 0), bound(forget.counter, u64::MAX));
    records.retain_in::<&[u8; RECORD_KEY_BYTES], _>(&first..=&last, |key, _| {
        forget.listed.contains(&parse_record_key(key).counter)
    })?;
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
