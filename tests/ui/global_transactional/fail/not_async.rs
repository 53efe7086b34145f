use unanimous::{Error, global_transactional};

async fn helper() -> Result<u8, Error> {
    Ok(1)
}

#[global_transactional]
fn purchase() -> Result<u8, Error> {
    let count = helper().await?;
    Ok(count)
}

async fn caller() -> Result<u8, Error> {
    purchase().await
}

fn main() {
    let _ = caller();
}
