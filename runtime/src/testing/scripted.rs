//! A coordinator whose answers are heard late, twice, never or out of order.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, pending};
use tokio::sync::watch;
use unanimous_protocol::message::{
    AdminAnswer, AdminRequest, Attach, AttachRefused, Attached, Began, Begin, BeginRefused,
    BranchResult, Commit, DecisionAnswer, Horizon, InDoubtAnswer, InDoubtQuestion, JoinRefused,
    Joined, PhaseTwo, Register, Report, ReportAnswer,
};
use unanimous_protocol::{Incarnation, Xid, limits};

use crate::clock::{Clock, SystemClock};
use crate::coordinator::{
    Answer, Attachment, Capabilities, Coordinator, CoordinatorError, Host, PhaseTwoHandler, open,
};
use crate::runtime::Url;

/// What is said between a process and its coordinator.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Message {
    /// A transaction begins.
    Begin,
    /// A branch joins.
    Register,
    /// An unfenced branch reports what phase one returned.
    Report,
    /// Commit is asked.
    Commit,
    /// Rollback is asked.
    Rollback,
    /// The outcome is asked.
    Outcome,
    /// A participant asks about tried rows.
    InDoubt,
    /// The coordinator delivers phase two; its answer is the participant's.
    PhaseTwo,
}

/// How the answer to one message is heard.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Heard {
    /// At once.
    AtOnce,
    /// It arrives; its answer is heard once the gate is open.
    Late(Gate),
    /// It arrives, and is heard at once; then the gate opens.
    Opens(Gate),
    /// It arrives twice, one after the other; the second answer is heard.
    Twice,
    /// It arrives; nothing is heard, ever.
    Never,
    /// It arrives; the sender hears that the connection was lost.
    Lost,
    /// It does not arrive; the sender hears that the connection was lost.
    Unsent,
}

/// Something to wait for, once and for all. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Ends>);

#[derive(Debug)]
struct Ends {
    open: watch::Sender<bool>,
    /// How many have come to it while it was closed.
    waiting: watch::Sender<usize>,
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Ends {
            open: watch::Sender::new(false),
            waiting: watch::Sender::new(0),
        }))
    }

    /// Opens it, for good.
    pub fn open(&self) {
        self.0.open.send_replace(true);
    }

    /// Completes once somebody waits at it. Cancel safe.
    pub async fn reached(&self) {
        // The sender lives as long as `self`.
        let _ = self
            .0
            .waiting
            .subscribe()
            .wait_for(|count| *count > 0)
            .await;
    }

    async fn pass(&self) {
        self.0.waiting.send_modify(|count| *count += 1);
        // The sender lives as long as `self`.
        let _ = self.0.open.subscribe().wait_for(|open| *open).await;
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

/// A coordinator around another, whose answers are heard as scripted; what is not scripted is heard
/// at once. Clones share the script.
///
/// Give it to [`RuntimeBuilder::coordinator_value`](crate::RuntimeBuilder::coordinator_value).
#[derive(Clone)]
pub struct Scripted(Arc<Inner>);

struct Inner {
    coordinator: Arc<dyn Coordinator>,
    script: Mutex<Script>,
}

#[derive(Default)]
struct Script {
    next: BTreeMap<Message, VecDeque<Heard>>,
    said: Vec<Message>,
}

impl Scripted {
    /// Around this coordinator.
    #[must_use]
    pub fn around(coordinator: Arc<dyn Coordinator>) -> Self {
        Self(Arc::new(Inner {
            coordinator,
            script: Mutex::default(),
        }))
    }

    /// Around a coordinator in memory, which goes by the system's clock: its timeouts and its
    /// back-off take real time.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn memory() -> Self {
        Self::memory_on(Arc::new(SystemClock::new())).await
    }

    /// Around a coordinator in memory that goes by this clock. Where a runtime has a
    /// [`ManualClock`](super::ManualClock), give its coordinator a clone of it.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn memory_on(clock: Arc<dyn Clock>) -> Self {
        let host = Host {
            application: "scripted".into(),
            clock,
            drain: limits::DRAIN,
        };
        match open(Url::Memory, &host).await {
            Ok(coordinator) => Self::around(coordinator),
            Err(error) => panic!("{error}"),
        }
    }

    /// Scripts the next message of this kind that is not scripted yet.
    #[expect(clippy::must_use_candidate, reason = "returned only to be chained")]
    pub fn next(&self, message: Message, heard: Heard) -> &Self {
        let mut script = self.script();
        script.next.entry(message).or_default().push_back(heard);
        drop(script);
        self
    }

    /// The answers to the next two messages of this kind are heard in the other order.
    #[expect(clippy::must_use_candidate, reason = "returned only to be chained")]
    pub fn swapped(&self, message: Message) -> &Self {
        let gate = Gate::new();
        self.next(message, Heard::Late(gate.clone()))
            .next(message, Heard::Opens(gate))
    }

    /// What was said so far, in order.
    #[must_use]
    pub fn said(&self) -> Vec<Message> {
        self.script().said.clone()
    }

    /// Whether everything that was scripted has happened.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.script().next.values().all(VecDeque::is_empty)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn heard(&self, message: Message) -> Heard {
        let mut script = self.script();
        script.said.push(message);
        let next = script.next.get_mut(&message);
        next.and_then(VecDeque::pop_front).unwrap_or(Heard::AtOnce)
    }

    fn lost<T>(&self, why: &str) -> Result<T, CoordinatorError> {
        Err(CoordinatorError::Unavailable {
            coordinator: self.address(),
            why: why.into(),
        })
    }

    fn ask<T: Send + 'static>(
        &self,
        message: Message,
        ask: impl Fn(&dyn Coordinator) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let (heard, scripted) = (self.heard(message), self.clone());
        if let Heard::Unsent = heard {
            return Box::pin(async move { scripted.lost("the request was dropped") });
        }
        // Sent before the first await: a dropped caller does not take it back.
        let answer = ask(&*self.0.coordinator);
        Box::pin(async move {
            let answer = answer.await?;
            match heard {
                Heard::AtOnce | Heard::Unsent => Ok(answer),
                Heard::Late(gate) => {
                    gate.pass().await;
                    Ok(answer)
                }
                Heard::Opens(gate) => {
                    gate.open();
                    Ok(answer)
                }
                Heard::Twice => {
                    let again = ask(&*scripted.0.coordinator);
                    again.await
                }
                Heard::Never => pending().await,
                Heard::Lost => scripted.lost("the answer was lost"),
            }
        })
    }

    /// One delivery: none where its result never reaches the coordinator.
    async fn deliver(self, handler: Arc<dyn PhaseTwoHandler>, message: PhaseTwo) -> BranchResult {
        let lost = |why: &str| BranchResult::Retry {
            error: why.into(),
            after: None,
        };
        let heard = self.heard(Message::PhaseTwo);
        if let Heard::Unsent = heard {
            return lost("the delivery was dropped");
        }
        let result = handler.phase_two(message.clone()).await;
        match heard {
            Heard::AtOnce | Heard::Unsent => result,
            Heard::Late(gate) => {
                gate.pass().await;
                result
            }
            Heard::Opens(gate) => {
                gate.open();
                result
            }
            Heard::Twice => handler.phase_two(message).await,
            Heard::Never => pending().await,
            Heard::Lost => lost("the result was lost"),
        }
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripted")
            .field("coordinator", &self.0.coordinator)
            .finish_non_exhaustive()
    }
}

