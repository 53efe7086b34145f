//! The requests that have no answer yet, and what is to be sent.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use unanimous_protocol::wire::frame::{AttachmentId, FrameId};
use unanimous_protocol::wire::{FailureKind, FromClient, ServerAnswer, ServerRequest, v1};

use super::{Failure, Pending};

/// Counts the streams of one client.
pub(super) type Epoch = u64;

/// All requests of one client. Requests keep their order from stream to stream.
#[derive(Default)]
pub(super) struct Table {
    inner: Mutex<Inner>,
    /// Something was added that may have to be given up before anything else.
    pub(super) added: Notify,
}

#[derive(Default)]
struct Inner {
    next: FrameId,
    pending: BTreeMap<FrameId, Request>,
    outgoing: VecDeque<Outgoing>,
    /// The attachments that are being presented, by the frame that does.
    presented: BTreeMap<FrameId, Vec<AttachmentId>>,
    /// Who sends what is outgoing.
    sender: Option<Waker>,
    epoch: Epoch,
    /// Whether the coordinator has welcomed the stream of this epoch.
    welcomed: bool,
    /// Why there is no stream.
    away: Option<Failure>,
    /// When requests are given up next.
    look: Option<Duration>,
}

struct Request {
    body: ServerRequest,
    give_up: Duration,
    answer: oneshot::Sender<Result<ServerAnswer, Failure>>,
}

enum Outgoing {
    /// Encoded when it is sent: what is given up before costs nothing.
    Request(FrameId),
    Frame(FrameId, Box<FromClient>),
}

impl Table {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here panics half-way.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn submit(&self, request: ServerRequest, give_up: Duration) -> Pending {
        let (answer, pending) = oneshot::channel();
        let mut inner = self.lock();
        inner.next += 1;
        let id = inner.next;
        inner.pending.insert(
            id,
            Request {
                body: request,
                give_up,
                answer,
            },
        );
        if inner.welcomed {
            inner.send(Outgoing::Request(id));
        }
        // Seldom: what was added before is mostly given up before.
        if inner.look.is_none_or(|look| give_up < look) {
            inner.look = Some(give_up);
            drop(inner);
            self.added.notify_one();
        }
        pending
    }

    /// Sends a frame that is no request, if there is a stream; without one it would be told anew.
    pub(super) fn tell(&self, frame: FromClient) {
        let mut inner = self.lock();
        if inner.welcomed {
            inner.send(Outgoing::Frame(0, Box::new(frame)));
        }
    }

    /// Presents these attachments, if the stream is still this one.
    pub(super) fn attach(&self, epoch: Epoch, presented: Vec<AttachmentId>, frame: FromClient) {
        let mut inner = self.lock();
        if inner.welcomed && inner.epoch == epoch {
            inner.next += 1;
            let id = inner.next;
            inner.presented.insert(id, presented);
            inner.send(Outgoing::Frame(id, Box::new(frame)));
        }
    }

    /// The attachments that this frame presented, the first time that its answer comes.
    pub(super) fn presented(&self, id: FrameId) -> Option<Vec<AttachmentId>> {
        self.lock().presented.remove(&id)
    }

    pub(super) fn detach(&self, attachment: AttachmentId) {
        let mut inner = self.lock();
        if inner.welcomed {
            inner.send(Outgoing::Frame(attachment, Box::new(FromClient::Detach)));
        }
    }

    /// A stream is opened; its first frame is this one.
    pub(super) fn open(&self, hello: FromClient) -> Epoch {
        let mut inner = self.lock();
        inner.epoch += 1;
        inner.outgoing.clear();
        inner.presented.clear();
        inner
            .outgoing
            .push_back(Outgoing::Frame(0, Box::new(hello)));
        inner.wake();
        inner.epoch
    }

