//! What phase one returned, lent to phase two: behind a fence it is always there.

use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, global_transactional, participant};

use crate::world::{Failure, Journal, World, database};

struct Orders {
    db: SqlitePool,
    journal: Journal,
}

#[participant(name = "orders", fence = self.db)]
impl Orders {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn create(&self, _tx: &mut FenceTx<Sqlite>, sku: &str) -> Result<String, Failure> {
        let id = format!("{sku}-1");
        self.journal.tried(&id);
        Ok(id)
    }

    async fn confirm(&self, #[tried] id: &str) -> Result<(), Failure> {
        self.journal.confirmed(id);
        Ok(())
    }

    async fn cancel(
        &self,
        tx: &mut FenceTx<Sqlite>,
        sku: String,
        #[tried] id: &String,
    ) -> Result<(), Failure> {
        unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
        assert!(id.starts_with(&sku));
        self.journal.cancelled(id);
        Ok(())
    }
}

#[global_transactional]
async fn order(orders: &Orders, fails: bool) -> Result<String, Failure> {
    let id = orders.create("tea").await?;
    if fails {
        Failure::business("no money")
    } else {
        Ok(id)
    }
}

pub(crate) async fn run() {
    let db = database().await;
    let (world, orders) = World::with_one(|journal| Orders {
        db,
        journal: journal.clone(),
    })
    .await;
    assert_eq!(world.commits(order(&orders, false)).await, "tea-1");
    world.rolls_back(order(&orders, true)).await;
}
