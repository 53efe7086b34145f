//! A coordinator behind a faulty wire: delays, drops, repeats what is asked, and loses answers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::{self, BoxFuture};
use tokio::runtime::Handle;
use unanimous::Xid;
use unanimous::coordinator::{
    Answer, Attachment, Capabilities, Coordinator, CoordinatorError, PhaseTwoHandler,
};
use unanimous::protocol::message::{
    AdminAnswer, AdminRequest, Attach, AttachRefused, Attached, Began, Begin, BeginRefused,
    BranchResult, Commit, DecisionAnswer, Horizon, InDoubtAnswer, InDoubtQuestion, JoinRefused,
    Joined, PhaseTwo, Register, Report, ReportAnswer,
};
use unanimous::protocol::{Alias, Incarnation};

use crate::cancellation::polled;
use crate::vault::Gate;

/// What passes over the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Message {
    Begin,
    Register,
    Commit,
    Rollback,
    Outcome,
    InDoubt,
    /// A delivery to a participant.
    PhaseTwo,
}

/// What becomes of one message.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    Pass,
    /// It does not arrive, and the sender hears so.
    Drop,
    /// It arrives; its answer does not, and the sender hears so.
    LoseAnswer,
    /// It arrives twice, one after the other; the second answer is the one that is heard.
    Twice,
    /// It arrives once the gate is open.
    Late(Gate),
    /// It arrives; its answer is heard once the gate is open.
    LateAnswer(Gate),
    /// It arrives; once the gate is open the sender hears that the answer was lost.
    LateLoss(Gate),
    /// It never arrives, and the sender hears nothing.
    Vanish,
    /// It arrives; the sender hears nothing.
    Mute,
    /// A delivery arrives and is dropped after so many polls, unless it ends by itself before; its
    /// sender hears that it was dropped.
    DropAfter(usize),
    /// A registration does not arrive, and the sender hears a branch that nobody knows.
    Invent,
}

type Plan = Box<dyn FnMut(Message) -> Fate + Send>;

/// A wire to a coordinator, and what happens on it. The coordinator at its far end can be cut off
/// and replaced by its next start.
#[derive(Clone)]
pub(crate) struct Wire(Arc<Ends>);

struct Ends {
    capabilities: Capabilities,
    address: Arc<str>,
    plan: Mutex<Plan>,
    connected: Mutex<Connected>,
}

#[derive(Default)]
struct Connected {
    inner: Option<Arc<dyn Coordinator>>,
    /// Who wants to be attached, and in which process, by a number.
    handlers: BTreeMap<u64, (Handle, Arc<dyn PhaseTwoHandler>)>,
    attachments: BTreeMap<u64, Attachment>,
    next: u64,
}

impl Wire {
    /// A wire that does nothing wrong yet.
    pub(crate) fn to(inner: Arc<dyn Coordinator>) -> Self {
        let connected = Connected {
            inner: Some(Arc::clone(&inner)),
            ..Connected::default()
        };
        Self(Arc::new(Ends {
            capabilities: inner.capabilities(),
            address: inner.address(),
            plan: Mutex::new(Box::new(|_| Fate::Pass)),
            connected: Mutex::new(connected),
        }))
    }

    /// Cuts the coordinator off: nothing of it is left at this end.
    pub(crate) fn cut(&self) {
        let mut connected = lock(&self.0.connected);
        connected.inner = None;
        connected.attachments.clear();
        connected
            .handlers
            .values()
            .for_each(|(_, handler)| handler.detached());
    }

    /// Connects to another start of the coordinator.
    pub(crate) fn connect(&self, inner: Arc<dyn Coordinator>) {
        let mut connected = lock(&self.0.connected);
        let attach = |(number, (process, handler)): (&u64, &(Handle, Arc<_>))| {
            let _inside = process.enter();
            (*number, inner.attach(Arc::clone(handler)))
        };
        connected.attachments = connected.handlers.iter().map(attach).collect();
        connected.inner = Some(inner);
    }

    /// The first process that wants to be attached, as a coordinator asks it.
    pub(crate) fn handler(&self) -> Arc<dyn PhaseTwoHandler> {
        let connected = lock(&self.0.connected);
        let (_, handler) = connected.handlers.values().next().expect("a process");
        Arc::clone(handler)
    }

