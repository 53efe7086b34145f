use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, participant};

struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Error> {
        let _ = (tx, amount, &self.db);
        Ok(())
    }

    async fn confirm(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn cancel(&self) -> Result<(), Error> {
        Ok(())
    }
}

async fn caller(accounts: &Accounts, tx: &mut FenceTx<Sqlite>) -> Result<(), Error> {
    accounts.debit(tx, 5).await
}

fn main() {}
