use unanimous::{Error, global_transactional};

struct Shop {
    runtime: u8,
}

impl Shop {
    #[global_transactional(runtime = self.runtime)]
    async fn purchase(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {
    let _ = Shop { runtime: 1 }.purchase();
}

async fn caller(shop: &Shop) -> Result<(), Error> {
    shop.purchase().await
}
