use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, two_phase_action};

#[two_phase_action(commit = confirm, rollback = cancel, fence = db)]
async fn debit(
    tx: &mut FenceTx<Sqlite>,
    log: &mut Vec<String>,
    #[state] db: &SqlitePool,
) -> Result<(), Error> {
    let _ = (tx, log, db);
    Ok(())
}

async fn confirm() -> Result<(), Error> {
    Ok(())
}

async fn cancel() -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<(), Error> {
    debit(&mut Vec::new()).await
}

fn main() {}
