use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Error, FenceTx, participant};

struct Shop(SqlitePool);

#[participant(name = "shop", fence = self.0)]
impl Shop {
    #[two_phase_action(commit = done, rollback = undone)]
    async fn purchase(&self, _tx: &mut FenceTx<Sqlite>, word: &str) -> Result<usize, Error> {
        let price = ;
        Ok(price)
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
    let _ = |shop: Shop| async move { shop.purchase("a").await };
}
