// #[async_trait] has boxed the methods by then.
use async_trait::async_trait;
use unanimous::{Error, participant};

#[async_trait]
trait Mail {
    async fn prepare(&self, to: &str) -> Result<(), Error>;
}

struct Mailer;

#[async_trait]
#[participant(name = "mailer")]
impl Mail for Mailer {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&self, to: &str) -> Result<(), Error> {
        let _ = to;
        Ok(())
    }

    async fn send(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn discard(&self) -> Result<(), Error> {
        Ok(())
    }
}

async fn caller(mailer: &Mailer) -> Result<(), Error> {
    mailer.prepare("ann").await
}

fn main() {
    let _ = caller;
}
