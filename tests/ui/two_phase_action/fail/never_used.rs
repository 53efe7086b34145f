// An action that nobody calls is as dead as a plain method, and so is a method beside it; partners
// are called by phase two.
#![deny(dead_code)]

use unanimous::{Error, participant};

struct Mailer;

#[participant(name = "mailer")]
impl Mailer {
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

    fn helper(&self) {}
}

fn main() {
    let _ = Mailer;
}
