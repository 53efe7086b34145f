use unanimous::global_transactional;

struct ShopError;

#[global_transactional]
async fn purchase() -> Result<(), ShopError> {
    Ok(())
}

fn main() {
    let _ = purchase();
}

async fn caller() -> Result<(), ShopError> {
    purchase().await
}
