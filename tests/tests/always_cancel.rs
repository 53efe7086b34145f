//! An action that books at a carrier and writes to its own database, behind a fence. With
//! `always_cancel` the provers find nothing; without it they find the booking that a failed try
//! left behind.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use unanimous::sqlx::{Sqlite, SqlitePool, query, query_scalar};
use unanimous::testing::{Proof, Prover, Rule, database};
use unanimous::{BranchContext, FenceTx, participant};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const SCHEMA: &str = "CREATE TABLE parcels (booked INTEGER); INSERT INTO parcels VALUES (0)";

/// The carrier, who knows nothing of transactions. Keys tell it what belongs together.
#[derive(Debug, Default)]
struct Carrier {
    booked: BTreeSet<String>,
    called_back: BTreeSet<String>,
    sent: BTreeSet<String>,
}

/// The database and the carrier, for both participants.
struct Desk {
    db: SqlitePool,
    carrier: Mutex<Carrier>,
}

impl Desk {
    async fn new() -> Self {
        Self {
            db: database(SCHEMA).await.expect("a database"),
            carrier: Mutex::default(),
        }
    }

    fn carrier(&self) -> MutexGuard<'_, Carrier> {
        self.carrier.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn book(&self, tx: &mut FenceTx<Sqlite>) -> Result<(), Failure> {
        let key = BranchContext::current().ok_or("no branch")?.try_key();
        if self.carrier().called_back.contains(&key) {
            return Err("it was called back".into());
        }
        self.carrier().booked.insert(key);
        add(tx, 1).await
    }

    fn send(&self, key: &str) {
        let mut carrier = self.carrier();
        if carrier.booked.remove(key) {
            carrier.sent.insert(key.to_owned());
        }
    }

    fn call_back(&self, key: &str) {
        let mut carrier = self.carrier();
        carrier.booked.remove(key);
        carrier.called_back.insert(key.to_owned());
    }

    /// What both know: parcels booked here, booked there, sent.
    async fn parcels(&self) -> (i64, usize, usize) {
        let here = query_scalar("SELECT booked FROM parcels")
            .fetch_one(&self.db)
            .await
            .expect("the row");
        let carrier = self.carrier();
        (here, carrier.booked.len(), carrier.sent.len())
    }
}

async fn add(tx: &mut FenceTx<Sqlite>, parcels: i64) -> Result<(), Failure> {
    let sql = "UPDATE parcels SET booked = booked + ?";
    query(sql).bind(parcels).execute(&mut *tx).await?;
    Ok(())
}

struct Careful(Desk);

#[participant(name = "parcels", fence = self.0.db)]
impl Careful {
    #[two_phase_action(commit = send, rollback = call_back, always_cancel)]
    async fn book(&self, tx: &mut FenceTx<Sqlite>) -> Result<u8, Failure> {
        self.0.book(tx).await?;
        Ok(1)
    }

    async fn send(&self, branch: &BranchContext) -> Result<(), Failure> {
        self.0.send(&branch.try_key());
        Ok(())
    }

    async fn call_back(
        &self,
        tx: &mut FenceTx<Sqlite>,
        branch: &BranchContext,
        #[tried] parcels: Option<&u8>,
    ) -> Result<(), Failure> {
        self.0.call_back(&branch.try_key());
        // Where the try left no row, its local transaction was rolled back.
        match parcels {
            Some(parcels) => add(tx, -i64::from(*parcels)).await,
            None => Ok(()),
        }
    }
}

struct Careless(Desk);

#[participant(name = "parcels", fence = self.0.db)]
impl Careless {
    #[two_phase_action(commit = send, rollback = call_back)]
    async fn book(&self, tx: &mut FenceTx<Sqlite>) -> Result<(), Failure> {
        self.0.book(tx).await
    }

    async fn send(&self, branch: &BranchContext) -> Result<(), Failure> {
        self.0.send(&branch.try_key());
        Ok(())
    }

    async fn call_back(
        &self,
        tx: &mut FenceTx<Sqlite>,
        branch: &BranchContext,
    ) -> Result<(), Failure> {
        self.0.call_back(&branch.try_key());
        add(tx, -1).await
    }
}

#[tokio::test]
async fn what_is_always_cancelled_leaves_nothing_outside_the_database() {
    let prover = Prover::new(
        async || Careful(Desk::new().await),
        async |parcels| parcels.book().await,
        async |parcels| parcels.0.parcels().await,
    );
    let Proof { orders, .. } = prover.assert_proved().await;
    assert!(orders > 100, "{orders}");
}

#[tokio::test]
async fn without_it_a_failed_try_leaves_its_booking_behind() {
    let prover = Prover::new(
        async || Careless(Desk::new().await),
        async |parcels| parcels.book().await,
        async |parcels| parcels.0.parcels().await,
    );
    let broken = prover.prove().await.expect_err("a booking is left behind");
    assert!(broken.rules().contains(&Rule::Conservation), "{broken}");
}
