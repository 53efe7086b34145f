use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, participant};

struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(&self, tx: &mut FenceTx<Sqlite>) -> Result<u8, Error> {
        let _ = (tx, &self.db);
        Ok(1)
    }

    async fn confirm(&self, #[tried] receipt: Option<&u8>) -> Result<(), Error> {
        let _ = receipt;
        Ok(())
    }

    async fn cancel(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}

async fn caller(accounts: &Accounts) -> Result<u8, Error> {
    accounts.debit().await
}
