//! One partner serves several actions; each takes what both record.

use unanimous::{BranchContext, global_transactional, participant};

use crate::world::{Failure, Journal, World};

struct Shelf {
    journal: Journal,
}

#[participant(name = "shelf")]
impl Shelf {
    #[two_phase_action(commit = done, rollback = undone)]
    async fn take(&self, sku: &str, count: u32) -> Result<u32, Failure> {
        self.journal.tried(format!("take {sku}"));
        Ok(count)
    }

    #[two_phase_action(commit = done, rollback = undone)]
    async fn put(&self, sku: String) -> Result<usize, Failure> {
        self.journal.tried(format!("put {sku}"));
        Ok(sku.len())
    }

    async fn done(&self, context: &BranchContext, sku: &str) -> Result<(), Failure> {
        self.journal
            .confirmed(format!("{} {sku}", context.action()));
        Ok(())
    }

    async fn undone(&self, sku: &str, context: &BranchContext) -> Result<(), Failure> {
        self.journal
            .cancelled(format!("{} {sku}", context.action()));
        Ok(())
    }
}

#[global_transactional]
async fn exchange(shelf: &Shelf, fails: bool) -> Result<(), Failure> {
    assert_eq!(shelf.take("tea", 2).await?, 2);
    assert_eq!(shelf.put("milk".to_owned()).await?, 4);
    if fails {
        Failure::business("fails")
    } else {
        Ok(())
    }
}

pub(crate) async fn run() {
    let (world, shelf) = World::with_one(|journal| Shelf {
        journal: journal.clone(),
    })
    .await;
    world.commits(exchange(&shelf, false)).await;
    world.rolls_back(exchange(&shelf, true)).await;
}
