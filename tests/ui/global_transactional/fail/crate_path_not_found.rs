use unanimous::{Error, global_transactional};

#[global_transactional(crate = ::transactions)]
async fn purchase() -> Result<(), Error> {
    Ok(())
}

fn main() {
    let _ = caller();
}

async fn caller() -> Result<(), Error> {
    purchase().await
}
