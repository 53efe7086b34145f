//! One phase two of one branch: the fence around the user's function (RM4, RM5).

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt as _, TryFutureExt as _};
use unanimous_protocol::message::{Json, Kept, ParkReason, PhaseTwo, TraceContext};
use unanimous_protocol::{ActionName, BranchKind, Decision};

use super::{Inner, Provided, chain, shortened};
use crate::branch::fence::{
    Delivery, DynFence, FenceError, OpenTransaction, PhaseTwoCause, PhaseTwoStep, RowKey,
};
use crate::branch::phase_two::PhaseTwoErrorKind;
use crate::branch::{Branch, BranchContext, BranchScope, PhaseTwoError, Recorded};
use crate::context::Ambient;
use crate::events::Event;
use crate::points::{Point, Points};

/// The phase two to perform.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) provided: Arc<Provided>,
    pub(super) key: RowKey,
    pub(super) action: ActionName,
    pub(super) kind: BranchKind,
    pub(super) decision: Decision,
    pub(super) cause: PhaseTwoCause,
}

/// What came of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Done {
    /// The branch has ended, and its local transaction is committed.
    Ended,
    /// An answer met a row that is not tried: nothing was done (RM7).
    Ignored,
    /// Nothing is done; repeat.
    Retry {
        error: Arc<str>,
        after: Option<Duration>,
    },
    /// Nothing is done; another version may know better.
    NotHere { error: Arc<str> },
    /// Nothing is done; an operator is needed.
    Park(ParkReason),
}

impl Work {
    /// Whether this version can perform it: what an operator resolved needs no user code.
    pub(super) fn is_known(&self) -> bool {
        self.cause == PhaseTwoCause::OperatorResolve || self.provided.knows(&self.action)
    }

    pub(super) fn unknown(&self) -> Done {
        let participant = &self.provided.resource().participant;
        let error = format!(
            "this version of {participant} knows no action `{}`",
            self.action
        );
        Done::NotHere {
            error: error.into(),
        }
    }

    /// Another version has the fence in whose database the row stands.
    pub(super) fn without_its_fence(&self) -> Done {
        let participant = &self.provided.resource().participant;
        let error = format!("this version of {participant} has no fence");
        Done::NotHere {
            error: error.into(),
        }
    }
}

/// The text of the unit value.
const NOTHING: &str = "null";

impl Inner {
    /// Phase two behind a fence: `Ended` only after the local commit (RM5). `registered`: the
    /// arguments that travel for a branch whose row may be missing (T7).
    pub(super) async fn fenced(
        &self,
        fence: &dyn DynFence,
        work: &Work,
        registered: Option<Json>,
    ) -> Done {
        let delivery = Delivery {
            key: work.key.clone(),
            participant: work.provided.resource().participant.clone(),
            action: work.action.clone(),
            kind: work.kind,
            decision: work.decision,
            cause: work.cause,
        };
        let begun = fence.begin_phase_two(delivery, self.now_ms()).await;
        match begun {
            Ok(PhaseTwoStep::Run {
                transaction,
                action,
                arguments,
                stored,
                trace,
            }) => {
                let recorded = Recollected {
                    action,
                    arguments,
                    // Nothing is stored for the unit value, which was returned all the same.
                    tried: Some(stored.answer.unwrap_or_else(|| NOTHING.into())),
                    kept: stored.kept,
                    trace,
                };
                self.in_transaction(fence, work, recorded, transaction)
                    .await
            }
            Ok(PhaseTwoStep::RunWithoutTry(transaction)) => {
                let recorded = Recollected {
                    action: work.action.clone(),
                    arguments: registered.unwrap_or_else(|| "{}".into()),
                    tried: None,
                    kept: Kept::new(),
                    trace: None,
                };
                self.in_transaction(fence, work, recorded, transaction)
                    .await
            }
            Ok(PhaseTwoStep::Ended) => Done::Ended,
            Ok(PhaseTwoStep::Ignored) => Done::Ignored,
            Ok(PhaseTwoStep::Park(reason)) => Done::Park(reason),
            Err(error) => error.into(),
        }
    }

