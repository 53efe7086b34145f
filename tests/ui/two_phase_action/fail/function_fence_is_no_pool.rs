use unanimous::sqlx::Sqlite;
use unanimous::{Error, FenceTx, two_phase_action};

#[two_phase_action(commit = confirm, rollback = cancel, fence = label)]
async fn debit(tx: &mut FenceTx<Sqlite>, #[state] label: &String) -> Result<(), Error> {
    let _ = (tx, label);
    Ok(())
}

async fn confirm(_: &mut FenceTx<Sqlite>, _: &str) -> Result<(), Error> {
    Ok(())
}

async fn cancel(_: &mut FenceTx<Sqlite>, _: &str) -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<(), Error> {
    debit().await
}

fn main() {}
