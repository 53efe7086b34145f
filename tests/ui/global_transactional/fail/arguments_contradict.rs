use unanimous::{Error, Runtime, global_transactional};

#[global_transactional(propagation = mandatory, timeout = "30s", settle = "1s", runtime = runtime)]
async fn purchase(runtime: &Runtime) -> Result<(), Error> {
    let _ = runtime;
    Ok(())
}

fn main() {
    let _ = purchase;
}

async fn caller(runtime: &Runtime) -> Result<(), Error> {
    purchase(runtime).await
}
// mistakes: 3
