// The partners move into an inherent impl, and the type implements a trait of ours: it must be the
// user's own.
use std::collections::BTreeSet;

use unanimous::{Error, participant};

trait Mail {
    fn prepare(&self, to: &str) -> impl Future<Output = Result<(), Error>> + Send;
}

#[participant(name = "mailer")]
impl Mail for BTreeSet<u8> {
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
    let _ = BTreeSet::from([1]).prepare("ann");
}

async fn caller(bytes: &BTreeSet<u8>) -> Result<(), Error> {
    bytes.prepare("ann").await
}
