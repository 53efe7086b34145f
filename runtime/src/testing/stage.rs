//! A coordinator whose deliveries wait until a test asks for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, pending};
use tokio::sync::{oneshot, watch};
use unanimous_protocol::message::{
    AdminAnswer, AdminRequest, Attach, AttachRefused, Attached, Began, Begin, BeginRefused,
    BranchResult, ByOperator, Commit, DecisionAnswer, Horizon, InDoubtAnswer, InDoubtQuestion,
    JoinRefused, Joined, PhaseTwo, Register, Report, ReportAnswer, Reported,
};
use unanimous_protocol::{Alias, BranchState, CallId, Decision, Incarnation, Xid};

use super::timed::TimedClock;
use crate::clock::Clock;
use crate::coordinator::{Answer, Attachment, Capabilities, Coordinator, PhaseTwoHandler};
use crate::runtime::Pace;

/// A coordinator in memory delivers at once; a test that waits longer would wait for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two questions whether branches have ended: the coordinator is in this process.
const PAUSE: Duration = Duration::from_millis(1);

/// Why a branch waits, as the coordinator tells it, whose delivery is not answered. There is no
/// other sign; a test of the harness hears of it if the words change.
const UNDER_WAY: &str = "its phase two is under way";

/// A coordinator whose phase two waits.
#[derive(Debug)]
pub(super) struct Stage {
    inner: Arc<dyn Coordinator>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: TimedClock,
    state: Mutex<State>,
    /// Counts what was delivered to the stage.
    delivered: watch::Sender<usize>,
}

#[derive(Default)]
struct State {
    /// Whether deliveries pass at once.
    open: bool,
    begun: BTreeMap<Xid, String>,
    branches: BTreeMap<(Xid, Alias), Branch>,
    decided: Vec<(Xid, DecisionAnswer)>,
    held: BTreeMap<(Xid, Alias), Held>,
    /// Transactions that nothing new may join.
    shut: BTreeSet<Xid>,
    /// How often a branch was delivered.
    met: BTreeMap<(Xid, Alias), u32>,
    /// Whether the coordinator was stopped: then nothing more is waited for.
    stopped: bool,
    /// Branches whose last delivery failed, and when: the coordinator's back-off runs.
    failed: BTreeMap<(Xid, Alias), Duration>,
    /// Branches that wait for an operator; true once the coordinator says so too.
    parked: BTreeMap<(Xid, Alias), bool>,
    handler: Option<Arc<dyn PhaseTwoHandler>>,
}

/// A branch that has joined.
#[derive(Clone, Debug)]
struct Branch {
    register: Register,
    reported: Option<Reported>,
}

/// A delivery that waits, and whoever wants to hear what came of it.
struct Held {
    message: PhaseTwo,
    answer: oneshot::Sender<BranchResult>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("held", &self.held.len())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the coordinator hears of a delivery.
    fn answered(&self, branch: (Xid, Alias), result: BranchResult) -> BranchResult {
        match result {
            BranchResult::Ended => {}
            BranchResult::Retry { .. } | BranchResult::NotHere { .. } => {
                self.state().failed.insert(branch, self.clock.now());
            }
            BranchResult::Park(_) => {
                self.state().parked.insert(branch, false);
            }
        }
        result
    }

    /// Whether nothing more happens to a branch before the test delivers it, advances the clock, or
    /// acts as an operator.
    fn waits_for_test(&self) -> bool {
        let now = self.clock.now();
        let state = self.state();
        !state.held.is_empty()
            || state.failed.values().any(|failed| *failed == now)
            || state.parked.values().any(|said| *said)
    }

    /// Branches that the coordinator may not have parked yet.
    fn parking(&self) -> Vec<(Xid, Alias)> {
        let state = self.state();
        let parking = state.parked.iter().filter(|(_, said)| !**said);
        parking.map(|(branch, _)| branch.clone()).collect()
    }
}

impl Stage {
    /// Around this coordinator, which goes by the clock.
    pub(super) fn new(inner: Arc<dyn Coordinator>, clock: TimedClock) -> Arc<Self> {
        let shared = Shared {
            clock,
            state: Mutex::default(),
            delivered: watch::Sender::new(0),
        };
        Arc::new(Self {
            inner,
            shared: Arc::new(shared),
        })
    }

