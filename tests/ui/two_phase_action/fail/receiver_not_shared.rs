// Callers have a shared one, and no error.
use unanimous::{Error, participant};

struct Mailer(u8);

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(self, to: &str, pages: i64) -> Result<(), Error> {
        let _ = (to, pages);
        Ok(())
    }

    #[two_phase_action(commit = send, rollback = discard)]
    async fn count(&mut self, to: &str) -> Result<(), Error> {
        let _ = to;
        self.0 += 1;
        Ok(())
    }

    async fn send(&self, to: &str) -> Result<(), Error> {
        let _ = to;
        Ok(())
    }

    async fn discard(&self) -> Result<(), Error> {
        Ok(())
    }
}

async fn caller(mailer: &Mailer) -> Result<(), Error> {
    mailer.count("bob").await?;
    mailer.prepare("ann", 1).await
}

fn main() {}
// mistakes: 2
