use unanimous::{Error, participant};

struct Mailer;

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = send, rollback = discard, always_cancel)]
    async fn prepare(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn send(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn discard(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {}

async fn caller(mailer: &Mailer) -> Result<(), Error> {
    mailer.prepare().await
}
