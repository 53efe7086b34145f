use unanimous::{Error, Runtime, global_transactional};

#[global_transactional(propagation = mandatory, timeout = "30s", settle = "1s", runtime = runtime)]
async fn purchase(runtime: &Runtime) -> Result<(), Error> {
    let _ = runtime;
    Ok(())
}

fn main() {
    let _ = purchase;
}
// mistakes: 3
