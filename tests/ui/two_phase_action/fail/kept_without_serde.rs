use unanimous::{Error, participant};

struct Gateway;

struct Receipt;

#[participant(name = "gateway")]
impl Gateway {
    #[two_phase_action(commit = capture, rollback = none)]
    async fn authorise(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn capture(&self, #[kept] receipt: Receipt) -> Result<(), Error> {
        let _ = receipt;
        Ok(())
    }
}

fn main() {}

async fn caller(gateway: &Gateway) -> Result<(), Error> {
    gateway.authorise().await
}
