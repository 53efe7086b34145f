//! Numbers for people: what waits in this process's databases.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use unanimous_protocol::{Resource, limits};

use super::{AttachState, Deliveries, Inner, Provided, chain};
use crate::branch::fence::{DynFence, FenceError};

/// How the participants of this process are.
#[derive(Clone, Debug, Eq, PartialEq)]

pub(crate) struct DeliveryHealth {
    /// Whether they are attached to the coordinator.
    pub(crate) attached: bool,
    /// Why not, where the coordinator said so.
    pub(crate) detached_because: Option<String>,
    /// Branches that wait for an operator.
    pub(crate) parked: u64,
    /// Tried branches whose decision is overdue, or may have been missed.
    pub(crate) in_doubt: u64,
    /// The resources that have a fence, by name.
    pub(crate) resources: Vec<ResourceHealth>,
}

/// The branches of one resource that have not ended, as its database tells.
#[derive(Clone, Debug, Eq, PartialEq)]

pub(crate) struct ResourceHealth {
    /// The participant and its database.
    pub(crate) resource: Resource,
    /// Branches that wait for an operator.
    pub(crate) parked: u64,
    /// Tried branches whose decision is overdue, or may have been missed: before the question of an
    /// attachment is answered, all of them. Counted up to 1 000.
    pub(crate) in_doubt: u64,
    /// The age of the oldest branch that is tried and not parked.
    pub(crate) oldest_open: Option<Duration>,
    /// Why the numbers could not be read; they are zero then.
    pub(crate) error: Option<Arc<str>>,
}

impl Deliveries {
    /// How the participants are. Asks their databases.
    pub(crate) async fn health(&self) -> DeliveryHealth {
        let fenced = self.provided().filter_map(|provided| {
            let fence = provided.fence()?;
            Some(self.inner.health(provided, fence))
        });
        let resources = join_all(fenced).await;
        let state = self.inner.attach_state.borrow().clone();
        DeliveryHealth {
            attached: matches!(state, AttachState::Attached { .. }),
            detached_because: match state {
                AttachState::Refused(why) => Some(why.to_string()),
                AttachState::Attached { .. } | AttachState::Detached => None,
            },
            parked: resources.iter().map(|resource| resource.parked).sum(),
            in_doubt: resources.iter().map(|resource| resource.in_doubt).sum(),
            resources,
        }
    }
}

impl Inner {
    async fn health(&self, provided: &Provided, fence: &dyn DynFence) -> ResourceHealth {
        let healthy = ResourceHealth {
            resource: provided.resource().clone(),
            parked: 0,
            in_doubt: 0,
            oldest_open: None,
            error: None,
        };
        let is_attached = matches!(*self.attach_state.borrow(), AttachState::Attached { .. });
        let may_be_missed = is_attached && !self.has_asked(provided);
        match self.numbers(healthy.clone(), fence, may_be_missed).await {
            Ok(health) => health,
            Err(error) => ResourceHealth {
                error: Some(chain(&error)),
                ..healthy
            },
        }
    }

    async fn numbers(
        &self,
        mut health: ResourceHealth,
        fence: &dyn DynFence,
        may_be_missed: bool,
    ) -> Result<ResourceHealth, FenceError> {
        let participant = &health.resource.participant;
        health.parked = fence.parked(participant.clone()).await?;
        let limit = limits::IN_DOUBT_BATCH_MAX;
        let rows = fence
            .in_doubt(participant.clone(), i64::MAX, None, limit)
            .await?;
        let now_ms = self.surroundings.clock.wall_ms();
        // A wall clock that was set back makes a row no older than nothing.
        let age = |created_ms: i64| {
            Duration::from_millis(u64::try_from(now_ms.saturating_sub(created_ms)).unwrap_or(0))
        };
        let in_doubt = rows.iter().filter(|row| {
            let is_missed = may_be_missed && !self.under_way.is_heard_or_running(&row.key);
            is_missed || age(row.created_ms) >= limits::IN_DOUBT_AGE
        });
        health.in_doubt = in_doubt.count() as u64;
        health.oldest_open = rows.first().map(|row| age(row.created_ms));
        Ok(health)
    }
}
