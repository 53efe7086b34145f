//! What transactional code meets when the transaction itself fails.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use unanimous_protocol::{CallId, RollbackReason, UnknownWhy, Xid};

use crate::coordinator::CoordinatorError;

/// A failure of the transaction itself, as opposed to the user's own errors.
///
/// A transactional function returns it through `E: From<unanimous::Error>` or `map_err`. Use
/// [`Error::find_in`] to find it again inside an error of your own.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A call failed and was not tolerated, so the transaction can only roll back.
    #[error(
        "the transaction {xid} can only roll back: {call} {cause}; wrap that call in `tolerate` if the transaction may commit without it"
    )]
    RollbackOnly {
        /// The transaction.
        xid: Xid,
        /// The call that failed.
        call: CallId,
        /// How it failed.
        cause: CallFailure,
        /// The error that came with it, where one is known.
        error: Option<Arc<str>>,
    },
    /// The transaction was rolled back although the body asked for commit.
    #[error("the transaction {xid} was rolled back: {reason}")]
    RolledBack {
        /// The transaction.
        xid: Xid,
        /// Why.
        reason: RollbackReason,
    },
    /// The outcome is not known; ask for it later with [`Runtime::outcome`](crate::Runtime::outcome)
    /// or settle it with [`Runtime::resolve`](crate::Runtime::resolve).
    #[error("the outcome of the transaction {xid} is unknown: {why}")]
    Unknown {
        /// The transaction to ask about.
        xid: Xid,
        /// Why.
        why: UnknownWhy,
    },
    /// The deadline passed; the body was dropped and rollback was asked.
    #[error("the transaction {xid} ran out of time and rolls back")]
    TimedOut {
        /// The transaction.
        xid: Xid,
    },
    /// No transaction surrounds a call that needs one.
    #[error(
        "{what} needs a global transaction: annotate the calling function with #[global_transactional], or put #[global_transactional] on `{what}` too for a transaction of its own"
    )]
    NotInTransaction {
        /// What was called.
        what: Called,
    },
    /// A transaction surrounds a call that runs without one only.
    #[error(
        "{what} refuses to run inside a global transaction, and {xid} surrounds the call: call it before or after that transaction, wrap the call in `unanimous::outside(..)`, or write `propagation = not_supported` on it, which suspends the transaction"
    )]
    InTransaction {
        /// What was called.
        what: Called,
        /// The transaction that surrounds the call.
        xid: Xid,
    },
    /// The transaction began in another process, which alone hears its outcome.
    #[error(
        "{what} belongs where the transaction {xid} began, which is another process: call it there, or do its work in the `commit` or `rollback` partner of an action"
    )]
    NotBegunHere {
        /// What was called.
        what: Called,
        /// The transaction.
        xid: Xid,
    },
    /// The action was called on an instance whose participant was not provided to the runtime, or
    /// is a free function that was not.
    #[error(
        "the action {action} ({file}:{line}) was called but is not provided to the runtime: give the instance to `Runtime::builder().participant(Arc::new(..))`, where clones that share its pool count (without a fence: the very instance, or any with `any_instance`), or the free function to `.action(..)`"
    )]
    NotProvided {
        /// The action.
        action: Arc<str>,
        /// The source file of the action.
        file: &'static str,
        /// Its line.
        line: u32,
    },
    /// A fenced action was called inside a phase of another on the same pool, where it would wait
    /// for itself; in a transaction of its own too, and through a service in the same process.
    #[error(
        "the fenced action {action} was called inside a phase of another fenced action on the same pool, directly or through a service, where it would wait for itself; call it after that action, or do its work in the same local transaction"
    )]
    NestedFence {
        /// The action.
        action: Arc<str>,
    },
    /// The coordinator refuses the branch: the transaction is decided already.
    #[error("the transaction {xid} is already decided; no branch joins it any more")]
    AlreadyDecided {
        /// The transaction.
        xid: Xid,
    },
    /// The branch was cancelled before this try arrived.
    #[error("the branch {call} of {xid} was cancelled before this try arrived")]
    RefusedCancelled {
        /// The transaction.
        xid: Xid,
        /// The branch.
        call: CallId,
    },
    /// The call id belongs to a branch with another resource, action or arguments.
    #[error(
        "the call id {call} of {xid} is already used with another resource, action or arguments; a repeat must record the same values"
    )]
    CallIdReused {
        /// The transaction.
        xid: Xid,
        /// The call.
        call: CallId,
    },
    /// The transaction has as many branches or abandoned calls as it may.
    #[error("the transaction {xid} has too many {what}: at most {max}")]
    TooMany {
        /// The transaction.
        xid: Xid,
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// The call came from a service that uses another coordinator.
    #[error(
        "the transaction {xid} belongs to another coordinator than {ours}; services that call one another use one coordinator"
    )]
    ForeignCoordinator {
        /// The transaction, which names theirs.
        xid: Xid,
        /// The coordinator of this process.
        ours: Arc<str>,
    },
    /// The coordinator cannot do what was asked; refused before any effect.
    #[error("{coordinator} cannot do this: {what}")]
    Unsupported {
        /// Which coordinator.
        coordinator: Arc<str>,
        /// What it cannot do.
        what: &'static str,
    },
    /// The local transaction of a fenced action was ended by someone else; never success.
    #[error(
        "the local transaction of {call} was ended before the fence could close it; do not commit or roll back `tx` yourself"
    )]
    FenceEndedEarly {
        /// The branch.
        call: CallId,
    },
    /// What an action recorded cannot be stored: too large, or its serialisation failed.
    #[error("the arguments of {action} cannot be recorded: {why}")]
    Arguments {
        /// The action.
        action: Arc<str>,
        /// What is wrong, and the limit.
        why: String,
    },
    /// A call id would exceed its limits.
    #[error("this call cannot be named: {0}")]
    CallId(#[from] unanimous_protocol::ids::CallIdError),
    /// A value cannot be kept for phase two.
    #[error(transparent)]
    Keep(#[from] crate::branch::KeepError),
    /// The coordinator refuses to begin.
    #[error("the coordinator begins no transaction: {0}")]
    BeginRefused(unanimous_protocol::message::BeginRefused),
    /// The coordinator could not be reached, or its store failed.
    #[error("the coordinator did not answer: {0}")]
    Coordinator(#[from] CoordinatorError),
    /// The participant's database failed.
    #[error("the fence of {participant} failed")]
    Database {
        /// The participant.
        participant: Arc<str>,
        /// What the database said.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The participant's database does not keep what it commits.
    #[error("{0}")]
    NotDurable(String),
    /// No runtime is installed and none surrounds the call.
    #[error(
        "no runtime: call `runtime.install()` at start-up, or wrap the call in `runtime.scope(..)`"
    )]
    NoRuntime,
    /// The runtime is shutting down.
    #[error("the runtime is shutting down")]
    ShuttingDown,
    /// What phase one answered cannot be stored, or a stored answer cannot be read back.
    #[error("the answer of {call} cannot be stored or read back: {why}")]
    StoredAnswer {
        /// The branch.
        call: CallId,
        /// What is wrong.
        why: String,
    },
}

/// What was called: a function, or an action of a participant. It is spelled where it is shown, as
/// `function` or `participant.action`: a call that is refused outside a transaction allocates
/// nothing.
#[derive(Clone, Eq, PartialEq)]
pub struct Called(What);

/// As small as can be: it stands in errors, and errors in the futures of all annotated functions.
#[derive(Clone, Eq, PartialEq)]
enum What {
    Action {
        participant: Cow<'static, str>,
        name: &'static str,
    },
    Named(Cow<'static, str>),
}

impl Called {
    /// An action of this participant; a free function's is a participant of its own.
    pub(crate) fn action(participant: Option<Cow<'static, str>>, name: &'static str) -> Self {
        Self(match participant {
            Some(participant) => What::Action { participant, name },
            None => What::Named(name.into()),
        })
    }
}

impl<N: Into<Cow<'static, str>>> From<N> for Called {
    fn from(name: N) -> Self {
        Self(What::Named(name.into()))
    }
}

impl fmt::Display for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            What::Action { participant, name } => write!(f, "{participant}.{name}"),
            What::Named(name) => f.write_str(name),
        }
    }
}

