// #[participant] knows an action by the attribute's own name.
use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, participant, two_phase_action as action};

struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn credit(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Error> {
        let _ = (tx, amount);
        Ok(())
    }

    #[action(commit = confirm, rollback = cancel)]
    async fn debit(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Error> {
        let _ = (tx, amount);
        Ok(())
    }

    #[cfg_attr(all(), unanimous::two_phase_action(commit = confirm, rollback = cancel))]
    async fn refund(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Error> {
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

async fn caller(accounts: &Accounts) -> Result<(), Error> {
    accounts.credit(5).await?;
    accounts.debit(5).await?;
    accounts.refund(5).await
}

fn main() {
    let _ = caller;
}
// mistakes: 2