    /// The user's function in the local transaction that closes the row.
    async fn in_transaction(
        &self,
        fence: &dyn DynFence,
        work: &Work,
        recorded: Recollected,
        transaction: OpenTransaction,
    ) -> Done {
        match self.call(work, recorded, Some(transaction)).await {
            Ok(Some(transaction)) => match self.close(fence, work, transaction).await {
                Ok(()) => Done::Ended,
                Err(done) => done,
            },
            Ok(None) => Done::retry("the fence opened no local transaction"),
            Err(done) => give_up_on_row(fence, work, done).await,
        }
    }

    /// Phase two without a fence: everything travels with the message, nothing is kept here.
    pub(super) async fn unfenced(&self, work: &Work, phase_two: PhaseTwo) -> Done {
        if work.cause == PhaseTwoCause::OperatorResolve {
            return Done::Ended;
        }
        let reported = phase_two.reported.unwrap_or_default();
        let recorded = Recollected {
            action: phase_two.action,
            arguments: phase_two.arguments.unwrap_or_else(|| "{}".into()),
            tried: reported.tried,
            kept: reported.kept,
            trace: phase_two.trace,
        };
        match self.call(work, recorded, None).await {
            Ok(_) => Done::Ended,
            Err(done) => done,
        }
    }

    /// Calls the participant as this branch, outside any transaction scope. After an error the
    /// local transaction is dropped, and so rolled back.
    async fn call(
        &self,
        work: &Work,
        recorded: Recollected,
        transaction: Option<OpenTransaction>,
    ) -> Result<Option<OpenTransaction>, Done> {
        let (scope, trace) = (self.scope(work, &recorded), recorded.trace.clone());
        let mut branch = Branch {
            context: scope.context.clone(),
            decision: work.decision,
            arguments: Recorded::from_json(recorded.arguments),
            tried: recorded.tried,
            kept: recorded.kept,
            transaction,
        };
        let participant = Arc::clone(work.provided.participant());
        let ambient = Ambient::delivered(self.runtime.get().cloned());
        let mut ambient = ambient.traced(trace);
        if let Some(fence) = work
            .provided
            .fence()
            .filter(|_| branch.transaction.is_some())
        {
            ambient = ambient.inside_fence(fence.pool_key());
        }
        let user_code = async {
            self.reach(work, Point::BeforeBusiness).await?;
            participant.phase_two(&mut branch).await?;
            self.reach(work, Point::AfterBusiness).await
        };
        // An error's text is user code as well.
        let user_code = ambient.enter(scope.enter(user_code.map_err(Done::from)));
        match AssertUnwindSafe(user_code).catch_unwind().await {
            Ok(answer) => answer.map(|()| branch.transaction),
            Err(panic) => {
                let error = format!("phase two panicked: {}", panic_text(&*panic));
                Err(Done::retry(&error))
            }
        }
    }

    /// The row's end and the user's statements, in one local commit.
    async fn close(
        &self,
        fence: &dyn DynFence,
        work: &Work,
        transaction: OpenTransaction,
    ) -> Result<(), Done> {
        self.reach(work, Point::BeforeRowCloses).await?;
        let (key, now_ms) = (work.key.clone(), self.now_ms());
        let closed = fence.close_phase_two(transaction, key, work.decision, now_ms);
        let transaction = closed.await?;
        self.reach(work, Point::BeforeLocalCommit).await?;
        fence.commit(transaction).await?;
        Ok(self.reach(work, Point::AfterLocalCommit).await?)
    }

    /// Tells a test that phase two has come to this point.
    pub(super) async fn reach(&self, work: &Work, point: Point) -> Result<(), PhaseTwoError> {
        let reached = self
            .points()
            .reach(work.decision.into(), point, &work.key)
            .await;
        reached.map_err(|injected| injected.to_string().into())
    }

