//! A crate that depends on a facade of its company, which hands ours on under another name, and
//! knows of no other.

use std::sync::Arc;

use unanimous_hygiene_tests::tx as transactions;

use self::transactions::sqlx::{Sqlite, SqlitePool};
use self::transactions::{
    global_transactional, participant, two_phase_action, Error, FenceTx, RuntimeBuilder,
};
use crate::Counts;

/// A participant with a fence.
#[derive(Debug)]
pub(crate) struct Till {
    db: SqlitePool,
    counts: Counts,
}

#[participant(name = "till", fence = self.db, crate = ::unanimous_hygiene_tests::tx)]
impl Till {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn hold(&self, tx: &mut FenceTx<Sqlite>, amount: u64) -> Result<u64, Error> {
        let _ = tx.connection();
        self.counts.tried();
        Ok(amount)
    }

    #[two_phase_action(commit = none, rollback = cancel)]
    async fn reserve(&self, _tx: &mut FenceTx<Sqlite>, amount: &u64) -> Result<(), Error> {
        self.counts.tried();
        assert!(*amount > 0);
        Ok(())
    }

    async fn confirm(&self, #[tried] held: &u64) -> Result<(), Error> {
        assert_eq!(*held, 7);
        self.counts.confirmed();
        Ok(())
    }

    async fn cancel(&self, amount: u64) -> Result<(), Error> {
        assert!(amount > 0);
        self.counts.cancelled();
        Ok(())
    }
}

#[two_phase_action(
    commit = send,
    rollback = tear,
    crate = ::unanimous_hygiene_tests::tx
)]
async fn write(#[state] counts: &Counts, _to: &str) -> Result<(), Error> {
    counts.tried();
    Ok(())
}

#[two_phase_action(
    commit = none,
    rollback = tear(counts, to),
    fence = db,
    crate = ::unanimous_hygiene_tests::tx
)]
async fn draft(
    _tx: &mut FenceTx<Sqlite>,
    #[state] db: &SqlitePool,
    #[state] counts: &Counts,
    to: &str,
) -> Result<(), Error> {
    assert!(!db.is_closed() && !to.is_empty());
    counts.tried();
    Ok(())
}

async fn send(counts: &Counts, _to: &str) -> Result<(), Error> {
    counts.confirms().await;
    Ok(())
}

async fn tear(counts: &Counts, to: &str) -> Result<(), Error> {
    assert!(!to.is_empty());
    counts.cancels().await;
    Ok(())
}

/// Sells.
#[global_transactional(timeout = "30s", crate = ::unanimous_hygiene_tests::tx)]
async fn sell(till: &Till, fails: bool) -> Result<u64, Error> {
    let held = till.hold(7).await?;
    till.reserve(&held).await?;
    write("ann").await?;
    draft("bob").await?;
    if fails {
        return Err(Error::ShuttingDown);
    }
    Ok(held)
}

/// Provides the actions.
pub(crate) fn provide(
    builder: RuntimeBuilder,
    db: SqlitePool,
    counts: Counts,
) -> (RuntimeBuilder, Arc<Till>) {
    let till = Arc::new(Till {
        db: db.clone(),
        counts: counts.clone(),
    });
    let builder = builder.state(db).state(counts).action(write).action(draft);
    (builder.participant(till.clone()), till)
}

/// Calls them.
pub(crate) async fn run(till: &Till, fails: bool) -> bool {
    sell(till, fails).await.is_ok()
}
