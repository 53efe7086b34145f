use unanimous::{Error, participant};

struct Mailer;

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = send, rollback = discard)]
    fn prepare(&self, to: &str, pages: i64) -> Result<(), Error> {
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
    fn boxed(
        &self,
        to: String,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), Error>> + Send + '_>> {
        let _ = to;
        Box::pin(async move { Ok(()) })
    }
}

fn main() {
    let _ = (Mailer, caller);
}

async fn caller(mailer: &Mailer) -> Result<(), Error> {
    mailer.prepare("ann", 1).await
}
// mistakes: 2
