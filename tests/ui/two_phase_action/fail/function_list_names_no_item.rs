use unanimous::{Error, two_phase_action};

#[two_phase_action(commit = confirm(amount * RATE), rollback = cancel(amuont + 1))]
async fn debit(amount: i64) -> Result<(), Error> {
    let _ = amount;
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
// mistakes: 2
