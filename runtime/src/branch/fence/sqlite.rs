//! The fence on an SQLite pool: each step of the fence table as one local transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use sqlx::{Sqlite, SqlitePool};
use unanimous_protocol::message::{Horizon, ParkReason};
use unanimous_protocol::{
    BranchKind, DatabaseId, Decision, Incarnation, ParticipantName, RowState, limits,
};

use super::connection::{FenceTx, acquire, database};
use super::row::Row;
use super::turn::Turn;
use super::{
    Delivery, DynFence, Fence, FenceError, InDoubtRow, OpenTransaction, PhaseTwoCause,
    PhaseTwoStep, RowKey, StoredAnswer, TryRow, TryStep, durability, horizon, row, schema, table,
};

impl Fence for SqlitePool {
    type Database = Sqlite;

    fn erased(&self) -> &dyn DynFence {
        self
    }
}

impl DynFence for SqlitePool {
    fn prepare(
        &self,
        create_tables: bool,
        volatile: bool,
    ) -> BoxFuture<'_, Result<DatabaseId, FenceError>> {
        Box::pin(prepare(self, create_tables, volatile, getrandom::fill))
    }

    fn pool_key(&self) -> usize {
        durability::pool_key(self)
    }

    fn outlives_process(&self) -> bool {
        durability::outlives_process(self)
    }

    fn begin_try(&self, row: TryRow, now_ms: i64) -> BoxFuture<'_, Result<TryStep, FenceError>> {
        Box::pin(begin_try(self, row, now_ms))
    }

    fn close_try(
        &self,
        transaction: OpenTransaction,
        key: RowKey,
        stored: StoredAnswer,
    ) -> BoxFuture<'_, Result<OpenTransaction, FenceError>> {
        Box::pin(async move {
            let mut tx = opened(transaction)?;
            let closed = row::store_answer(&mut tx, &key, &stored).await;
            Ok(Box::new(closed_by(tx, closed)?) as _)
        })
    }

    fn commit(&self, transaction: OpenTransaction) -> BoxFuture<'_, Result<(), FenceError>> {
        Box::pin(async move { opened(transaction)?.commit().await })
    }

    fn begin_phase_two(
        &self,
        delivery: Delivery,
        now_ms: i64,
    ) -> BoxFuture<'_, Result<PhaseTwoStep, FenceError>> {
        Box::pin(delivery.begin(self, now_ms))
    }

    fn close_phase_two(
        &self,
        transaction: OpenTransaction,
        key: RowKey,
        decision: Decision,
        now_ms: i64,
    ) -> BoxFuture<'_, Result<OpenTransaction, FenceError>> {
        Box::pin(async move {
            let mut tx = opened(transaction)?;
            let closed = row::end(&mut tx, &key, table::ended_state(decision), now_ms).await;
            Ok(Box::new(closed_by(tx, closed)?) as _)
        })
    }

    fn park(
        &self,
        key: RowKey,
        decision: Decision,
        reason: Arc<str>,
    ) -> BoxFuture<'_, Result<(), FenceError>> {
        Box::pin(async move {
            let mut tx = begin(self).await?;
            row::set_parked(&mut tx, &key, Some((decision, &reason))).await?;
            tx.commit().await
        })
    }

    fn in_doubt(
        &self,
        participant: ParticipantName,
        created_before_ms: i64,
        after: Option<InDoubtRow>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<InDoubtRow>, FenceError>> {
        let (parked, before_ms) = (false, created_before_ms);
        Box::pin(tried(self, participant, parked, before_ms, after, limit))
    }

    fn given_up(
        &self,
        participant: ParticipantName,
        after: Option<InDoubtRow>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<InDoubtRow>, FenceError>> {
        Box::pin(tried(self, participant, true, i64::MAX, after, limit))
    }

    fn parked(&self, participant: ParticipantName) -> BoxFuture<'_, Result<u64, FenceError>> {
        Box::pin(async move {
            sqlx::query_scalar(
                "SELECT count(*) FROM unanimous_fence
                 WHERE participant = ? AND state = 1 AND parked IS NOT NULL",
            )
            .bind(participant.as_str())
            .fetch_one(self)
            .await
            .map_err(database)
        })
    }

    fn horizons(&self) -> BoxFuture<'_, Result<BTreeMap<Incarnation, Horizon>, FenceError>> {
        Box::pin(horizon::all(self))
    }

    fn newest_incarnation(&self) -> BoxFuture<'_, Result<Option<Incarnation>, FenceError>> {
        Box::pin(horizon::newest(self))
    }

    fn clean(
        &self,
        incarnation: Incarnation,
        horizon: Horizon,
    ) -> BoxFuture<'_, Result<(), FenceError>> {
        Box::pin(clean(self, incarnation, horizon))
    }
}

