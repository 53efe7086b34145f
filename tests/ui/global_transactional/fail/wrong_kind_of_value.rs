use unanimous::{Error, global_transactional};

#[global_transactional(
    name = 5,
    propagation = "mandatory",
    commit_on = Error::NoRuntime,
    map_err,
    crate = unanimous,
    timeout =
)]
async fn purchase() -> Result<(), Error> {
    Ok(())
}

#[global_transactional(name = "", commit_on())]
async fn refund() -> Result<(), Error> {
    Ok(())
}

fn main() {
    let _ = (purchase(), refund());
}

async fn caller() -> Result<(), Error> {
    purchase().await?;
    refund().await
}
// mistakes: 8
