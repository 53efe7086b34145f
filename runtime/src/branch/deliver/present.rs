//! What an attachment presents: resources, local horizons, the newest incarnation met (RM10).

use std::collections::BTreeMap;
use std::sync::PoisonError;

use futures_util::future::join_all;
use unanimous_protocol::message::{Attach, AttachResource, Horizon};
use unanimous_protocol::{Incarnation, limits};

use super::{Inner, chain};
use crate::backoff::Backoff;
use crate::branch::fence::{DynFence, FenceError};

/// What a database says of the coordinators it has met.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Presented {
    horizons: BTreeMap<Incarnation, Horizon>,
    newest: Option<Incarnation>,
}

impl Inner {
    pub(super) async fn present(&self) -> Attach {
        let fences = self.fences();
        let read = join_all(fences.iter().map(|(pool, fence)| self.read(*pool, *fence))).await;
        let by_pool: BTreeMap<_, _> = fences.keys().copied().zip(read).collect();
        let resources = self.registry.iter().map(|provided| {
            let presented = provided
                .fence()
                .and_then(|fence| by_pool.get(&fence.pool_key()));
            let horizons = presented.map(|presented| &presented.horizons);
            AttachResource {
                resource: provided.resource().clone(),
                actions: provided.actions().clone(),
                horizons: horizons
                    .into_iter()
                    .flatten()
                    .map(|(incarnation, horizon)| (*incarnation, horizon.counter))
                    .collect(),
            }
        });
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = by_pool
            .values()
            .filter_map(|presented| presented.newest)
            .max();
        Attach {
            application: self.surroundings.application.to_string(),
            principal: "anonymous".to_owned(),
            known_log: met.log,
            newest: met.newest.max(newest),
            resources: resources.collect(),
        }
    }

    /// One fence per pool: participants may share a database.
    pub(super) fn fences(&self) -> BTreeMap<usize, &dyn DynFence> {
        let fences = self.registry.iter().filter_map(|provided| provided.fence());
        fences.map(|fence| (fence.pool_key(), fence)).collect()
    }

    /// Reads a database, or tells what it said last when it cannot be read: one broken database
    /// must not keep the other participants of the process detached. A database that was never
    /// read is waited for, because presenting less than it holds would look like a restored one.
    async fn read(&self, pool: usize, fence: &dyn DynFence) -> Presented {
        let (min, max) = (limits::RECONNECT_MIN, limits::RECONNECT_MAX);
        let mut backoff = Backoff::new(min, max, self.surroundings.entropy.clone());
        loop {
            let error = match read_once(fence).await {
                Ok(presented) => {
                    let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
                    met.presented.insert(pool, presented.clone());
                    return presented;
                }
                Err(error) => error,
            };
            tracing::warn!(error = %chain(&error), "a fence cannot be read for the attachment");
            let known = {
                let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
                met.presented.get(&pool).cloned()
            };
            if let Some(known) = known {
                return known;
            }
            self.surroundings.clock.sleep(backoff.wait()).await;
        }
    }
}

async fn read_once(fence: &dyn DynFence) -> Result<Presented, FenceError> {
    Ok(Presented {
        horizons: fence.horizons().await?,
        newest: fence.newest_incarnation().await?,
    })
}
