//! One client process: its frames in, answers and deliveries out.
//!
//! The stream of what is sent is polled by whoever writes the response, and each poll also takes
//! what has come in. So nothing is queued without bound: frames are taken only while there is room
//! for their answers, and a client that leaves too many deliveries unread loses its connection.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::{BoxFuture, FutureExt as _, join_all};
use futures_util::stream::{FuturesUnordered, Stream, StreamExt as _};
use tokio::sync::watch;
use tonic::Status;
use unanimous_protocol::message::{Attach, AttachRefused};
use unanimous_protocol::wire::frame::{AttachmentId, FrameId};
use unanimous_protocol::wire::{
    self, FailureKind, FromClient, FromServer, ServerAnswer, ServerRequest, v1,
};
use unanimous_protocol::{Resource, limits, message};

use super::service::kind;
use super::wire::Knife;
use crate::Coordinator;
use crate::drive::{Answer, Cut, Deliveries, Delivery, ServiceError, Session};

/// What nobody authenticated is called.
const ANONYMOUS: &str = "anonymous";

/// The frames that one client is sent.
pub(super) struct ClientStream<S> {
    coordinator: Coordinator,
    incoming: S,
    /// Closes the connection of a client that reads nothing.
    knife: Knife,
    /// None before `Hello`.
    session: Option<Session>,
    attachments: BTreeMap<AttachmentId, Attachment>,
    /// How many more come once their answers are there.
    attaching: usize,
    /// Requests whose answer is not there yet.
    waiting: FuturesUnordered<BoxFuture<'static, Done>>,
    outbox: VecDeque<v1::ServerFrame>,
    /// Completes when the server closes.
    closing: BoxFuture<'static, ()>,
    ended: bool,
}

/// The attached resources of one runtime in the client process.
struct Attachment {
    /// Deliveries are answered to the session they were made to.
    session: Session,
    deliveries: Deliveries,
    resources: Vec<Resource>,
}

/// What a waiting request has come to.
enum Done {
    Answered(FrameId, Result<ServerAnswer, ServiceError>),
    Attached(FrameId, Vec<(AttachmentId, Verdict)>),
}

type Verdict = Result<Result<(message::Attached, Attachment), AttachRefused>, ServiceError>;

impl<S> fmt::Debug for ClientStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientStream")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

impl<S> ClientStream<S> {
    pub(super) fn new(
        coordinator: Coordinator,
        mut closing: watch::Receiver<bool>,
        knife: Knife,
        incoming: S,
    ) -> Self {
        Self {
            coordinator,
            incoming,
            knife,
            session: None,
            attachments: BTreeMap::new(),
            attaching: 0,
            waiting: FuturesUnordered::new(),
            outbox: VecDeque::new(),
            // A server that is gone has closed as well.
            closing: Box::pin(async move { drop(closing.wait_for(|closing| *closing).await) }),
            ended: false,
        }
    }

    /// Takes one frame of the client.
    fn take(&mut self, frame: v1::ClientFrame) {
        let id = frame.id;
        let frame = match FromClient::of_frame(frame) {
            Ok(frame) => frame,
            Err(error) => {
                tracing::warn!(%error, id, "a client sent a malformed frame; nothing was done");
                return self.refuse(id, &error.to_string());
            }
        };
        if let FromClient::Hello {
            version,
            application,
        } = frame
        {
            return self.hello(version, &application);
        }
        let Some(session) = self.session.clone() else {
            return self.end(FailureKind::Protocol, "the first frame is not `hello`");
        };
        match frame {
            // Told above.
            FromClient::Hello { .. } => {}
            FromClient::Request(request) => self.request(&session, id, request),
            FromClient::Attach(attachments) => self.attach(&session, id, attachments),
            FromClient::Detach => drop(self.attachments.remove(&id)),
            FromClient::BranchAnswer {
                attachment,
                xid,
                alias,
                result,
            } => {
                // The delivery may have been made on an earlier stream.
                let attachment = self.attachments.get(&attachment);
                let session = attachment.map_or(&session, |attachment| &attachment.session);
                session.branch_result(xid, alias, result);
            }
            FromClient::HorizonAck {
                attachment,
                incarnation,
                counter,
            } => {
                for resource in self
                    .attachments
                    .get(&attachment)
                    .iter()
                    .flat_map(|a| &a.resources)
                {
                    session.horizon_acked(resource.clone(), incarnation, counter);
                }
            }
        }
    }

