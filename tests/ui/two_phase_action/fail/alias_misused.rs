use unanimous::{Error, participant};

struct Shelf;

#[participant(name = "shelf")]
impl Shelf {
    #[two_phase_action(commit = done, rollback = done, alias = "deduct")]
    async fn take(&self) -> Result<(), Error> {
        Ok(())
    }

    #[two_phase_action(commit = done, rollback = done, alias = [deduct])]
    async fn put(&self) -> Result<(), Error> {
        Ok(())
    }

    #[two_phase_action(commit = done, rollback = done, alias = [])]
    async fn count(&self) -> Result<(), Error> {
        Ok(())
    }

    #[two_phase_action(commit = done, rollback = done, alias = ["look", ""])]
    async fn see(&self) -> Result<(), Error> {
        Ok(())
    }

    #[two_phase_action(commit = done, rollback = done, alias = ["take"])]
    async fn lift(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn done(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}

async fn caller(shelf: &Shelf) -> Result<(), Error> {
    shelf.take().await?;
    shelf.put().await?;
    shelf.count().await?;
    shelf.see().await?;
    shelf.lift().await
}
// mistakes: 5
