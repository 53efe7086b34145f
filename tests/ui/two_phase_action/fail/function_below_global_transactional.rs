use unanimous::{Error, global_transactional, two_phase_action};

#[global_transactional]
#[two_phase_action(commit = confirm, rollback = cancel)]
async fn debit(#[state] label: &String, amount: i64) -> Result<(), Error> {
    let _ = (label, amount);
    Ok(())
}

async fn confirm(_: &str, _: i64) -> Result<(), Error> {
    Ok(())
}

async fn cancel(_: &str, _: i64) -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<(), Error> {
    debit(5).await
}

fn main() {}
