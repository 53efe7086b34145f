use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, two_phase_action};

#[two_phase_action(commit = confirm, rollback = cancel, fence = db, crate = crate::transactions)]
async fn debit(
    tx: &mut FenceTx<Sqlite>,
    #[state] db: &SqlitePool,
    user: &str,
) -> Result<(), Error> {
    let _ = (tx, db, user);
    Ok(())
}

async fn confirm(_: &mut FenceTx<Sqlite>, _: &SqlitePool, _: &str) -> Result<(), Error> {
    Ok(())
}

async fn cancel(_: &mut FenceTx<Sqlite>, _: &SqlitePool, _: &str) -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<(), Error> {
    debit("ann").await
}

fn main() {}
