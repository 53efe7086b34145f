use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::ids::{ActionName, Incarnation, LogId, Resource};

/// A runtime presents itself and the resources whose phase two it performs (RM10).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Attach {
    /// A name for people.
    pub application: String,
    /// The authenticated client; `anonymous` where none is authenticated.
    pub principal: String,
    /// The log this process has met before, if any.
    pub known_log: Option<LogId>,
    /// The newest incarnation this process or its databases have met (RM10, TC14).
    pub newest: Option<Incarnation>,
    /// The resources attached.
    pub resources: Vec<AttachResource>,
}

/// One resource of an [`Attach`].
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct AttachResource {
    /// Participant name and database identity.
    pub resource: Resource,
    /// The actions it knows, aliases included.
    pub actions: BTreeSet<ActionName>,
    /// The horizon up to which its database was cleaned, per incarnation (RM8). The resources of one
    /// database share it.
    pub horizons: Arc<BTreeMap<Incarnation, u64>>,
}

/// The coordinator's answer to [`Attach`].
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Attached {
    /// The identity of the coordinator's log.
    pub log: LogId,
    /// All incarnations of the log, with their horizons (N1).
    pub incarnations: Vec<IncarnationInfo>,
}

/// One incarnation of a log.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct IncarnationInfo {
    /// The incarnation.
    pub incarnation: Incarnation,
    /// Its durable horizon.
    pub horizon: Horizon,
}

/// Every transaction of an incarnation at or below the counter is forgotten, except those listed
/// (N6).
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Horizon {
    /// The counter up to which transactions are forgotten; 0 for none.
    pub counter: u64,
    /// The counters at or below it that are not forgotten.
    pub listed: BTreeSet<u64>,
}

impl Horizon {
    /// Whether the horizon has passed the transaction of this counter.
    #[must_use]
    pub fn has_passed(&self, counter: u64) -> bool {
        counter <= self.counter && !self.listed.contains(&counter)
    }
}

/// Why an attachment is refused.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AttachRefused {
    /// The attaching process has seen a later incarnation of this very log (TC14): the log was
    /// replaced by an older copy.
    #[error(
        "this log was replaced by an older copy: a client has met incarnation {newest}; start the coordinator with --restored if this is a restored backup, otherwise bring the newer file back"
    )]
    Replaced {
        /// The incarnation that this log lacks.
        newest: Incarnation,
    },
    /// The coordinator is stopping.
    #[error("the coordinator is stopping")]
    Stopping,
    /// Anything else, in the words of whoever found it: what is presented is malformed or fits no
    /// frame, the coordinator speaks another version of the protocol, or has ended its service.
    #[error("{why}")]
    NotTaken {
        /// What is wrong and, where there is one, the way out.
        why: Arc<str>,
    },
}
