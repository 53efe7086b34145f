//! Every form that can be recorded, and a partner that takes lent what the action owns and the
//! reverse.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use unanimous::{global_transactional, participant};

use crate::world::{Failure, Journal, World};

struct Forms {
    journal: Journal,
}

#[participant(name = "forms")]
impl Forms {
    #[allow(clippy::too_many_arguments)]
    #[two_phase_action(commit = as_recorded, rollback = the_other_way)]
    async fn record(
        &self,
        text: &str,
        bytes: &[u8],
        map: &BTreeMap<String, u8>,
        path: &Path,
        cow: Cow<'_, str>,
        maybe: Option<&str>,
        maybe_number: Option<&u8>,
        mut owned: String,
        array: [u8; 2],
    ) -> Result<(), Failure> {
        self.journal.tried(format!("{text} {cow} {owned}"));
        owned.clear();
        drop((cow, owned));
        assert_eq!(
            (bytes, array, maybe, maybe_number),
            (&[1, 2][..], [3, 4], Some("m"), Some(&5))
        );
        assert_eq!((map.len(), path), (1, Path::new("a/b")));
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    async fn as_recorded(
        &self,
        array: [u8; 2],
        owned: String,
        text: &str,
        bytes: &[u8],
        map: &BTreeMap<String, u8>,
        path: &Path,
        cow: Cow<'_, str>,
        maybe: Option<&str>,
        maybe_number: Option<&u8>,
    ) -> Result<(), Failure> {
        assert_eq!(
            (bytes, array, maybe, maybe_number),
            (&[1, 2][..], [3, 4], Some("m"), Some(&5))
        );
        assert_eq!((map.len(), path), (1, Path::new("a/b")));
        self.journal.confirmed(format!("{text} {cow} {owned}"));
        Ok(())
    }

    #[allow(clippy::too_many_arguments)]
    async fn the_other_way(
        &self,
        array: &[u8],
        owned: Cow<'_, str>,
        text: String,
        bytes: Vec<u8>,
        map: BTreeMap<String, u8>,
        path: std::path::PathBuf,
        cow: String,
        maybe: Option<String>,
        maybe_number: Option<u8>,
    ) -> Result<(), Failure> {
        assert_eq!((bytes.as_slice(), array), (&[1, 2][..], &[3, 4][..]));
        assert_eq!((maybe.as_deref(), maybe_number), (Some("m"), Some(5)));
        assert_eq!((map["k"], path.as_path()), (9, Path::new("a/b")));
        self.journal.cancelled(format!("{text} {cow} {owned}"));
        Ok(())
    }
}

#[global_transactional]
async fn record(forms: &Forms, fails: bool) -> Result<(), Failure> {
    let map = BTreeMap::from([("k".to_owned(), 9)]);
    let (path, cow) = (Path::new("a/b"), Cow::Borrowed("c"));
    let owned = "o".to_owned();
    forms
        .record(
            "t",
            &[1, 2],
            &map,
            path,
            cow,
            Some("m"),
            Some(&5),
            owned,
            [3, 4],
        )
        .await?;
    if fails {
        Failure::business("fails")
    } else {
        Ok(())
    }
}

pub(crate) async fn run() {
    let (world, forms) = World::with_one(|journal| Forms {
        journal: journal.clone(),
    })
    .await;
    world.commits(record(&forms, false)).await;
    world.rolls_back(record(&forms, true)).await;
}
