//! Both annotations on one method: called alone it is a transaction of one branch.

use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, global_transactional, participant};

use crate::world::{Failure, Journal, World, database};

struct Accounts {
    db: SqlitePool,
    journal: Journal,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[global_transactional(timeout = "10s")]
    #[two_phase_action(commit = confirm, rollback = cancel)]
    #[must_use = "the outcome"]
    async fn debit(&self, _tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<i64, Failure> {
        self.journal.tried(amount);
        Ok(amount)
    }

    async fn confirm(&self, amount: i64) -> Result<(), Failure> {
        self.journal.confirmed(amount);
        Ok(())
    }

    async fn cancel(&self, amount: i64) -> Result<(), Failure> {
        self.journal.cancelled(amount);
        Ok(())
    }
}

pub(crate) async fn run() {
    let db = database().await;
    let (world, accounts) = World::with_one(|journal| Accounts {
        db,
        journal: journal.clone(),
    })
    .await;
    assert_eq!(world.commits(accounts.debit(5)).await, 5);
}
