//! The folder that a shop works in. A launcher that is killed cannot remove its own: the next one
//! does.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use tempfile::TempDir;

const PREFIX: &str = "unanimous-shop-";
/// Locked for as long as the launcher lives.
const OWNER: &str = "owner.lock";

/// A temporary folder that is removed in the end.
#[derive(Debug)]
pub(crate) struct Folder {
    folder: TempDir,
    _owner: File,
}

impl Folder {
    /// Makes a folder, and removes those that launchers which were killed have left beside it.
    pub(crate) fn new() -> io::Result<Self> {
        Self::within(&env::temp_dir())
    }

    fn within(parent: &Path) -> io::Result<Self> {
        remove_left(parent);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        // Under its name it is never seen unlocked while its launcher lives.
        let unnamed = folder.path().join("owner.new");
        let owner = File::create(&unnamed)?;
        owner.lock()?;
        fs::rename(unnamed, folder.path().join(OWNER))?;
        Ok(Self {
            folder,
            _owner: owner,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn close(self) -> io::Result<()> {
        self.folder.close()
    }
}

/// What cannot be read or removed is left: it may be somebody else's.
fn remove_left(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let owner = is_ours.then(|| File::open(entry.path().join(OWNER)));
        if let Some(Ok(owner)) = owner
            && owner.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_killed_launcher_left_is_removed() {
        let parent = tempfile::tempdir().unwrap();
        let alive = Folder::within(parent.path()).unwrap();
        let killed = parent.path().join("unanimous-shop-killed");
        fs::create_dir(&killed).unwrap();
        File::create(killed.join(OWNER)).unwrap();
        let foreign = parent.path().join("unanimous-shop-of-somebody");
        fs::create_dir(&foreign).unwrap();
        let next = Folder::within(parent.path()).unwrap();
        assert!(alive.path().exists() && next.path().exists() && foreign.exists());
        assert!(!killed.exists());
        alive.close().unwrap();
        assert!(next.path().exists());
    }
}
