use unanimous::Error;

struct Shop;

impl Shop {
    async fn purchase(&self, word: &str) -> Result<usize, Error> {
        let price = ;
        Ok(price)
    }

    async fn price(&self, word: &str) -> Result<usize, Error> {
        Ok(word.len())
    }
}

fn main() {
    let _ = Shop.purchase("a");
}
