use unanimous::sqlx::Sqlite;
use unanimous::{Error, FenceTx, participant};

struct Accounts {
    label: String,
}

#[participant(name = "account", fence = self.label)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(&self, _tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Error> {
        let _ = amount;
        Ok(())
    }

    async fn confirm(&self, _tx: &mut FenceTx<Sqlite>) -> Result<(), Error> {
        Ok(())
    }

    async fn cancel(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {
    let _ = Accounts { label: String::new() }.label;
}

async fn caller(accounts: &Accounts) -> Result<(), Error> {
    accounts.debit(5).await
}
