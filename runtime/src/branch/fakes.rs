//! A scripted fence, participant and coordinator for the tests of this folder.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::future::{BoxFuture, pending, ready};
use tokio::sync::{Notify, mpsc};
use unanimous_protocol::message::{
    AdminAnswer, AdminRefusal, AdminRequest, Began, Begin, BeginRefused, Commit, DecisionAnswer,
    Horizon, InDoubtAnswer, InDoubtQuestion, JoinRefused, Joined, Register, Report, ReportAnswer,
};
use unanimous_protocol::{
    Alias, DatabaseId, Decision, Incarnation, ParticipantName, RollbackReason, Xid,
};

use super::fence::{
    Delivery, DynFence, FenceError, InDoubtRow, OpenTransaction, PhaseTwoStep, RowKey,
    StoredAnswer, TryRow, TryStep,
};
use super::{ActionSpec, Branch, BranchContext, Participant, PhaseTwoError};
use crate::coordinator::{
    Answer, Attachment, Capabilities, Coordinator, CoordinatorError, PhaseTwoHandler,
};

pub(crate) const DATABASE: DatabaseId = DatabaseId([7; 16]);

pub(crate) fn xid(counter: u64) -> Xid {
    format!("u1.1.00000000000000aa.{counter}").parse().unwrap()
}

pub(crate) fn key(counter: u64) -> RowKey {
    RowKey {
        xid: xid(counter),
        call: "bank.debit:1".parse().unwrap(),
    }
}

/// What happened, in order, in words.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn say(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    /// Everything since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// A local transaction that says when it is rolled back.
pub(crate) struct FakeTx {
    log: Log,
    /// What a commit of it is called, once its row is closed.
    closed: Option<String>,
    ended: bool,
}

impl FakeTx {
    pub(crate) fn open(log: &Log) -> OpenTransaction {
        Box::new(Self {
            log: log.clone(),
            closed: None,
            ended: false,
        })
    }
}

impl Drop for FakeTx {
    fn drop(&mut self) {
        if !self.ended {
            self.log.say("local rollback");
        }
    }
}

/// Collects everything that is logged on this thread while the guard lives.
pub(crate) struct Captured {
    text: Log,
    _guard: tracing::subscriber::DefaultGuard,
}

impl Captured {
    pub(crate) fn start() -> Self {
        let text = Log::default();
        let guard = tracing::subscriber::set_default(Collector(text.clone()));
        Self {
            text,
            _guard: guard,
        }
    }

    pub(crate) fn text(&self) -> String {
        self.text.take().join("\n")
    }
}

struct Collector(Log);

/// Writes every field, whatever its type.
struct Fields<'a>(&'a Log);

impl tracing::field::Visit for Fields<'_> {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        self.0.say(format!("{field}={value:?}"));
    }
}

impl tracing::Subscriber for Collector {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        self.0.say(format!("span {}", span.metadata().name()));
        span.record(&mut Fields(&self.0));
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut Fields(&self.0));
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut Fields(&self.0));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// What the fence does next; what is not scripted succeeds.
#[derive(Default)]
pub(crate) struct FenceScript {
    pub(crate) tries: VecDeque<Result<TryStep, FenceError>>,
    pub(crate) begins: VecDeque<Result<PhaseTwoStep, FenceError>>,
    pub(crate) finishes: VecDeque<Result<(), FenceError>>,
    pub(crate) parks: VecDeque<Result<(), FenceError>>,
    pub(crate) cleans: VecDeque<Result<(), FenceError>>,
    pub(crate) reads: VecDeque<FenceError>,
    /// Whether the horizons are never read to their end.
    pub(crate) hangs: bool,
    pub(crate) rows: Vec<InDoubtRow>,
    pub(crate) given_up: Vec<InDoubtRow>,
    pub(crate) horizons: BTreeMap<Incarnation, Horizon>,
    pub(crate) newest: Option<Incarnation>,
    pub(crate) tried: Vec<TryRow>,
    pub(crate) stored: Vec<StoredAnswer>,
}

/// A fence that follows a script and logs what it is asked.
pub(crate) struct FakeFence {
    pool: usize,
    pub(crate) log: Log,
    script: Mutex<FenceScript>,
    /// When set, the local commit waits to be notified.
    pub(crate) hold_finish: Mutex<Option<Arc<Notify>>>,
}

