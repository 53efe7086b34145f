use unanimous::{Error, global_transactional};

#[global_transactional(timeout = "30s", name = "purchase", timeout = "40s")]
async fn purchase() -> Result<(), Error> {
    Ok(())
}

fn main() {
    let _ = caller();
}

async fn caller() -> Result<(), Error> {
    purchase().await
}
