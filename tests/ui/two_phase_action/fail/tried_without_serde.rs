use unanimous::{Error, participant};

struct Letter;

struct Mailer;

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&self, to: &str, pages: i64) -> Result<Letter, Error> {
        let _ = (to, pages);
        Ok(Letter)
    }

    async fn send(&self, #[tried] sent: &Letter) -> Result<(), Error> {
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

async fn caller(mailer: &Mailer) -> Result<Letter, Error> {
    mailer.prepare("ann", 1).await
}