    /// From now on this decides about every message.
    pub(crate) fn plan(&self, plan: impl FnMut(Message) -> Fate + Send + 'static) {
        *lock(&self.0.plan) = Box::new(plan);
    }

    /// The next message of this kind meets that fate; everything else passes.
    pub(crate) fn next(&self, kind: Message, fate: Fate) {
        let mut fate = Some(fate);
        self.plan(move |message| {
            if message == kind {
                fate.take().unwrap_or(Fate::Pass)
            } else {
                Fate::Pass
            }
        });
    }

    /// Every message of this kind meets that fate; everything else passes.
    pub(crate) fn every(&self, kind: Message, fate: Fate) {
        self.plan(move |message| {
            if message == kind {
                fate.clone()
            } else {
                Fate::Pass
            }
        });
    }

    pub(crate) fn heal(&self) {
        self.plan(|_| Fate::Pass);
    }

    fn fate(&self, message: Message) -> Fate {
        (lock(&self.0.plan))(message)
    }

    fn inner(&self) -> Option<Arc<dyn Coordinator>> {
        lock(&self.0.connected).inner.clone()
    }

    fn lost<T>(&self, why: &str) -> Result<T, CoordinatorError> {
        let coordinator = Arc::clone(&self.0.address);
        Err(CoordinatorError::Unavailable {
            coordinator,
            why: why.into(),
        })
    }

    /// One request over the wire as it is now.
    fn ask<T: Send + 'static>(&self, ask: &dyn Fn(&dyn Coordinator) -> Answer<T>) -> Answer<T> {
        match self.inner() {
            Some(inner) => ask(&*inner),
            None => Box::pin(future::ready(self.lost("it was cut off"))),
        }
    }

    fn send<T: Send + 'static>(
        &self,
        message: Message,
        ask: impl Fn(&dyn Coordinator) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        self.meet(self.fate(message), ask)
    }

    fn meet<T: Send + 'static>(
        &self,
        fate: Fate,
        ask: impl Fn(&dyn Coordinator) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let wire = self.clone();
        match fate {
            Fate::Pass | Fate::Invent | Fate::DropAfter(_) => self.ask(&ask),
            Fate::Drop => Box::pin(async move { wire.lost("the request was dropped") }),
            Fate::LoseAnswer => {
                let answer = self.ask(&ask);
                Box::pin(async move {
                    answer.await?;
                    wire.lost("the answer was lost")
                })
            }
            Fate::Twice => {
                let first = self.ask(&ask);
                Box::pin(async move {
                    first.await?;
                    let second = wire.ask(&ask);
                    second.await
                })
            }
            Fate::Late(gate) => Box::pin(async move {
                gate.pass().await;
                let answer = wire.ask(&ask);
                answer.await
            }),
            Fate::LateAnswer(gate) => {
                let answer = self.ask(&ask);
                Box::pin(async move {
                    let answered = answer.await?;
                    gate.pass().await;
                    Ok(answered)
                })
            }
            Fate::LateLoss(gate) => {
                let answer = self.ask(&ask);
                Box::pin(async move {
                    answer.await?;
                    gate.pass().await;
                    wire.lost("the answer was lost")
                })
            }
            Fate::Vanish => Box::pin(future::pending()),
            Fate::Mute => {
                let answer = self.ask(&ask);
                Box::pin(async move {
                    answer.await?;
                    future::pending().await
                })
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("address", &self.0.address)
            .finish_non_exhaustive()
    }
}

