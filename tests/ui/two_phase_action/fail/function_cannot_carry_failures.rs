use unanimous::{Error, two_phase_action};

#[two_phase_action(commit = confirm, rollback = cancel)]
async fn debit(amount: i64) -> Result<(), String> {
    let _ = amount;
    Ok(())
}

async fn confirm(_: i64) -> Result<(), Error> {
    Ok(())
}

async fn cancel(_: i64) -> Result<(), Error> {
    Ok(())
}

fn main() {
    let _ = debit(5);
}

async fn caller() -> Result<(), String> {
    debit(5).await
}
