//! The handlers of this process, and what is delivered to them.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, FutureExt as _, join_all};
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Notify, mpsc};
use unanimous_protocol::Incarnation;
use unanimous_protocol::message::{Attach, AttachRefused, BranchResult, Horizon, PhaseTwo};
use unanimous_protocol::wire::FromClient;
use unanimous_protocol::wire::frame::AttachmentId;

use super::Shared;
use crate::coordinator::PhaseTwoHandler;

/// The attached handlers. Their ids stay the same from stream to stream.
pub(super) struct Attachments {
    inner: Mutex<Inner>,
    /// A handler was added.
    pub(super) added: Notify,
    deliveries: mpsc::UnboundedSender<Delivery>,
    queue: Mutex<Option<mpsc::UnboundedReceiver<Delivery>>>,
}

#[derive(Default)]
struct Inner {
    next: AttachmentId,
    handlers: BTreeMap<AttachmentId, Arc<dyn PhaseTwoHandler>>,
    /// Those that the current stream has been told of, each with the number of its presentation.
    told: BTreeMap<AttachmentId, (u64, Arc<dyn PhaseTwoHandler>)>,
    presentations: u64,
}

/// Something that a handler is to do. The coordinator bounds how many are under way.
pub(super) enum Delivery {
    PhaseTwo(AttachmentId, Box<PhaseTwo>),
    Horizon(AttachmentId, Incarnation, Horizon),
}

impl Default for Attachments {
    fn default() -> Self {
        let (deliveries, queue) = mpsc::unbounded_channel();
        Self {
            inner: Mutex::default(),
            added: Notify::new(),
            deliveries,
            queue: Mutex::new(Some(queue)),
        }
    }
}

impl Attachments {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, handler: Arc<dyn PhaseTwoHandler>) -> AttachmentId {
        let mut inner = self.lock();
        inner.next += 1;
        let id = inner.next;
        inner.handlers.insert(id, handler);
        drop(inner);
        self.added.notify_one();
        id
    }

    pub(super) fn remove(&self, id: AttachmentId) {
        let mut inner = self.lock();
        inner.handlers.remove(&id);
        inner.told.remove(&id);
    }

    pub(super) fn handler(&self, id: AttachmentId) -> Option<Arc<dyn PhaseTwoHandler>> {
        self.lock().handlers.get(&id).cloned()
    }

    /// What the handlers that this stream has not been told of present.
    pub(super) async fn untold(&self) -> Vec<(AttachmentId, Attach)> {
        let untold: Vec<_> = {
            let mut inner = self.lock();
            let untold = inner
                .handlers
                .iter()
                .filter(|(id, _)| !inner.told.contains_key(id));
            let untold: Vec<_> = untold
                .map(|(id, handler)| (*id, Arc::clone(handler)))
                .collect();
            inner.presentations += 1;
            let nth = inner.presentations;
            let told = untold.iter();
            let told = told.map(|(id, handler)| (*id, (nth, Arc::clone(handler))));
            inner.told.extend(told);
            untold
        };
        join_all(
            untold
                .into_iter()
                .map(|(id, handler)| async move { (id, handler.attach().await) }),
        )
        .await
    }

    /// Completes with a handler that the stream was told of and that has more to present now.
    pub(super) async fn changed(&self) -> AttachmentId {
        let told: Vec<_> = {
            let inner = self.lock();
            let told = inner.told.iter();
            told.map(|(id, (_, handler))| (*id, handler.changed()))
                .collect()
        };
        let changed = told.into_iter().map(|(id, changed)| async move {
            changed.await;
            id
        });
        let mut changed: FuturesUnordered<_> = changed.collect();
        match changed.next().await {
            Some(id) => id,
            None => std::future::pending().await,
        }
    }

    /// The coordinator refused it, or it has changed: it is presented again.
    pub(super) fn again(&self, id: AttachmentId) {
        self.lock().told.remove(&id);
    }

    /// These were not attached: they hear why, and are presented again.
    pub(super) fn refused(&self, ids: &[AttachmentId], why: &AttachRefused) {
        for id in ids {
            let handler = {
                let mut inner = self.lock();
                inner.told.remove(id);
                inner.handlers.get(id).cloned()
            };
            if let Some(handler) = handler {
                handler.refused(why.clone());
            }
        }
    }

    /// The stream is lost: whoever had been told of hears it.
    pub(super) fn lost(&self) {
        let told = std::mem::take(&mut self.lock().told);
        for (_, handler) in told.into_values() {
            handler.detached();
        }
    }

    /// No stream will attach anything for as long as this holds.
    pub(super) fn unattachable(&self, why: &AttachRefused) {
        let handlers: Vec<_> = self.lock().handlers.values().cloned().collect();
        for handler in handlers {
            handler.refused(why.clone());
        }
    }

    /// Which presentation the stream has been told of.
    fn presentation(&self, id: AttachmentId) -> Option<u64> {
        self.lock().told.get(&id).map(|(nth, _)| *nth)
    }

    pub(super) fn phase_two(&self, id: AttachmentId, phase_two: PhaseTwo) {
        // Nobody receives any more when the client is being dropped.
        let _ = self
            .deliveries
            .send(Delivery::PhaseTwo(id, Box::new(phase_two)));
    }

    pub(super) fn horizon(&self, id: AttachmentId, incarnation: Incarnation, horizon: Horizon) {
        let _ = self
            .deliveries
            .send(Delivery::Horizon(id, incarnation, horizon));
    }
}

