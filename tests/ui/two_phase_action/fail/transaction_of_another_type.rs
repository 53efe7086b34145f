use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, participant};

struct OtherTx<T>(T);

struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(&self, tx: &mut OtherTx<Sqlite>, amount: i64) -> Result<(), Error> {
        let _ = (tx, amount, &self.db);
        Ok(())
    }

    async fn confirm(&self, tx: &mut OtherTx<Sqlite>) -> Result<(), Error> {
        let _ = tx;
        Ok(())
    }

    async fn cancel(&self, tx: &mut FenceTx<Sqlite>) -> Result<(), Error> {
        let _ = tx;
        Ok(())
    }
}

fn main() { let _ = caller; }

async fn caller(accounts: &Accounts) -> Result<(), Error> {
    accounts.debit(5).await
}
// mistakes: 2
