//! Participants, right ones and wrong ones.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use unanimous::sqlx::{self, Sqlite, SqlitePool};
use unanimous::testing::{Harness, database};
use unanimous::{BranchContext, FenceTx, participant};

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long a test waits for what does not come if the product is wrong.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const SCHEMA: &str = "
    CREATE TABLE account (free INTEGER NOT NULL CHECK (free >= 0), held INTEGER NOT NULL, spent INTEGER NOT NULL);
    INSERT INTO account VALUES (100, 0, 0);";

/// Does everything in its fence's local transaction.
#[derive(Clone)]
pub(crate) struct Accounts {
    pub(crate) db: SqlitePool,
}

impl Accounts {
    pub(crate) async fn new() -> Self {
        Self {
            db: database(SCHEMA).await.expect("a database"),
        }
    }

    pub(crate) async fn sums(&self) -> (i64, i64, i64) {
        let sql = "SELECT free, held, spent FROM account";
        sqlx::query_as(sql)
            .fetch_one(&self.db)
            .await
            .expect("the row")
    }
}

/// A harness of accounts alone.
pub(crate) async fn with_accounts() -> (Harness, Arc<Accounts>) {
    let accounts = Arc::new(Accounts::new().await);
    let harness = Harness::of(Arc::clone(&accounts)).await.expect("a harness");
    (harness, accounts)
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    pub(crate) async fn debit(
        &self,
        tx: &mut FenceTx<Sqlite>,
        amount: i64,
    ) -> Result<i64, Failure> {
        let sql = "UPDATE account SET free = free - ?1, held = held + ?1 RETURNING free";
        Ok(sqlx::query_scalar(sql)
            .bind(amount)
            .fetch_one(&mut *tx)
            .await?)
    }

    async fn confirm(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
        let sql = "UPDATE account SET held = held - ?1, spent = spent + ?1";
        sqlx::query(sql).bind(amount).execute(&mut *tx).await?;
        Ok(())
    }

    async fn cancel(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
        let sql = "UPDATE account SET held = held - ?1, free = free + ?1";
        sqlx::query(sql).bind(amount).execute(&mut *tx).await?;
        Ok(())
    }
}

/// Sells tickets, and counts on a display outside its fence how many are gone. What is wrong with it
/// shows only where a phase fails half-way: the display is not undone with the local transaction.
pub(crate) struct Counter {
    db: SqlitePool,
    display: AtomicI64,
}

impl Counter {
    pub(crate) async fn new() -> Self {
        Self {
            db: database(SCHEMA).await.expect("a database"),
            display: AtomicI64::new(0),
        }
    }

    pub(crate) fn shown(&self) -> i64 {
        self.display.load(SeqCst)
    }
}

#[participant(name = "counter", fence = self.db)]
impl Counter {
    #[two_phase_action(commit = none, rollback = take_back)]
    pub(crate) async fn sell(&self, _tx: &mut FenceTx<Sqlite>, count: i64) -> Result<(), Failure> {
        self.display.fetch_add(count, SeqCst);
        Ok(())
    }

    async fn take_back(&self, count: i64) -> Result<(), Failure> {
        self.display.fetch_sub(count, SeqCst);
        Ok(())
    }
}

/// Keeps a value for phase two in its first two runs only, so what comes after that proves nothing
/// about the report.
pub(crate) struct Moody {
    times: Arc<AtomicI64>,
    tried: Mutex<BTreeSet<String>>,
    cancelled: Mutex<BTreeSet<String>>,
}

impl Moody {
    /// `times` counts over all instances.
    pub(crate) fn counting(times: &Arc<AtomicI64>) -> Self {
        Self {
            times: Arc::clone(times),
            tried: Mutex::default(),
            cancelled: Mutex::default(),
        }
    }

    pub(crate) fn done(&self) -> usize {
        self.tried.lock().map_or(0, |tried| tried.len())
    }
}