impl fmt::Debug for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

/// How a call failed.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum CallFailure {
    /// It answered with an error.
    Failed,
    /// Its answer never came.
    LostAnswer,
    /// Its future was dropped.
    Dropped,
    /// Its answer carried the mark: something failed below it.
    Marked,
    /// It was refused for good: a repeat of it would be refused again.
    Refused,
    /// It was still running when the scope ended.
    StillRunning,
}

impl CallFailure {
    /// How a call failed that ended in this error of ours.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        match error {
            Error::AlreadyDecided { .. }
            | Error::CallIdReused { .. }
            | Error::NestedFence { .. }
            | Error::NotProvided { .. }
            | Error::RefusedCancelled { .. }
            | Error::TimedOut { .. } => Self::Refused,
            Error::Coordinator(CoordinatorError::Unavailable { .. }) => Self::LostAnswer,
            _ => Self::Failed,
        }
    }
}

impl fmt::Display for CallFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Failed => "failed",
            Self::LostAnswer => "was called and its answer was lost",
            Self::Dropped => "was dropped before it answered",
            Self::Marked => "answered that something failed below it",
            Self::Refused => "was refused",
            Self::StillRunning => "was still running when its scope ended",
        })
    }
}

impl Error {
    /// Whether repeating the whole transaction may succeed. Never true for [`Error::Unknown`]:
    /// a repeat beside an unknown outcome may do everything twice.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::RollbackOnly { .. }
                | Self::RolledBack { .. }
                | Self::TimedOut { .. }
                | Self::AlreadyDecided { .. }
                | Self::RefusedCancelled { .. }
                | Self::BeginRefused(_)
                | Self::Database { .. }
        )
    }

    /// Whether the outcome of a transaction is unknown; its xid is in the error.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown { .. })
    }

    /// The error of ours inside `error`, at any depth of its sources.
    #[must_use]
    pub fn find_in<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Error> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Error>() {
                return Some(found);
            }
            if let Some(found) = error.downcast_ref::<Box<Error>>() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }
}
