use unanimous::{Error, two_phase_action};

#[two_phase_action(commit = confirm, rollback = cancel)]
async fn debit(amount: i64, #[tried] value: &u64) -> Result<(), Error> {
    let _ = (amount, value);
    Ok(())
}

async fn confirm(_: i64) -> Result<(), Error> {
    Ok(())
}

async fn cancel(_: i64) -> Result<(), Error> {
    Ok(())
}

fn main() {}

async fn caller() -> Result<(), Error> {
    debit(5, &6).await
}
