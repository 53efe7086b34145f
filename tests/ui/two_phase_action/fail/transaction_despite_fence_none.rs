use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, participant};

struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = done, rollback = none, fence = none)]
    async fn notify(&self, tx: &mut FenceTx<Sqlite>) -> Result<(), Error> {
        let _ = tx;
        Ok(())
    }

    #[two_phase_action(commit = write, rollback = none, fence = none)]
    async fn log(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn done(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn write(&self, tx: &mut FenceTx<Sqlite>) -> Result<(), Error> {
        let _ = tx;
        Ok(())
    }
}

fn caller(accounts: &Accounts) -> impl Future<Output = Result<(), Error>> {
    accounts.notify()
}

fn main() {
    let _ = caller;
}
// mistakes: 2
