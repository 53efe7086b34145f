use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, participant};

struct Accounts(SqlitePool);

impl Accounts {
    fn pool(&self) -> &SqlitePool {
        &self.0
    }
}

#[participant(name = "account", fence = self.pool())]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Error> {
        let _ = (tx, amount, self.pool());
        Ok(())
    }

    async fn confirm(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn cancel(&self) -> Result<(), Error> {
        Ok(())
    }
}

async fn caller(accounts: &Accounts) -> Result<(), Error> {
    accounts.debit(5).await
}

fn main() {}
