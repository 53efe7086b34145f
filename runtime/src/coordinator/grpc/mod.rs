//! The coordinator in another process: `unanimous serve`, or one that is embedded there and
//! listens.
//!
//! ```text
//!  callers ── request ──► table ══ one stream ══► coordinator
//!     ▲                    │ ▲                        │
//!     └───── answer ───────┘ └──── answers ───────────┤
//!  handlers ◄────────────── deliveries ◄──────────────┘
//! ```
//!
//! One task owns the connection: it connects, attaches all resources before anything is delivered,
//! reads, and connects again with back-off when the stream is lost, resolving the address anew each
//! time. Requests wait in one table until they are answered; what had no answer when a stream was
//! lost is sent again on the next one. All of them may be repeated: a decision is one
//! compare-and-set, a registration is known by its call id, the first report stands, a question
//! changes nothing, and a begin whose answer was lost leaves an empty transaction that times out.

mod attachments;
mod connection;
mod outgoing;
mod resolve;
mod table;

#[cfg(test)]
mod tests;

/// The generated client.
#[allow(
    missing_debug_implementations,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    dead_code,
    clippy::all,
    clippy::pedantic,
    reason = "generated"
)]
mod generated {
    include!("generated/unanimous.v1.rs");
}

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::AbortHandle;
use tonic::Code;
use unanimous_protocol::message::{
    AdminAnswer, AdminRequest, Began, Begin, BeginRefused, Commit, DecisionAnswer, InDoubtAnswer,
    InDoubtQuestion, JoinRefused, Joined, Register, Report, ReportAnswer,
};
use unanimous_protocol::wire::{FailureKind, ServerAnswer, ServerRequest};
use unanimous_protocol::{Xid, limits};

use self::attachments::Attachments;
use self::connection::{Connection, Link};
use self::table::Table;
use super::{
    Answer, Attachment, Capabilities, Coordinator, CoordinatorError, OpenError, PhaseTwoHandler,
};
use crate::backoff::Entropy;
use crate::clock::{Clock, SystemClock};

pub use self::resolve::{Dns, Resolve};

/// How long a request waits for a coordinator that is away or silent, unless its caller gives up
/// first.
const PATIENCE: Duration = limits::TIMEOUT;

/// A coordinator in another process, reached by one stream.
///
/// `Runtime::builder().coordinator("unanimous://127.0.0.1:7070")` makes one; by hand it is made
/// where the resolver or the clock are to be others.
pub struct GrpcCoordinator {
    shared: Arc<Shared>,
    tasks: Vec<AbortHandle>,
}

/// Describes a [`GrpcCoordinator`].
pub struct GrpcBuilder {
    address: Arc<str>,
    application: Arc<str>,
    resolver: Arc<dyn Resolve>,
    clock: Arc<dyn Clock>,
    patience: Duration,
}

/// What callers, the connection and its deliveries share.
struct Shared {
    address: Arc<str>,
    application: Arc<str>,
    clock: Arc<dyn Clock>,
    patience: Duration,
    table: Table,
    attachments: Attachments,
    link: Link,
    /// Requests under way, so that a coordinator that is away is not waited for without bound.
    room: Arc<Semaphore>,
}

/// Opens the coordinator at this address, which may be away for now.
pub(crate) fn open(
    host: &str,
    port: u16,
    application: &Arc<str>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Coordinator>, OpenError> {
    let dns = Dns::new(host, port).map_err(OpenError::Address)?;
    let address = format!("unanimous://{host}:{port}");
    let builder = GrpcCoordinator::builder(&address, Arc::new(dns));
    let builder = builder.application(application).clock(Arc::clone(clock));
    Ok(Arc::new(builder.open()))
}

impl GrpcCoordinator {
    /// Starts to describe a coordinator: `address` is its name for people, `resolver` tells at each
    /// connection where it is.
    #[must_use]
    pub fn builder(address: &str, resolver: Arc<dyn Resolve>) -> GrpcBuilder {
        GrpcBuilder {
            address: address.into(),
            application: "unnamed".into(),
            resolver,
            clock: Arc::new(SystemClock::new()),
            patience: PATIENCE,
        }
    }

    /// Sends a request once there is room for it.
    fn ask<T: Send + 'static>(
        &self,
        request: ServerRequest,
        patience: Duration,
        read: fn(ServerAnswer) -> Option<T>,
    ) -> Answer<T> {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            // The semaphore is never closed.
            let _room = shared.room.acquire().await;
            let answer = shared.submit(request, patience);
            shared.read(answer, read).await
        })
    }

    fn ask_usual<T: Send + 'static>(
        &self,
        request: ServerRequest,
        read: fn(ServerAnswer) -> Option<T>,
    ) -> Answer<T> {
        self.ask(request, self.shared.patience, read)
    }
}

