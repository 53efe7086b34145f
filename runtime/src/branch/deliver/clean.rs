//! Rows below the horizon are deleted, and the horizon is stored with them (RM8).

use std::sync::Arc;

use futures_util::future::join_all;
use unanimous_protocol::Incarnation;
use unanimous_protocol::message::{Attached, Horizon};

use super::{AttachState, Inner, chain};
use crate::branch::fence::{DynFence, FenceError};
use crate::coordinator::Coordinator;

impl Inner {
    /// Cleans every database of this process. True once all of them have stored the horizon.
    pub(super) async fn clean(&self, incarnation: Incarnation, horizon: &Horizon) -> bool {
        let fences = self.fences();
        let cleaned = fences.values().map(|fence| async move {
            let cleaned = fence.clean(incarnation, horizon.clone()).await;
            stored(cleaned, incarnation)
        });
        join_all(cleaned).await.into_iter().all(|stored| stored)
    }

    /// What was announced while this process was away: an attachment tells every horizon, and
    /// only those that a database has not stored yet are worth a local transaction.
    async fn catch_up(&self, attached: &Attached) {
        join_all(
            self.fences()
                .values()
                .map(|fence| catch_up(*fence, attached)),
        )
        .await;
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
        if let AttachState::Attached { attached, .. } = state {
            inner.catch_up(&attached).await;
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
