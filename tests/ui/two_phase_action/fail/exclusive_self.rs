use unanimous::{Error, participant};

struct Mailer;

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&mut self, to: &str, pages: i64) -> Result<(), Error> {
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

    #[two_phase_action(commit = send, rollback = discard)]
    async fn without(to: &str) -> Result<(), Error> {
        let _ = to;
        Ok(())
    }
}

fn main() {
    let _ = Mailer;
}

async fn caller(mailer: &mut Mailer) -> Result<(), Error> {
    mailer.prepare("ann", 1).await?;
    Mailer::without("ann").await
}
// mistakes: 2