impl FakeFence {
    pub(crate) fn new(pool: usize, log: &Log) -> Arc<Self> {
        let (script, hold_finish) = (Mutex::default(), Mutex::default());
        Arc::new(Self {
            pool,
            log: log.clone(),
            script,
            hold_finish,
        })
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, FenceScript> {
        self.script.lock().unwrap()
    }

    pub(crate) fn tx(&self) -> OpenTransaction {
        FakeTx::open(&self.log)
    }

    /// A tried row that recorded these arguments.
    pub(crate) fn run(&self, arguments: &str, tried: Option<&str>) -> PhaseTwoStep {
        PhaseTwoStep::Run {
            transaction: self.tx(),
            action: "debit".parse().unwrap(),
            arguments: arguments.into(),
            stored: StoredAnswer {
                answer: tried.map(Into::into),
                ..StoredAnswer::default()
            },
            trace: None,
        }
    }

    fn close(
        transaction: OpenTransaction,
        what: String,
    ) -> BoxFuture<'static, Result<OpenTransaction, FenceError>> {
        let mut transaction = transaction.downcast::<FakeTx>().unwrap();
        transaction.closed = Some(what);
        Box::pin(ready(Ok(transaction as _)))
    }

    fn read<T>(&self, value: impl FnOnce(&FenceScript) -> T) -> Result<T, FenceError> {
        let mut script = self.script();
        match script.reads.pop_front() {
            Some(error) => Err(error),
            None => Ok(value(&script)),
        }
    }
}

pub(crate) fn database_error() -> FenceError {
    FenceError::Database("disk on fire".into())
}

impl DynFence for FakeFence {
    fn prepare(&self, _: bool, _: bool) -> BoxFuture<'_, Result<DatabaseId, FenceError>> {
        Box::pin(ready(self.read(|_| DATABASE)))
    }

    fn pool_key(&self) -> usize {
        self.pool
    }

    fn outlives_process(&self) -> bool {
        false
    }

    fn begin_try(&self, row: TryRow, _: i64) -> BoxFuture<'_, Result<TryStep, FenceError>> {
        self.log.say(format!("begin try {}", row.key.call));
        let mut script = self.script();
        script.tried.push(row);
        let step = script.tries.pop_front();
        Box::pin(ready(step.unwrap_or_else(|| Ok(TryStep::Run(self.tx())))))
    }

    fn close_try(
        &self,
        transaction: OpenTransaction,
        _: RowKey,
        stored: StoredAnswer,
    ) -> BoxFuture<'_, Result<OpenTransaction, FenceError>> {
        self.script().stored.push(stored);
        Self::close(transaction, "local commit of try".into())
    }

    fn commit(&self, transaction: OpenTransaction) -> BoxFuture<'_, Result<(), FenceError>> {
        let hold = self.hold_finish.lock().unwrap().clone();
        Box::pin(async move {
            if let Some(hold) = hold {
                hold.notified().await;
            }
            let result = self.script().finishes.pop_front().unwrap_or(Ok(()));
            let mut transaction = transaction.downcast::<FakeTx>().unwrap();
            if result.is_ok() {
                transaction.ended = true;
                self.log.say(transaction.closed.take().unwrap());
            }
            result
        })
    }

    fn begin_phase_two(
        &self,
        delivery: Delivery,
        _: i64,
    ) -> BoxFuture<'_, Result<PhaseTwoStep, FenceError>> {
        let Delivery {
            key,
            decision,
            cause,
            ..
        } = delivery;
        let counter = key.xid.own().unwrap().counter;
        self.log
            .say(format!("begin {decision} of {counter} ({cause:?})"));
        let step = self.script().begins.pop_front();
        Box::pin(ready(step.unwrap_or_else(|| Ok(self.run("{}", None)))))
    }

    fn close_phase_two(
        &self,
        transaction: OpenTransaction,
        _: RowKey,
        decision: Decision,
        _: i64,
    ) -> BoxFuture<'_, Result<OpenTransaction, FenceError>> {
        Self::close(transaction, format!("local commit of {decision}"))
    }

    fn park(
        &self,
        _: RowKey,
        decision: Decision,
        reason: Arc<str>,
    ) -> BoxFuture<'_, Result<(), FenceError>> {
        self.log.say(format!("park ({decision}): {reason}"));
        Box::pin(ready(self.script().parks.pop_front().unwrap_or(Ok(()))))
    }

    fn in_doubt(
        &self,
        _: ParticipantName,
        before_ms: i64,
        after: Option<InDoubtRow>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<InDoubtRow>, FenceError>> {
        let rows = self.read(|script| {
            let rows = script.rows.iter().filter(|row| row.created_ms < before_ms);
            let skip = |row: &&InDoubtRow| after.as_ref().is_some_and(|after| row.key <= after.key);
            rows.skip_while(skip).take(limit).cloned().collect()
        });
        Box::pin(ready(rows))
    }

    fn given_up(
        &self,
        _: ParticipantName,
        after: Option<InDoubtRow>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<InDoubtRow>, FenceError>> {
        let rows = self.read(|script| {
            let skip = |row: &&InDoubtRow| after.as_ref().is_some_and(|after| row.key <= after.key);
            let rows = script.given_up.iter().skip_while(skip);
            rows.take(limit).cloned().collect()
        });
        Box::pin(ready(rows))
    }

    fn parked(&self, _: ParticipantName) -> BoxFuture<'_, Result<u64, FenceError>> {
        Box::pin(ready(self.read(|_| 2)))
    }

    fn horizons(&self) -> BoxFuture<'_, Result<BTreeMap<Incarnation, Horizon>, FenceError>> {
        if self.script().hangs {
            return Box::pin(std::future::pending());
        }
        Box::pin(ready(self.read(|script| script.horizons.clone())))
    }

    fn newest_incarnation(&self) -> BoxFuture<'_, Result<Option<Incarnation>, FenceError>> {
        Box::pin(ready(self.read(|script| script.newest)))
    }

    fn clean(
        &self,
        incarnation: Incarnation,
        horizon: Horizon,
    ) -> BoxFuture<'_, Result<(), FenceError>> {
        self.log.say(format!(
            "clean {} up to {}",
            incarnation.number, horizon.counter
        ));
        Box::pin(ready(self.script().cleans.pop_front().unwrap_or(Ok(()))))
    }
}

