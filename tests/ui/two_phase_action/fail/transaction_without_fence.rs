// The callers, who pass no transaction, get no error of their own.
use unanimous::sqlx::Sqlite;
use unanimous::{Error, FenceTx, participant};

struct Accounts;

#[participant(name = "account")]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
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

async fn caller() -> Result<(), Error> {
    Accounts.debit(5).await
}

fn main() {
    let _ = caller();
}
