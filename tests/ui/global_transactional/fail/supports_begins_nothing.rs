use unanimous::{Error, Runtime, global_transactional};

#[global_transactional(propagation = supports, settle = "1s", runtime = runtime, timeout = "30s")]
async fn price(runtime: &Runtime) -> Result<(), Error> {
    let _ = runtime;
    Ok(())
}

fn main() {
    let _ = price;
}

async fn caller(runtime: &Runtime) -> Result<(), Error> {
    price(runtime).await
}
// mistakes: 3
