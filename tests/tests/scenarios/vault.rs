//! The participant of the scenarios: a quantity that is free, held or sold, with a journal in the
//! same database, and a script that makes its phases fail, stop or panic.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use unanimous::sqlx::{self, Sqlite, SqlitePool};
use unanimous::{FenceTx, PhaseTwoError, participant};

use crate::logs::CANARY;

/// Recorded with every hold; it must never reach a log.
const SECRET: &str = CANARY;

pub(crate) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS vault (free INTEGER NOT NULL, held INTEGER NOT NULL, sold INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS effect (label TEXT NOT NULL, what TEXT NOT NULL, count INTEGER NOT NULL);";

/// Why a call of a scenario failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("there is not enough")]
    NotEnough,
    #[error("the scenario wanted it: {0}")]
    Scripted(&'static str),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Transaction(#[from] unanimous::Error),
}

impl Failure {
    /// The failure of the transaction itself.
    pub(crate) fn transaction(self) -> unanimous::Error {
        match self {
            Self::Transaction(error) => error,
            other => panic!("not a failure of the transaction: {other:?}"),
        }
    }
}

/// What phase one answers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Receipt {
    /// Counts the bodies of phase one that this process ran: a replay does not count.
    pub(crate) nth: usize,
    secret: String,
}

/// A place where user code stops until the test lets it go on.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<(Semaphore, Semaphore)>);

impl Gate {
    pub(crate) fn new() -> Self {
        Self(Arc::new((Semaphore::new(0), Semaphore::new(0))))
    }

    /// Announces itself and stops here until the gate is opened.
    pub(crate) async fn pass(&self) {
        self.0.0.add_permits(1);
        let pass = self.0.1.acquire().await.expect("a gate is never closed");
        drop(pass);
    }

    /// Waits until somebody has come to the gate.
    pub(crate) async fn reached(&self) {
        let arrival = self.0.0.acquire().await.expect("a gate is never closed");
        arrival.forget();
    }

    /// Lets everybody pass from now on.
    pub(crate) fn open(&self) {
        self.0.1.add_permits(1);
    }
}

/// What happens to the next run of a phase, after its statements.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    Fail,
    Panic,
    GiveUp,
    RetryAfter(Duration),
    Stop(Gate),
    /// It goes on after this many polls.
    Linger(usize),
}

impl Fault {
    async fn happen(self) -> Result<(), PhaseTwoError> {
        match self {
            Self::Fail => Err(Failure::Scripted("a failure").into()),
            Self::Panic => panic!("the scenario wanted it"),
            Self::GiveUp => Err(PhaseTwoError::give_up("the scenario gave up")),
            Self::RetryAfter(after) => Err(PhaseTwoError::retry_after(after, "later")),
            Self::Stop(gate) => {
                gate.pass().await;
                Ok(())
            }
            Self::Linger(polls) => {
                for _ in 0..polls {
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
        }
    }
}

/// Each phase needs at least this many polls. How many the database adds depends on how fast its
/// thread answers: on a busy machine none.
pub(crate) const POLLS: usize = 4;

/// One phase of a vault.
#[derive(Debug, Default)]
pub(crate) struct Phase {
    runs: AtomicUsize,
    faults: Mutex<VecDeque<Fault>>,
}

impl Phase {
    /// The next run that has no fault yet meets this one.
    pub(crate) fn then(&self, fault: Fault) -> &Self {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(fault);
        self
    }

    /// How often user code was run.
    pub(crate) fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    async fn run(&self) -> Result<usize, PhaseTwoError> {
        let nth = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        for _ in 0..POLLS {
            tokio::task::yield_now().await;
        }
        let fault = self
            .faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        if let Some(fault) = fault {
            fault.happen().await?;
        }
        Ok(nth)
    }
}

/// What the phases of a vault do beside their statements.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) tries: Phase,
    pub(crate) confirms: Phase,
    pub(crate) cancels: Phase,
}

/// A quantity. Clones share their pool and their script.
#[derive(Clone, Debug)]
pub(crate) struct Vault {
    pub(crate) name: &'static str,
    pub(crate) db: SqlitePool,
    pub(crate) script: Arc<Script>,
}

#[participant(name = self.name, fence = self.db)]
impl Vault {
    #[two_phase_action(commit = spend, rollback = release)]
    pub(crate) async fn hold(
        &self,
        tx: &mut FenceTx<Sqlite>,
        label: &str,
        secret: &str,
        count: i64,
    ) -> Result<Receipt, Failure> {
        let sql = "UPDATE vault SET free = free - ?1, held = held + ?1 WHERE free >= ?1";
        let done = sqlx::query(sql).bind(count).execute(&mut *tx).await?;
        if done.rows_affected() != 1 {
            return Err(Failure::NotEnough);
        }
        note(tx, label, "held", count).await?;
        let nth = self
            .script
            .tries
            .run()
            .await
            .map_err(|_| Failure::Scripted("a try"))?;
        Ok(Receipt {
            nth,
            secret: format!("{secret} of {label}"),
        })
    }

    async fn spend(
        &self,
        tx: &mut FenceTx<Sqlite>,
        label: &str,
        count: i64,
        #[tried] receipt: &Receipt,
    ) -> Result<(), PhaseTwoError> {
        assert!(
            receipt.secret.ends_with(label),
            "phase two is handed what phase one answered"
        );
        let sql = "UPDATE vault SET held = held - ?1, sold = sold + ?1";
        sqlx::query(sql).bind(count).execute(&mut *tx).await?;
        note(tx, label, "spent", count).await?;
        self.script.confirms.run().await.map(drop)
    }

    async fn release(
        &self,
        tx: &mut FenceTx<Sqlite>,
        label: &str,
        count: i64,
    ) -> Result<(), PhaseTwoError> {
        let sql = "UPDATE vault SET held = held - ?1, free = free + ?1";
        sqlx::query(sql).bind(count).execute(&mut *tx).await?;
        note(tx, label, "released", count).await?;
        self.script.cancels.run().await.map(drop)
    }
}

impl Vault {
    /// Phase one under this label.
    pub(crate) async fn take(&self, label: &str, count: i64) -> Result<Receipt, Failure> {
        self.hold(label, SECRET, count).await
    }
}

async fn note(
    tx: &mut FenceTx<Sqlite>,
    label: &str,
    what: &str,
    count: i64,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO effect (label, what, count) VALUES (?, ?, ?)";
    sqlx::query(sql)
        .bind(label)
        .bind(what)
        .bind(count)
        .execute(&mut *tx)
        .await
        .map(drop)
}
