// All are reported, each at its own place, and the callers get no error of their own.
use unanimous::{Error, global_transactional};

#[global_transactional(timeout = "soon", propagation = nevr, nme = "purchase")]
fn purchase(count: u8) -> Result<u8, Error> {
    Ok(count)
}

async fn caller() -> Result<u8, Error> {
    purchase(1).await
}

fn main() {
    let _ = caller();
}
// mistakes: 4
