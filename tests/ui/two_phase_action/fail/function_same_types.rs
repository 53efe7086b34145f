use unanimous::{Error, two_phase_action};

#[two_phase_action(commit = confirm, rollback = cancel(from, cents))]
async fn transfer(from: &str, to: &str, cents: i64) -> Result<(), Error> {
    let _ = (from, to, cents);
    Ok(())
}

async fn confirm(_: &str, _: &str, _: i64) -> Result<(), Error> {
    Ok(())
}

async fn cancel(_: &str, _: i64) -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<(), Error> {
    transfer("ann", "ben", 5).await
}

fn main() {}
