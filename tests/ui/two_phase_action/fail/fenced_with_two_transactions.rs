use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, participant};

struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(&self, tx: &mut FenceTx<Sqlite>, log: &mut String) -> Result<(), Error> {
        let _ = (tx, log, &self.db);
        Ok(())
    }

    async fn confirm(
        &self,
        first: &mut FenceTx<Sqlite>,
        second: &mut FenceTx<Sqlite>,
    ) -> Result<(), Error> {
        let _ = (first, second);
        Ok(())
    }

    async fn cancel(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}

async fn caller(accounts: &Accounts) -> Result<(), Error> {
    accounts.debit(&mut String::new()).await
}
// mistakes: 2
