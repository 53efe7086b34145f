use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, participant};

struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<&str, Error> {
        let _ = (tx, amount);
        Ok("done")
    }

    async fn confirm(&self, tx: &mut FenceTx<Sqlite>) -> Result<(), Error> {
        let _ = tx;
        Ok(())
    }

    async fn cancel(&self, amount: i64) -> Result<(), Error> {
        let _ = amount;
        Ok(())
    }
}

async fn caller(accounts: &Accounts) -> Result<&str, Error> {
    accounts.debit(5).await
}

fn main() {}
