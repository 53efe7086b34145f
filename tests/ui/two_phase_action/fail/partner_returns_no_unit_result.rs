use unanimous::{Error, participant};

struct Mailer;

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&self, to: &str, pages: i64) -> Result<(), Error> {
        let _ = (to, pages);
        Ok(())
    }

    async fn send(&self, to: &str) -> Option<()> {
        let _ = to;
        None
    }

    async fn discard(&self) -> Result<u8, Error> {
        Ok(1)
    }
}

fn main() {
    let _ = (Mailer, caller);
}

async fn caller(mailer: &Mailer) -> Result<(), Error> {
    mailer.prepare("ann", 1).await
}
// mistakes: 2
