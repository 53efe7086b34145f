//! The states of a global transaction, a branch and a fence row, and which may follow which.

use std::fmt;

/// What was decided about a global transaction.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Decision {
    /// Confirm what was tried.
    Commit,
    /// Cancel what was tried.
    Rollback,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commit => "commit",
            Self::Rollback => "rollback",
        })
    }
}

/// The state of a global transaction at its coordinator (protocol section 6).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum GlobalState {
    /// Branches may join; nothing is decided.
    Open,
    /// The commit record is being forced; nobody is told anything (TC7).
    Deciding,
    /// The commit decision is durable.
    Committed,
    /// It will never commit.
    RolledBack,
    /// Committed, and every branch has ended.
    Finished,
    /// Below the horizon; at most one bit is remembered (TC11).
    Forgotten,
}

impl GlobalState {
    /// The one table of legal transitions.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use GlobalState::{Committed, Deciding, Finished, Forgotten, Open, RolledBack};
        matches!(
            (self, next),
            (Open, Deciding | RolledBack)
                | (Deciding, Committed | RolledBack)
                | (Committed, Finished)
                // TC2: what a crash leaves of a decision is found as committed or not at all.
                | (Finished, Committed | Forgotten)
                | (RolledBack, Forgotten)
        )
    }
}

/// The state of a branch at its coordinator (protocol section 7).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum BranchState {
    /// Its registration is being forced (TC4, forced kinds).
    Joining,
    /// It belongs to the transaction.
    Joined,
    /// Phase two waits for an operator. Not an end.
    Parked,
    /// Its participant has ended it.
    Ended,
}

impl BranchState {
    /// The one table of legal transitions.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use BranchState::{Ended, Joined, Joining, Parked};
        matches!(
            (self, next),
            (Joining | Parked, Joined | Ended) | (Joined, Parked | Ended)
        )
    }
}

/// The state of a fence row in a participant's database (protocol section 7).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum RowState {
    /// Phase one committed locally; the decision is awaited.
    Tried,
    /// Phase two committed the branch.
    Confirmed,
    /// Phase two rolled the branch back, or a rollback came before any try (the marker).
    Cancelled,
}

impl RowState {
    /// The one table of legal transitions.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        self == Self::Tried && next != Self::Tried
    }

    /// The number under which the fence's table stores the state.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Tried => 1,
            Self::Confirmed => 2,
            Self::Cancelled => 3,
        }
    }

    /// The inverse of [`RowState::number`].
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Tried),
            2 => Some(Self::Confirmed),
            3 => Some(Self::Cancelled),
            _ => None,
        }
    }
}

/// What a branch leaves behind in phase one, and so what its registration costs (protocol
/// section 8).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum BranchKind {
    /// A fence row in the participant's database: registered lazily, asks when in doubt.
    Fenced,
    /// No local prepare record: its registration is forced, with its arguments.
    Unfenced,
    /// A fence row, and a rollback that is performed although no try left one (T7): a failed try
    /// leaves no row to ask from, so its registration is forced, with its arguments.
    AlwaysCancel,
}

impl BranchKind {
    /// Whether the registration must be durable before it is answered (TC4).
    #[must_use]
    pub fn is_forced(self) -> bool {
        matches!(self, Self::Unfenced | Self::AlwaysCancel)
    }

    /// Whether its participant keeps a row of it.
    #[must_use]
    pub fn has_row(self) -> bool {
        matches!(self, Self::Fenced | Self::AlwaysCancel)
    }
}