impl Coordinator for Wire {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities
    }

    fn address(&self) -> Arc<str> {
        Arc::clone(&self.0.address)
    }

    fn begin(&self, begin: Begin) -> Answer<Result<Began, BeginRefused>> {
        self.send(Message::Begin, move |inner| inner.begin(begin.clone()))
    }

    fn register(&self, register: Register) -> Answer<Result<Joined, JoinRefused>> {
        match self.fate(Message::Register) {
            Fate::Invent => {
                let joined = Joined {
                    alias: Alias(77),
                    repeat: false,
                };
                Box::pin(future::ready(Ok(Ok(joined))))
            }
            fate => self.meet(fate, move |inner| inner.register(register.clone())),
        }
    }

    fn report(&self, report: Report) -> Answer<ReportAnswer> {
        self.meet(Fate::Pass, move |inner| inner.report(report.clone()))
    }

    fn commit(&self, commit: Commit) -> Answer<DecisionAnswer> {
        self.send(Message::Commit, move |inner| inner.commit(commit.clone()))
    }

    fn rollback(&self, xid: Xid) -> Answer<DecisionAnswer> {
        self.send(Message::Rollback, move |inner| inner.rollback(xid.clone()))
    }

    fn outcome(&self, xid: Xid) -> Answer<DecisionAnswer> {
        self.send(Message::Outcome, move |inner| inner.outcome(xid.clone()))
    }

    fn in_doubt(&self, questions: Vec<InDoubtQuestion>) -> Answer<Vec<InDoubtAnswer>> {
        self.send(Message::InDoubt, move |inner| {
            inner.in_doubt(questions.clone())
        })
    }

    fn admin(&self, request: AdminRequest) -> Answer<AdminAnswer> {
        self.meet(Fate::Pass, move |inner| inner.admin(request.clone()))
    }

    fn attach(&self, handler: Arc<dyn PhaseTwoHandler>) -> Attachment {
        let handler: Arc<dyn PhaseTwoHandler> = Arc::new(FarEnd {
            wire: self.clone(),
            handler,
        });
        let mut connected = lock(&self.0.connected);
        let number = connected.next;
        connected.next += 1;
        if let Some(inner) = &connected.inner {
            let attachment = inner.attach(Arc::clone(&handler));
            connected.attachments.insert(number, attachment);
        }
        connected
            .handlers
            .insert(number, (Handle::current(), handler));
        let ends = Arc::downgrade(&self.0);
        Attachment::new(move || {
            if let Some(ends) = ends.upgrade() {
                let mut connected = lock(&ends.connected);
                let gone = (
                    connected.handlers.remove(&number),
                    connected.attachments.remove(&number),
                );
                drop(connected);
                drop(gone);
            }
        })
    }

    /// Closes the connection only, as one to another process does.
    fn stop(&self) -> BoxFuture<'static, ()> {
        Box::pin(future::ready(()))
    }
}

/// The participants, seen from the coordinator over the wire.
struct FarEnd {
    wire: Wire,
    handler: Arc<dyn PhaseTwoHandler>,
}

impl PhaseTwoHandler for FarEnd {
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

    fn phase_two(&self, phase_two: PhaseTwo) -> BoxFuture<'static, BranchResult> {
        let lost = |error: &str| BranchResult::Retry {
            error: error.into(),
            after: None,
        };
        let handler = Arc::clone(&self.handler);
        match self.wire.fate(Message::PhaseTwo) {
            Fate::Pass | Fate::Invent => handler.phase_two(phase_two),
            Fate::Drop => Box::pin(future::ready(lost("the delivery was dropped"))),
            Fate::DropAfter(polls) => Box::pin(async move {
                let ended = polled(polls, handler.phase_two(phase_two)).await;
                ended.unwrap_or_else(|| lost("it was dropped while it ran"))
            }),
            Fate::LoseAnswer => Box::pin(async move {
                handler.phase_two(phase_two).await;
                lost("the result was lost")
            }),
            Fate::Twice => Box::pin(async move {
                let first = handler.phase_two(phase_two.clone());
                let both = future::join(first, handler.phase_two(phase_two.clone())).await;
                // The second ran into the first, or found that it had ended; then once more.
                assert!(!matches!(both.1, BranchResult::Park(_)), "{both:?}");
                handler.phase_two(phase_two).await
            }),
            Fate::Late(gate) => Box::pin(async move {
                gate.pass().await;
                handler.phase_two(phase_two).await
            }),
            Fate::LateAnswer(gate) => Box::pin(async move {
                let result = handler.phase_two(phase_two).await;
                gate.pass().await;
                result
            }),
            Fate::LateLoss(gate) => Box::pin(async move {
                handler.phase_two(phase_two).await;
                gate.pass().await;
                lost("the result was lost")
            }),
            Fate::Vanish => Box::pin(future::pending()),
            Fate::Mute => Box::pin(async move {
                handler.phase_two(phase_two).await;
                future::pending().await
            }),
        }
    }

    fn horizon(&self, incarnation: Incarnation, horizon: Horizon) -> BoxFuture<'static, bool> {
        self.handler.horizon(incarnation, horizon)
    }
}