/// Hands deliveries to their handlers, side by side in a task of its own: a slow participant delays
/// no answer. What was delivered on a stream that is lost since is finished all the same, and
/// answered on the next.
pub(super) async fn deliver(shared: Arc<Shared>) {
    let queue = shared
        .attachments
        .queue
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    // Called once.
    let Some(mut queue) = queue else { return };
    let mut under_way = FuturesUnordered::<BoxFuture<'static, Option<FromClient>>>::new();
    loop {
        tokio::select! {
            delivery = queue.recv() => match delivery {
                Some(delivery) => under_way.extend(perform(&shared, delivery)),
                None => return,
            },
            Some(answer) = under_way.next() => {
                if let Some(answer) = answer {
                    shared.table.tell(answer);
                }
            }
        }
    }
}

/// Hands over one delivery; what it comes to is to be told, if anything.
pub(super) fn perform(
    shared: &Arc<Shared>,
    delivery: Delivery,
) -> Option<BoxFuture<'static, Option<FromClient>>> {
    let attachments = &shared.attachments;
    match delivery {
        Delivery::PhaseTwo(attachment, phase_two) => {
            let Some(handler) = attachments.handler(attachment) else {
                // Nobody will answer it: another instance is to have it.
                shared.table.detach(attachment);
                return None;
            };
            let (xid, alias) = (phase_two.xid.clone(), phase_two.alias);
            // A panic in a participant is an error of that branch alone.
            let performed = AssertUnwindSafe(async move { handler.phase_two(*phase_two).await });
            Some(Box::pin(async move {
                let result = performed.catch_unwind().await;
                let result = result.unwrap_or_else(|_| BranchResult::Retry {
                    error: "the participant panicked".into(),
                    after: None,
                });
                Some(FromClient::BranchAnswer {
                    attachment,
                    xid,
                    alias,
                    result,
                })
            }))
        }
        Delivery::Horizon(attachment, incarnation, horizon) => {
            let handler = attachments.handler(attachment)?;
            let counter = horizon.counter;
            let (presented, shared) = (attachments.presentation(attachment), Arc::clone(shared));
            let stored =
                AssertUnwindSafe(async move { handler.horizon(incarnation, horizon).await });
            Some(Box::pin(async move {
                let stored = stored.catch_unwind().await.unwrap_or(false);
                let ack = FromClient::HorizonAck {
                    attachment,
                    incarnation,
                    counter,
                };
                // What was presented since counts as acknowledged by it, and may not have been
                // cleaned (RM10).
                let again = shared.attachments.presentation(attachment);
                (stored && presented.is_some() && again == presented).then_some(ack)
            }))
        }
    }
}
