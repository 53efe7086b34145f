use unanimous::{Error, global_transactional};

#[global_transactional(commit_on(Error::NoRuntime), propagation = not_supported, timeout = "30s")]
async fn look() -> Result<(), Error> {
    Ok(())
}

fn main() {
    let _ = look();
}

async fn caller() -> Result<(), Error> {
    look().await
}
// mistakes: 2
