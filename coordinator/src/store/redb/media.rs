use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::StoreError;

/// Set aside for a full disk: enough for the pages that finishing what was decided touches, as
/// every commit frees about as many pages as it takes.
const RESERVE_BYTES: usize = 4 * 1024 * 1024;

/// What a store's file lies on. Faults enter here in tests.
pub trait Media: fmt::Debug + Send + Sync + 'static {
    /// The file's name, for messages.
    fn path(&self) -> &Path;
    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Whether nothing was ever written.
    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|len| len == 0)
    }
    /// Fills `out` from `offset`.
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;
    /// Writes `data` at `offset`.
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()>;
    /// Sets the length; new bytes are zero.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Makes everything written durable.
    fn sync(&self) -> io::Result<()>;
    /// Makes a new file, once whole, durably visible under its name (L7).
    fn publish(&self) -> io::Result<()>;
    /// Whether a reserve stands or could be made, and as much again is free beside it.
    fn make_reserve(&self) -> io::Result<bool>;
    /// Gives the reserve's room back to the disk.
    fn release_reserve(&self) -> io::Result<()>;
    /// Lets another process open it. Called once, after the last operation.
    fn unlock(&self) {}
}

/// A file, locked for as long as it is open.
///
/// A new one is written under another name first, and renamed when it is whole: a crash during
/// creation leaves no half store behind.
#[derive(Debug)]
pub(super) struct FileMedia {
    path: PathBuf,
    /// One handle, one position: operations take turns.
    file: Mutex<File>,
    created: bool,
}

impl FileMedia {
    /// Opens and locks the file, or prepares a new one; never waits (L8).
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |error: io::Error| StoreError::io(path, &error);
        loop {
            match OpenOptions::new().read(true).write(true).open(path) {
                Ok(file) => return Self::existing(path, file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
            let draft = beside(path, ".new");
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&draft)
                .map_err(failed)?;
            lock(path, &file)?;
            // Another process may have finished the same draft while this one opened it.
            if path.try_exists().map_err(failed)? {
                continue;
            }
            file.set_len(0).map_err(failed)?;
            return Ok(Self {
                path: path.to_path_buf(),
                file: Mutex::new(file),
                created: true,
            });
        }
    }

    fn existing(path: &Path, file: File) -> Result<Self, StoreError> {
        let kind = file
            .metadata()
            .map_err(|error| StoreError::io(path, &error))?;
        if !kind.is_file() {
            let what = "it is no regular file".to_owned();
            let path = path.to_path_buf();
            return Err(StoreError::Foreign { path, what });
        }
        lock(path, &file)?;
        Ok(Self {
            path: path.to_path_buf(),
            file: Mutex::new(file),
            created: false,
        })
    }

    /// Whether the file did not exist before.
    pub(super) fn is_new(&self) -> bool {
        self.created
    }

    fn file(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sync_folder(&self) -> io::Result<()> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)?.sync_all()
    }
}

impl Media for FileMedia {
    fn path(&self) -> &Path {
        &self.path
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.file().metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut file = self.file();
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(out)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut file = self.file();
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(data)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file().set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.file().sync_data()
    }

    fn publish(&self) -> io::Result<()> {
        if self.created {
            self.file().sync_all()?;
            std::fs::rename(beside(&self.path, ".new"), &self.path)?;
            self.sync_folder()?;
        }
        Ok(())
    }

    fn make_reserve(&self) -> io::Result<bool> {
        let (reserve, probe) = (beside(&self.path, ".reserve"), beside(&self.path, ".probe"));
        // A short one was left by a crash.
        let stood =
            std::fs::metadata(&reserve).is_ok_and(|kind| kind.len() == RESERVE_BYTES as u64);
        let filled = if stood { Ok(()) } else { fill(&reserve) };
        let filled = filled.and_then(|()| fill(&probe));
        remove(&probe)?;
        match filled {
            Ok(()) => {
                self.sync_folder()?;
                Ok(true)
            }
            Err(error) if is_full(&error) => {
                if !stood {
                    remove(&reserve)?;
                }
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn release_reserve(&self) -> io::Result<()> {
        remove(&beside(&self.path, ".reserve"))?;
        self.sync_folder()
    }

    fn unlock(&self) {
        // Closing the file unlocks it in any case.
        let _ = self.file().unlock();
    }
}

/// Whether an error says that there is no room.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

fn lock(path: &Path, file: &File) -> Result<(), StoreError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
            path: path.to_path_buf(),
        }),
        Err(TryLockError::Error(error)) => Err(StoreError::io(path, &error)),
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Really writes the reserve: a hole would hold no room.
fn fill(path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(&vec![0; RESERVE_BYTES])?;
    file.sync_all()
}
