use unanimous::{Error, two_phase_action};

#[two_phase_action(commit = confirm(usr, tried), rollback = cancel(user, tx))]
async fn debit(user: &str, amount: i64) -> Result<(), Error> {
    let _ = (user, amount);
    Ok(())
}

async fn confirm(_: &str, _: &()) -> Result<(), Error> {
    Ok(())
}

async fn cancel(_: &str) -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<(), Error> {
    debit("ann", 5).await
}

fn main() {}
// mistakes: 2
