use std::fmt;
use std::future::Future;
use std::sync::{Arc, Weak};

use tokio::sync::{Semaphore, mpsc};
use unanimous_protocol::message::{
    Attach, AttachRefused, Attached, Began, Begin, BeginRefused, BranchResult, Commit,
    DecisionAnswer, Horizon, InDoubtAnswer, InDoubtQuestion, JoinRefused, Joined, PhaseTwo,
    Register, Report, ReportAnswer,
};
use unanimous_protocol::{Alias, Incarnation, Resource, Xid};

use super::answer::{Answer, ServiceError};
use super::core::{Attachment, Core, Cut, release};
use crate::decide::{Event, Reply, SessionId};

/// One client process of a coordinator. Clones are one session; dropping the last one detaches.
///
/// Every request is handed over before its method returns: dropping the answer never takes it
/// back.
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
}

struct Shared {
    core: Arc<Core>,
    id: SessionId,
    application: Arc<str>,
    principal: Arc<str>,
}

/// What an attached session is asked to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Delivery {
    /// Perform phase two of a branch, and answer with [`Session::branch_result`].
    PhaseTwo(Box<PhaseTwo>),
    /// The durable horizon of an incarnation: clean up to it, store it as the local horizon (RM8),
    /// and answer with [`Session::horizon_acked`] for each resource.
    Horizon(Incarnation, Horizon),
}

