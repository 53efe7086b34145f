use unanimous::{Error, two_phase_action};

#[two_phase_action(commit = confirm)]
async fn debit(amount: i64) -> Result<(), Error> {
    let _ = amount;
    Ok(())
}

#[two_phase_action(commit = none, rollback = none)]
async fn credit(amount: i64) -> Result<(), Error> {
    let _ = amount;
    Ok(())
}

async fn confirm(_: i64) -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<(), Error> {
    debit(5).await?;
    credit(5).await
}

fn main() {}
// mistakes: 2
