//! An annotated function's future is little larger than the plain one's: what is generic holds the
//! body where it is written, and nothing twice.

use std::future::ready;

use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, global_transactional, participant};

use crate::world::{Failure, Journal, Probe, World, database};

type Kilobyte = [u8; 1024];

async fn plain(data: Kilobyte) -> Result<u8, Failure> {
    ready(()).await;
    Ok(data[1023])
}

#[global_transactional]
async fn transactional(data: Kilobyte) -> Result<u8, Failure> {
    ready(()).await;
    Ok(data[1023])
}

struct Accounts {
    db: SqlitePool,
    journal: Journal,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn fenced(
        &self,
        _tx: &mut FenceTx<Sqlite>,
        #[skip] data: Kilobyte,
    ) -> Result<u8, Failure> {
        ready(()).await;
        self.journal.tried("sized");
        Ok(data[1023])
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
async fn both(accounts: &Accounts, probe: &Probe) -> Result<u8, Failure> {
    probe.touch("beside").await?;
    accounts
        .fenced([transactional([3; 1024]).await?; 1024])
        .await
}

pub(crate) async fn run() {
    let db = database().await;
    let (world, accounts) = World::with_one(|journal| Accounts {
        db,
        journal: journal.clone(),
    })
    .await;
    let of_plain = size_of_val(&plain([0; 1024]));
    let of_transactional = size_of_val(&transactional([0; 1024]));
    let of_fenced = size_of_val(&accounts.fenced([0; 1024]));
    assert!(
        of_transactional * 100 <= of_plain * 110,
        "{of_transactional}, plain {of_plain}"
    );
    assert!(
        of_fenced * 100 <= of_plain * 125,
        "{of_fenced}, plain {of_plain}"
    );
    assert_eq!(world.commits(both(&accounts, &world.probe)).await, 3);
}