    fn hello(&mut self, version: u32, application: &str) {
        if self.session.is_some() {
            return self.end(FailureKind::Protocol, "`hello` was sent twice");
        }
        if version == 0 || version > wire::VERSION {
            let why = format!(
                "the client speaks version {version} of the protocol, this coordinator version {}; \
                 upgrade the coordinator first",
                wire::VERSION
            );
            return self.end(FailureKind::Protocol, &why);
        }
        tracing::debug!(application, "a client connected");
        self.session = Some(self.coordinator.session(application, ANONYMOUS));
        // All versions up to this one are spoken: the client's it is.
        let welcome = FromServer::Welcome { version };
        self.outbox.push_back(welcome.to_frame(0));
    }

    fn request(&mut self, session: &Session, id: FrameId, request: ServerRequest) {
        match request {
            ServerRequest::Begin(begin) => self.ask(id, session.begin(begin), ServerAnswer::Begin),
            ServerRequest::Register(register) => {
                // Phase two goes by preference where phase one runs, and it goes to attachments.
                let mut attachments = self.attachments.values();
                let home = attachments.find(|one| one.resources.contains(&register.resource));
                let home = home.map_or(session, |attachment| &attachment.session);
                self.ask(id, home.register(register), ServerAnswer::Register);
            }
            ServerRequest::Report(report) => {
                self.ask(id, session.report(report), ServerAnswer::Report);
            }
            ServerRequest::Commit(commit) => {
                self.ask(id, session.commit(commit), ServerAnswer::Decision);
            }
            ServerRequest::Rollback(xid) => {
                self.ask(id, session.rollback(xid), ServerAnswer::Decision);
            }
            ServerRequest::Outcome(xid) => {
                self.ask(id, session.outcome(xid), ServerAnswer::Decision);
            }
            ServerRequest::InDoubt(questions) => {
                self.ask(id, session.in_doubt(questions), ServerAnswer::InDoubt);
            }
        }
    }

    /// Sends an answer that is there, or waits for it.
    fn ask<T: Send + 'static>(
        &mut self,
        id: FrameId,
        mut answer: Answer<T>,
        wrap: fn(T) -> ServerAnswer,
    ) {
        match (&mut answer).now_or_never() {
            Some(told) => self.told(id, told.map(wrap)),
            None => self.waiting.push(Box::pin(async move {
                Done::Answered(id, answer.await.map(wrap))
            })),
        }
    }

    fn told(&mut self, id: FrameId, told: Result<ServerAnswer, ServiceError>) {
        match told {
            Ok(answer) => self
                .outbox
                .push_back(FromServer::Answer(answer).to_frame(id)),
            Err(error) => self.failed(id, &error),
        }
    }

    /// The coordinator does not answer. One that has stopped never will: the client asks again on
    /// its next stream.
    fn failed(&mut self, id: FrameId, error: &ServiceError) {
        let (kind, why) = (kind(error), error.to_string());
        if kind == FailureKind::Unavailable {
            return self.end(kind, &why);
        }
        let failure = FromServer::Failure {
            kind,
            why: why.into(),
        };
        self.outbox.push_back(failure.to_frame(id));
    }

    /// Attaches all or tells for each why not; nothing is delivered before all are answered (R1).
    fn attach(&mut self, session: &Session, id: FrameId, attachments: Vec<(AttachmentId, Attach)>) {
        let others = self.attachments.keys();
        let others = others.filter(|other| attachments.iter().all(|(one, _)| one != *other));
        if others.count() + self.attaching + attachments.len() > limits::RESOURCES_MAX {
            let max = limits::RESOURCES_MAX;
            return self.refuse(id, &format!("a stream has at most {max} attachments"));
        }
        self.attaching += attachments.len();
        let attaching = attachments.into_iter().map(|(attachment, attach)| {
            // Of its own: a session has one attachment.
            let session = self.coordinator.session(session.application(), ANONYMOUS);
            let resources = attach
                .resources
                .iter()
                .map(|attached| attached.resource.clone());
            let resources: Vec<_> = resources.collect();
            let knife = self.knife.clone();
            let cut: Cut = Arc::new(move || knife.cut());
            let attached = session.attach_within(attach, unread_max(resources.len()), Some(cut));
            async move {
                let verdict = attached.await.map(|verdict| {
                    verdict.map(|(attached, deliveries)| {
                        (
                            attached,
                            Attachment {
                                session,
                                deliveries,
                                resources,
                            },
                        )
                    })
                });
                (attachment, verdict)
            }
        });
        let attaching = join_all(attaching.collect::<Vec<_>>());
        self.waiting
            .push(Box::pin(async move { Done::Attached(id, attaching.await) }));
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Answered(id, told) => self.told(id, told),
            Done::Attached(id, verdicts) => self.attached(id, verdicts),
        }
    }

    fn attached(&mut self, id: FrameId, verdicts: Vec<(AttachmentId, Verdict)>) {
        self.attaching -= verdicts.len();
        let mut told = Vec::with_capacity(verdicts.len());
        for (attachment, verdict) in verdicts {
            match verdict {
                Ok(Ok((attached, made))) => {
                    self.attachments.insert(attachment, made);
                    told.push((attachment, Ok(attached)));
                }
                Ok(Err(refused)) => told.push((attachment, Err(refused))),
                Err(error) => return self.failed(id, &error),
            }
        }
        let frame = FromServer::Attached(told);
        if frame.frame_bytes() <= limits::FRAME_BYTES_MAX {
            return self.outbox.push_back(frame.to_frame(id));
        }
        // Each verdict fits: it tells a bounded list of incarnations.
        if let FromServer::Attached(told) = frame {
            let each = told.into_iter().map(|one| FromServer::Attached(vec![one]));
            self.outbox.extend(each.map(|frame| frame.to_frame(id)));
        }
    }

    /// Nothing of a frame was done.
    fn refuse(&mut self, id: FrameId, why: &str) {
        if id == 0 {
            return self.end(FailureKind::Protocol, why);
        }
        let refused = FromServer::Failure {
            kind: FailureKind::Protocol,
            why: why.into(),
        };
        self.outbox.push_back(refused.to_frame(id));
    }

    /// Tells why, and ends the stream after what is said already.
    fn end(&mut self, kind: FailureKind, why: &str) {
        tracing::debug!(why, "a client's stream ends");
        let failure = FromServer::Failure {
            kind,
            why: why.into(),
        };
        self.outbox.push_back(failure.to_frame(0));
        self.ended = true;
        self.attachments.clear();
    }

    /// Takes one delivery of each attachment; tells whether there was one.
    fn poll_deliveries(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        let mut over = false;
        for (id, attachment) in &mut self.attachments {
            let polled = pin!(attachment.deliveries.next()).poll(cx);
            let Poll::Ready(delivery) = polled else {
                continue;
            };
            progress = true;
            let Some(delivery) = delivery else {
                over = true;
                continue;
            };
            let delivery = match delivery {
                Delivery::PhaseTwo(phase_two) => FromServer::PhaseTwo(*id, *phase_two),
                Delivery::Horizon(incarnation, horizon) => {
                    FromServer::Horizon(*id, incarnation, horizon)
                }
            };
            self.outbox.push_back(delivery.to_frame(0));
        }
        if over {
            let why = "the coordinator has ended, or too much that it sent was not read";
            self.end(FailureKind::Unavailable, why);
        }
        progress
    }
}

