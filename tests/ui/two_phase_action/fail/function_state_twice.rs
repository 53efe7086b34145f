use unanimous::{Error, two_phase_action};

#[two_phase_action(commit = confirm(read, amount), rollback = cancel(write, amount))]
async fn debit(#[state] read: &String, #[state] write: String, amount: i64) -> Result<(), Error> {
    let _ = (read, write, amount);
    Ok(())
}

async fn confirm(_: &str, _: i64) -> Result<(), Error> {
    Ok(())
}

async fn cancel(_: String, _: i64) -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<(), Error> {
    debit(5).await
}

fn main() {}