    /// The coordinator has welcomed the stream: whatever has no answer is sent, in order.
    pub(super) fn welcomed(&self) {
        let mut inner = self.lock();
        inner.welcomed = true;
        inner.away = None;
        inner.pending.retain(|_, request| request.is_wanted());
        let pending: Vec<_> = inner
            .pending
            .keys()
            .copied()
            .map(Outgoing::Request)
            .collect();
        inner.outgoing.extend(pending);
        inner.wake();
    }

    /// The stream is lost, or could not be opened. What a repeat cannot help is answered so.
    pub(super) fn lost(&self, failure: &Failure) {
        let mut inner = self.lock();
        inner.epoch += 1;
        inner.welcomed = false;
        inner.outgoing.clear();
        inner.wake();
        if failure.kind != FailureKind::Unavailable {
            for (_, request) in std::mem::take(&mut inner.pending) {
                request.fail(failure.clone());
            }
        }
        inner.away = Some(failure.clone());
        drop(inner);
        self.added.notify_one();
    }

    /// The answer to a request came. One that nobody waits for is ignored.
    pub(super) fn answered(&self, id: FrameId, answer: Result<ServerAnswer, Failure>) {
        let request = self.lock().pending.remove(&id);
        if let Some(request) = request {
            // Its caller may have given up.
            let _ = request.answer.send(answer);
        }
    }

    /// Why there is no stream, for people.
    pub(super) fn why_away(&self) -> String {
        let away = self
            .lock()
            .away
            .as_ref()
            .map(|failure| failure.why.to_string());
        away.unwrap_or_else(|| "it does not answer".to_owned())
    }

    /// Gives up what has waited long enough, for a stream or for an answer on the one that is there;
    /// tells when to look again. None: when something is added.
    pub(super) fn expire(&self, now: Duration) -> Option<Duration> {
        let mut inner = self.lock();
        let why = if inner.welcomed {
            "it does not answer"
        } else {
            "no connection was made yet"
        };
        let failure = inner.away.clone();
        let failure = failure.unwrap_or_else(|| Failure::unavailable(why));
        let over = inner.pending.extract_if(.., |_, request| {
            request.give_up <= now || !request.is_wanted()
        });
        for (_, request) in over {
            request.fail(failure.clone());
        }
        inner.look = inner.pending.values().map(|request| request.give_up).min();
        inner.look
    }

    /// How many requests have no answer.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().pending.len()
    }

    /// The next frame of the stream of this epoch; none once there is another.
    pub(super) fn poll_outgoing(
        &self,
        epoch: Epoch,
        cx: &mut Context<'_>,
    ) -> Poll<Option<v1::ClientFrame>> {
        let mut inner = self.lock();
        loop {
            if inner.epoch != epoch {
                return Poll::Ready(None);
            }
            let frame = match inner.outgoing.pop_front() {
                Some(Outgoing::Frame(id, frame)) => Some(frame.to_frame(id)),
                Some(Outgoing::Request(id)) => inner.frame(id),
                None => {
                    inner.sender = Some(cx.waker().clone());
                    return Poll::Pending;
                }
            };
            if frame.is_some() {
                return Poll::Ready(frame);
            }
        }
    }
}

impl Inner {
    fn send(&mut self, outgoing: Outgoing) {
        self.outgoing.push_back(outgoing);
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(sender) = self.sender.take() {
            sender.wake();
        }
    }

    /// A request as it is sent; none if it was given up meanwhile.
    fn frame(&mut self, id: FrameId) -> Option<v1::ClientFrame> {
        let request = self.pending.get(&id)?;
        if request.is_wanted() {
            return Some(request.body.to_frame(id));
        }
        self.pending.remove(&id);
        None
    }
}

impl Request {
    /// Whether it is still to be sent: nobody takes a commit back, anything else its caller does.
    fn is_wanted(&self) -> bool {
        matches!(self.body, ServerRequest::Commit(_)) || !self.answer.is_closed()
    }

    fn fail(self, failure: Failure) {
        let _: Result<_, _> = self.answer.send(Err(failure));
    }
}

/// The table as whoever sends a stream's frames sees it.
pub(super) type SharedTable = Arc<super::Shared>;
