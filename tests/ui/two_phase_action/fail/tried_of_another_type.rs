use unanimous::{Error, participant};

struct Mailer;

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&self, to: &str, pages: i64) -> Result<u8, Error> {
        let _ = (to, pages);
        Ok(1)
    }

    async fn send(&self, #[tried] sent: &u16) -> Result<(), Error> {
        let _ = sent;
        Ok(())
    }

    async fn discard(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {
    let _ = Mailer;
}

async fn caller(mailer: &Mailer) -> Result<u8, Error> {
    mailer.prepare("ann", 1).await
}