/// What a participant's phase two does next; what is not scripted succeeds.
pub(crate) enum Act {
    Fail(&'static str),
    /// With an error whose text panics.
    FailUnprintable,
    FailAfter(Duration),
    GiveUp(&'static str),
    Panic(&'static str),
    /// Decodes an argument as a number.
    Decode(&'static str),
    Hang,
}

#[derive(Debug)]
struct Unprintable;

impl std::fmt::Display for Unprintable {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("unprintable")
    }
}

impl std::error::Error for Unprintable {}

/// A participant named `bank` with one action, `debit`.
pub(crate) struct FakeParticipant {
    pub(crate) name: &'static str,
    pub(crate) fence: Option<Arc<FakeFence>>,
    pub(crate) log: Log,
    pub(crate) acts: Mutex<VecDeque<Act>>,
}

impl FakeParticipant {
    pub(crate) fn fenced(fence: &Arc<FakeFence>) -> Arc<Self> {
        let (log, acts) = (fence.log.clone(), Mutex::default());
        Arc::new(Self {
            name: "bank",
            fence: Some(Arc::clone(fence)),
            log,
            acts,
        })
    }

    pub(crate) fn unfenced(log: &Log) -> Arc<Self> {
        Arc::new(Self {
            name: "bank",
            fence: None,
            log: log.clone(),
            acts: Mutex::default(),
        })
    }

    pub(crate) fn then(&self, act: Act) {
        self.acts.lock().unwrap().push_back(act);
    }
}

impl Participant for FakeParticipant {
    fn name(&self) -> Cow<'static, str> {
        self.name.into()
    }

    fn actions(&self) -> &'static [ActionSpec] {
        const { &[ActionSpec::new("debit", "fakes.rs", 1)] }
    }

    fn fence(&self) -> Option<&dyn DynFence> {
        self.fence.as_deref().map(|fence| fence as &dyn DynFence)
    }

    fn phase_two(self: Arc<Self>, branch: &mut Branch) -> BoxFuture<'_, Result<(), PhaseTwoError>> {
        Box::pin(async move {
            let current = BranchContext::current().expect("phase two runs as its branch");
            assert_eq!(current.call_id(), branch.context().call_id());
            let (decision, attempt) = (branch.decision(), current.attempt());
            self.log.say(format!(
                "{decision} {} (attempt {attempt})",
                branch.action()
            ));
            let act = self.acts.lock().unwrap().pop_front();
            match act {
                None => Ok(()),
                Some(Act::Fail(error)) => Err(error.into()),
                Some(Act::FailUnprintable) => Err(Unprintable.into()),
                Some(Act::FailAfter(after)) => Err(PhaseTwoError::retry_after(after, "not yet")),
                Some(Act::GiveUp(reason)) => Err(PhaseTwoError::give_up(reason)),
                Some(Act::Panic(message)) => panic!("{message}"),
                Some(Act::Decode(name)) => branch.argument::<u64>(name).map(drop),
                Some(Act::Hang) => pending().await,
            }
        })
    }
}

