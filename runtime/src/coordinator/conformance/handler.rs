//! A participant whose every answer is given by the check.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot, watch};
use unanimous_protocol::message::{
    Attach, AttachRefused, AttachResource, Attached, BranchResult, Horizon, PhaseTwo,
};
use unanimous_protocol::{ActionName, Incarnation, Resource};

use super::super::{Attachment, Coordinator, PhaseTwoHandler};

/// A delivery that waits for the check's answer; dropped, it was lost.
pub(super) struct Delivery {
    pub(super) phase_two: PhaseTwo,
    answer: oneshot::Sender<Option<BranchResult>>,
}

impl Delivery {
    /// The participant panics over it.
    pub(super) fn panic(self) {
        let _ = self.answer.send(None);
    }

    pub(super) fn answer(self, result: BranchResult) {
        // The coordinator may have lost interest: an attachment that was dropped.
        let _ = self.answer.send(Some(result));
    }
}

/// The attached end of a check's participant.
pub(super) struct Participant {
    deliveries: mpsc::UnboundedReceiver<Delivery>,
    pub(super) attachment: Attachment,
}

struct Handler {
    resource: Resource,
    actions: BTreeSet<ActionName>,
    deliveries: mpsc::UnboundedSender<Delivery>,
    attached: watch::Sender<bool>,
    refused: Mutex<Option<AttachRefused>>,
}

impl Participant {
    /// Attaches, and waits until the coordinator says so.
    pub(super) async fn attach(
        coordinator: &dyn Coordinator,
        resource: &Resource,
        actions: &[&str],
    ) -> Self {
        let (sender, deliveries) = mpsc::unbounded_channel();
        let (attached, mut seen) = watch::channel(false);
        let actions = actions
            .iter()
            .filter_map(|action| action.parse().ok())
            .collect();
        let handler = Arc::new(Handler {
            resource: resource.clone(),
            actions,
            deliveries: sender,
            attached,
            refused: Mutex::default(),
        });
        let attachment = coordinator.attach(Arc::clone(&handler) as _);
        let seen = seen.wait_for(|attached| *attached).await.is_ok();
        let refused = handler
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        assert!(seen && refused.is_none(), "not attached: {refused:?}");
        Self {
            deliveries,
            attachment,
        }
    }

    /// The next delivery.
    pub(super) async fn next(&mut self) -> Delivery {
        let Some(delivery) = self.deliveries.recv().await else {
            unreachable!("the coordinator holds the handler while the attachment lives")
        };
        delivery
    }
}

impl PhaseTwoHandler for Handler {
    fn attach(&self) -> BoxFuture<'static, Attach> {
        let resource = AttachResource {
            resource: self.resource.clone(),
            actions: self.actions.clone(),
            horizons: Arc::default(),
        };
        Box::pin(std::future::ready(Attach {
            application: "conformance".to_owned(),
            principal: "anonymous".to_owned(),
            known_log: None,
            newest: None,
            resources: vec![resource],
        }))
    }

    fn attached(&self, _: Attached) {
        self.attached.send_replace(true);
    }

    fn refused(&self, why: AttachRefused) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        self.attached.send_replace(true);
    }

    fn detached(&self) {}

    fn phase_two(&self, phase_two: PhaseTwo) -> BoxFuture<'static, BranchResult> {
        let (answer, answered) = oneshot::channel();
        let sent = self.deliveries.send(Delivery { phase_two, answer });
        Box::pin(async move {
            match (sent, answered.await) {
                (Ok(()), Ok(Some(result))) => result,
                (Ok(()), Ok(None)) => panic!("the check asked for it"),
                // The check is over or lets the delivery fall: the branch waits.
                _ => BranchResult::Retry {
                    error: "the check is over".into(),
                    after: None,
                },
            }
        })
    }

    fn horizon(&self, _: Incarnation, _: Horizon) -> BoxFuture<'static, bool> {
        Box::pin(std::future::ready(true))
    }
}
