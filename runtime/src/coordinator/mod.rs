//! How the runtime reaches a coordinator.
//!
//! One trait, [`Coordinator`], and its adapters: `embedded` (a function call away) and `grpc` (a
//! multiplexed stream to `unanimous serve`). Third parties implement the trait too; the public
//! conformance suite tells whether they keep the protocol.
//!
//! Letters and a number in brackets, such as (TC6), name a [rule](crate#rules).

#[cfg(feature = "testing")]
pub mod conformance;
#[cfg(feature = "embedded")]
mod embedded;
#[cfg(feature = "grpc")]
pub mod grpc;
#[cfg(feature = "listen")]
mod listen;
mod open;

pub use open::OpenError;
pub(crate) use open::{Host, open};

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use unanimous_protocol::message::{
    AdminAnswer, AdminRequest, Attach, AttachRefused, Attached, Began, Begin, BeginRefused,
    BranchResult, Commit, DecisionAnswer, Horizon, InDoubtAnswer, InDoubtQuestion, JoinRefused,
    Joined, PhaseTwo, Register, Report, ReportAnswer,
};
use unanimous_protocol::{Incarnation, Xid};

/// Why a coordinator did not answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CoordinatorError {
    /// It could not be reached, or the connection was lost before the answer.
    #[error("{coordinator} cannot be reached: {why}")]
    Unavailable {
        /// Which coordinator, as configured.
        coordinator: Arc<str>,
        /// What happened.
        why: Arc<str>,
    },
    /// It stopped answering because its store failed (E4).
    #[error("{coordinator} stopped serving: {why}")]
    Failed {
        /// Which coordinator, as configured.
        coordinator: Arc<str>,
        /// What failed.
        why: Arc<str>,
    },
    /// It spoke in a way that this version does not understand.
    #[error("{coordinator} answered in an unknown way: {why}")]
    Protocol {
        /// Which coordinator, as configured.
        coordinator: Arc<str>,
        /// What was not understood.
        why: Arc<str>,
    },
    /// Its log was replaced by an older copy (TC14).
    #[error("{coordinator} refuses service: {why}")]
    Refused {
        /// Which coordinator, as configured.
        coordinator: Arc<str>,
        /// Why.
        why: Arc<str>,
    },
}

/// The result of asking a coordinator.
pub type Answer<T> = BoxFuture<'static, Result<T, CoordinatorError>>;

/// A coordinator: decides outcomes and drives phase two (TC1 to TC14).
///
/// `commit` hands its request over before its first await, so that a dropped caller does not take
/// the request back. Dropping any other future may lose the request, and never halves it.
pub trait Coordinator: Send + Sync + fmt::Debug + 'static {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Its address, for people and error messages.
    fn address(&self) -> Arc<str>;

    /// Begins a transaction.
    fn begin(&self, begin: Begin) -> Answer<Result<Began, BeginRefused>>;

    /// Lets a branch join.
    fn register(&self, register: Register) -> Answer<Result<Joined, JoinRefused>>;

    /// Stores what phase one of an unfenced branch returned; the first report stands.
    fn report(&self, report: Report) -> Answer<ReportAnswer>;

    /// Asks for the commit; decides.
    fn commit(&self, commit: Commit) -> Answer<DecisionAnswer>;

    /// Asks for the rollback; decides.
    fn rollback(&self, xid: Xid) -> Answer<DecisionAnswer>;

    /// Asks for the outcome and decides nothing.
    fn outcome(&self, xid: Xid) -> Answer<DecisionAnswer>;

    /// Asks about tried rows; one answer per question, in their order (RM6).
    fn in_doubt(&self, questions: Vec<InDoubtQuestion>) -> Answer<Vec<InDoubtAnswer>>;

    /// An operator's request.
    fn admin(&self, request: AdminRequest) -> Answer<AdminAnswer>;

    /// Attaches resources; their phase two arrives at the handler until the attachment is
    /// dropped. Reconnects and re-attaches by itself; every (re-)attachment is announced to
    /// [`PhaseTwoHandler::attached`] before any delivery (R1).
    fn attach(&self, handler: Arc<dyn PhaseTwoHandler>) -> Attachment;

    /// Stops an embedded coordinator: drains, then rolls back what is open. Others only close
    /// their connection.
    fn stop(&self) -> BoxFuture<'static, ()>;
}

/// What a coordinator can do. What is missing is done on our side where that is sound, else
/// refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a list of independent abilities"
)]
pub struct Capabilities {
    /// Compares the branches that joined with those a commit names (TC6).
    pub compares_branches: bool,
    /// Answers participants in doubt (RM6).
    pub answers_in_doubt: bool,
    /// Keeps outcomes to be asked later.
    pub keeps_outcomes: bool,
    /// Announces a horizon below which fence rows may be cleaned (RM8).
    pub announces_horizon: bool,
    /// Refuses a call id that comes back with other contents (N4).
    pub checks_call_ids: bool,
    /// Its records survive the process.
    pub durable: bool,
}

impl Capabilities {
    /// Everything the protocol asks for.
    #[must_use]
    pub const fn full() -> Self {
        Self {
            compares_branches: true,
            answers_in_doubt: true,
            keeps_outcomes: true,
            announces_horizon: true,
            checks_call_ids: true,
            durable: true,
        }
    }

    /// The same, for a coordinator whose records are lost with its process.
    #[must_use]
    pub const fn volatile(mut self) -> Self {
        self.durable = false;
        self
    }
}

/// Receives what a coordinator sends to the participants of one process.
pub trait PhaseTwoHandler: Send + Sync + 'static {
    /// What to present at the next attachment: asked anew each time, since local horizons and the
    /// incarnations met grow (RM10).
    fn attach(&self) -> BoxFuture<'static, Attach>;

    /// Completes once more can be presented than [`attach`](Self::attach) did last, and it should
    /// be asked and presented again. Asked for after each attachment; dropping it is harmless. By
    /// default never.
    fn changed(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }

    /// The resources are attached, for the first time or again.
    fn attached(&self, attached: Attached);

    /// The coordinator refuses the attachment; it will be tried again.
    fn refused(&self, why: AttachRefused);

    /// The connection is lost; it will be tried again.
    fn detached(&self);

    /// Performs phase two of one branch. `Ended` only after the local commit (RM5).
    fn phase_two(&self, phase_two: PhaseTwo) -> BoxFuture<'static, BranchResult>;

    /// Cleans below the horizon; returns once the local horizon is stored (RM8). `false` when it
    /// could not be stored: nothing is acknowledged.
    fn horizon(&self, incarnation: Incarnation, horizon: Horizon) -> BoxFuture<'static, bool>;
}

/// An attachment of resources; dropping it detaches them.
pub struct Attachment {
    on_drop: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Attachment {
    /// An attachment that runs `on_drop` when it is dropped. It must neither block nor panic.
    #[must_use]
    pub fn new(on_drop: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self {
            on_drop: Some(Box::new(on_drop)),
        }
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        if let Some(on_drop) = self.on_drop.take() {
            on_drop();
        }
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment").finish_non_exhaustive()
    }
}
