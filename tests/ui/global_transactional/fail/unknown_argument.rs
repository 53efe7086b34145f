use unanimous::{Error, global_transactional};

#[global_transactional(timout = "30s")]
async fn purchase() -> Result<(), Error> {
    Ok(())
}

#[global_transactional(isolation = serialisable, lock_retry(3, 4), "30s")]
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
// mistakes: 4
