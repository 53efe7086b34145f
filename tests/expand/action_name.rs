//! The name of an action is a wire format: it can outlive the method's.

use unanimous::{BranchContext, global_transactional, participant};

use crate::world::{Failure, Journal, World};

struct Storage {
    journal: Journal,
}

#[participant(name = "storage")]
impl Storage {
    #[two_phase_action(name = "deduct", commit = Self::confirm, rollback = Self::cancel)]
    async fn take_from_shelf(&self, count: u32) -> Result<String, Failure> {
        self.journal.tried(count);
        let context = BranchContext::current().ok_or(Failure::Business("no branch"))?;
        Ok(context.action().to_owned())
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
async fn take(storage: &Storage) -> Result<String, Failure> {
    storage.take_from_shelf(4).await
}

pub(crate) async fn run() {
    let (world, storage) = World::with_one(|journal| Storage {
        journal: journal.clone(),
    })
    .await;
    assert_eq!(world.commits(take(&storage)).await, "deduct");
}