    /// Lets deliveries pass at once from now on, and those that wait.
    pub(super) fn open(&self) {
        let (held, handler) = {
            let mut state = self.shared.state();
            state.open = true;
            (std::mem::take(&mut state.held), state.handler.clone())
        };
        let Some(handler) = handler else { return };
        for held in held.into_values() {
            let performed = handler.phase_two(held.message);
            #[expect(
                clippy::disallowed_methods,
                reason = "phase two belongs to no caller's transaction"
            )]
            tokio::spawn(async move {
                // The coordinator may have gone away with the test.
                let _ = held.answer.send(performed.await);
            });
        }
    }

    /// Lets no call join any more that has not joined, as a decision does; the test delivers
    /// without one.
    pub(super) fn shut(&self, xid: &Xid) {
        self.shared.state().shut.insert(xid.clone());
    }

    fn is_shut_for(&self, register: &Register) -> bool {
        let state = self.shared.state();
        let mut branches = state.branches.iter();
        state.shut.contains(&register.xid)
            && !branches
                .any(|((of, _), known)| *of == register.xid && known.register.call == register.call)
    }

    /// The branches that joined a transaction, in order.
    pub(super) fn branches(&self, xid: &Xid) -> Vec<Alias> {
        let state = self.shared.state();
        let ours = state.branches.keys().filter(|(of, _)| of == xid);
        ours.map(|(_, alias)| *alias).collect()
    }

    /// The calls of the branches of a transaction.
    pub(super) fn calls(&self, xid: &Xid) -> Vec<CallId> {
        let state = self.shared.state();
        let ours = state.branches.iter().filter(|((of, _), _)| of == xid);
        ours.map(|(_, branch)| branch.register.call.clone())
            .collect()
    }

    /// What was decided, in order, with the names of the transactions.
    pub(super) fn decided(&self) -> Vec<(Xid, String, DecisionAnswer)> {
        let state = self.shared.state();
        let name = |xid: &Xid| state.begun.get(xid).cloned().unwrap_or_default();
        let decided = state.decided.iter();
        decided
            .map(|(xid, answer)| (xid.clone(), name(xid), *answer))
            .collect()
    }

    /// Waits until the delivery to a branch has come, and gives its message.
    ///
    /// # Panics
    ///
    /// When it does not come within [`PATIENCE`], which is a defect here.
    pub(super) async fn held(&self, xid: &Xid, alias: Alias) -> PhaseTwo {
        let held = tokio::time::timeout(PATIENCE, self.next_held(xid, alias)).await;
        let Ok(message) = held else {
            panic!("the coordinator does not deliver phase two of the branch {alias} of {xid}");
        };
        message
    }

    async fn next_held(&self, xid: &Xid, alias: Alias) -> PhaseTwo {
        let key = (xid.clone(), alias);
        let mut delivered = self.shared.delivered.subscribe();
        loop {
            if let Some(held) = self.shared.state().held.get(&key) {
                return held.message.clone();
            }
            if delivered.changed().await.is_err() {
                pending::<()>().await;
            }
        }
    }

    /// The transactions and branches whose deliveries wait, once those of all that was decided here
    /// have come, and those whose back-off is over: the coordinator answers a decision, and sees a
    /// time, before it delivers.
    pub(super) async fn waiting(&self) -> Vec<(Xid, Alias)> {
        let all_come = async {
            self.shared.clock.seen().await;
            self.all_met().await;
        };
        let is_stopped = self.shared.state().stopped;
        if !is_stopped {
            // One that does not come is left out.
            let _ = tokio::time::timeout(PATIENCE, all_come).await;
        }
        self.shared.state().held.keys().cloned().collect()
    }

    async fn all_met(&self) {
        let mut delivered = self.shared.delivered.subscribe();
        for (xid, ..) in self.decided() {
            let shown = self.inner.admin(AdminRequest::Show(xid.clone())).await;
            let Ok(AdminAnswer::Transaction(detail)) = shown else {
                continue;
            };
            let due = detail.branches.into_iter().filter(|branch| {
                let is_over = matches!(branch.state, BranchState::Ended | BranchState::Parked);
                branch.decision.is_some() && !is_over
            });
            for branch in due {
                let key = (xid.clone(), branch.alias);
                loop {
                    let met = self.shared.state().met.get(&key).copied();
                    if met.is_some_and(|met| met >= branch.attempts) {
                        break;
                    }
                    if delivered.changed().await.is_err() {
                        pending::<()>().await;
                    }
                }
            }
        }
    }

    /// What a coordinator would deliver to a branch, whether or not it decided so.
    pub(super) fn message(&self, xid: &Xid, alias: Alias, decision: Decision) -> Option<PhaseTwo> {
        let state = self.shared.state();
        let Branch { register, reported } = state.branches.get(&(xid.clone(), alias))?;
        Some(PhaseTwo {
            xid: xid.clone(),
            call: register.call.clone(),
            alias,
            resource: register.resource.clone(),
            action: register.action.clone(),
            kind: register.kind,
            decision,
            arguments: register.arguments.clone(),
            reported: reported.clone(),
            trace: register.trace.clone(),
            by_operator: ByOperator::No,
        })
    }

    /// Delivers a message; nobody hears the result but the caller.
    pub(super) fn perform(&self, message: PhaseTwo) -> BoxFuture<'static, BranchResult> {
        let handler = self.shared.state().handler.clone();
        match handler {
            Some(handler) => handler.phase_two(message),
            // A runtime attaches while it is built.
            None => Box::pin(pending()),
        }
    }

    /// Tells the coordinator what came of a delivery that waited, and waits until it has heard:
    /// its back-off runs from then on.
    pub(super) async fn answer(&self, xid: &Xid, alias: Alias, result: BranchResult) {
        let held = self.shared.state().held.remove(&(xid.clone(), alias));
        let Some(held) = held else { return };
        if held.answer.send(result).is_ok() {
            // One that it does not hear is repeated to it.
            let _ = tokio::time::timeout(PATIENCE, self.heard(xid, alias)).await;
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the coordinator answers while the test's clock stands still"
    )]
    async fn heard(&self, xid: &Xid, alias: Alias) {
        loop {
            let shown = self.inner.admin(AdminRequest::Show(xid.clone())).await;
            // A stopped coordinator hears nothing, and what has ended is forgotten.
            let Ok(AdminAnswer::Transaction(detail)) = shown else {
                return;
            };
            let mut branches = detail.branches.iter();
            let is_under_way =
                branches.any(|one| one.alias == alias && one.why.as_deref() == Some(UNDER_WAY));
            if !is_under_way {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn remember(&self, xid: Xid, answer: Answer<DecisionAnswer>) -> Answer<DecisionAnswer> {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let answer = answer.await?;
            let mut state = shared.state();
            if state.decided.iter().all(|(decided, _)| *decided != xid) {
                state.decided.push((xid, answer));
            }
            Ok(answer)
        })
    }
}

