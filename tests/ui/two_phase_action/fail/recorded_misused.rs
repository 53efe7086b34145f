use unanimous::{Error, participant};

struct Shelf;

#[participant(name = "shelf")]
impl Shelf {
    #[two_phase_action(commit = sell, rollback = none)]
    async fn take(
        &self,
        #[recorded] article: &str,
        #[recorded(nam = "sku")] sku: &str,
        #[recorded(name = sku)] other: &str,
        #[recorded(name = "n")]
        #[skip]
        count: u32,
    ) -> Result<(), Error> {
        let _ = (article, sku, other, count);
        Ok(())
    }

    async fn sell(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}

async fn caller(shelf: &Shelf) -> Result<(), Error> {
    shelf.take("a", "b", "c", 1).await
}
// mistakes: 4
