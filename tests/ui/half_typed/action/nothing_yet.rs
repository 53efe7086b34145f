use unanimous::{Error, participant};

struct Shop;

#[participant(name = "shop")]
impl Shop {
    #[two_phase_action(commit = done, rollback = undone)]
    async fn purchase(&self, word: &str) -> Result<usize, Error> {
    }

    async fn done(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn undone(&self, word: &str) -> Result<(), Error> {
        self.price(word).await.map(drop)
    }

    async fn price(&self, word: &str) -> Result<usize, Error> {
        Ok(word.len())
    }
}

fn main() {
    let _ = Shop.purchase("a");
}