/// Checks that commits are kept (E3) before anything is written; then the tables and the identity.
pub(super) async fn prepare(
    pool: &SqlitePool,
    create_tables: bool,
    volatile: bool,
    random: schema::Random,
) -> Result<DatabaseId, FenceError> {
    if volatile {
        durability::accept_volatile(pool);
    } else {
        durability::check_pool(pool).await?;
    }
    let mut tx = begin(pool).await?;
    let identity = schema::prepare(tx.connection(), create_tables, random).await?;
    tx.commit().await?;
    Ok(identity)
}

/// Opens a local transaction that holds the write lock.
pub(super) async fn begin(pool: &SqlitePool) -> Result<FenceTx<Sqlite>, FenceError> {
    let turn = durability::turns(pool).wait().await;
    open(pool, turn).await
}

async fn open(pool: &SqlitePool, turn: Turn) -> Result<FenceTx<Sqlite>, FenceError> {
    let mut connection = acquire(pool).await?;
    durability::check_unless_trusted(pool, &mut connection).await?;
    FenceTx::open(connection, turn).await
}

/// Opens the local transaction of a phase one; never behind one that waits for it.
async fn begin_for(pool: &SqlitePool, key: &RowKey) -> Result<FenceTx<Sqlite>, FenceError> {
    let turns = durability::turns(pool);
    // It had its turn before its body called anything: no later one can come before it.
    if turns.waits_for(key) {
        return Err(FenceError::Nested);
    }
    let turn = turns.wait().await;
    turn.belongs_to(key);
    open(pool, turn).await
}

fn opened(transaction: OpenTransaction) -> Result<FenceTx<Sqlite>, FenceError> {
    // Only this file opens transactions for this fence; another fence's is a mistake of a caller
    // that implements a participant by hand. It is rolled back here.
    transaction
        .downcast()
        .map(|tx| *tx)
        .map_err(|_| FenceError::EndedEarly)
}

/// The local transaction, if the closing UPDATE touched exactly one row. Otherwise it is not the
/// one that holds the row: never success, and its connection is closed.
fn closed_by(
    tx: FenceTx<Sqlite>,
    closed: Result<bool, FenceError>,
) -> Result<FenceTx<Sqlite>, FenceError> {
    if let Some(refusal) = tx.refusal() {
        return Err(refusal);
    }
    if closed? {
        return Ok(tx);
    }
    tx.close();
    Err(FenceError::EndedEarly)
}

/// RM3: insert first, then the locking read of the local horizon, then the decision.
async fn begin_try(pool: &SqlitePool, row: TryRow, now_ms: i64) -> Result<TryStep, FenceError> {
    let mut tx = begin_for(pool, &row.key).await?;
    let inserted = row::insert_tried(&mut tx, &row, now_ms).await?;
    let found = if inserted {
        None
    } else {
        row::load(&mut tx, &row.key).await?
    };
    let passed = has_passed(&mut tx, &row.key).await?;
    let seen = found
        .as_ref()
        .map(|found| seen(found, is_same(found, &row)));
    let step = match (table::decide(seen, passed, table::Event::Try), found) {
        (table::Step::Run, _) => return Ok(TryStep::Run(Box::new(tx))),
        (table::Step::AlreadyApplied, Some(found)) if found.answered => {
            Ok(TryStep::AlreadyApplied(found.stored))
        }
        // Somebody committed the row before the try had answered: never success.
        (table::Step::AlreadyApplied, _) => Err(FenceError::EndedEarly),
        (table::Step::CallIdReused, _) => Ok(TryStep::CallIdReused),
        (table::Step::RefusedCancelled, _) => Ok(TryStep::RefusedCancelled),
        (table::Step::BelowHorizon, _) => Ok(TryStep::BelowHorizon),
        (other, _) => Err(no_answer(row.key, other)),
    };
    tx.rollback().await?;
    step
}

fn seen(row: &Row, same: bool) -> table::Seen {
    table::Seen {
        state: row.state,
        same,
        parked: row.parked.is_some(),
    }
}

/// Whether the row was written by the same call (N4). A marker knows no arguments.
fn is_same(found: &Row, row: &TryRow) -> bool {
    found.participant == row.participant
        && found.action == row.action
        && found.digest.is_none_or(|digest| digest == row.digest)
}

/// Whether the local horizon has passed the transaction. Others' transactions have none.
async fn has_passed(tx: &mut FenceTx<Sqlite>, key: &RowKey) -> Result<bool, FenceError> {
    let Some(own) = key.xid.own() else {
        return Ok(false);
    };
    Ok(horizon::load(tx, own.incarnation)
        .await?
        .has_passed(own.counter))
}

impl Delivery {
    async fn begin(self, pool: &SqlitePool, now_ms: i64) -> Result<PhaseTwoStep, FenceError> {
        let mut tx = begin(pool).await?;
        let found = row::load(&mut tx, &self.key).await?;
        if let Some(found) = &found
            && found.participant != self.participant
        {
            let why = format!("it belongs to the participant {}", found.participant);
            return Err(FenceError::Row(self.key, why));
        }
        let passed = has_passed(&mut tx, &self.key).await?;
        let event = match self.cause {
            PhaseTwoCause::Delivered => table::Event::Delivered(self.decision),
            PhaseTwoCause::Answered => table::Event::Answered(self.decision),
            PhaseTwoCause::OperatorRetry => table::Event::Retry(self.decision),
            PhaseTwoCause::OperatorResolve => table::Event::Resolve(self.decision),
        };
        let seen = found.as_ref().map(|found| seen(found, true));
        let step = if self.kind == BranchKind::AlwaysCancel {
            table::decide_always_cancel(seen, passed, event)
        } else {
            table::decide(seen, passed, event)
        };
        self.perform(pool, tx, (found, step), now_ms).await
    }

