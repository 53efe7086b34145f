use unanimous::{Error, participant};

struct Opaque;

struct Mailer;

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&self, to: &str, pages: i64) -> Result<(), Opaque> {
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

fn main() {
    let _ = Mailer;
}

async fn caller(mailer: &Mailer) -> Result<(), Opaque> {
    mailer.prepare("ann", 1).await
}
