use unanimous::{CallFailure, Error, global_transactional};

#[global_transactional(commit_on(CallFailure::Dropped))]
async fn purchase() -> Result<(), Error> {
    Ok(())
}

fn main() {
    let _ = purchase();
}

async fn caller() -> Result<(), Error> {
    purchase().await
}