impl Coordinator for Stage {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn address(&self) -> Arc<str> {
        self.inner.address()
    }

    fn begin(&self, begin: Begin) -> Answer<Result<Began, BeginRefused>> {
        let (shared, name) = (Arc::clone(&self.shared), begin.name.to_string());
        let answer = self.inner.begin(begin);
        Box::pin(async move {
            let answer = answer.await?;
            if let Ok(began) = &answer {
                shared.state().begun.insert(began.xid.clone(), name);
            }
            Ok(answer)
        })
    }

    fn register(&self, register: Register) -> Answer<Result<Joined, JoinRefused>> {
        if self.is_shut_for(&register) {
            return Box::pin(async { Ok(Err(JoinRefused::AlreadyDecided)) });
        }
        let shared = Arc::clone(&self.shared);
        let answer = self.inner.register(register.clone());
        Box::pin(async move {
            let answer = answer.await?;
            if let Ok(joined) = &answer {
                let key = (register.xid.clone(), joined.alias);
                let mut state = shared.state();
                let reported = None;
                state
                    .branches
                    .entry(key)
                    .or_insert(Branch { register, reported });
            }
            Ok(answer)
        })
    }

    fn report(&self, report: Report) -> Answer<ReportAnswer> {
        let shared = Arc::clone(&self.shared);
        let (xid, call) = (report.xid.clone(), report.call.clone());
        let answer = self.inner.report(report);
        Box::pin(async move {
            let answer = answer.await?;
            if let Ok(standing) = &answer {
                let mut state = shared.state();
                let mut ours = state.branches.iter_mut();
                let ours =
                    ours.find(|((of, _), branch)| *of == xid && branch.register.call == call);
                if let Some((_, branch)) = ours {
                    branch.reported = Some(standing.clone());
                }
            }
            Ok(answer)
        })
    }

