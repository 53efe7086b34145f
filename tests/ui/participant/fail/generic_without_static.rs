// A participant lives as long as the runtime.
use unanimous::{Error, participant};

struct Mailer<R> {
    repo: R,
}

#[participant(name = "mailer")]
impl<R: Send + Sync> Mailer<R> {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&self, to: &str) -> Result<(), Error> {
        let _ = (to, &self.repo);
        Ok(())
    }

    async fn send(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn discard(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {
    let _ = Mailer { repo: () };
}

async fn caller(mailer: &Mailer<u8>) -> Result<(), Error> {
    mailer.prepare("ann").await
}
