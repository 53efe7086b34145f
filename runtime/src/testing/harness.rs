//! One runtime per test, whose phase two happens when the test says so.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use unanimous_protocol::message::{BranchResult, Commit, PhaseTwo};
use unanimous_protocol::{CallId, Decision, Outcome, Xid, limits};

use super::stage::Stage;
use super::timed::TimedClock;
use super::{Decided, FaultPlan};
use crate::clock::{Clock, ManualClock};
use crate::context::{Scope, Transaction};
use crate::coordinator::{Host, open};
use crate::runtime::{BuildError, Url, told};
use crate::{Error, Event, Participant, Runtime, RuntimeBuilder};

/// A runtime for one test: a coordinator in memory, a clock that stands still, and phase two only
/// when the test says so.
///
/// Nothing is process-wide, so tests run in parallel. It needs a tokio runtime
/// (`#[tokio::test]`) and ends when it is dropped.
#[derive(Debug)]
pub struct Harness {
    runtime: Runtime,
    stage: Arc<Stage>,
    clock: ManualClock,
    faults: FaultPlan,
    events: Arc<Mutex<Vec<Event>>>,
}

/// A phase one that has run, whose transaction is open: see [`Harness::try_phase`].
#[derive(Debug)]
pub struct Tried<'a, T, E> {
    harness: &'a Harness,
    xid: Xid,
    /// What the body returned.
    pub body: Result<T, E>,
    request: Result<Commit, Error>,
}

/// What came of a transaction that was decided and delivered.
#[derive(Debug)]
#[non_exhaustive]
pub struct Settled {
    /// The decision.
    pub outcome: Outcome,
    /// Why commit was not asked although the test said so: a call had failed.
    pub refused: Option<Error>,
    /// Whether commit was not asked although the test said so because phase one had returned an
    /// error: that is in [`Tried::body`].
    pub body_failed: bool,
    /// What was delivered, in order.
    pub deliveries: Vec<Delivered>,
}

/// One delivery of phase two, and its result.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Delivered {
    /// The branch.
    pub call: CallId,
    /// What was delivered.
    pub decision: Decision,
    /// What the participant answered.
    pub result: BranchResult,
}

impl Harness {
    /// A harness whose runtime provides this participant.
    ///
    /// # Errors
    ///
    /// As [`RuntimeBuilder::build`].
    pub async fn of<P: Participant>(participant: Arc<P>) -> Result<Self, BuildError> {
        Self::start(|builder| builder.participant(participant)).await
    }

    /// A harness whose runtime is described by the caller: participants, states, settings.
    /// Coordinator, clock, faults and events are the harness's.
    ///
    /// # Errors
    ///
    /// As [`RuntimeBuilder::build`].
    pub async fn start(
        describe: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder,
    ) -> Result<Self, BuildError> {
        Self::launch(describe(Runtime::builder())).await
    }

    pub(super) async fn launch(builder: RuntimeBuilder) -> Result<Self, BuildError> {
        let clock = ManualClock::new();
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let timed = TimedClock::new(clock.clone());
        let host = Host {
            application: "harness".into(),
            clock: Arc::new(timed.clone()),
            drain: builder.drain_time(),
        };
        let memory = open(Url::Memory, &host).await?;
        let stage = Stage::new(memory, timed);
        let faults = FaultPlan::new();
        let events = Arc::<Mutex<Vec<Event>>>::default();
        let heard = Arc::clone(&events);
        let runtime = builder
            .application("harness")
            .coordinator_value(Arc::clone(&stage) as _)
            .clock(shared)
            .pace(Arc::clone(&stage) as _)
            .faults(Arc::new(faults.clone()))
            .on_event(move |event| {
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                heard.push(event.clone());
            })
            .build()
            .await?;
        // What fails while it attaches is repeated by the clock, which stands still.
        runtime.ready().await;
        Ok(Self {
            runtime,
            stage,
            clock,
            faults,
            events,
        })
    }

    /// Runs a future in which this harness's runtime is the default: functions with
    /// `#[global_transactional]` begin and decide here. What they decided is in
    /// [`decided`](Self::decided); its phase two waits for [`deliver`](Self::deliver).
    ///
    /// A function that waits for its branches (`settle = ..`) returns once they have ended if
    /// deliveries are [open](Self::open). Otherwise, and where phase two fails, it returns without
    /// them: nothing more happens before the test delivers, or advances the clock.
    /// [`Runtime::settled`] and [`Runtime::quiet`] wait in the same way.
    pub async fn scope<F: Future>(&self, future: F) -> F::Output {
        self.runtime.scope(future).await
    }

