//! What an action does outside its database is undone although its try left no row there.

use unanimous::sqlx::{Sqlite, SqlitePool, query};
use unanimous::{FenceTx, global_transactional, participant};

use crate::world::{Failure, Journal, World, database};

struct Parcels {
    db: SqlitePool,
    journal: Journal,
}

#[participant(name = "parcels", fence = self.db)]
impl Parcels {
    #[two_phase_action(commit = send, rollback = call_back, always_cancel)]
    async fn book(&self, tx: &mut FenceTx<Sqlite>, city: &str) -> Result<u32, Failure> {
        // The carrier is called, whatever becomes of the local transaction.
        self.journal.tried(city);
        query("UPDATE account SET balance = 0")
            .execute(&mut *tx)
            .await?;
        if city == "Nowhere" {
            Failure::business("no such city")
        } else {
            Ok(7)
        }
    }

    async fn send(&self, city: &str, #[tried] number: &u32) -> Result<(), Failure> {
        assert_eq!(*number, 7);
        self.journal.confirmed(city);
        Ok(())
    }

    async fn call_back(
        &self,
        tx: &mut FenceTx<Sqlite>,
        city: String,
        #[tried] number: Option<&u32>,
    ) -> Result<(), Failure> {
        query("UPDATE account SET frozen = frozen + 1")
            .execute(&mut *tx)
            .await?;
        assert_eq!(number.is_none(), city == "Nowhere");
        self.journal.cancelled(city);
        Ok(())
    }
}

#[global_transactional]
async fn ship(parcels: &Parcels, city: &str, fails: bool) -> Result<u32, Failure> {
    let number = parcels.book(city).await?;
    if fails {
        Failure::business("no money")
    } else {
        Ok(number)
    }
}

pub(crate) async fn run() {
    let db = database().await;
    let (world, parcels) = World::with_one(|journal| Parcels {
        db: db.clone(),
        journal: journal.clone(),
    })
    .await;
    assert_eq!(world.commits(ship(&parcels, "Rome", false)).await, 7);
    world.rolls_back(ship(&parcels, "Rome", true)).await;
    world.rolls_back(ship(&parcels, "Nowhere", false)).await;
    // Both rollbacks wrote what they undid, the one without a row too.
    assert_eq!(crate::world::account(&db).await, (0, 2));
}
