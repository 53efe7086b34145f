use unanimous::{Error, global_transactional};

#[global_transactional(propagation = never, settle = "1s", commit_on(Error::NoRuntime))]
async fn report() -> Result<(), Error> {
    Ok(())
}

fn main() {
    let _ = report();
}

async fn caller() -> Result<(), Error> {
    report().await
}
// mistakes: 2
