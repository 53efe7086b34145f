//! `map_err` for the whole participant, and for one action.

use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, global_transactional, participant};

use crate::world::{Journal, World, database};

struct Accounts {
    db: SqlitePool,
    journal: Journal,
}

fn text(error: unanimous::Error) -> String {
    format!("account: {error}")
}

#[participant(name = "account", fence = self.db, map_err = text)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(&self, _tx: &mut FenceTx<Sqlite>, amount: u8) -> Result<u8, String> {
        self.journal.tried(amount);
        Ok(amount)
    }

    #[two_phase_action(
        commit = confirm,
        rollback = cancel,
        map_err = |error| error.to_string().len()
    )]
    async fn credit(&self, _tx: &mut FenceTx<Sqlite>, amount: u8) -> Result<u8, usize> {
        self.journal.tried(amount);
        Ok(amount)
    }

    async fn confirm(&self, amount: u8) -> Result<(), String> {
        self.journal.confirmed(amount);
        Ok(())
    }

    async fn cancel(&self, amount: u8) -> Result<(), String> {
        self.journal.cancelled(amount);
        Ok(())
    }
}

#[global_transactional(map_err = text)]
async fn transfer(accounts: &Accounts) -> Result<u8, String> {
    let taken = accounts.debit(3).await?;
    accounts
        .credit(taken + 1)
        .await
        .map_err(|length| length.to_string())
}

pub(crate) async fn run() {
    let db = database().await;
    let (world, accounts) = World::with_one(|journal| Accounts {
        db,
        journal: journal.clone(),
    })
    .await;
    assert_eq!(world.commits(transfer(&accounts)).await, 4);
    let error = world.refuses(accounts.debit(1)).await;
    assert!(error.starts_with("account: "), "{error}");
    assert!(world.refuses(accounts.credit(1)).await > 20);
}
