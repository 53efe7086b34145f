use unanimous::{Error, global_transactional};

trait Shop {
    #[global_transactional]
    async fn purchase(&self) -> Result<(), Error>;
}

impl Shop for () {
    async fn purchase(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {
    let _ = ().purchase();
}

async fn caller(shop: &impl Shop) -> Result<(), Error> {
    shop.purchase().await
}
