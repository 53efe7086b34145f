use unanimous::{Error, participant};

struct Mailer;

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = none, rollback = none)]
    async fn send(&self, to: &str) -> Result<(), Error> {
        let _ = to;
        Ok(())
    }
}

fn caller(mailer: &Mailer) -> impl Future<Output = Result<(), Error>> {
    mailer.send("ann")
}

fn main() {
    drop(caller(&Mailer));
}
