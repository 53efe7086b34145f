use unanimous::{Error, participant};

struct Shelf;

#[participant(name = "shelf")]
impl Shelf {
    #[two_phase_action(commit = sell, rollback = none)]
    async fn take(&self, sku: &str, #[recorded(name = "sku")] article: &str) -> Result<(), Error> {
        let _ = (sku, article);
        Ok(())
    }

    async fn sell(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}

async fn caller(shelf: &Shelf) -> Result<(), Error> {
    shelf.take("tea", "green").await
}
