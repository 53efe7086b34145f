use unanimous::{Error, two_phase_action};

#[two_phase_action(commit = confirm, rollback = cancel)]
async fn debit(amount: i64) -> Result<(), Error> {
    let _ = amount;
    Ok(())
}

fn confirm(_: i64) -> Result<(), Error> {
    Ok(())
}

async fn cancel(_: i64) {}

async fn caller() -> Result<(), Error> {
    debit(5).await
}

fn main() {}
// mistakes: 2
