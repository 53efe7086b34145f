use unanimous::sqlx::Sqlite;
use unanimous::{Error, FenceTx, two_phase_action};

#[two_phase_action(commit = confirm(amount), rollback = cancel(amount))]
async fn debit(tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Error> {
    let _ = (tx, amount);
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
