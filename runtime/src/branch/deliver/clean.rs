//! Rows below the horizon are deleted, and the horizon is stored with them (RM8).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::join_all;
use unanimous_protocol::Incarnation;
use unanimous_protocol::message::{Attached, Horizon};

use super::{AttachState, Inner, chain};
use crate::branch::fence::{DynFence, FenceError};
use crate::coordinator::Coordinator;

impl Inner {
    /// Cleans every database of this process whose participants are attached. True once all of them
    /// have stored the horizon.
    pub(super) async fn clean(&self, incarnation: Incarnation, horizon: &Horizon) -> bool {
        self.under_way.forgotten(incarnation, horizon);
        let left_out = match &*self.attach_state.borrow() {
            AttachState::Attached { left_out, .. } => Arc::clone(left_out),
            AttachState::Detached | AttachState::Refused(_) => Arc::default(),
        };
        let fences = self.attached_fences(&left_out);
        let cleaned = fences.values().map(|fence| async move {
            let cleaned = fence.clean(incarnation, horizon.clone()).await;
            stored(cleaned, incarnation)
        });
        join_all(cleaned).await.into_iter().all(|stored| stored)
    }

    /// What was announced while this process was away: an attachment tells every horizon, and
    /// only those that a database has not stored yet are worth a local transaction.
    async fn catch_up(&self, attached: &Attached, left_out: &BTreeSet<usize>) {
        let fences = self.attached_fences(left_out);
        join_all(fences.values().map(|fence| catch_up(*fence, attached))).await;
    }

    /// A database that was left out of the attachment is compared first (RM10): cleaned before, a
    /// restored one would look as it should.
    fn attached_fences(&self, left_out: &BTreeSet<usize>) -> BTreeMap<usize, &dyn DynFence> {
        let mut fences = self.fences();
        fences.retain(|pool, _| !left_out.contains(pool));
        fences
    }
}

/// Catches up after each attachment.
pub(super) async fn catch_up_for_ever(inner: &Arc<Inner>, coordinator: &Arc<dyn Coordinator>) {
    if !coordinator.capabilities().announces_horizon {
        return;
    }
    let mut states = inner.attach_state.subscribe();
    loop {
        let state = states.borrow_and_update().clone();
        if let AttachState::Attached {
            attached, left_out, ..
        } = state
        {
            inner.catch_up(&attached, &left_out).await;
        }
        if states.changed().await.is_err() {
            return;
        }
    }
}

async fn catch_up(fence: &dyn DynFence, attached: &Attached) {
    let local = match fence.horizons().await {
        Ok(local) => local,
        Err(error) => {
            tracing::warn!(error = %chain(&error), "the local horizons cannot be read");
            return;
        }
    };
    for info in &attached.incarnations {
        let known = local.get(&info.incarnation);
        if info.horizon.counter > 0 && known != Some(&info.horizon) {
            let cleaned = fence.clean(info.incarnation, info.horizon.clone()).await;
            stored(cleaned, info.incarnation);
        }
    }
}

fn stored(cleaned: Result<(), FenceError>, incarnation: Incarnation) -> bool {
    match cleaned {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%incarnation, error = %chain(&error), "rows below the horizon were not cleaned");
            false
        }
    }
}
