use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, two_phase_action};

#[two_phase_action(commit = confirm(tx, amount), rollback = cancel(amount), fence = pool)]
async fn debit(
    tx: &mut FenceTx<Sqlite>,
    #[state] db: &SqlitePool,
    amount: i64,
) -> Result<u64, Error> {
    let _ = (tx, db, amount);
    Ok(1)
}

async fn confirm(_: &mut FenceTx<Sqlite>, _: i64) -> Result<(), Error> {
    Ok(())
}

async fn cancel(_: i64) -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<u64, Error> {
    debit(5).await
}

fn main() {}
