use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::redb::FORMAT;

/// Why a store cannot be opened or no longer serves. Each message names the file and the way out.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process, or another coordinator of this one, has the store open.
    #[error(
        "the store {path} is in use by another coordinator; stop that one, name another file, or wait for it with `wait=30s`"
    )]
    InUse {
        /// The store's file.
        path: PathBuf,
    },
    /// The file is no store of ours.
    #[error(
        "{path} is not a store of a unanimous coordinator ({what}); it was left as it is: name another file"
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        what: String,
    },
    /// The file is a store of ours, but not as it was written.
    #[error(
        "the store {path} is damaged ({what}); it was left as it is: restore it from a backup and start with `restored`"
    )]
    Damaged {
        /// The store's file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// A newer version of this program wrote the store.
    #[error(
        "the store {path} has format {found}, this version knows formats up to {FORMAT}; run the version that wrote it, or a newer one"
    )]
    Newer {
        /// The store's file.
        path: PathBuf,
        /// The format found.
        found: u32,
    },
    /// The disk is full.
    #[error(
        "the disk of the store {path} is full; make room and restart: what was decided is finished first"
    )]
    Full {
        /// The store's file.
        path: PathBuf,
    },
    /// The operating system refused an operation on the file.
    #[error("cannot use the store {path}: {message}")]
    Io {
        /// The store's file.
        path: PathBuf,
        /// What the operating system said.
        message: Arc<str>,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// The error of an operation on the file `path`.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        let path = path.to_path_buf();
        if error.kind() == io::ErrorKind::StorageFull {
            Self::Full { path }
        } else {
            Self::Io {
                path,
                message: error.to_string().into(),
            }
        }
    }

    /// Whether the same open may succeed later without anyone repairing anything.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        matches!(self, Self::InUse { .. })
    }
}
