//! A name that reads `self`: two shards of one type, each delivered to its own.

use std::sync::Arc;

use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, Participant, global_transactional, participant};

use crate::world::{Failure, Journal, World, database};

struct Shard {
    number: u8,
    db: SqlitePool,
    journal: Journal,
}

impl Shard {
    fn pool(&self) -> &SqlitePool {
        &self.db
    }
}

#[participant(name = format!("shard-{}", self.number), fence = *self.pool())]
impl Shard {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn put(&self, tx: &mut FenceTx<Sqlite>, key: &str) -> Result<(), Failure> {
        unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
        self.journal.tried(format!("{key} in {}", self.number));
        Ok(())
    }

    async fn confirm(&self, tx: &mut FenceTx<Sqlite>, key: &str) -> Result<(), Failure> {
        unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
        self.journal.confirmed(format!("{key} in {}", self.number));
        Ok(())
    }

    async fn cancel(&self, key: &str) -> Result<(), Failure> {
        self.journal.cancelled(format!("{key} in {}", self.number));
        Ok(())
    }
}

#[global_transactional]
async fn put_both(shards: &[Arc<Shard>]) -> Result<(), Failure> {
    for shard in shards {
        shard.put("key").await?;
    }
    Ok(())
}

pub(crate) async fn run() {
    let pools = [database().await, database().await];
    let mut made = Vec::new();
    let world = World::with(|journal| {
        for (number, db) in (1..).zip(pools) {
            made.push(Arc::new(Shard {
                number,
                db,
                journal: journal.clone(),
            }));
        }
        made.iter()
            .map(|shard| shard.clone() as Arc<dyn Participant>)
            .collect()
    })
    .await;
    world.commits(put_both(&made)).await;
}
