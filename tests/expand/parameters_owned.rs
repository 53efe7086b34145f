//! Parameters that callers give away, perhaps or in part: owned, `mut`, `Cow`, `Option`
//! of a reference. One partner takes them as the action does, the other the other way round.

use std::borrow::Cow;

use unanimous::{global_transactional, participant};

use crate::world::{Failure, Journal, World};

struct Owned {
    journal: Journal,
}

#[participant(name = "owned")]
impl Owned {
    #[two_phase_action(commit = as_recorded, rollback = the_other_way)]
    async fn record(
        &self,
        mut text: String,
        cow: Cow<'_, str>,
        word: Option<&str>,
        number: Option<&u8>,
    ) -> Result<(), Failure> {
        self.journal.tried(&cow);
        // What is recorded is the value that the caller passed.
        text.clear();
        drop(cow);
        assert_eq!((word, number), (Some("w"), Some(&5)));
        Ok(())
    }

    async fn as_recorded(
        &self,
        cow: Cow<'_, str>,
        word: Option<&str>,
        number: Option<&u8>,
    ) -> Result<(), Failure> {
        assert_eq!((word, number), (Some("w"), Some(&5)));
        self.journal.confirmed(cow);
        Ok(())
    }

    async fn the_other_way(
        &self,
        text: Cow<'_, str>,
        cow: String,
        word: Option<String>,
        number: Option<u8>,
    ) -> Result<(), Failure> {
        assert_eq!((&*text, word.as_deref(), number), ("t", Some("w"), Some(5)));
        self.journal.cancelled(cow);
        Ok(())
    }
}

#[global_transactional]
async fn record(owned: &Owned, fails: bool) -> Result<(), Failure> {
    let (text, cow) = ("t".to_owned(), Cow::Borrowed("c"));
    owned.record(text, cow, Some("w"), Some(&5)).await?;
    if fails {
        Failure::business("fails")
    } else {
        Ok(())
    }
}

pub(crate) async fn run() {
    let (world, owned) = World::with_one(|journal| Owned {
        journal: journal.clone(),
    })
    .await;
    world.commits(record(&owned, false)).await;
    world.rolls_back(record(&owned, true)).await;
}
