//! Names on the wire stay while parameters are renamed, added and removed.

use unanimous::{global_transactional, participant};

use crate::world::{Failure, Journal, World};

struct Shelf {
    journal: Journal,
}

#[participant(name = "shelf")]
impl Shelf {
    #[two_phase_action(commit = sell, rollback = put_back)]
    async fn take(
        &self,
        #[recorded(name = "sku")] article: &str,
        #[recorded(default)] note: Option<&str>,
    ) -> Result<(), Failure> {
        self.journal.tried(article);
        if note.is_some() {
            Failure::business("special wishes")
        } else {
            Ok(())
        }
    }

    async fn sell(
        &self,
        article: &str,
        note: Option<String>,
        #[recorded(name = "colour", default)] colour: &str,
    ) -> Result<(), Failure> {
        assert_eq!((note, colour), (None, ""));
        self.journal.confirmed(article);
        Ok(())
    }

    async fn put_back(
        &self,
        #[recorded(name = "sku")] what: String,
        #[recorded(name = "count", default)] count: Option<u32>,
    ) -> Result<(), Failure> {
        assert_eq!(count, None);
        self.journal.cancelled(what);
        Ok(())
    }
}

#[global_transactional]
async fn purchase(shelf: &Shelf, note: Option<&str>) -> Result<(), Failure> {
    shelf.take("tea", note).await
}

pub(crate) async fn run() {
    let (world, shelf) = World::with_one(|journal| Shelf {
        journal: journal.clone(),
    })
    .await;
    world.commits(purchase(&shelf, None)).await;
    world.rolls_back(purchase(&shelf, Some("gift"))).await;
}
