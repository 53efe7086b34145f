//! What a caller may be told about a global transaction.

use std::fmt;

use crate::ids::Xid;

/// The outcome of a global transaction, told truthfully.
///
/// `Unknown` is never turned into either of the others; it can be asked again later by its xid.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Outcome {
    /// The commit decision is durable: every succeeded branch is or will be confirmed.
    Committed,
    /// The transaction did not and will not commit: every branch is or will be cancelled.
    RolledBack {
        /// Why it was rolled back.
        reason: RollbackReason,
    },
    /// No answer that decides is known.
    Unknown {
        /// The transaction to ask about.
        xid: Xid,
        /// Why nothing is known.
        why: UnknownWhy,
    },
}

impl Outcome {
    /// Whether asking again later may give another answer.
    #[must_use]
    pub fn may_be_known_later(&self) -> bool {
        matches!(
            self,
            Self::Unknown {
                why: UnknownWhy::NoAnswer | UnknownWhy::Open,
                ..
            }
        )
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Committed => f.write_str("committed"),
            Self::RolledBack { reason } => write!(f, "rolled back: {reason}"),
            Self::Unknown { xid, why } => write!(f, "outcome of {xid} unknown: {why}"),
        }
    }
}

/// Why a global transaction was rolled back.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum RollbackReason {
    /// The branches that joined are not the branches that the commit named.
    BranchesDiffer,
    /// An operator rolled it back.
    Operator,
    /// The transaction manager asked for it.
    Requested,
    /// The deadline passed first.
    TimedOut,
    /// The coordinator has no record of it, and would have one had it been decided: now it never
    /// will be.
    NotRecorded,
    /// The coordinator stopped while it was undecided.
    Stopped,
}

impl fmt::Display for RollbackReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BranchesDiffer => "the branches that joined differ from those the commit named",
            Self::Operator => "an operator rolled it back",
            Self::Requested => "rollback was asked for",
            Self::TimedOut => "its deadline passed",
            Self::NotRecorded => "it was never decided",
            Self::Stopped => "the coordinator stopped before it was decided",
        })
    }
}

/// Why an outcome is unknown.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum UnknownWhy {
    /// The coordinator did not answer in time. Ask again later.
    NoAnswer,
    /// The transaction is still open. Ask again later.
    Open,
    /// The coordinator no longer remembers it.
    Forgotten,
    /// The coordinator never issued this xid, or cannot know its outcome after a restore.
    Foreign,
    /// This coordinator keeps no outcomes.
    NotKept,
}

impl fmt::Display for UnknownWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAnswer => "the coordinator did not answer in time",
            Self::Open => "the transaction is still open",
            Self::Forgotten => "the coordinator no longer remembers it",
            Self::Foreign => "the coordinator does not know this transaction",
            Self::NotKept => "this coordinator keeps no outcomes",
        })
    }
}
