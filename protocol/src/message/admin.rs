use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::ParkReason;
use crate::ids::{ActionName, Alias, CallId, DatabaseId, Resource, TransactionName, Xid};
use crate::outcome::RollbackReason;
use crate::state::{BranchKind, BranchState, Decision, GlobalState};

/// What an operator, a console or a test asks of a coordinator (OP1 to OP5).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum AdminRequest {
    /// The transactions that are not finished, oldest first, and the last finished ones.
    List {
        /// Also those that finished.
        finished: bool,
        /// At most so many.
        limit: usize,
        /// Of those that are not finished, only those whose xid is above this one: the last of
        /// the page before.
        after: Option<Xid>,
    },
    /// One transaction with its branches.
    Show(Xid),
    /// Deliver the phase two of a parked or waiting branch now (OP2).
    Retry(Xid, CallId),
    /// Park a branch (OP2).
    GiveUp(Xid, CallId, Arc<str>),
    /// Roll an open transaction back (OP1).
    RollBack(Xid),
    /// The branch was resolved by hand: its row takes the decided state without user code (OP3).
    Resolve(Xid, CallId),
    /// The database is lost for ever (OP4).
    WriteOff(DatabaseId),
    /// Decide a foreign xid by hand after a restore (OP5).
    Decide(Xid, Decision),
    /// Whether every branch of a decided transaction has ended.
    Settled(Xid),
}

/// The answer to an [`AdminRequest`].
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum AdminAnswer {
    /// To `List`.
    Transactions(Vec<TransactionSummary>),
    /// To `Show`.
    Transaction(Box<TransactionDetail>),
    /// To `Settled`.
    Settled(bool),
    /// It was done; so many branches were touched.
    Done(usize),
    /// It was not done, and nothing changed.
    Refused(AdminRefusal),
}

/// Why an operator's request is refused.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AdminRefusal {
    /// No such transaction is known here.
    #[error("no record of this transaction")]
    NoSuchTransaction,
    /// No such branch belongs to the transaction.
    #[error("the transaction has no such branch")]
    NoSuchBranch,
    /// The request does not fit the state.
    #[error("not possible while the transaction is {state:?}: {hint}")]
    WrongState {
        /// The state found.
        state: GlobalState,
        /// What to do instead.
        hint: Cow<'static, str>,
    },
    /// The branch has already ended.
    #[error("the branch has already ended")]
    BranchEnded,
    /// The xid is decided by this coordinator; only foreign ones are decided by hand.
    #[error("only an xid that this coordinator calls foreign is decided by hand")]
    NotForeign,
    /// No start of this coordinator has issued the xid, so nobody has anything to decide about it.
    #[error("no start of this coordinator has issued this xid: nothing was begun under it")]
    NeverIssued,
}

/// One line of a list.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct TransactionSummary {
    /// The transaction.
    pub xid: Xid,
    /// Its name.
    pub name: TransactionName,
    /// Who began it: the application's name.
    pub application: String,
    /// Its state.
    pub state: GlobalState,
    /// Why it was rolled back, if it was.
    pub reason: Option<RollbackReason>,
    /// Its age since it began or, after a restart, since the start.
    pub age: Duration,
    /// How many branches joined.
    pub branches: usize,
    /// How many of them have not ended.
    pub waiting: usize,
    /// How many of these are parked.
    pub parked: usize,
    /// Why the first waiting branch waits, for people.
    pub why: Option<String>,
}

/// One transaction in full.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct TransactionDetail {
    /// The line of the list.
    pub summary: TransactionSummary,
    /// Its branches in the order they joined.
    pub branches: Vec<BranchDetail>,
}

/// One branch in full.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct BranchDetail {
    /// Its number.
    pub alias: Alias,
    /// Its call.
    pub call: CallId,
    /// Its resource.
    pub resource: Resource,
    /// Its action.
    pub action: ActionName,
    /// Its kind.
    pub kind: BranchKind,
    /// Its state.
    pub state: BranchState,
    /// What was decided about it: an abandoned branch of a committed transaction rolls back.
    pub decision: Option<Decision>,
    /// How often phase two was delivered by this start of the coordinator.
    pub attempts: u32,
    /// The last error of phase two.
    pub last_error: Option<Arc<str>>,
    /// Why it is parked, if it is.
    pub parked: Option<ParkReason>,
    /// Why it waits, for people: `no instance of account is attached`, `next attempt in 3 s`, ..
    pub why: Option<String>,
}
