use unanimous::Error;

struct Shop;

impl Shop {
    async fn purchase(&self, word: &str) -> Result<usize, Error> {
        match word {
            "a" => ,
            _ => Ok(1),
        }
    }

    async fn price(&self, word: &str) -> Result<usize, Error> {
        Ok(word.len())
    }
}

fn main() {
    let _ = Shop.purchase("a");
}