    #[cfg(feature = "testing")]
    fn points(&self) -> Points {
        use crate::runtime::WeakRuntime;

        let runtime = self.runtime.get().and_then(WeakRuntime::upgrade);
        runtime.map_or_else(Points::default, |runtime| runtime.points().clone())
    }

    #[cfg(not(feature = "testing"))]
    #[inline]
    #[expect(clippy::unused_self, reason = "the same shape with the feature")]
    fn points(&self) -> Points {
        Points::default()
    }

    fn scope(&self, work: &Work, recorded: &Recollected) -> BranchScope {
        let RowKey { xid, call } = &work.key;
        let attempt = self
            .under_way
            .attempt(&work.key, Some(work.decision), false);
        let span = tracing::info_span!(
            "phase_two",
            %xid,
            %call,
            resource = %work.provided.resource(),
            action = %recorded.action,
            decision = %work.decision,
            attempt,
            traceparent = recorded.trace.as_ref().map(|trace| &*trace.0),
        );
        let action = recorded.action.clone();
        let context = BranchContext::new(work.key.clone(), action, Some(work.decision), attempt);
        BranchScope { context, span }
    }

    /// For the columns of the fence's tables.
    fn now_ms(&self) -> i64 {
        self.surroundings.clock.wall_ms()
    }

    /// Remembers what came of it, and tells people.
    pub(super) fn tell(&self, work: &Work, done: &Done) {
        let Work {
            provided,
            key: RowKey { xid, call },
            action,
            decision,
            ..
        } = work;
        let resource = provided.resource();
        if matches!(done, Done::Ended | Done::Ignored | Done::Park(_)) {
            self.under_way.ended(&work.key);
        }
        match done {
            Done::Ended | Done::Ignored => {
                tracing::debug!(%xid, %call, %resource, %action, %decision, ?done, "phase two");
            }
            Done::Retry { error, .. } | Done::NotHere { error } => {
                tracing::warn!(%xid, %call, %resource, %action, %decision, %error, "phase two is repeated");
            }
            Done::Park(reason) => {
                tracing::error!(%xid, %call, %resource, %action, %decision, %reason, "phase two is parked and waits for an operator");
                self.surroundings.events.emit(&Event::Parked {
                    xid: xid.clone(),
                    call: call.clone(),
                    resource: resource.clone(),
                    action: action.clone(),
                    reason: reason.clone(),
                });
            }
        }
    }
}

/// What phase one left.
struct Recollected {
    action: ActionName,
    arguments: Json,
    tried: Option<Json>,
    kept: Kept,
    trace: Option<TraceContext>,
}

/// A participant that gave up is remembered by the row, before anybody hears of it: a later
/// delivery, perhaps to another process, must not call it again.
async fn give_up_on_row(fence: &dyn DynFence, work: &Work, done: Done) -> Done {
    let Done::Park(ParkReason::GaveUp(reason)) = &done else {
        return done;
    };
    match fence
        .park(work.key.clone(), work.decision, Arc::clone(reason))
        .await
    {
        Ok(()) => done,
        Err(error) => error.into(),
    }
}

impl Done {
    fn retry(error: &str) -> Self {
        Self::Retry {
            error: error.into(),
            after: None,
        }
    }
}

impl From<FenceError> for Done {
    fn from(error: FenceError) -> Self {
        let text = chain(&error);
        match error {
            // Another version may have written it.
            FenceError::Row(..) => Self::NotHere { error: text },
            _ => Self::Retry {
                error: text,
                after: None,
            },
        }
    }
}

impl From<PhaseTwoError> for Done {
    fn from(error: PhaseTwoError) -> Self {
        match error.kind {
            PhaseTwoErrorKind::Retry { error, after } => Self::Retry {
                error: chain(&*error),
                after,
            },
            PhaseTwoErrorKind::GiveUp { reason } => {
                Self::Park(ParkReason::GaveUp(shortened(&reason)))
            }
            PhaseTwoErrorKind::NotHere { error } => Self::NotHere {
                error: shortened(&error),
            },
        }
    }
}

/// What a panic says.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
