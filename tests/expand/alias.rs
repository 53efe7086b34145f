//! An action that was renamed answers to its old names too.

use unanimous::{Participant, global_transactional, participant};

use crate::world::{Failure, Journal, World};

struct Shelf {
    journal: Journal,
}

#[participant(name = "shelf")]
impl Shelf {
    #[two_phase_action(alias = ["deduct", "remove"], commit = sell, rollback = put_back)]
    async fn take(&self, count: u32) -> Result<(), Failure> {
        self.journal.tried(count);
        if count > 9 {
            Failure::business("too many")
        } else {
            Ok(())
        }
    }

    async fn sell(&self, count: u32) -> Result<(), Failure> {
        self.journal.confirmed(count);
        Ok(())
    }

    async fn put_back(&self, count: u32) -> Result<(), Failure> {
        self.journal.cancelled(count);
        Ok(())
    }
}

#[global_transactional]
async fn purchase(shelf: &Shelf, count: u32) -> Result<(), Failure> {
    shelf.take(count).await
}

pub(crate) async fn run() {
    let (world, shelf) = World::with_one(|journal| Shelf {
        journal: journal.clone(),
    })
    .await;
    let spec = shelf.actions()[0];
    assert_eq!(
        (spec.name(), spec.other_names()),
        ("take", &["deduct", "remove"][..])
    );
    world.commits(purchase(&shelf, 2)).await;
    world.rolls_back(purchase(&shelf, 10)).await;
}
