use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;
use unanimous_protocol::Incarnation;

use crate::decide::Reply;
use crate::store::StoreError;

/// Why a coordinator answers nothing any more. What was asked may or may not have been decided:
/// the outcome is unknown until it is asked again after a restart.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// A write or sync of the log failed (E4).
    #[error("the coordinator has stopped serving, restart it: {0}")]
    StoreFailed(StoreError),
    /// A client has met a later incarnation of this very log (TC14).
    #[error(
        "this log was replaced by an older copy: a client has met incarnation {newest}; start the coordinator with `restored` if this is a restored backup, otherwise bring the newer file back"
    )]
    Replaced {
        /// The incarnation that this log lacks.
        newest: Incarnation,
    },
    /// The coordinator was stopped.
    #[error("the coordinator has stopped")]
    Stopped,
    /// The coordinator itself is at fault.
    #[error("the coordinator failed inside, please report this as a bug: {0}")]
    Bug(&'static str),
}

/// What the driver was told in reply to one request.
pub(super) type Told = Result<Reply, ServiceError>;

/// The answer to a request that was handed over already. Dropping it does not take the request
/// back.
#[must_use = "the answer is lost, though the request is not"]
pub struct Answer<T> {
    state: Waiting,
    read: fn(Reply) -> Option<T>,
}

/// A reply that is there, or will be.
pub(super) enum Waiting {
    There(Option<Told>),
    Later(oneshot::Receiver<Told>),
}

impl<T> Answer<T> {
    pub(super) fn new(state: Waiting, read: fn(Reply) -> Option<T>) -> Self {
        Self { state, read }
    }
}

impl<T> Future for Answer<T> {
    type Output = Result<T, ServiceError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let told = match &mut self.state {
            Waiting::There(told) => told.take(),
            Waiting::Later(receiver) => match Pin::new(receiver).poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(told) => told.ok(),
            },
        };
        // A sender is dropped unsent only when the whole coordinator is.
        let told = told.unwrap_or(Err(ServiceError::Stopped));
        Poll::Ready(told.and_then(|reply| match reply {
            Reply::Replaced { newest } => Err(ServiceError::Replaced { newest }),
            reply => (self.read)(reply).ok_or(ServiceError::Bug("a reply of another kind")),
        }))
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}
