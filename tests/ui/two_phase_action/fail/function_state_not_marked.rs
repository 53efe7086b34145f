use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, two_phase_action};

#[two_phase_action(commit = confirm, rollback = cancel, fence = db)]
async fn debit(tx: &mut FenceTx<Sqlite>, db: &SqlitePool, amount: i64) -> Result<(), Error> {
    let _ = (tx, db, amount);
    Ok(())
}

async fn confirm(_: &mut FenceTx<Sqlite>, _: &SqlitePool, _: i64) -> Result<(), Error> {
    Ok(())
}

async fn cancel(_: &mut FenceTx<Sqlite>, _: &SqlitePool, _: i64) -> Result<(), Error> {
    Ok(())
}

fn main() {}

async fn caller(db: &SqlitePool) -> Result<(), Error> {
    debit(db, 5).await
}
