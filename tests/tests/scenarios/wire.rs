//! A coordinator behind a faulty wire: delays, drops, repeats what is asked, and loses answers.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{self, BoxFuture};
use unanimous::Xid;
use unanimous::coordinator::{
    Answer, Attachment, Capabilities, Coordinator, CoordinatorError, PhaseTwoHandler,
};
use unanimous_protocol::Incarnation;
use unanimous_protocol::message::{
    AdminAnswer, AdminRequest, Attach, AttachRefused, Attached, Began, Begin, BeginRefused,
    BranchResult, Commit, DecisionAnswer, Horizon, InDoubtAnswer, InDoubtQuestion, JoinRefused,
    Joined, PhaseTwo, Register, Report, ReportAnswer,
};

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
    /// It never arrives, and the sender hears nothing.
    Vanish,
    /// It arrives; the sender hears nothing.
    Mute,
}

type Plan = Box<dyn FnMut(Message) -> Fate + Send>;

/// The coordinator at the other end, and what the wire does.
#[derive(Clone)]
pub(crate) struct Wire {
    inner: Arc<dyn Coordinator>,
    plan: Arc<Mutex<Plan>>,
}

impl Wire {
    /// A wire that does nothing wrong yet.
    pub(crate) fn to(inner: Arc<dyn Coordinator>) -> Self {
        Self { inner, plan: Arc::new(Mutex::new(Box::new(|_| Fate::Pass))) }
    }

    /// From now on this decides about every message.
    pub(crate) fn plan(&self, plan: impl FnMut(Message) -> Fate + Send + 'static) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(plan);
    }

    /// The next message of this kind meets that fate; everything else passes.
    pub(crate) fn next(&self, kind: Message, fate: Fate) {
        let mut fate = Some(fate);
        self.plan(move |message| {
            if message == kind { fate.take().unwrap_or(Fate::Pass) } else { Fate::Pass }
        });
    }

    /// Every message of this kind meets that fate; everything else passes.
    pub(crate) fn every(&self, kind: Message, fate: Fate) {
        self.plan(move |message| if message == kind { fate.clone() } else { Fate::Pass });
    }

    pub(crate) fn heal(&self) {
        self.plan(|_| Fate::Pass);
    }

    fn fate(&self, message: Message) -> Fate {
        (self.plan.lock().unwrap_or_else(PoisonError::into_inner))(message)
    }

    fn lost<T>(&self, why: &str) -> Result<T, CoordinatorError> {
        Err(CoordinatorError::Unavailable { coordinator: self.inner.address(), why: why.into() })
    }

    fn send<T: Send + 'static>(
        &self,
        message: Message,
        ask: impl Fn(&dyn Coordinator) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        let (wire, inner) = (self.clone(), Arc::clone(&self.inner));
        match self.fate(message) {
            Fate::Pass => ask(&*inner),
            Fate::Drop => Box::pin(async move { wire.lost("the request was dropped") }),
            Fate::LoseAnswer => {
                let answer = ask(&*inner);
                Box::pin(async move {
                    answer.await?;
                    wire.lost("the answer was lost")
                })
            }
            Fate::Twice => {
                let first = ask(&*inner);
                Box::pin(async move {
                    first.await?;
                    ask(&*inner).await
                })
            }
            Fate::Late(gate) => Box::pin(async move {
                gate.pass().await;
                ask(&*inner).await
            }),
            Fate::LateAnswer(gate) => {
                let answer = ask(&*inner);
                Box::pin(async move {
                    let answered = answer.await?;
                    gate.pass().await;
                    Ok(answered)
                })
            }
            Fate::Vanish => Box::pin(future::pending()),
            Fate::Mute => {
                let answer = ask(&*inner);
                Box::pin(async move {
                    answer.await?;
                    future::pending().await
                })
            }
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl Coordinator for Wire {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn address(&self) -> Arc<str> {
        self.inner.address()
    }

    fn begin(&self, begin: Begin) -> Answer<Result<Began, BeginRefused>> {
        self.send(Message::Begin, move |inner| inner.begin(begin.clone()))
    }

    fn register(&self, register: Register) -> Answer<Result<Joined, JoinRefused>> {
        self.send(Message::Register, move |inner| inner.register(register.clone()))
    }

    fn report(&self, report: Report) -> Answer<ReportAnswer> {
        self.inner.report(report)
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
        self.send(Message::InDoubt, move |inner| inner.in_doubt(questions.clone()))
    }

    fn admin(&self, request: AdminRequest) -> Answer<AdminAnswer> {
        self.inner.admin(request)
    }

    fn attach(&self, handler: Arc<dyn PhaseTwoHandler>) -> Attachment {
        self.inner.attach(Arc::new(FarEnd { wire: self.clone(), handler }))
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        self.inner.stop()
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
        let lost = |error: &str| BranchResult::Retry { error: error.into(), after: None };
        let handler = Arc::clone(&self.handler);
        match self.wire.fate(Message::PhaseTwo) {
            Fate::Pass => handler.phase_two(phase_two),
            Fate::Drop => Box::pin(future::ready(lost("the delivery was dropped"))),
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