#[participant(name = "moody")]
impl Moody {
    #[two_phase_action(commit = none, rollback = undo)]
    pub(crate) async fn act(&self) -> Result<(), Failure> {
        if self.cancelled.lock().expect("no panic").contains(&key()) {
            return Err("it was cancelled before".into());
        }
        self.tried.lock().expect("no panic").insert(key());
        if self.times.fetch_add(1, SeqCst) < 2 {
            let branch = BranchContext::current().expect("a branch");
            branch.keep("mood", "good")?;
        }
        Ok(())
    }

    async fn undo(&self) -> Result<(), Failure> {
        self.cancelled.lock().expect("no panic").insert(key());
        self.tried.lock().expect("no panic").remove(&key());
        Ok(())
    }
}

/// What a purse does wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Flaw {
    None,
    /// Confirm does not look whether it ran before.
    ConfirmsTwice,
    /// The try does not look whether it ran before.
    TriesTwice,
    /// Cancel gives back what was never taken.
    CancelsEmpty,
    /// The try does not look whether it was cancelled.
    TriesLate,
    /// Cancel gives back too little.
    CancelsTooLittle,
    /// Cancel refuses where it finds nothing to undo.
    CancelFails,
}

/// A purse without a database and without a fence: it does by hand what a fence does.
pub(crate) struct Purse {
    flaw: Flaw,
    contents: Mutex<Contents>,
}

#[derive(Default)]
struct Contents {
    gold: i64,
    tried: BTreeSet<String>,
    confirmed: BTreeSet<String>,
    cancelled: BTreeSet<String>,
}

impl Purse {
    pub(crate) fn with(flaw: Flaw) -> Self {
        let contents = Contents {
            gold: 100,
            ..Contents::default()
        };
        Self {
            flaw,
            contents: Mutex::new(contents),
        }
    }

    pub(crate) fn gold(&self) -> (i64, usize) {
        let contents = self.contents();
        (contents.gold, contents.confirmed.len())
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key() -> String {
    BranchContext::current().expect("a branch").try_key()
}

#[participant(name = "purse")]
impl Purse {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    pub(crate) async fn take(&self, amount: i64) -> Result<i64, Failure> {
        let mut contents = self.contents();
        if contents.cancelled.contains(&key()) && self.flaw != Flaw::TriesLate {
            return Err("it was cancelled before".into());
        }
        if contents.tried.insert(key()) || self.flaw == Flaw::TriesTwice {
            contents.gold -= amount;
        }
        Ok(contents.gold)
    }

    async fn confirm(&self, amount: i64, #[tried] left: &i64) -> Result<(), Failure> {
        let mut contents = self.contents();
        assert_eq!(
            *left + amount,
            100,
            "phase two knows what phase one returned"
        );
        if !contents.confirmed.insert(key()) && self.flaw == Flaw::ConfirmsTwice {
            contents.gold -= amount;
        }
        Ok(())
    }

    /// The same, and nothing is answered to phase two.
    #[two_phase_action(commit = none, rollback = cancel)]
    pub(crate) async fn lend(&self, amount: i64) -> Result<(), Failure> {
        let mut contents = self.contents();
        if contents.cancelled.contains(&key()) {
            return Err("it was cancelled before".into());
        }
        if contents.tried.insert(key()) {
            contents.gold -= amount;
        }
        Ok(())
    }

    async fn cancel(&self, amount: i64) -> Result<(), Failure> {
        let mut contents = self.contents();
        let first = contents.cancelled.insert(key());
        let tried = contents.tried.contains(&key());
        if !tried && self.flaw == Flaw::CancelFails {
            return Err("nothing was taken".into());
        }
        if first && (tried || self.flaw == Flaw::CancelsEmpty) {
            contents.gold += match self.flaw {
                Flaw::CancelsTooLittle => amount - 1,
                _ => amount,
            };
        }
        Ok(())
    }
}
