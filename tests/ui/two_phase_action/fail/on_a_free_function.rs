use unanimous::{Error, two_phase_action};

#[two_phase_action(commit = confirm, rollback = cancel)]
async fn debit(user: &str) -> Result<(), Error> {
    let _ = user;
    Ok(())
}

async fn caller() -> Result<(), Error> {
    debit("ann").await
}

fn main() {
    let _ = caller();
}