    async fn perform(
        self,
        pool: &SqlitePool,
        mut tx: FenceTx<Sqlite>,
        (found, step): (Option<Row>, table::Step),
        now_ms: i64,
    ) -> Result<PhaseTwoStep, FenceError> {
        let answer = match (step, found) {
            (table::Step::Run, Some(found)) => return Ok(run(tx, found)),
            (table::Step::RunUnparked, _) => {
                // A local transaction of its own, so that later repeats find it cleared (OP2).
                row::set_parked(&mut tx, &self.key, None).await?;
                tx.commit().await?;
                return Box::pin(self.begin(pool, now_ms)).await;
            }
            (table::Step::Close(state), _) => {
                let closed = row::end(&mut tx, &self.key, state, now_ms).await;
                closed_by(tx, closed)?.commit().await?;
                return Ok(PhaseTwoStep::Ended);
            }
            (table::Step::Insert(state), _) => {
                row::insert_untried(&mut tx, &self, state, now_ms).await?;
                tx.commit().await?;
                return Ok(PhaseTwoStep::Ended);
            }
            (table::Step::InsertAndRun, _) => {
                // Tried until the business function is done: then it is closed like any row.
                row::insert_untried(&mut tx, &self, RowState::Tried, now_ms).await?;
                return Ok(PhaseTwoStep::RunWithoutTry(Box::new(tx)));
            }
            (table::Step::Ignored, _) => PhaseTwoStep::Ignored,
            (
                table::Step::GaveUp,
                Some(Row {
                    parked: Some(reason),
                    ..
                }),
            ) => PhaseTwoStep::Park(ParkReason::GaveUp(reason)),
            (table::Step::Missing, _) => PhaseTwoStep::Park(ParkReason::Missing),
            (table::Step::RefusedConfirmed, _) => PhaseTwoStep::Park(ParkReason::RefusedConfirmed),
            (table::Step::RefusedCancelled, _) => PhaseTwoStep::Park(ParkReason::RefusedCancelled),
            (table::Step::Ended, _) => PhaseTwoStep::Ended,
            (other, _) => return Err(no_answer(self.key, other)),
        };
        tx.rollback().await?;
        Ok(answer)
    }
}

/// The fence table has no such answer to that event: never taken for success.
fn no_answer(key: RowKey, step: table::Step) -> FenceError {
    FenceError::Row(
        key,
        format!("the fence table answered {step:?} out of place"),
    )
}

fn run(tx: FenceTx<Sqlite>, row: Row) -> PhaseTwoStep {
    PhaseTwoStep::Run {
        transaction: Box::new(tx),
        action: row.action,
        arguments: row.arguments.unwrap_or_default(),
        stored: row.stored,
        trace: row.trace,
    }
}

/// Tried rows, those that are parked or those that are not (RM6), oldest first.
async fn tried(
    pool: &SqlitePool,
    participant: ParticipantName,
    parked: bool,
    created_before_ms: i64,
    after: Option<InDoubtRow>,
    limit: usize,
) -> Result<Vec<InDoubtRow>, FenceError> {
    let (created, xid, call) = match &after {
        Some(row) => (row.created_ms, row.key.xid.as_str(), row.key.call.as_str()),
        None => (i64::MIN, "", ""),
    };
    sqlx::query_as(
        "SELECT xid, call_id, action, created_ms FROM unanimous_fence
         WHERE participant = ? AND state = 1 AND (parked IS NOT NULL) = ? AND created_ms < ?
           AND (created_ms, xid, call_id) > (?, ?, ?)
         ORDER BY created_ms, xid, call_id LIMIT ?",
    )
    .bind(participant.as_str())
    .bind(parked)
    .bind(created_before_ms)
    .bind(created)
    .bind(xid)
    .bind(call)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(pool)
    .await
    .map_err(database)
}

/// RM8: the first local transaction stores the horizon together with its deletions, so that no
/// row is gone whose late try would not find it; rows left over do no harm.
async fn clean(
    pool: &SqlitePool,
    incarnation: Incarnation,
    announced: Horizon,
) -> Result<(), FenceError> {
    loop {
        let mut tx = begin(pool).await?;
        let horizon = horizon::store(&mut tx, incarnation, &announced).await?;
        let deleted = horizon::delete_batch(&mut tx, incarnation, &horizon).await?;
        tx.commit().await?;
        if deleted < limits::CLEAN_BATCH_MAX {
            return Ok(());
        }
    }
}
