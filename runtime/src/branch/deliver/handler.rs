//! What the coordinator sees of this process's participants.

use std::sync::{Arc, PoisonError};

use futures_util::future::BoxFuture;
use unanimous_protocol::Incarnation;
use unanimous_protocol::message::{
    Attach, AttachRefused, Attached, BranchResult, ByOperator, Horizon, PhaseTwo,
};

use super::perform::{Done, Work};
use super::{AttachState, Deliveries, Inner};
use crate::branch::PhaseTwoError;
use crate::branch::fence::{PhaseTwoCause, RowKey};
use crate::coordinator::PhaseTwoHandler;
use crate::events::Event;
use crate::points::Point;

impl PhaseTwoHandler for Deliveries {
    fn attach(&self) -> BoxFuture<'static, Attach> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.present().await })
    }

    fn changed(&self) -> BoxFuture<'static, ()> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.readable_again().await })
    }

    fn attached(&self, attached: Attached) {
        self.inner.under_way.attached();
        let (nth, left_out) = {
            let mut met = self
                .inner
                .met
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            met.attached(&attached);
            (met.attachments, Arc::clone(&met.left_out))
        };
        tracing::info!(nth, log = %attached.log, "attached to the coordinator");
        let attached = Arc::new(attached);
        self.inner.attach_state.send_replace(AttachState::Attached {
            nth,
            attached,
            left_out,
        });
    }

    fn refused(&self, why: AttachRefused) {
        let said = AttachState::Refused(why.clone());
        let last = self.inner.attach_state.send_replace(said);
        // It is presented again every few seconds: what stays the same is told once.
        if matches!(&last, AttachState::Refused(last) if *last == why) {
            return tracing::debug!(%why, "the coordinator still refuses");
        }
        tracing::error!(%why, "the coordinator refuses this process's participants");
        // A coordinator that stops comes back by itself; no person is needed.
        if why != AttachRefused::Stopping {
            let event = Event::Refused { why };
            self.inner.surroundings.events.emit(&event);
        }
    }

    fn detached(&self) {
        tracing::info!("detached from the coordinator");
        self.inner.attach_state.send_replace(AttachState::Detached);
    }

    fn phase_two(&self, phase_two: PhaseTwo) -> BoxFuture<'static, BranchResult> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.deliver(phase_two).await })
    }

    fn horizon(&self, incarnation: Incarnation, horizon: Horizon) -> BoxFuture<'static, bool> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.clean(incarnation, &horizon).await })
    }
}

impl Inner {
    /// The work itself; an error is one that a test wanted.
    async fn perform(&self, work: &Work, phase_two: PhaseTwo) -> Result<Done, PhaseTwoError> {
        self.reach(work, Point::Delivered).await?;
        let fence = work.provided.fence().filter(|_| work.kind.has_row());
        let done = match fence {
            _ if !work.is_known() => work.unknown(),
            None if work.kind.has_row() => work.without_its_fence(),
            Some(fence) => {
                self.under_way.heard(&work.key);
                self.fenced(fence, work, phase_two.arguments).await
            }
            None => self.unfenced(work, phase_two).await,
        };
        if done == Done::Ended {
            self.reach(work, Point::BeforeAnswer).await?;
        }
        Ok(done)
    }

    /// Performs what the coordinator delivered.
    async fn deliver(&self, phase_two: PhaseTwo) -> BranchResult {
        let Some(provided) = self.registry.of(&phase_two.resource) else {
            let error = format!("this process does not provide {}", phase_two.resource);
            return BranchResult::NotHere {
                error: error.into(),
            };
        };
        let key = RowKey {
            xid: phase_two.xid.clone(),
            call: phase_two.call.clone(),
        };
        let Some(_running) = self.under_way.start(&key) else {
            let error = "phase two of this branch still runs in this process".into();
            return BranchResult::Retry { error, after: None };
        };
        let work = Work {
            provided: Arc::clone(provided),
            key,
            action: phase_two.action.clone(),
            kind: phase_two.kind,
            decision: phase_two.decision,
            cause: cause(phase_two.by_operator),
        };
        let done = match self.perform(&work, phase_two).await {
            Ok(done) => done,
            Err(injected) => injected.into(),
        };
        self.tell(&work, &done);
        match done {
            Done::Ended => BranchResult::Ended,
            // A fence ignores nothing that was delivered; if one does, nothing has ended.
            Done::Ignored => BranchResult::Retry {
                error: "the fence ignored a delivered decision".into(),
                after: None,
            },
            Done::Retry { error, after } => BranchResult::Retry { error, after },
            Done::NotHere { error } => BranchResult::NotHere { error },
            Done::Park(reason) => BranchResult::Park(reason),
        }
    }
}

fn cause(by_operator: ByOperator) -> PhaseTwoCause {
    match by_operator {
        ByOperator::No => PhaseTwoCause::Delivered,
        ByOperator::Retry => PhaseTwoCause::OperatorRetry,
        ByOperator::Resolve => PhaseTwoCause::OperatorResolve,
    }
}
