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

#[global_transactional(map_err = ShopError::Transaction, commit_on(ShopError::SoldOut))]
async fn purchase(count: u32) -> u64 {
    let _ = count;
    7
}

async fn caller() -> u64 {
    purchase(1).await
}

fn main() {}
