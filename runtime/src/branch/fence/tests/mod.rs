//! The fence on real SQLite files.

#![allow(
    clippy::disallowed_methods,
    reason = "no transaction context is set below the runtime, so none is lost by a spawned task"
)]

mod cancellation;
mod cleaning;
mod durability;
mod executor;
mod steps;
mod turns;

use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool};
use tempfile::TempDir;
use unanimous_protocol::message::ParkReason;
use unanimous_protocol::{
    BranchKind, CallId, Decision, Digest, Incarnation, OwnXid, ParticipantName, RowState, Xid,
};

use super::{
    Delivery, DynFence, FenceError, FenceTx, OpenTransaction, PhaseTwoCause, PhaseTwoStep, RowKey,
    StoredAnswer, TryRow, TryStep,
};

pub(super) const NOW_MS: i64 = 1_000;

pub(super) const INCARNATION: Incarnation = Incarnation {
    number: 3,
    random: 0xfeed,
};

/// A database of its own, with the fence's tables and one for effects.
pub(super) struct Bench {
    pub(super) pool: SqlitePool,
    folder: TempDir,
    counter: AtomicU64,
}

impl Bench {
    pub(super) async fn new() -> Self {
        Self::with_connections(10).await
    }

    /// With at most that many connections: a connection that is open elsewhere is waited for.
    pub(super) async fn with_connections(max: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let pool = open(&folder, max).await;
        pool.prepare(true, false).await.expect("tables");
        sqlx::query("CREATE TABLE effect (call_id TEXT, xid TEXT, what TEXT)")
            .execute(&pool)
            .await
            .expect("the table of effects");
        Self {
            pool,
            folder,
            counter: AtomicU64::new(0),
        }
    }

    /// Another pool on the same file, as another process has one.
    pub(super) async fn another_pool(&self) -> SqlitePool {
        open(&self.folder, 10).await
    }

    /// The row of a transaction that no test has seen before.
    pub(super) fn row(&self) -> TryRow {
        let counter = self.counter.fetch_add(1, Ordering::Relaxed) + 1;
        row(counter)
    }

    /// What the business functions did for a branch, in order.
    pub(super) async fn effects(&self, key: &RowKey) -> Vec<String> {
        sqlx::query_scalar("SELECT what FROM effect WHERE xid = ? AND call_id = ? ORDER BY rowid")
            .bind(key.xid.as_str())
            .bind(key.call.as_str())
            .fetch_all(&self.pool)
            .await
            .expect("effects")
    }

    pub(super) async fn state(&self, key: &RowKey) -> Option<RowState> {
        let state: Option<u8> =
            sqlx::query_scalar("SELECT state FROM unanimous_fence WHERE xid = ? AND call_id = ?")
                .bind(key.xid.as_str())
                .bind(key.call.as_str())
                .fetch_optional(&self.pool)
                .await
                .expect("a state");
        state.and_then(RowState::from_number)
    }

    /// Everything the database holds, as text.
    pub(super) async fn contents(&self) -> String {
        contents(&self.pool).await
    }
}

pub(super) async fn contents(pool: &SqlitePool) -> String {
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
            .fetch_all(pool)
            .await
            .expect("tables");
    let mut all = Vec::new();
    for table in tables {
        let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?)")
            .bind(&table)
            .fetch_all(pool)
            .await
            .expect("columns");
        let columns: Vec<String> = columns
            .iter()
            .map(|column| format!("quote(\"{column}\")"))
            .collect();
        let sql = format!(
            "SELECT {} FROM {table} ORDER BY 1",
            columns.join(" || ',' || ")
        );
        let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .fetch_all(pool)
            .await
            .expect("rows");
        all.push(format!("{table}: {rows:?}"));
    }
    all.join("\n")
}

/// Durable by its own options: asked before each local transaction.
async fn open(folder: &TempDir, max: u32) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("fence.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    SqlitePoolOptions::new()
        .max_connections(max)
        .connect_with(options)
        .await
        .expect("a pool")
}

pub(super) fn row(counter: u64) -> TryRow {
    TryRow {
        key: RowKey {
            xid: Xid::from(OwnXid {
                incarnation: INCARNATION,
                counter,
            }),
            call: "account.debit:1".parse().expect("a call id"),
        },
        participant: participant(),
        action: "debit".parse().expect("a name"),
        digest: Digest([1; 32]),
        arguments: r#"{"amount":5}"#.into(),
        trace: None,
    }
}

pub(super) fn participant() -> ParticipantName {
    "account".parse().expect("a name")
}

/// What came of one try or one phase two, less what it carried.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Came {
    Applied,
    AlreadyApplied(StoredAnswer),
    RefusedCancelled,
    BelowHorizon,
    CallIdReused,
    Ended,
    Ignored,
    Park(ParkReason),
}

