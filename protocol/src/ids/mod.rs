//! Names of things. Every id that crosses a module edge is a type of its own.

mod alias;
mod call_id;
mod incarnation;
mod name;
mod opaque;
mod xid;

pub use alias::{Alias, AliasError};
pub use call_id::{CallId, CallIdError, Ordinal, Target};
pub use incarnation::{Incarnation, IncarnationError};
pub use name::{ActionName, NameError, ParticipantName, TransactionName};
pub use opaque::{DatabaseId, Digest, HexError, LogId};
pub use xid::{OwnXid, Xid, XidError};

use std::fmt;

/// A resource: a participant's name and the identity of the database that holds its fence (N5).
///
/// Two databases under one participant name are two resources: the wrong one would answer an
/// empty cancel "done", or would have no row to confirm.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Resource {
    /// The participant's name.
    pub participant: ParticipantName,
    /// The identity of the participant's database; none for a participant without a fence.
    pub database: Option<DatabaseId>,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.database {
            Some(database) => write!(f, "{}@{database}", self.participant),
            None => write!(f, "{}", self.participant),
        }
    }
}
