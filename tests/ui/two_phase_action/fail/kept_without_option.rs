use unanimous::{Error, participant};

struct Gateway;

#[participant(name = "gateway")]
impl Gateway {
    #[two_phase_action(commit = none, rollback = release)]
    async fn authorise(&self, card: &str) -> Result<(), Error> {
        let _ = card;
        Ok(())
    }

    async fn release(&self, #[kept] authorisation: u64) -> Result<(), Error> {
        let _ = authorisation;
        Ok(())
    }
}

fn main() {}

async fn caller(gateway: &Gateway) -> Result<(), Error> {
    gateway.authorise("visa").await
}
