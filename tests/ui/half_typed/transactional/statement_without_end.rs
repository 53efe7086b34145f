use unanimous::{Error, global_transactional};

struct Shop;

impl Shop {
    #[global_transactional]
    async fn purchase(&self, word: &str) -> Result<usize, Error> {
        let price = word.len()
        Ok(price)
    }

    async fn price(&self, word: &str) -> Result<usize, Error> {
        Ok(word.len())
    }
}

fn main() {
    let _ = Shop.purchase("a");
}
