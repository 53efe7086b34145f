use unanimous::{Error, participant};

struct Mailer;

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(rollback = discard)]
    async fn prepare(&self, to: &str, pages: i64) -> Result<(), Error> {
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

struct Printer;

#[participant(name = "printer")]
impl Printer {
    #[two_phase_action]
    async fn print(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {
    let _ = (Mailer, caller);
}

async fn caller(mailer: &Mailer) -> Result<(), Error> {
    mailer.prepare("ann", 1).await
}
// mistakes: 2