/// Closes the row and commits.
pub(super) async fn finish_try(
    fence: &SqlitePool,
    transaction: OpenTransaction,
    row: RowKey,
    stored: StoredAnswer,
) -> Result<(), FenceError> {
    let closed = fence.close_try(transaction, row, stored).await?;
    fence.commit(closed).await
}

/// Closes the row and commits.
pub(super) async fn finish_phase_two(
    fence: &SqlitePool,
    transaction: OpenTransaction,
    row: RowKey,
    decision: Decision,
) -> Result<(), FenceError> {
    let closed = fence.close_phase_two(transaction, row, decision, NOW_MS);
    fence.commit(closed.await?).await
}

/// A whole try with one effect.
pub(super) async fn run_try(fence: &SqlitePool, row: &TryRow) -> Came {
    run_try_answering(fence, row, StoredAnswer::default()).await
}

pub(super) async fn run_try_answering(
    fence: &SqlitePool,
    row: &TryRow,
    stored: StoredAnswer,
) -> Came {
    match fence.begin_try(row.clone(), NOW_MS).await.expect("a step") {
        TryStep::Run(mut transaction) => {
            effect(&mut transaction, &row.key, "tried").await;
            finish_try(fence, transaction, row.key.clone(), stored)
                .await
                .expect("a commit");
            Came::Applied
        }
        TryStep::AlreadyApplied(stored) => Came::AlreadyApplied(stored),
        TryStep::RefusedCancelled => Came::RefusedCancelled,
        TryStep::BelowHorizon => Came::BelowHorizon,
        TryStep::CallIdReused => Came::CallIdReused,
    }
}

/// A whole phase two with one effect.
pub(super) async fn run_phase_two(
    fence: &SqlitePool,
    row: &TryRow,
    decision: Decision,
    cause: PhaseTwoCause,
) -> Came {
    perform(fence, delivery(row, decision, cause)).await
}

/// The same for any delivery.
pub(super) async fn perform(fence: &SqlitePool, delivery: Delivery) -> Came {
    let (row, decision) = (delivery.key.clone(), delivery.decision);
    let step = fence.begin_phase_two(delivery, NOW_MS).await;
    match step.expect("a step") {
        PhaseTwoStep::Run {
            mut transaction, ..
        }
        | PhaseTwoStep::RunWithoutTry(mut transaction) => {
            effect(&mut transaction, &row, done(decision)).await;
            finish_phase_two(fence, transaction, row, decision)
                .await
                .expect("a commit");
            Came::Ended
        }
        PhaseTwoStep::Ended => Came::Ended,
        PhaseTwoStep::Ignored => Came::Ignored,
        PhaseTwoStep::Park(reason) => Came::Park(reason),
    }
}

pub(super) async fn deliver(fence: &SqlitePool, row: &TryRow, decision: Decision) -> Came {
    run_phase_two(fence, row, decision, PhaseTwoCause::Delivered).await
}

pub(super) async fn begin_phase_two(
    fence: &SqlitePool,
    row: &TryRow,
    decision: Decision,
    cause: PhaseTwoCause,
) -> Result<PhaseTwoStep, FenceError> {
    fence
        .begin_phase_two(delivery(row, decision, cause), NOW_MS)
        .await
}

pub(super) fn delivery(row: &TryRow, decision: Decision, cause: PhaseTwoCause) -> Delivery {
    let TryRow {
        key,
        participant,
        action,
        ..
    } = row.clone();
    Delivery {
        key,
        participant,
        action,
        kind: BranchKind::Fenced,
        decision,
        cause,
    }
}

pub(super) fn done(decision: Decision) -> &'static str {
    match decision {
        Decision::Commit => "confirmed",
        Decision::Rollback => "cancelled",
    }
}

/// Opens a try and hands out its transaction.
pub(super) async fn open_try(fence: &SqlitePool, row: &TryRow) -> FenceTx<Sqlite> {
    match fence.begin_try(row.clone(), NOW_MS).await.expect("a step") {
        TryStep::Run(transaction) => *transaction.downcast().expect("a transaction of SQLite"),
        other => panic!("expected to run, got {other:?}"),
    }
}

pub(super) async fn effect(transaction: &mut OpenTransaction, key: &RowKey, what: &str) {
    let tx: &mut FenceTx<Sqlite> = transaction.downcast_mut().expect("a transaction of SQLite");
    effect_in(tx, key, what).await.expect("an effect");
}

pub(super) async fn effect_in(
    tx: &mut FenceTx<Sqlite>,
    key: &RowKey,
    what: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO effect (call_id, xid, what) VALUES (?, ?, ?)")
        .bind(key.call.as_str())
        .bind(key.xid.as_str())
        .bind(what)
        .execute(&mut *tx)
        .await
        .map(|_| ())
}

/// Two more names, for answers.
pub(super) fn call(text: &str) -> CallId {
    text.parse().expect("a call id")
}
