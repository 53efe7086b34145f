use unanimous::{Error, participant};

struct Mailer;

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&self, #[tried] to: &str, pages: i64) -> Result<(), Error> {
        let _ = (to, pages);
        Ok(())
    }

    async fn send(&self, #[tried] sent: u8) -> Result<(), Error> {
        let _ = sent;
        Ok(())
    }

    async fn discard(&self, #[tried] sent: &u8) -> Result<(), Error> {
        let _ = sent;
        Ok(())
    }
}

fn main() {
    let _ = (Mailer, caller);
}

async fn caller(mailer: &Mailer) -> Result<(), Error> {
    mailer.prepare("ann", 1).await
}
// mistakes: 3
