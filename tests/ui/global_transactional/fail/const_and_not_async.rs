use unanimous::{Error, global_transactional};

enum ShopError {
    SoldOut,
    Transaction(Error),
}

impl From<Error> for ShopError {
    fn from(error: Error) -> Self {
        Self::Transaction(error)
    }
}

#[global_transactional]
const fn purchase(count: u32) -> Result<u64, ShopError> {
    let _ = count;
    Err(ShopError::SoldOut)
}

async fn caller() -> Result<u64, ShopError> {
    purchase(1).await
}

fn main() {}
