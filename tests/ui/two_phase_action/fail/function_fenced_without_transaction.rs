use unanimous::sqlx::SqlitePool;
use unanimous::{Error, two_phase_action};

#[two_phase_action(commit = confirm(amount), rollback = cancel(amount), fence = db)]
async fn debit(#[state] db: &SqlitePool, amount: i64) -> Result<(), Error> {
    let _ = (db, amount);
    Ok(())
}

async fn confirm(_: i64) -> Result<(), Error> {
    Ok(())
}

async fn cancel(_: i64) -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<(), Error> {
    debit(5).await
}

fn main() {}
