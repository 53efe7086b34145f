use unanimous::{Error, global_transactional};

#[global_transactional(propagation = nested)]
async fn purchase() -> Result<(), Error> {
    Ok(())
}

#[global_transactional(propagation = require_new)]
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
// mistakes: 2
