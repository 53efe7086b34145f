use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, participant};

struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account", fence = self.db, any_instance)]
impl Accounts {
    #[two_phase_action(commit = done, rollback = done)]
    async fn debit(&self, tx: &mut FenceTx<Sqlite>) -> Result<(), Error> {
        let _ = tx;
        Ok(())
    }

    async fn done(&self) -> Result<(), Error> {
        Ok(())
    }
}

struct Mailer;

#[participant(name = "mailer", any_instance = true)]
impl Mailer {
    #[two_phase_action(commit = done, rollback = done)]
    async fn send(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn done(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}

async fn caller(accounts: &Accounts, mailer: &Mailer) -> Result<(), Error> {
    accounts.debit().await?;
    mailer.send().await
}
// mistakes: 2
