// What rustc says of a plain function, and as often.
use unanimous::{Error, global_transactional};

#[global_transactional]
async fn purchase() -> Result<u8, Error> {
    let count = ;
    Ok(count)
}

async fn caller() -> Result<u8, Error> {
    purchase().await
}

fn main() {
    let _ = caller();
}
