// The transaction is lent for the phase: it cannot be kept.
use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, participant};

struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(
        &self,
        tx: &mut FenceTx<Sqlite>,
        #[skip] keep: &mut Option<&'static mut FenceTx<Sqlite>>,
    ) -> Result<(), Error> {
        *keep = Some(tx);
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
    accounts.debit(&mut None).await
}
