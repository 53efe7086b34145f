//! What stands beside an annotated call: a coordinator that agrees at once, and a fence in SQLite.
//! Whatever they do goes through [`uncounted`], so that what the call itself costs can be told apart.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, ready};
use unanimous::branch::fence::{
    Delivery, DynFence, FenceError, InDoubtRow, OpenTransaction, PhaseTwoStep, RowKey,
    StoredAnswer, TryRow, TryStep,
};
use unanimous::coordinator::{Answer, Attachment, Capabilities, Coordinator, PhaseTwoHandler};
use unanimous::protocol::message::{
    AdminAnswer, AdminRefusal, AdminRequest, Began, Begin, BeginRefused, Commit, DecisionAnswer,
    Horizon, InDoubtAnswer, InDoubtQuestion, JoinRefused, Joined, Register, Report, ReportAnswer,
};
use unanimous::protocol::{Alias, DatabaseId, Incarnation, ParticipantName};
use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{Decision, Fence, RollbackReason, Xid};

use crate::uncounted;

/// Agrees with everything, and has nothing to deliver.
#[derive(Debug)]
pub(crate) struct Agreeing(Xid);

impl Agreeing {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self("u1.1.00000000000000aa.1".parse().expect("an xid")))
    }
}

fn answer<T: Send + 'static>(make: impl FnOnce() -> T) -> Answer<T> {
    uncounted(|| -> Answer<T> { Box::pin(Uncounted(Box::pin(ready(Ok(make()))))) })
}

impl Coordinator for Agreeing {
    fn capabilities(&self) -> Capabilities {
        Capabilities::full().volatile()
    }

    fn address(&self) -> Arc<str> {
        uncounted(|| "agreeing".into())
    }

    fn begin(&self, _: Begin) -> Answer<Result<Began, BeginRefused>> {
        answer(|| {
            Ok(Began {
                xid: self.0.clone(),
            })
        })
    }

    fn register(&self, _: Register) -> Answer<Result<Joined, JoinRefused>> {
        answer(|| {
            Ok(Joined {
                alias: Alias(1),
                repeat: false,
            })
        })
    }

    fn report(&self, report: Report) -> Answer<ReportAnswer> {
        answer(|| Ok(report.value))
    }

    fn commit(&self, _: Commit) -> Answer<DecisionAnswer> {
        answer(|| DecisionAnswer::Committed)
    }

    fn rollback(&self, _: Xid) -> Answer<DecisionAnswer> {
        answer(|| DecisionAnswer::RolledBack(RollbackReason::Requested))
    }

    fn outcome(&self, _: Xid) -> Answer<DecisionAnswer> {
        answer(|| DecisionAnswer::Committed)
    }

    fn in_doubt(&self, questions: Vec<InDoubtQuestion>) -> Answer<Vec<InDoubtAnswer>> {
        answer(|| vec![InDoubtAnswer::Wait; questions.len()])
    }

    fn admin(&self, _: AdminRequest) -> Answer<AdminAnswer> {
        answer(|| AdminAnswer::Refused(AdminRefusal::NoSuchTransaction))
    }

    fn attach(&self, _: Arc<dyn PhaseTwoHandler>) -> Attachment {
        Attachment::new(|| ())
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }
}

/// A future none of whose polls is counted.
struct Uncounted<F>(F);

impl<F: Future + Unpin> Future for Uncounted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        uncounted(|| Pin::new(&mut self.0).poll(cx))
    }
}

fn aside<'a, T: 'a>(make: impl FnOnce() -> BoxFuture<'a, T>) -> BoxFuture<'a, T> {
    uncounted(|| -> BoxFuture<'a, T> { Box::pin(Uncounted(make())) })
}

/// The fence of a pool, whose work is the database's and is not counted.
#[derive(Clone, Debug)]
pub(crate) struct Pool(pub(crate) SqlitePool);

impl Fence for Pool {
    type Database = Sqlite;

    fn erased(&self) -> &dyn DynFence {
        self
    }
}

impl DynFence for Pool {
    fn prepare(
        &self,
        create_tables: bool,
        volatile: bool,
    ) -> BoxFuture<'_, Result<DatabaseId, FenceError>> {
        aside(|| self.0.prepare(create_tables, volatile))
    }

    fn pool_key(&self) -> usize {
        self.0.pool_key()
    }

    fn outlives_process(&self) -> bool {
        self.0.outlives_process()
    }

    fn begin_try(&self, row: TryRow, now_ms: i64) -> BoxFuture<'_, Result<TryStep, FenceError>> {
        aside(|| self.0.begin_try(row, now_ms))
    }

    fn close_try(
        &self,
        transaction: OpenTransaction,
        key: RowKey,
        stored: StoredAnswer,
    ) -> BoxFuture<'_, Result<OpenTransaction, FenceError>> {
        aside(|| self.0.close_try(transaction, key, stored))
    }

    fn commit(&self, transaction: OpenTransaction) -> BoxFuture<'_, Result<(), FenceError>> {
        aside(|| self.0.commit(transaction))
    }

    fn begin_phase_two(
        &self,
        delivery: Delivery,
        now_ms: i64,
    ) -> BoxFuture<'_, Result<PhaseTwoStep, FenceError>> {
        aside(|| self.0.begin_phase_two(delivery, now_ms))
    }

    fn close_phase_two(
        &self,
        transaction: OpenTransaction,
        key: RowKey,
        decision: Decision,
        now_ms: i64,
    ) -> BoxFuture<'_, Result<OpenTransaction, FenceError>> {
        aside(|| self.0.close_phase_two(transaction, key, decision, now_ms))
    }

    fn park(
        &self,
        key: RowKey,
        decision: Decision,
        reason: Arc<str>,
    ) -> BoxFuture<'_, Result<(), FenceError>> {
        aside(|| self.0.park(key, decision, reason))
    }

    fn in_doubt(
        &self,
        participant: ParticipantName,
        created_before_ms: i64,
        after: Option<InDoubtRow>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<InDoubtRow>, FenceError>> {
        aside(|| {
            self.0
                .in_doubt(participant, created_before_ms, after, limit)
        })
    }

    fn given_up(
        &self,
        participant: ParticipantName,
        after: Option<InDoubtRow>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<InDoubtRow>, FenceError>> {
        aside(|| self.0.given_up(participant, after, limit))
    }

    fn parked(&self, participant: ParticipantName) -> BoxFuture<'_, Result<u64, FenceError>> {
        aside(|| self.0.parked(participant))
    }

    fn horizons(&self) -> BoxFuture<'_, Result<BTreeMap<Incarnation, Horizon>, FenceError>> {
        aside(|| self.0.horizons())
    }

    fn newest_incarnation(&self) -> BoxFuture<'_, Result<Option<Incarnation>, FenceError>> {
        aside(|| self.0.newest_incarnation())
    }

    fn clean(
        &self,
        incarnation: Incarnation,
        horizon: Horizon,
    ) -> BoxFuture<'_, Result<(), FenceError>> {
        aside(|| self.0.clean(incarnation, horizon))
    }
}