    /// Runs phase one inside a transaction that stays open: actions called by the body join it, as
    /// if its beginning function had not returned yet.
    ///
    /// Dropping the future drops the body, and leaves the transaction open.
    ///
    /// # Panics
    ///
    /// When the coordinator in memory begins no transaction.
    pub async fn try_phase<T, E>(
        &self,
        body: impl Future<Output = Result<T, E>>,
    ) -> Tried<'_, T, E> {
        let xid = self.begin().await;
        let scope = self.root(xid.clone());
        let body = scope.enter(body).await;
        scope.join_spawned().await;
        let request = scope.commit_request();
        Tried {
            harness: self,
            xid,
            body,
            request,
        }
    }

    /// A transaction for phase ones that the caller runs one by one with
    /// [`run_in`](Self::run_in).
    ///
    /// # Panics
    ///
    /// When the coordinator in memory begins no transaction.
    pub async fn begin(&self) -> Xid {
        let begin = unanimous_protocol::message::Begin {
            name: "harness"
                .parse()
                .unwrap_or_else(|_| unreachable!("`harness` is a name")),
            timeout: limits::TIMEOUT_MAX,
            trace: None,
        };
        match self.runtime.coordinator().begin(begin).await {
            Ok(Ok(began)) => began.xid,
            other => panic!("the coordinator in memory begins nothing: {other:?}"),
        }
    }

    /// Runs a body as one delivery of a request that carries this transaction. A second delivery of
    /// the same body makes the same calls under the same ids, as a repeated request does.
    ///
    /// Tasks that the body spawned with [`spawn`](crate::spawn) are waited for.
    pub async fn run_in<F: Future>(&self, xid: &Xid, body: F) -> F::Output {
        let scope = self.root(xid.clone());
        let output = scope.enter(body).await;
        scope.join_spawned().await;
        output
    }

    fn root(&self, xid: Xid) -> Scope {
        let transaction = Transaction {
            runtime: self.runtime.clone(),
            xid,
            deadline: Duration::MAX,
            trace: None,
            after: None,
        };
        Scope::root(transaction, CallId::root())
    }

    /// Delivers the phase two of all that was [decided](Self::decided) so far, in the order of the
    /// branches. One that failed when it was delivered is delivered again once the coordinator's
    /// back-off is over, which takes [`clock`](Self::clock): less than a minute always does.
    ///
    /// Dropping the future leaves what was not delivered for the next time.
    pub async fn deliver(&self) -> Vec<Delivered> {
        let mut delivered = Vec::new();
        for (xid, alias) in self.stage.waiting().await {
            let message = self.stage.held(&xid, alias).await;
            delivered.push(self.perform(message, true).await);
        }
        delivered
    }

    /// From now on phase two is delivered at once, also what waits.
    pub fn open(&self) {
        self.stage.open();
    }

    /// What was decided so far, in order: also by functions run in [`scope`](Self::scope).
    #[must_use]
    pub fn decided(&self) -> Vec<Decided> {
        let decided = self.stage.decided().into_iter();
        decided
            .map(|(xid, name, answer)| {
                let outcome = told(&xid, Ok(answer));
                Decided { xid, name, outcome }
            })
            .collect()
    }

    /// The calls that joined a transaction, in order.
    #[must_use]
    pub fn branches(&self, xid: &Xid) -> Vec<CallId> {
        self.stage.calls(xid)
    }

    /// The clock: deadlines and back-off pass when it is [advanced](ManualClock::advance).
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// Faults at named points, and what was reached.
    #[must_use]
    pub fn faults(&self) -> &FaultPlan {
        &self.faults
    }

    /// What wanted a person's attention: parked branches, unknown outcomes, refusals.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.clone()
    }

    /// The runtime, for layers and what else takes one.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    pub(super) fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Delivers a message; tells the coordinator what came of it if it waits for that.
    async fn perform(&self, message: PhaseTwo, answer: bool) -> Delivered {
        let (xid, alias) = (message.xid.clone(), message.alias);
        let (call, decision) = (message.call.clone(), message.decision);
        let result = self.stage.perform(message).await;
        if answer {
            self.stage.answer(&xid, alias, result.clone()).await;
        }
        Delivered {
            call,
            decision,
            result,
        }
    }

    /// Delivers what was decided about every branch of a transaction, so often.
    async fn deliver_of(&self, xid: &Xid, times: usize) -> Vec<Delivered> {
        let mut deliveries = Vec::new();
        for alias in self.stage.branches(xid) {
            let message = self.stage.held(xid, alias).await;
            for time in 1..=times {
                deliveries.push(self.perform(message.clone(), time == times).await);
            }
        }
        deliveries
    }
}

