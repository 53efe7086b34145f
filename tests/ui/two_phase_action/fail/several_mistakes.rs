use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, Runtime, participant};

struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account", fence = self.db)]
// All are reported, each at its own place, and the callers get no error of their own.
impl Accounts {
    #[two_phase_action(commit = confirn, rollback = "cancel", retry = 3)]
    pub async fn debit(
        &self,
        tx: &mut FenceTx<Sqlite>,
        (user, bank): (String, String),
        amount: i64,
    ) -> Result<(), Error> {
        let _ = (tx, user, bank, amount, &self.db);
        Ok(())
    }

    #[two_phase_action(commit = confirm, rollback = cancel)]
    pub async fn credit(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Error> {
        let _ = (tx, amount);
        Ok(())
    }

    async fn confirm(&self, sum: i64) -> Result<(), Error> {
        let _ = sum;
        Ok(())
    }

    async fn cancel(&self) -> Result<(), Error> {
        Ok(())
    }
}

async fn caller(accounts: std::sync::Arc<Accounts>) -> Result<(), Error> {
    accounts.debit(("ann".into(), "bank".into()), 5).await?;
    accounts.credit(5).await?;
    Runtime::builder().participant(accounts);
    Ok(())
}

fn main() {}
// mistakes: 5
