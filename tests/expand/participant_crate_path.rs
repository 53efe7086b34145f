//! The crate under another name: the participant's path holds for its actions too.

use crate::renamed::sqlx::{Sqlite, SqlitePool};
use crate::renamed::{FenceTx, global_transactional, participant};
use crate::world::{Failure, Journal, Probe, World, database};

struct Accounts {
    db: SqlitePool,
    journal: Journal,
}

#[participant(name = "account", fence = self.db, crate = crate::renamed)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(&self, _tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<i64, Failure> {
        self.journal.tried(amount);
        Ok(amount)
    }

    async fn confirm(&self, #[tried] amount: &i64) -> Result<(), Failure> {
        self.journal.confirmed(amount);
        Ok(())
    }

    async fn cancel(&self, amount: i64) -> Result<(), Failure> {
        self.journal.cancelled(amount);
        Ok(())
    }
}

#[global_transactional(crate = crate::renamed)]
async fn pay(accounts: &Accounts, probe: &Probe) -> Result<i64, Failure> {
    probe.touch("beside").await?;
    accounts.debit(5).await
}

pub(crate) async fn run() {
    let db = database().await;
    let (world, accounts) = World::with_one(|journal| Accounts {
        db,
        journal: journal.clone(),
    })
    .await;
    assert_eq!(world.commits(pay(&accounts, &world.probe)).await, 5);
}
