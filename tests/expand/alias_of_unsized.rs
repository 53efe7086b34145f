//! An alias hides that a type is unsized: what is recorded of it is owned all the same, and lent again.

use unanimous::{global_transactional, participant};

use crate::world::{Failure, Journal, World};

type Name = str;

struct Mailer {
    journal: Journal,
}

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&self, to: &Name, copy: Option<&Name>) -> Result<(), Failure> {
        self.journal.tried(copy.unwrap_or(to));
        Ok(())
    }

    async fn send(&self, copy: Option<&Name>, to: &Name) -> Result<(), Failure> {
        self.journal.confirmed(copy.unwrap_or(to));
        Ok(())
    }

    async fn discard(&self, copy: Option<&str>, to: String) -> Result<(), Failure> {
        self.journal.cancelled(copy.unwrap_or(&to));
        Ok(())
    }
}

#[global_transactional]
async fn write(mailer: &Mailer, copy: Option<&str>, lost: bool) -> Result<(), Failure> {
    mailer.prepare("ann", copy).await?;
    if lost {
        return Failure::business("lost");
    }
    Ok(())
}

pub(crate) async fn run() {
    let (world, mailer) = World::with_one(|journal| Mailer {
        journal: journal.clone(),
    })
    .await;
    world.commits(write(&mailer, Some("ben"), false)).await;
    world.commits(write(&mailer, None, false)).await;
    world.rolls_back(write(&mailer, Some("ben"), true)).await;
}
