use unanimous::{Error, participant};

struct Mailer;

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = send, rollback = send)]
    async fn prepare(&self, #[state] journal: &String, to: &str) -> Result<(), Error> {
        let _ = (journal, to);
        Ok(())
    }

    async fn send(&self, to: &str) -> Result<(), Error> {
        let _ = to;
        Ok(())
    }
}

async fn caller(mailer: &Mailer) -> Result<(), Error> {
    mailer.prepare("ann").await
}

fn main() {
    let _ = Mailer;
}
