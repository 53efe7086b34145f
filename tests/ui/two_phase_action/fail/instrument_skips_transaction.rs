// Attributes beside an action see what callers see: there is no `tx` to skip.
use tracing::instrument;
use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, participant};

struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    #[instrument(skip(self, tx))]
    async fn debit(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Error> {
        let _ = (tx, amount);
        Ok(())
    }

    async fn confirm(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn cancel(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}

async fn caller(accounts: &Accounts) -> Result<(), Error> {
    accounts.debit(5).await
}
