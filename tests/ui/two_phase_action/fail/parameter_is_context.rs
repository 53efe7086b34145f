use unanimous::{BranchContext, Error, participant};

struct Mailer;

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&self, to: &BranchContext, pages: i64) -> Result<(), Error> {
        let _ = (to, pages);
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
    mailer.prepare(1).await
}
