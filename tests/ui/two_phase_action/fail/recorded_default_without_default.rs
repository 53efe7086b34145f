use std::net::IpAddr;

use unanimous::{Error, participant};

struct Shelf;

#[participant(name = "shelf")]
impl Shelf {
    #[two_phase_action(commit = sell, rollback = none)]
    async fn take(&self, #[recorded(default)] from: IpAddr) -> Result<(), Error> {
        let _ = from;
        Ok(())
    }

    async fn sell(&self, from: IpAddr) -> Result<(), Error> {
        let _ = from;
        Ok(())
    }
}

fn main() {}

async fn caller(shelf: &Shelf, from: IpAddr) -> Result<(), Error> {
    shelf.take(from).await
}
