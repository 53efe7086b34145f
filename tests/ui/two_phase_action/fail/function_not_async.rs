use unanimous::{Error, two_phase_action};

#[two_phase_action(commit = confirm, rollback = cancel)]
fn debit(amount: i64) -> Result<(), Error> {
    let _ = amount;
    Ok(())
}

#[two_phase_action(commit = confirm, rollback = cancel)]
async fn credit(amount: i64) {
    let _ = amount;
}

async fn confirm(_: i64) -> Result<(), Error> {
    Ok(())
}

async fn cancel(_: i64) -> Result<(), Error> {
    Ok(())
}

fn main() {}

async fn caller() -> Result<(), Error> {
    credit(5).await;
    debit(5).await
}
// mistakes: 2
