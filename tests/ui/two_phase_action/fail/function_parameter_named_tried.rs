use unanimous::{Error, two_phase_action};

#[two_phase_action(commit = confirm(tried), rollback = cancel)]
async fn debit(tried: i64) -> Result<(), Error> {
    let _ = tried;
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
