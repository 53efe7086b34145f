use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, two_phase_action};

#[two_phase_action(commit = confirm, rollback = cancel, fence = self.db)]
async fn debit(tx: &mut FenceTx<Sqlite>, #[state] db: &SqlitePool) -> Result<(), Error> {
    let _ = (tx, db);
    Ok(())
}

#[two_phase_action(commit = confirm, rollback = cancel, fence = none)]
async fn credit(tx: &mut FenceTx<Sqlite>, #[state] db: &SqlitePool) -> Result<(), Error> {
    let _ = (tx, db);
    Ok(())
}

async fn confirm(_: &mut FenceTx<Sqlite>, _: &SqlitePool) -> Result<(), Error> {
    Ok(())
}

async fn cancel(_: &mut FenceTx<Sqlite>, _: &SqlitePool) -> Result<(), Error> {
    Ok(())
}

fn main() {}

async fn caller() -> Result<(), Error> {
    debit().await?;
    credit().await
}
// mistakes: 2
