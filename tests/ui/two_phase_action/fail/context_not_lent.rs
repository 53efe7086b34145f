use unanimous::{BranchContext, Error, participant};

struct Mailer;

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&self, to: &str, pages: i64) -> Result<(), Error> {
        let _ = (to, pages);
        Ok(())
    }

    async fn send(&self, to: &str, context: BranchContext) -> Result<(), Error> {
        let _ = (to, context);
        Ok(())
    }

    async fn discard(&self, context: &mut BranchContext) -> Result<(), Error> {
        let _ = context;
        Ok(())
    }
}

async fn caller(mailer: &Mailer) -> Result<(), Error> {
    mailer.prepare("ann", 1).await
}

fn main() {}
// mistakes: 2
