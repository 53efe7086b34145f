//! The store in one file, over redb.
//!
//! redb trusts the file it opens, and changes even a healthy one by opening it. So the start runs
//! over a backend that holds every write in memory until the whole file has been verified: redb's
//! own checksums form a tree, which shows missing pages, and each value carries a CRC32 of ours
//! over its key. Only then do the held writes reach the file, in redb's own order. A file that
//! does not verify is refused and stays as it was.

mod held;
mod media;
mod open;
mod rows;
#[doc(hidden)]
pub mod sim;
mod writer;

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod fault_tests;

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use unanimous_protocol::LogId;

use super::{Appended, Batch, Force, Listener, Loaded, Store, StoreError};
use writer::Writer;

#[doc(hidden)]
pub use media::Media;
pub(super) use rows::FORMAT;

/// A store in one file, locked for as long as it is open.
pub struct RedbStore {
    media: Arc<dyn Media>,
    /// Taken by the first `load`.
    loaded: Mutex<Option<Loaded>>,
    writer: Writer,
    full: AtomicBool,
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbStore")
            .field("path", &self.media.path())
            .finish_non_exhaustive()
    }
}

impl RedbStore {
    /// Opens the store in the file `path`, or creates one whose log has the identity `new_log`.
    ///
    /// Blocks on the file system. Never waits for the lock: [`StoreError::InUse`] is answered at
    /// once. A refused file is left byte for byte as it was.
    pub fn open(path: &Path, new_log: LogId) -> Result<Self, StoreError> {
        let media = media::FileMedia::open(path)?;
        let is_new = media.is_new();
        Self::over(Arc::new(media), is_new, new_log)
    }

    /// Opens the store on `media`; `is_new` where none was there before.
    #[doc(hidden)]
    pub fn over(media: Arc<dyn Media>, is_new: bool, new_log: LogId) -> Result<Self, StoreError> {
        let open::Opened {
            database,
            held,
            loaded,
            full,
        } = open::open(&media, is_new, new_log)?;
        if full {
            tracing::error!(store = %media.path().display(), "the disk is full: nothing begins until there is room");
        }
        let writer = Writer::start(database, held, media.path())?;
        Ok(Self {
            media,
            loaded: Mutex::new(Some(loaded)),
            writer,
            full: AtomicBool::new(full),
        })
    }
}

impl Store for RedbStore {
    fn load(&self) -> Result<Loaded, StoreError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.take().ok_or(StoreError::Closed)
    }

    fn listen(&self, listener: Arc<dyn Listener>) {
        self.writer.listen(listener);
    }

    fn append(&self, batch: Batch, force: Force) -> Result<Appended, StoreError> {
        self.writer.append(batch, force)
    }

    fn is_full(&self) -> bool {
        self.full.load(Ordering::SeqCst)
    }

    fn make_reserve(&self) -> bool {
        match self.media.make_reserve() {
            Ok(true) => {
                self.full.store(false, Ordering::SeqCst);
                true
            }
            Ok(false) => false,
            Err(error) => {
                let store = self.media.path().display();
                tracing::error!(%store, %error, "cannot set a reserve aside");
                false
            }
        }
    }

    fn close(&self) -> Result<(), StoreError> {
        let closed = self.writer.close();
        self.media.unlock();
        closed
    }
}