impl Coordinator for Scripted {
    fn capabilities(&self) -> Capabilities {
        self.0.coordinator.capabilities()
    }

    fn address(&self) -> Arc<str> {
        self.0.coordinator.address()
    }

    fn begin(&self, begin: Begin) -> Answer<Result<Began, BeginRefused>> {
        self.ask(Message::Begin, move |to| to.begin(begin.clone()))
    }

    fn register(&self, register: Register) -> Answer<Result<Joined, JoinRefused>> {
        self.ask(Message::Register, move |to| to.register(register.clone()))
    }

    fn report(&self, report: Report) -> Answer<ReportAnswer> {
        self.ask(Message::Report, move |to| to.report(report.clone()))
    }

    fn commit(&self, commit: Commit) -> Answer<DecisionAnswer> {
        self.ask(Message::Commit, move |to| to.commit(commit.clone()))
    }

    fn rollback(&self, xid: Xid) -> Answer<DecisionAnswer> {
        self.ask(Message::Rollback, move |to| to.rollback(xid.clone()))
    }

    fn outcome(&self, xid: Xid) -> Answer<DecisionAnswer> {
        self.ask(Message::Outcome, move |to| to.outcome(xid.clone()))
    }

    fn in_doubt(&self, questions: Vec<InDoubtQuestion>) -> Answer<Vec<InDoubtAnswer>> {
        self.ask(Message::InDoubt, move |to| to.in_doubt(questions.clone()))
    }

    fn admin(&self, request: AdminRequest) -> Answer<AdminAnswer> {
        self.0.coordinator.admin(request)
    }

    fn attach(&self, handler: Arc<dyn PhaseTwoHandler>) -> Attachment {
        let scripted = self.clone();
        self.0
            .coordinator
            .attach(Arc::new(Delivering { handler, scripted }))
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        self.0.coordinator.stop()
    }
}

/// A handler whose results are heard as scripted.
struct Delivering {
    handler: Arc<dyn PhaseTwoHandler>,
    scripted: Scripted,
}

impl PhaseTwoHandler for Delivering {
    fn attach(&self) -> BoxFuture<'static, Attach> {
        self.handler.attach()
    }

    fn changed(&self) -> BoxFuture<'static, ()> {
        self.handler.changed()
    }

    fn attached(&self, attached: Attached) {
        self.handler.attached(attached);
    }

    fn refused(&self, why: AttachRefused) {
        self.handler.refused(why);
    }

    fn detached(&self) {
        self.handler.detached();
    }

    fn phase_two(&self, message: PhaseTwo) -> BoxFuture<'static, BranchResult> {
        let (scripted, handler) = (self.scripted.clone(), Arc::clone(&self.handler));
        Box::pin(scripted.deliver(handler, message))
    }

    fn horizon(&self, incarnation: Incarnation, horizon: Horizon) -> BoxFuture<'static, bool> {
        self.handler.horizon(incarnation, horizon)
    }
}
