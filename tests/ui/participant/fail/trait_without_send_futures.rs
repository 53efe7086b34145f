// Phase two is boxed as `Send`, so the traits of a generic participant promise it.
use unanimous::{Error, participant};

trait Repo: Send + Sync + 'static {
    async fn save(&self, to: &str);
}

struct Mailer<R> {
    repo: R,
}

#[participant(name = "mailer")]
impl<R: Repo> Mailer<R> {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&self, to: &str) -> Result<(), Error> {
        let _ = to;
        Ok(())
    }

    async fn send(&self, to: &str) -> Result<(), Error> {
        self.repo.save(to).await;
        Ok(())
    }

    async fn discard(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {
    let _ = Mailer { repo: () };
}

async fn caller(mailer: &Mailer<impl Repo + Send + Sync + 'static>) -> Result<(), Error> {
    mailer.prepare("ann").await
}