/// The deliveries of one attachment. Dropping it detaches.
pub struct Deliveries {
    receiver: mpsc::Receiver<Delivery>,
    core: Weak<Core>,
    session: SessionId,
    number: u64,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("application", &self.shared.application)
            .field("principal", &self.shared.principal)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Deliveries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliveries")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn new(core: &Arc<Core>, application: &str, principal: &str) -> Self {
        let shared = Shared {
            id: core.new_session(),
            core: Arc::clone(core),
            application: application.into(),
            principal: principal.into(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The application's name.
    #[must_use]
    pub fn application(&self) -> &str {
        &self.shared.application
    }

    /// The authenticated client.
    #[must_use]
    pub fn principal(&self) -> &str {
        &self.shared.principal
    }

    /// Begins a transaction (TC3).
    pub fn begin(&self, begin: Begin) -> Answer<Result<Began, BeginRefused>> {
        let application = Arc::clone(&self.shared.application);
        self.shared.core.ask(
            |request| Event::Begin {
                request,
                application,
                begin,
            },
            |reply| match reply {
                Reply::Began(answer) => Some(answer),
                _ => None,
            },
        )
    }

    /// Lets a branch join (TC4).
    pub fn register(&self, register: Register) -> Answer<Result<Joined, JoinRefused>> {
        let session = self.shared.id;
        self.shared.core.ask(
            |request| Event::Register {
                request,
                session,
                register: Box::new(register),
            },
            |reply| match reply {
                Reply::Joined(joined) => Some(joined),
                _ => None,
            },
        )
    }

    /// Reports what phase one of an unfenced branch returned and kept; the first report stands.
    pub fn report(&self, report: Report) -> Answer<ReportAnswer> {
        self.shared.core.ask(
            |request| Event::Report { request, report },
            |reply| match reply {
                Reply::Reported(reported) => Some(reported),
                _ => None,
            },
        )
    }

    /// Asks for the commit, which is decided before this returns (TC5, TC6).
    pub fn commit(&self, commit: Commit) -> Answer<DecisionAnswer> {
        self.shared
            .core
            .ask(|request| Event::Commit { request, commit }, read_decision)
    }

    /// Asks for the rollback, which is decided before this returns.
    pub fn rollback(&self, xid: Xid) -> Answer<DecisionAnswer> {
        self.shared
            .core
            .ask(|request| Event::Rollback { request, xid }, read_decision)
    }

    /// Asks what was decided; decides nothing.
    pub fn outcome(&self, xid: Xid) -> Answer<DecisionAnswer> {
        self.shared
            .core
            .ask(|request| Event::Outcome { request, xid }, read_decision)
    }

    /// Asks about tried rows; one answer for each question, in order (RM6).
    pub fn in_doubt(&self, questions: Vec<InDoubtQuestion>) -> Answer<Vec<InDoubtAnswer>> {
        self.shared.core.ask(
            |request| Event::InDoubt { request, questions },
            |reply| match reply {
                Reply::InDoubt(answers) => Some(answers),
                _ => None,
            },
        )
    }

    /// Attaches resources: their phase two arrives as deliveries from then on (RM10). A second
    /// attachment of the session replaces the first, whose deliveries end.
    ///
    /// Handed over before this returns; dropping the future detaches.
    pub fn attach(
        &self,
        attach: Attach,
    ) -> impl Future<Output = Result<Result<(Attached, Deliveries), AttachRefused>, ServiceError>>
    + Send
    + use<> {
        self.attach_within(attach, Semaphore::MAX_PERMITS, None)
    }

    /// The same for a client that may read nothing: once more than `unread_max` deliveries wait to
    /// be taken, `cut` is called and the attachment is over.
    pub(crate) fn attach_within(
        &self,
        attach: Attach,
        unread_max: usize,
        cut: Option<Cut>,
    ) -> impl Future<Output = Result<Result<(Attached, Deliveries), AttachRefused>, ServiceError>>
    + Send
    + use<> {
        let deliveries = self.open_attachment(unread_max, cut);
        let session = self.shared.id;
        let answer = self.shared.core.ask(
            |request| Event::Attach {
                request,
                session,
                attach: Box::new(attach),
            },
            |reply| match reply {
                Reply::Attached(attached) => Some(attached),
                Reply::Replaced { newest } => Some(Err(AttachRefused::Replaced { newest })),
                _ => None,
            },
        );
        // A refused attachment is dropped with its deliveries, which detaches it.
        async move { Ok(answer.await?.map(|attached| (attached, deliveries))) }
    }

    fn open_attachment(&self, unread_max: usize, cut: Option<Cut>) -> Deliveries {
        let (sender, receiver) = mpsc::channel(unread_max);
        let mut inner = self.shared.core.lock();
        let number = inner.next_attachment();
        if !inner.has_ended() {
            let attachment = Attachment {
                number,
                application: Arc::clone(&self.shared.application),
                deliveries: sender,
                cut,
            };
            inner.attachments.insert(self.shared.id, attachment);
        }
        Deliveries {
            receiver,
            core: Arc::downgrade(&self.shared.core),
            session: self.shared.id,
            number,
        }
    }

    /// Tells what came of a phase two. `Ended` only after the local commit (RM5).
    pub fn branch_result(&self, xid: Xid, alias: Alias, result: BranchResult) {
        let session = self.shared.id;
        self.shared.core.happen(Event::Result {
            session,
            xid,
            alias,
            result,
        });
    }

    /// Tells that a resource has stored this horizon as its local one (RM8).
    pub fn horizon_acked(&self, resource: Resource, incarnation: Incarnation, counter: u64) {
        self.shared.core.happen(Event::HorizonAcked {
            resource,
            incarnation,
            counter,
        });
    }
}

fn read_decision(reply: Reply) -> Option<DecisionAnswer> {
    match reply {
        Reply::Decision(answer) => Some(answer),
        _ => None,
    }
}

impl Deliveries {
    /// The next delivery; `None` once the attachment was replaced, the coordinator has ended, or too
    /// many deliveries were not taken.
    ///
    /// Cancel safe: a delivery is never lost by dropping this future.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.receiver.recv().await
    }

    /// The next delivery if one is there.
    pub fn try_next(&mut self) -> Option<Delivery> {
        self.receiver.try_recv().ok()
    }
}

impl Drop for Deliveries {
    fn drop(&mut self) {
        if let Some(core) = self.core.upgrade() {
            detach(&core, self.session, Some(self.number));
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        detach(&self.core, self.id, None);
    }
}

/// Ends the attachment of a session, or only the one of this number.
fn detach(core: &Core, session: SessionId, number: Option<u64>) {
    let mut inner = core.lock();
    let current = inner.attachments.get(&session);
    let meant = current.is_some_and(|current| number.is_none_or(|number| number == current.number));
    if meant {
        inner.attachments.remove(&session);
        core.run(&mut inner, Event::Detached(session));
    }
    release(inner);
}
