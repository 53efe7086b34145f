// Of a trait of the user's only rustc knows whether its types outlive the runtime.
use unanimous::{Error, participant};

trait Repo: Send + Sync {}

struct Mailer<R> {
    repo: R,
}

#[participant(name = "mailer")]
impl<R: Repo> Mailer<R> {
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

async fn caller<R: Repo>(mailer: &Mailer<R>) -> Result<(), Error> {
    mailer.prepare("ann").await
}

fn main() {}
