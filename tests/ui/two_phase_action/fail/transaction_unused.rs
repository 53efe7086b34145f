// Unused variables are told at the user's own, in every phase.
#![deny(unused_variables)]

use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, participant};

struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Error> {
        let unused = ();
        Ok(())
    }

    async fn confirm(&self, tx: &mut FenceTx<Sqlite>) -> Result<(), Error> {
        Ok(())
    }

    async fn cancel(&self) -> Result<(), Error> {
        Ok(())
    }
}

async fn caller(accounts: &Accounts) -> Result<(), Error> {
    accounts.debit(5).await
}

fn main() {
    let _ = caller;
}
// mistakes: 3
