// The transaction is lent for the phase, to one user at a time.
use unanimous::sqlx::{Sqlite, SqliteConnection, SqlitePool};
use unanimous::{Error, FenceTx, participant};

struct Accounts {
    db: SqlitePool,
}

fn both(_: &mut SqliteConnection, _: &mut SqliteConnection) {}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(&self, tx: &mut FenceTx<Sqlite>) -> Result<(), Error> {
        both(tx.connection(), tx.connection());
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
    accounts.debit().await
}
