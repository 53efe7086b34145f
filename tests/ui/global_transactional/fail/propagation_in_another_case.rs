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

#[global_transactional(propagation = RequiresNew)]
async fn purchase(count: u32) -> Result<u64, ShopError> {
    let _ = count;
    Err(ShopError::SoldOut)
}

#[global_transactional(propagation = REQUIRES_NEW)]
async fn refund(count: u32) -> Result<u64, ShopError> {
    purchase(count).await
}

#[global_transactional(propagation = Propagation::Mandatory)]
async fn exchange(count: u32) -> Result<u64, ShopError> {
    refund(count).await
}

async fn caller() -> Result<u64, ShopError> {
    exchange(1).await
}

fn main() {}
// mistakes: 3
