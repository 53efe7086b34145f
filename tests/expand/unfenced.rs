//! A participant without a fence: what was reserved is confirmed or given back.

use unanimous::{global_transactional, participant};

use crate::world::{Failure, Journal, World};

struct Mailer {
    journal: Journal,
}

#[participant(name = "mailer")]
impl Mailer {
    /// Reserves a letter.
    #[two_phase_action(commit = send, rollback = discard)]
    async fn prepare(&self, to: String, pages: u32) -> Result<u32, Failure> {
        self.journal.tried(&to);
        if pages > 9 {
            Failure::business("too long")
        } else {
            Ok(pages)
        }
    }

    async fn send(&self, pages: u32, to: &str) -> Result<(), Failure> {
        assert!(pages > 0);
        self.journal.confirmed(to);
        Ok(())
    }

    async fn discard(&self, to: String) -> Result<(), Failure> {
        self.journal.cancelled(to);
        Ok(())
    }
}

#[global_transactional]
async fn write(mailer: &Mailer, pages: u32) -> Result<u32, Failure> {
    mailer.prepare("ann".to_owned(), pages).await
}

pub(crate) async fn run() {
    let (world, mailer) = World::with_one(|journal| Mailer {
        journal: journal.clone(),
    })
    .await;
    assert_eq!(world.commits(write(&mailer, 2)).await, 2);
    let error = world.rolls_back(write(&mailer, 10)).await;
    assert!(matches!(error, Failure::Business("too long")), "{error:?}");
    let error = world.refuses(mailer.prepare("bob".to_owned(), 1)).await;
    let refused = matches!(
        error,
        Failure::Transaction(unanimous::Error::NotInTransaction { .. })
    );
    assert!(refused, "{error:?}");
}
