use std::sync::Arc;

use unanimous::{Error, participant};

struct Mailer;

trait Mail {
    fn prepare(&self, to: &str, pages: i64) -> impl Future<Output = Result<(), Error>>;
}

#[participant(name = "mailer")]
impl Mail for Arc<Mailer> {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&self, to: &str, pages: i64) -> Result<(), Error> {
        let _ = (to, pages);
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

async fn caller(mailer: &Arc<Mailer>) -> Result<(), Error> {
    mailer.prepare("ann", 1).await
}

fn main() {}
