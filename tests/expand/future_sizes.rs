//! An annotated function's future is little larger than the plain one's: what is generic holds the
//! body where it is written, and nothing twice.

use std::future::ready;

use serde::{Deserialize, Serialize};
use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, global_transactional, participant};

use crate::world::{Failure, Journal, Probe, World, database};

#[derive(Clone, Copy, Deserialize, Serialize)]
struct Kilobyte([[u8; 32]; 32]);

impl Kilobyte {
    fn last(&self) -> u8 {
        self.0[31][31]
    }
}

async fn plain(data: Kilobyte) -> Result<u8, Failure> {
    ready(()).await;
    Ok(data.last())
}

#[global_transactional]
async fn transactional(data: Kilobyte) -> Result<u8, Failure> {
    ready(()).await;
    Ok(data.last())
}

struct Accounts {
    db: SqlitePool,
    journal: Journal,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn fenced(&self, _tx: &mut FenceTx<Sqlite>, data: Kilobyte) -> Result<u8, Failure> {
        ready(()).await;
        self.journal.tried("sized");
        Ok(data.last())
    }

    #[two_phase_action(commit = confirm, rollback = cancel, fence = none)]
    async fn unfenced(&self, data: Kilobyte) -> Result<u8, Failure> {
        ready(()).await;
        Ok(data.last())
    }

    async fn confirm(&self) -> Result<(), Failure> {
        self.journal.confirmed("sized");
        Ok(())
    }

    async fn cancel(&self) -> Result<(), Failure> {
        self.journal.cancelled("sized");
        Ok(())
    }
}

#[global_transactional]
async fn both(accounts: &Accounts, probe: &Probe, data: Kilobyte) -> Result<u8, Failure> {
    probe.touch("beside").await?;
    accounts.unfenced(data).await?;
    let last = transactional(data).await?;
    accounts.fenced(Kilobyte([[last; 32]; 32])).await
}

pub(crate) async fn run() {
    let db = database().await;
    let (world, accounts) = World::with_one(|journal| Accounts {
        db,
        journal: journal.clone(),
    })
    .await;
    let data = Kilobyte([[3; 32]; 32]);
    let of_plain = size_of_val(&plain(data));
    for (what, annotated, percent) in [
        ("transactional", size_of_val(&transactional(data)), 110),
        ("fenced", size_of_val(&accounts.fenced(data)), 125),
        ("unfenced", size_of_val(&accounts.unfenced(data)), 125),
    ] {
        assert!(
            annotated * 100 <= of_plain * percent,
            "{what} {annotated}, plain {of_plain}"
        );
    }
    let both = Box::pin(both(&accounts, &world.probe, data));
    assert_eq!(world.commits(both).await, 3);
}
