use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, participant};

struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(&self, amount: i64) -> Result<(), Error> {
        let _: Option<FenceTx<Sqlite>> = None;
        let _ = (amount, &self.db);
        Ok(())
    }

    async fn confirm(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn cancel(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() { let _ = caller; }

async fn caller(accounts: &Accounts) -> Result<(), Error> {
    accounts.debit(5).await
}
