use std::collections::BTreeSet;
use std::time::Duration;

use super::TraceContext;
use crate::ids::{Alias, CallId, TransactionName, Xid};
use crate::outcome::RollbackReason;

/// Begin a global transaction (TC3).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Begin {
    /// A name for people.
    pub name: TransactionName,
    /// How long the transaction may stay open.
    pub timeout: Duration,
    /// The caller's trace.
    pub trace: Option<TraceContext>,
}

/// A global transaction was begun.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Began {
    /// Its id.
    pub xid: Xid,
}

/// Why a begin is refused.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BeginRefused {
    /// The coordinator is stopping.
    #[error("the coordinator is stopping")]
    Stopping,
    /// The coordinator's disk is full; it finishes what was decided and begins nothing.
    #[error("the coordinator's store is full")]
    StoreFull,
}

/// Ask for the commit of a transaction (TM2). It never changes when it is repeated.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Commit {
    /// The transaction.
    pub xid: Xid,
    /// S: the names of all branches of succeeded calls.
    pub succeeded: BTreeSet<Alias>,
    /// X: the ids of abandoned calls; each covers everything below it.
    pub abandoned: BTreeSet<CallId>,
}

/// The answer to a commit, a rollback or a question about the outcome (protocol section 6).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DecisionAnswer {
    /// The commit is durable.
    Committed,
    /// It will never commit.
    RolledBack(RollbackReason),
    /// Still open. Only a question is answered so.
    Open,
    /// No longer remembered.
    Forgotten,
    /// Never issued by this coordinator, or not known after a restore.
    Foreign,
}
