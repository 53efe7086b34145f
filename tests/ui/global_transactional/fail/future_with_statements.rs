use std::future::Future;

use unanimous::{Error, global_transactional};

#[global_transactional]
fn purchase(count: u8) -> impl Future<Output = Result<u8, Error>> {
    let doubled = count * 2;
    async move { Ok(doubled) }
}

fn main() {
    let _ = caller();
}

async fn caller() -> Result<u8, Error> {
    purchase(1).await
}
