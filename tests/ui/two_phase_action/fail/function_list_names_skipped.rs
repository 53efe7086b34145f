use unanimous::{Error, two_phase_action};

#[two_phase_action(commit = confirm(log.len()), rollback = cancel)]
async fn debit(#[skip] log: &mut Vec<String>) -> Result<(), Error> {
    log.clear();
    Ok(())
}

async fn confirm(_: usize) -> Result<(), Error> {
    Ok(())
}

async fn cancel() -> Result<(), Error> {
    Ok(())
}

async fn caller() -> Result<(), Error> {
    debit(&mut Vec::new()).await
}

fn main() {}