impl GrpcBuilder {
    /// The name of this process for people.
    #[must_use]
    pub fn application(mut self, application: &str) -> Self {
        self.application = application.into();
        self
    }

    /// The clock by which requests are given up and connections tried again.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// How long a request waits for a coordinator that is away, or that is there and does not
    /// answer, before it answers [`CoordinatorError::Unavailable`]. Default: one minute; a begin
    /// never waits longer than its transaction's timeout.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts to connect, in the background, within the current tokio runtime.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the connection belongs to no caller's transaction"
    )]
    pub fn open(self) -> GrpcCoordinator {
        let shared = Arc::new(Shared {
            address: self.address,
            application: self.application,
            clock: self.clock,
            patience: self.patience,
            table: Table::default(),
            attachments: Attachments::default(),
            link: Link::default(),
            room: Arc::new(Semaphore::new(limits::STREAM_QUEUE_MAX)),
        });
        let connection = Connection::new(Arc::clone(&shared), self.resolver, Entropy::system());
        let connecting = tokio::spawn(connection.run()).abort_handle();
        let delivering = tokio::spawn(attachments::deliver(Arc::clone(&shared))).abort_handle();
        GrpcCoordinator {
            shared,
            tasks: vec![connecting, delivering],
        }
    }
}

impl Shared {
    /// Puts a request into the table, to be sent now or on the next stream.
    fn submit(&self, request: ServerRequest, patience: Duration) -> Pending {
        let give_up = self.clock.now().saturating_add(patience);
        self.table.submit(request, give_up)
    }

    async fn read<T>(
        &self,
        pending: Pending,
        read: fn(ServerAnswer) -> Option<T>,
    ) -> Result<T, CoordinatorError> {
        match pending.await {
            Ok(Ok(answer)) => read(answer).ok_or_else(|| CoordinatorError::Protocol {
                coordinator: Arc::clone(&self.address),
                why: "it answered another question".into(),
            }),
            Ok(Err(failure)) => Err(self.error(failure)),
            // The connection's task has ended with its runtime.
            Err(_) => Err(self.error(Failure::unavailable("the connection was closed"))),
        }
    }

    fn error(&self, failure: Failure) -> CoordinatorError {
        let coordinator = Arc::clone(&self.address);
        let Failure { kind, why } = failure;
        match kind {
            FailureKind::Failed => CoordinatorError::Failed { coordinator, why },
            FailureKind::Protocol => CoordinatorError::Protocol { coordinator, why },
            FailureKind::Refused => CoordinatorError::Refused { coordinator, why },
            FailureKind::Unavailable => CoordinatorError::Unavailable { coordinator, why },
        }
    }
}

/// Where the answer to a request arrives.
type Pending = oneshot::Receiver<Result<ServerAnswer, Failure>>;

/// Why a request has no answer.
#[derive(Clone, Debug)]
struct Failure {
    kind: FailureKind,
    why: Arc<str>,
}

impl Failure {
    fn unavailable(why: impl Into<Arc<str>>) -> Self {
        Self {
            kind: FailureKind::Unavailable,
            why: why.into(),
        }
    }
}

fn read_decision(answer: ServerAnswer) -> Option<DecisionAnswer> {
    match answer {
        ServerAnswer::Decision(answer) => Some(answer),
        _ => None,
    }
}

impl Coordinator for GrpcCoordinator {
    fn capabilities(&self) -> Capabilities {
        Capabilities::full()
    }