/// A coordinator that follows a script.
#[derive(Debug)]
pub(crate) struct FakeCoordinator {
    pub(crate) log: Log,
    script: Mutex<CoordinatorScript>,
    asked: mpsc::UnboundedSender<Vec<InDoubtQuestion>>,
    pub(crate) capabilities: Capabilities,
}

#[derive(Debug, Default)]
pub(crate) struct CoordinatorScript {
    pub(crate) joins: VecDeque<Result<Result<Joined, JoinRefused>, CoordinatorError>>,
    pub(crate) reports: VecDeque<Result<ReportAnswer, CoordinatorError>>,
    pub(crate) answers: VecDeque<Result<Vec<InDoubtAnswer>, CoordinatorError>>,
    pub(crate) registered: Vec<Register>,
    pub(crate) reported: Vec<Report>,
    pub(crate) committed: Vec<Commit>,
    begun: u64,
    joined: u32,
}

impl FakeCoordinator {
    /// The coordinator, and the questions it is asked.
    pub(crate) fn new(log: &Log) -> (Arc<Self>, mpsc::UnboundedReceiver<Vec<InDoubtQuestion>>) {
        Self::that_can(Capabilities::full(), log)
    }

    pub(crate) fn that_can(
        capabilities: Capabilities,
        log: &Log,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<Vec<InDoubtQuestion>>) {
        let (asked, questions) = mpsc::unbounded_channel();
        let (log, script) = (log.clone(), Mutex::default());
        (
            Arc::new(Self {
                log,
                script,
                asked,
                capabilities,
            }),
            questions,
        )
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, CoordinatorScript> {
        self.script.lock().unwrap()
    }
}

pub(crate) fn unavailable() -> CoordinatorError {
    CoordinatorError::Unavailable {
        coordinator: "fake".into(),
        why: "away".into(),
    }
}

fn answer<T: Send + 'static>(value: T) -> Answer<T> {
    Box::pin(ready(Ok(value)))
}

impl Coordinator for FakeCoordinator {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn address(&self) -> Arc<str> {
        "fake".into()
    }

    fn begin(&self, _: Begin) -> Answer<Result<Began, BeginRefused>> {
        let mut script = self.script();
        script.begun += 1;
        answer(Ok(Began {
            xid: xid(script.begun),
        }))
    }

    fn register(&self, register: Register) -> Answer<Result<Joined, JoinRefused>> {
        self.log.say(format!("register {}", register.call));
        let mut script = self.script();
        script.registered.push(register);
        script.joined += 1;
        let joined = Joined {
            alias: Alias(script.joined),
            repeat: false,
        };
        Box::pin(ready(script.joins.pop_front().unwrap_or(Ok(Ok(joined)))))
    }

    fn report(&self, report: Report) -> Answer<ReportAnswer> {
        self.log.say(format!("report {}", report.call));
        let mut script = self.script();
        let standing = Ok(Ok(report.value.clone()));
        script.reported.push(report);
        Box::pin(ready(script.reports.pop_front().unwrap_or(standing)))
    }

    fn commit(&self, commit: Commit) -> Answer<DecisionAnswer> {
        self.log.say("commit");
        self.script().committed.push(commit);
        answer(DecisionAnswer::Committed)
    }

    fn rollback(&self, _: Xid) -> Answer<DecisionAnswer> {
        self.log.say("rollback");
        answer(DecisionAnswer::RolledBack(RollbackReason::Requested))
    }

    fn outcome(&self, _: Xid) -> Answer<DecisionAnswer> {
        answer(DecisionAnswer::Open)
    }

    fn in_doubt(&self, questions: Vec<InDoubtQuestion>) -> Answer<Vec<InDoubtAnswer>> {
        let wait = Ok(vec![InDoubtAnswer::Wait; questions.len()]);
        let answers = self.script().answers.pop_front().unwrap_or(wait);
        // A test that does not listen is not interested.
        let _ = self.asked.send(questions);
        Box::pin(ready(answers))
    }

    fn admin(&self, _: AdminRequest) -> Answer<AdminAnswer> {
        answer(AdminAnswer::Refused(AdminRefusal::NoSuchTransaction))
    }

    fn attach(&self, _: Arc<dyn PhaseTwoHandler>) -> Attachment {
        Attachment::new(|| ())
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }
}

/// Lets other tasks of this thread run until it is so.
pub(crate) async fn until(what: &str, mut seen: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if seen() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("never seen: {what}");
}
