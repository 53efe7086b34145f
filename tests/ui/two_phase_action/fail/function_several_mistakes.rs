use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, two_phase_action};

// All are reported, each at its own place, and the callers get no error of their own.
#[two_phase_action(commit = confirm(usr), rollback = "cancel", fence = pool, retry = 3)]
async fn debit(
    tx: &mut FenceTx<Sqlite>,
    #[state] db: &mut SqlitePool,
    (user, bank): (String, String),
    amount: i64,
) -> Result<(), Error> {
    let _ = (tx, db, user, bank, amount);
    Ok(())
}

#[two_phase_action(commit = confirm(usr), rollback = "cancel", fence = pool, retry = 3)]
async fn credit(tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Error> {
    let _ = (tx, amount);
    Ok(())
}

async fn confirm(_: &str) -> Result<(), Error> {
    Ok(())
}

async fn cancel(_: &str) -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<(), Error> {
    credit(5).await?;
    debit(("ann".into(), "bank".into()), 5).await
}

fn main() {}
// mistakes: 8
