use unanimous::{Error, participant};

struct Mailer;

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&self, to: &mut String, pages: i64) -> Result<(), Error> {
        let _ = (to, pages);
        Ok(())
    }

    async fn send(&self) -> Result<(), Error> {
        Ok(())
    }

    async fn discard(&self, tx: &mut String) -> Result<(), Error> {
        let _ = tx;
        Ok(())
    }
}

fn main() {
    let _ = Mailer;
}

async fn caller(mailer: &Mailer) -> Result<(), Error> {
    mailer.prepare(&mut String::new(), 1).await
}
// mistakes: 2
