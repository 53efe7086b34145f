//! A participant whose instances are all alike: an action runs on any of them.

use unanimous::{global_transactional, participant};

use crate::world::{Failure, Journal, World};

#[derive(Clone)]
struct Mailer {
    journal: Journal,
}

#[participant(name = "mailer", any_instance)]
impl Mailer {
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&self, to: &str) -> Result<(), Failure> {
        self.journal.tried(to);
        if to.is_empty() {
            Failure::business("nobody")
        } else {
            Ok(())
        }
    }

    async fn send(&self, to: &str) -> Result<(), Failure> {
        self.journal.confirmed(to);
        Ok(())
    }

    async fn discard(&self, to: &str) -> Result<(), Failure> {
        self.journal.cancelled(to);
        Ok(())
    }
}

#[global_transactional]
async fn write(mailer: &Mailer, to: &str) -> Result<(), Failure> {
    mailer.prepare(to).await
}

pub(crate) async fn run() {
    let (world, provided) = World::with_one(|journal| Mailer {
        journal: journal.clone(),
    })
    .await;
    let other = Mailer::clone(&provided);
    world.commits(write(&other, "ann")).await;
    world.rolls_back(write(&other, "")).await;
}
