//! What is marked `#[skip]` is not recorded, so it may have any type.

use std::fmt::Display;

use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, global_transactional, participant};

use crate::world::{Failure, Journal, World, database};

struct Accounts {
    db: SqlitePool,
    journal: Journal,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit<T: Display + Send>(
        &self,
        #[skip] reason: impl Display + Send,
        #[skip] log: &mut Vec<String>,
        tx: &mut FenceTx<Sqlite>,
        amount: i64,
        #[skip] (first, second): (T, &(dyn Fn() -> u8 + Sync)),
    ) -> Result<(), Failure> {
        unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
        log.push(format!("{reason}, {first}, {}", second()));
        self.journal.tried(amount);
        Ok(())
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

#[global_transactional]
async fn pay(accounts: &Accounts) -> Result<Vec<String>, Failure> {
    let mut log = Vec::new();
    accounts.debit("rent", &mut log, 12, ('x', &|| 7)).await?;
    Ok(log)
}

pub(crate) async fn run() {
    let db = database().await;
    let (world, accounts) = World::with_one(|journal| Accounts {
        db,
        journal: journal.clone(),
    })
    .await;
    assert_eq!(world.commits(pay(&accounts)).await, ["rent, x, 7"]);
}
