use unanimous::{Error, participant};

struct Shelf;

#[participant(name = "shelf")]
impl Shelf {
    #[two_phase_action(commit = sell, rollback = none)]
    async fn take(&self, #[recorded(name = "sku")] article: &str) -> Result<(), Error> {
        let _ = article;
        Ok(())
    }

    async fn sell(&self, #[recorded(name = "colour")] colour: String) -> Result<(), Error> {
        let _ = colour;
        Ok(())
    }
}

fn main() {}

async fn caller(shelf: &Shelf) -> Result<(), Error> {
    shelf.take("tea").await
}