    fn commit(&self, commit: Commit) -> Answer<DecisionAnswer> {
        let xid = commit.xid.clone();
        self.remember(xid, self.inner.commit(commit))
    }

    fn rollback(&self, xid: Xid) -> Answer<DecisionAnswer> {
        self.remember(xid.clone(), self.inner.rollback(xid))
    }

    fn outcome(&self, xid: Xid) -> Answer<DecisionAnswer> {
        self.inner.outcome(xid)
    }

    /// Answers that reach a participant by its own question would be phase two before it is told.
    fn in_doubt(&self, questions: Vec<InDoubtQuestion>) -> Answer<Vec<InDoubtAnswer>> {
        if self.shared.state().open {
            return self.inner.in_doubt(questions);
        }
        let wait = vec![InDoubtAnswer::Wait; questions.len()];
        Box::pin(async move { Ok(wait) })
    }

    fn admin(&self, request: AdminRequest) -> Answer<AdminAnswer> {
        self.inner.admin(request)
    }

    fn attach(&self, handler: Arc<dyn PhaseTwoHandler>) -> Attachment {
        self.shared.state().handler = Some(Arc::clone(&handler));
        let shared = Arc::clone(&self.shared);
        self.inner.attach(Arc::new(Holding { handler, shared }))
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        self.shared.state().stopped = true;
        self.inner.stop()
    }
}

/// The test's clock stands still, so waits are told when something can have happened.
impl Pace for Stage {
    #[expect(
        clippy::disallowed_methods,
        reason = "the coordinator answers while the test's clock stands still"
    )]
    fn pause(&self, _: &dyn Clock, _: Duration) -> BoxFuture<'static, bool> {
        let (inner, shared) = (Arc::clone(&self.inner), Arc::clone(&self.shared));
        Box::pin(async move {
            if shared.waits_for_test() {
                return false;
            }
            for (xid, alias) in shared.parking() {
                let shown = inner.admin(AdminRequest::Show(xid.clone())).await;
                let Ok(AdminAnswer::Transaction(detail)) = shown else {
                    continue;
                };
                let mut branches = detail.branches.iter();
                if branches.any(|one| one.alias == alias && one.state == BranchState::Parked) {
                    shared.state().parked.insert((xid, alias), true);
                }
            }
            tokio::time::sleep(PAUSE).await;
            true
        })
    }
}

/// A handler that holds phase two back.
struct Holding {
    handler: Arc<dyn PhaseTwoHandler>,
    shared: Arc<Shared>,
}

impl PhaseTwoHandler for Holding {
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
        let key = (message.xid.clone(), message.alias);
        let (answer, answered) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        {
            let mut state = self.shared.state();
            *state.met.entry(key.clone()).or_default() += 1;
            state.failed.remove(&key);
            state.parked.remove(&key);
            if state.open {
                drop(state);
                self.shared.delivered.send_modify(|count| *count += 1);
                let performed = self.handler.phase_two(message);
                return Box::pin(async move { shared.answered(key, performed.await) });
            }
            state.held.insert(key.clone(), Held { message, answer });
        }
        self.shared.delivered.send_modify(|count| *count += 1);
        Box::pin(async move {
            match answered.await {
                Ok(result) => shared.answered(key, result),
                Err(_) => pending().await,
            }
        })
    }

    fn horizon(&self, incarnation: Incarnation, horizon: Horizon) -> BoxFuture<'static, bool> {
        self.handler.horizon(incarnation, horizon)
    }
}
