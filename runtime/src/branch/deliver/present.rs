//! What an attachment presents: resources, local horizons, the newest incarnation met (RM10).
//!
//! A database that cannot be read is left out, and its participants with it, until it can: what it
//! said earlier may be less than it holds, as another replica may have cleaned since, and would
//! look like a restored one. The other participants of the process need not wait for it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use futures_util::future::join_all;
use unanimous_protocol::message::{Attach, AttachResource};
use unanimous_protocol::{Incarnation, limits};

use super::{Inner, chain};
use crate::backoff::Backoff;
use crate::branch::fence::{DynFence, FenceError};

/// What a database says of the coordinators it has met.
struct Presented {
    horizons: Arc<BTreeMap<Incarnation, u64>>,
    newest: Option<Incarnation>,
}

impl Inner {
    pub(super) async fn present(&self) -> Attach {
        let fences = self.fences();
        let read = join_all(fences.values().map(|fence| self.read(*fence))).await;
        let pools = fences.keys().copied().zip(read);
        let by_pool: BTreeMap<_, _> = pools
            .filter_map(|(pool, read)| Some((pool, read?)))
            .collect();
        let resources = self.registry.iter().filter_map(|provided| {
            let horizons = match provided.fence() {
                Some(fence) => Arc::clone(&by_pool.get(&fence.pool_key())?.horizons),
                None => Arc::default(),
            };
            Some(AttachResource {
                resource: provided.resource().clone(),
                actions: provided.actions().cloned().collect(),
                horizons,
            })
        });
        let left_out = fences.keys().copied();
        let left_out = left_out.filter(|pool| !by_pool.contains_key(pool));
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        met.left_out = Arc::new(left_out.collect());
        let presented = by_pool.iter();
        met.presented = presented
            .map(|(pool, presented)| (*pool, presented.newest))
            .collect();
        Attach {
            application: self.surroundings.application.to_string(),
            principal: "anonymous".to_owned(),
            known_log: met.log,
            newest: met.newest_of_log(),
            resources: resources.collect(),
        }
    }

    /// Completes once a database that was left out can be read; never where none was.
    pub(super) async fn readable_again(&self) {
        let left_out = {
            let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(&met.left_out)
        };
        if left_out.is_empty() {
            return std::future::pending().await;
        }
        let mut fences = self.fences();
        fences.retain(|pool, _| left_out.contains(pool));
        let (min, max) = (limits::RECONNECT_MIN, limits::RECONNECT_MAX);
        let mut backoff = Backoff::new(min, max, self.surroundings.entropy.clone());
        loop {
            self.surroundings.clock.sleep(backoff.wait()).await;
            let read = join_all(fences.values().map(|fence| self.read(*fence))).await;
            if read.iter().any(Option::is_some) {
                return;
            }
        }
    }

    /// One fence per pool: participants may share a database.
    pub(super) fn fences(&self) -> BTreeMap<usize, &dyn DynFence> {
        let fences = self.registry.iter().filter_map(|provided| provided.fence());
        fences.map(|fence| (fence.pool_key(), fence)).collect()
    }

    /// What a database says; none if it cannot be read, or not for long.
    async fn read(&self, fence: &dyn DynFence) -> Option<Presented> {
        let read = tokio::select! {
            biased;
            read = read_once(fence) => read,
            () = self.surroundings.clock.sleep(limits::RECONNECT_MAX) => {
                tracing::warn!("a fence is not read for the attachment: its database does not answer");
                return None;
            }
        };
        match read {
            Ok(presented) => Some(presented),
            Err(error) => {
                tracing::warn!(error = %chain(&error), "a fence cannot be read for the attachment");
                None
            }
        }
    }
}

async fn read_once(fence: &dyn DynFence) -> Result<Presented, FenceError> {
    let horizons = fence.horizons().await?.into_iter();
    let horizons = horizons.map(|(incarnation, horizon)| (incarnation, horizon.counter));
    Ok(Presented {
        horizons: Arc::new(horizons.collect()),
        newest: fence.newest_incarnation().await?,
    })
}
