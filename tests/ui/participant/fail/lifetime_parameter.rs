use unanimous::{Error, participant};

struct Mailer<'a>(&'a str);

#[participant(name = "mailer")]
impl<'a> Mailer<'a> {
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
    let _ = Mailer("").prepare("ann");
}

async fn caller(mailer: &Mailer<'_>) -> Result<(), Error> {
    mailer.prepare("ann").await
}