impl<T, E> Tried<'_, T, E> {
    /// The transaction.
    #[must_use]
    pub fn xid(&self) -> &Xid {
        &self.xid
    }

    /// The calls that joined, in order.
    #[must_use]
    pub fn branches(&self) -> Vec<CallId> {
        self.harness.branches(&self.xid)
    }

    /// Asks for commit, as the beginning function does after `Ok`, and delivers phase two once.
    /// Where a call had failed, rollback is asked instead, and told in [`Settled::refused`]; so it
    /// is where the body returned `Err`, told in [`Settled::body_failed`].
    pub async fn commit(self) -> Settled {
        self.end(true, 1).await
    }

    /// The same, and every delivery arrives twice, as after a lost answer.
    pub async fn commit_twice(self) -> Settled {
        self.end(true, 2).await
    }

    /// Asks for rollback and delivers phase two once.
    pub async fn rollback(self) -> Settled {
        self.end(false, 1).await
    }

    /// The same, and every delivery arrives twice.
    pub async fn rollback_twice(self) -> Settled {
        self.end(false, 2).await
    }

    async fn end(self, commit: bool, times: usize) -> Settled {
        let Self {
            harness,
            xid,
            body,
            request,
        } = self;
        let coordinator = harness.runtime.coordinator();
        let body_failed = commit && body.is_err();
        let (answer, refused) = match request {
            Ok(request) if commit && body.is_ok() => (coordinator.commit(request), None),
            request => (
                coordinator.rollback(xid.clone()),
                request.err().filter(|_| commit),
            ),
        };
        let outcome = told(&xid, answer.await);
        let decided = matches!(
            told(&xid, coordinator.outcome(xid.clone()).await),
            Outcome::Committed | Outcome::RolledBack { .. }
        );
        // Where the coordinator gave no decision (a scripted one may not), nothing is delivered.
        let deliveries = if decided {
            harness.deliver_of(&xid, times).await
        } else {
            Vec::new()
        };
        Settled {
            outcome,
            refused,
            body_failed,
            deliveries,
        }
    }
}

impl<T, E: std::fmt::Display> Tried<'_, T, E> {
    /// What phase one returned.
    ///
    /// # Panics
    ///
    /// When it is an error.
    #[track_caller]
    pub fn value(&self) -> &T {
        match &self.body {
            Ok(value) => value,
            Err(error) => panic!("phase one failed: {error}"),
        }
    }
}

#[expect(
    clippy::must_use_candidate,
    reason = "assertions return themselves only to be chained"
)]
impl Settled {
    /// Asserts that the transaction committed and that every delivery ended its branch.
    ///
    /// # Panics
    ///
    /// When it is not so, with what was delivered.
    #[track_caller]
    pub fn assert_committed(&self) -> &Self {
        let mut why = String::new();
        if self.body_failed {
            why.push_str("; commit was not asked: phase one returned an error, see `Tried::value`");
        }
        if let Some(error) = &self.refused {
            why = format!("{why}; commit would have been refused: {error}");
        }
        assert!(
            matches!(self.outcome, Outcome::Committed),
            "expected a commit: {}{why}",
            self.outcome
        );
        self.assert_all_ended()
    }

    /// Asserts that the transaction rolled back and that every delivery ended its branch.
    ///
    /// # Panics
    ///
    /// When it is not so, with what was delivered.
    #[track_caller]
    pub fn assert_rolled_back(&self) -> &Self {
        assert!(
            matches!(self.outcome, Outcome::RolledBack { .. }),
            "expected a rollback: {}",
            self.outcome
        );
        self.assert_all_ended()
    }

    /// Asserts that every delivery ended its branch.
    ///
    /// # Panics
    ///
    /// When one was answered otherwise.
    #[track_caller]
    pub fn assert_all_ended(&self) -> &Self {
        for Delivered {
            call,
            decision,
            result,
        } in &self.deliveries
        {
            assert!(
                *result == BranchResult::Ended,
                "the {decision} of {call} did not end its branch: {result:?}"
            );
        }
        self
    }

    /// Asserts how many deliveries there were.
    ///
    /// # Panics
    ///
    /// When there were more or fewer.
    #[track_caller]
    pub fn assert_deliveries(&self, count: usize) -> &Self {
        assert_eq!(self.deliveries.len(), count, "{:#?}", self.deliveries);
        self
    }
}