    fn address(&self) -> Arc<str> {
        Arc::clone(&self.shared.address)
    }

    fn begin(&self, begin: Begin) -> Answer<Result<Began, BeginRefused>> {
        let patience = self.shared.patience.min(begin.timeout);
        self.ask(
            ServerRequest::Begin(begin),
            patience,
            |answer| match answer {
                ServerAnswer::Begin(answer) => Some(answer),
                _ => None,
            },
        )
    }

    fn register(&self, register: Register) -> Answer<Result<Joined, JoinRefused>> {
        self.ask_usual(ServerRequest::Register(register), |answer| match answer {
            ServerAnswer::Register(answer) => Some(answer),
            _ => None,
        })
    }

    fn report(&self, report: Report) -> Answer<ReportAnswer> {
        self.ask_usual(ServerRequest::Report(report), |answer| match answer {
            ServerAnswer::Report(answer) => Some(answer),
            _ => None,
        })
    }

    fn commit(&self, commit: Commit) -> Answer<DecisionAnswer> {
        // Handed over before the first await, and without waiting for room: a dropped caller does
        // not take a commit back, and a transaction that may commit is never stuck behind others.
        let pending = self
            .shared
            .submit(ServerRequest::Commit(commit), self.shared.patience);
        let shared = Arc::clone(&self.shared);
        Box::pin(async move { shared.read(pending, read_decision).await })
    }

    fn rollback(&self, xid: Xid) -> Answer<DecisionAnswer> {
        self.ask_usual(ServerRequest::Rollback(xid), read_decision)
    }

    fn outcome(&self, xid: Xid) -> Answer<DecisionAnswer> {
        self.ask_usual(ServerRequest::Outcome(xid), read_decision)
    }

    fn in_doubt(&self, questions: Vec<InDoubtQuestion>) -> Answer<Vec<InDoubtAnswer>> {
        self.ask_usual(ServerRequest::InDoubt(questions), |answer| match answer {
            ServerAnswer::InDoubt(answers) => Some(answers),
            _ => None,
        })
    }

    fn admin(&self, request: AdminRequest) -> Answer<AdminAnswer> {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            let answer = async {
                let mut client = shared.link.client().await;
                client
                    .admin(unanimous_protocol::wire::v1::AdminRequest::from(&request))
                    .await
            };
            let answer = tokio::select! {
                biased;
                answer = answer => answer,
                () = shared.clock.sleep(shared.patience) => Err(tonic::Status::unavailable(
                    shared.table.why_away(),
                )),
            };
            let answer = answer.map_err(|status| shared.error(admin_failure(&status)))?;
            AdminAnswer::try_from(answer.into_inner()).map_err(|error| {
                let why = error.to_string().into();
                shared.error(Failure {
                    kind: FailureKind::Protocol,
                    why,
                })
            })
        })
    }

    fn attach(&self, handler: Arc<dyn PhaseTwoHandler>) -> Attachment {
        let id = self.shared.attachments.add(handler);
        let shared = Arc::downgrade(&self.shared);
        Attachment::new(move || {
            if let Some(shared) = shared.upgrade() {
                shared.attachments.remove(id);
                shared.table.detach(id);
            }
        })
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        // The coordinator belongs to others as well; the connection ends with this value.
        Box::pin(std::future::ready(()))
    }
}

fn admin_failure(status: &tonic::Status) -> Failure {
    let kind = match status.code() {
        Code::InvalidArgument | Code::Unimplemented | Code::OutOfRange => FailureKind::Protocol,
        Code::Internal => FailureKind::Failed,
        Code::FailedPrecondition => FailureKind::Refused,
        _ => FailureKind::Unavailable,
    };
    Failure {
        kind,
        why: status.message().into(),
    }
}

impl Drop for GrpcCoordinator {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl fmt::Debug for GrpcCoordinator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcCoordinator")
            .field("address", &self.shared.address)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for GrpcBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcBuilder")
            .field("address", &self.address)
            .field("resolver", &self.resolver)
            .finish_non_exhaustive()
    }
}
