use unanimous::{Error, participant};

struct Mailer;

#[participant(name = 7)]
impl Mailer {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&self, to: &str) -> Result<(), Error> {
        let _ = to;
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
    let _ = Mailer;
}

async fn caller(mailer: &Mailer) -> Result<(), Error> {
    mailer.prepare("ann").await
}
