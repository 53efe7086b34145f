//! An action that needs only one of its two partners names `none` for the other.

use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, global_transactional, participant};

use crate::world::{Failure, Journal, World, database};

struct Drafts {
    db: SqlitePool,
    journal: Journal,
}

#[participant(name = "drafts", fence = self.db)]
impl Drafts {
    /// What it wrote stands as it is; only a rollback takes it away.
    #[two_phase_action(commit = none, rollback = erase)]
    async fn write(&self, tx: &mut FenceTx<Sqlite>, word: &str) -> Result<(), Failure> {
        unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
        if word == "erased" {
            self.journal.tried(word);
        }
        Ok(())
    }

    async fn erase(&self, word: &str) -> Result<(), Failure> {
        self.journal.cancelled(word);
        Ok(())
    }

    /// Nothing happens before the decision.
    #[two_phase_action(commit = publish, rollback = none, fence = none)]
    async fn announce(&self, word: &str) -> Result<(), Failure> {
        if word == "published" {
            self.journal.tried(word);
        }
        Ok(())
    }

    async fn publish(&self, word: String) -> Result<(), Failure> {
        self.journal.confirmed(word);
        Ok(())
    }
}

#[global_transactional]
async fn edit(drafts: &Drafts, word: &str) -> Result<(), Failure> {
    drafts.write(word).await?;
    drafts.announce(word).await?;
    if word == "erased" {
        Failure::business("no reader")
    } else {
        Ok(())
    }
}

pub(crate) async fn run() {
    let db = database().await;
    let (world, drafts) = World::with_one(|journal| Drafts {
        db,
        journal: journal.clone(),
    })
    .await;
    world.commits(edit(&drafts, "published")).await;
    world.rolls_back(edit(&drafts, "erased")).await;
}
