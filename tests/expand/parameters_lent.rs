//! Parameters that callers lend: phase two reads what their types own. One partner takes them as
//! the action does, the other takes them owned.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use unanimous::{global_transactional, participant};

use crate::world::{Failure, Journal, World};

struct Lent {
    journal: Journal,
}

#[participant(name = "lent")]
impl Lent {
    #[two_phase_action(commit = as_recorded, rollback = the_other_way)]
    async fn record(
        &self,
        text: &str,
        bytes: &[u8],
        map: &BTreeMap<String, u8>,
        path: &Path,
    ) -> Result<(), Failure> {
        self.journal.tried(text);
        assert_eq!((bytes, map.len(), path), (&[1, 2][..], 1, Path::new("a/b")));
        Ok(())
    }

    async fn as_recorded(
        &self,
        path: &Path,
        text: &str,
        bytes: &[u8],
        map: &BTreeMap<String, u8>,
    ) -> Result<(), Failure> {
        assert_eq!((bytes, map["k"], path), (&[1, 2][..], 9, Path::new("a/b")));
        self.journal.confirmed(text);
        Ok(())
    }

    async fn the_other_way(
        &self,
        text: String,
        bytes: Vec<u8>,
        map: BTreeMap<String, u8>,
        path: PathBuf,
    ) -> Result<(), Failure> {
        assert_eq!((bytes.as_slice(), map["k"]), (&[1, 2][..], 9));
        assert_eq!(path, Path::new("a/b"));
        self.journal.cancelled(text);
        Ok(())
    }
}

#[global_transactional]
async fn record(lent: &Lent, fails: bool) -> Result<(), Failure> {
    let map = BTreeMap::from([("k".to_owned(), 9)]);
    lent.record("t", &[1, 2], &map, Path::new("a/b")).await?;
    if fails {
        Failure::business("fails")
    } else {
        Ok(())
    }
}

pub(crate) async fn run() {
    let (world, lent) = World::with_one(|journal| Lent {
        journal: journal.clone(),
    })
    .await;
    world.commits(record(&lent, false)).await;
    world.rolls_back(record(&lent, true)).await;
}
