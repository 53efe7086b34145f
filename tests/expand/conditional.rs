//! `#[cfg]` on a method holds for everything that is generated for it.

use unanimous::{global_transactional, participant};

use crate::world::{Failure, Journal, World};

struct Shelf {
    journal: Journal,
}

#[participant(name = "shelf")]
impl Shelf {
    #[cfg(not(target_os = "none"))]
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn take(&self, count: u32) -> Result<u32, Failure> {
        self.journal.tried(count);
        Ok(count)
    }

    #[cfg(target_os = "none")]
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn take(&self, count: NoSuchType) -> Result<u32, Failure> {
        Ok(count.into())
    }

    async fn confirm(&self, count: u32) -> Result<(), Failure> {
        self.journal.confirmed(count);
        Ok(())
    }

    async fn cancel(&self, count: u32) -> Result<(), Failure> {
        self.journal.cancelled(count);
        Ok(())
    }
}

#[global_transactional]
async fn take(shelf: &Shelf) -> Result<u32, Failure> {
    shelf.take(3).await
}

pub(crate) async fn run() {
    let (world, shelf) = World::with_one(|journal| Shelf {
        journal: journal.clone(),
    })
    .await;
    assert_eq!(world.commits(take(&shelf)).await, 3);
}