/// How many deliveries may wait to be read: all that may be under way at once for these resources
/// (an attachment makes them due together), and a queue of announcements and repeats.
fn unread_max(resources: usize) -> usize {
    limits::STREAM_QUEUE_MAX + limits::DELIVERIES_MAX * resources
}

impl<S> ClientStream<S>
where
    S: Stream<Item = Result<v1::ClientFrame, Status>> + Unpin,
{
    /// Takes one frame if there is room for its answer; tells whether there was one.
    fn poll_incoming(&mut self, cx: &mut Context<'_>) -> bool {
        if self.waiting.len() >= limits::STREAM_QUEUE_MAX {
            return false;
        }
        match self.incoming.poll_next_unpin(cx) {
            Poll::Pending => return false,
            Poll::Ready(Some(Ok(frame))) => self.take(frame),
            // Too large a frame, bytes that are no frame, or a lost connection.
            Poll::Ready(Some(Err(status))) => {
                self.end(FailureKind::Protocol, status.message());
            }
            Poll::Ready(None) => {
                self.ended = true;
                self.attachments.clear();
            }
        }
        true
    }
}

impl<S> Stream for ClientStream<S>
where
    S: Stream<Item = Result<v1::ClientFrame, Status>> + Unpin,
{
    type Item = Result<v1::ServerFrame, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(frame) = this.outbox.pop_front() {
                return Poll::Ready(Some(Ok(frame)));
            }
            if this.ended {
                return Poll::Ready(None);
            }
            let mut progress = this.poll_incoming(cx);
            if let Poll::Ready(Some(done)) = this.waiting.poll_next_unpin(cx) {
                this.done(done);
                progress = true;
            }
            progress |= !this.ended && this.poll_deliveries(cx);
            if progress {
                continue;
            }
            if this.closing.poll_unpin(cx).is_pending() {
                return Poll::Pending;
            }
            this.end(FailureKind::Unavailable, "the coordinator has stopped");
        }
    }
}
