use unanimous::sqlx::Sqlite;
use unanimous::{Error, FenceTx, two_phase_action};

struct Accounts;

impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(&self, tx: &mut FenceTx<Sqlite>, #[skip] user: &str) -> Result<(), Error> {
        let _ = (tx, user);
        Ok(())
    }
}

async fn caller() -> Result<(), Error> {
    Accounts.debit("ann").await
}

fn main() {
    let _ = caller();
}
