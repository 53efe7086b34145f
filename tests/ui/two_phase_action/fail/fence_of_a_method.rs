use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, participant};

struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = done, rollback = done, fence = self.db)]
    async fn debit(&self, tx: &mut FenceTx<Sqlite>) -> Result<(), Error> {
        let _ = tx;
        Ok(())
    }

    async fn done(&self) -> Result<(), Error> {
        Ok(())
    }
}

struct Mailer;

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = done, rollback = done, fence = none)]
    async fn send(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn done(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}

async fn caller(accounts: &Accounts) -> Result<(), Error> {
    accounts.debit().await
}
// mistakes: 2
