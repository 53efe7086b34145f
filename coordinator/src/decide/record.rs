//! What is written to the log.
//!
//! Every record can be read without any other (TC6), and has a [`Key`]: of two with the same key
//! the later stands. A store may so be a table of keys and values, or a list.

use std::fmt;
use std::sync::Arc;

use unanimous_protocol::message::{Horizon, Json, ParkReason, Reported, TraceContext};
use unanimous_protocol::{
    ActionName, Alias, BranchKind, CallId, DatabaseId, Decision, Digest, Incarnation, OwnXid,
    Resource, RollbackReason, TransactionName,
};

/// One record of the log.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Record {
    /// A start of the coordinator (N1). Forced.
    Incarnation {
        /// The start.
        incarnation: Incarnation,
        /// Everything written before it was declared a restored copy.
        restored: bool,
    },
    /// An incarnation that only clients have met: it was lost by a declared restore. Forced.
    Lost(Incarnation),
    /// A branch that must not be lost joined (TC4). Forced.
    Branch {
        /// The transaction.
        xid: OwnXid,
        /// Its names.
        about: About,
        /// The branch.
        registration: Arc<Registration>,
    },
    /// The commit decision (TC6). Forced.
    Commit {
        /// The transaction.
        xid: OwnXid,
        /// Its names.
        about: About,
        /// All branches that joined: S with `Decision::Commit`, the abandoned with
        /// `Decision::Rollback`.
        branches: Vec<DecidedBranch>,
    },
    /// It was rolled back (TC9). Lazy, and written only where branches are on record: where there
    /// is no record at all, that says the same (TC12).
    Abort {
        /// The transaction.
        xid: OwnXid,
        /// Its names.
        about: About,
        /// Why.
        reason: RollbackReason,
    },
    /// A branch has ended (TC10). Lazy; forced where an operator ended an unfenced one (OP3).
    Ended {
        /// The transaction.
        xid: OwnXid,
        /// The branch.
        alias: Alias,
    },
    /// A branch waits for an operator, or, without a reason, no longer does (OP2). Lazy.
    Parked {
        /// The transaction.
        xid: OwnXid,
        /// The branch.
        alias: Alias,
        /// Why.
        reason: Option<ParkReason>,
    },
    /// The horizon moved (TC11). Lazy. A store that deletes deletes in the same store transaction
    /// what [`Record::Horizon`] covers: every record of a transaction of the incarnation at or
    /// below the counter and not listed, and every chunk of bits below `remembered_from`.
    Horizon(Box<HorizonRecord>),
    /// A resource has cleaned up to this horizon (RM10). Lazy.
    Acked {
        /// The resource.
        resource: Resource,
        /// The incarnation.
        incarnation: Incarnation,
        /// The counter.
        counter: u64,
    },
    /// A resource's database was restored: what was forgotten at or below the counter is not
    /// answered to it any more (RM10). Forced.
    ResourceRestored {
        /// The resource.
        resource: Resource,
        /// The incarnation.
        incarnation: Incarnation,
        /// The counter.
        counter: u64,
    },
    /// A database is lost for ever (OP4). Forced.
    WrittenOff(DatabaseId),
    /// An operator decided a foreign xid (OP5). Forced, never forgotten.
    DecidedByHand {
        /// The transaction.
        xid: OwnXid,
        /// The decision.
        decision: Decision,
    },
}

/// Names of a transaction, for people.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct About {
    /// Its name.
    pub name: TransactionName,
    /// Who began it: the application's name.
    pub application: Arc<str>,
}

/// What a branch's registration bound (N4), and what its phase two needs.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Registration {
    /// The coordinator's number for it, from 1 in the order of joining.
    pub alias: Alias,
    /// Its call.
    pub call: CallId,
    /// Who performs its phase two.
    pub resource: Resource,
    /// Which action.
    pub action: ActionName,
    /// What it leaves behind.
    pub kind: BranchKind,
    /// SHA-256 of the recorded arguments.
    pub digest: Digest,
    /// The recorded arguments, where no fence row holds them.
    pub arguments: Option<Json>,
    /// The caller's trace.
    pub trace: Option<TraceContext>,
}

impl Registration {
    /// What answers and people need once nothing is left to perform: recorded arguments take room.
    pub(crate) fn without_arguments(self: &Arc<Self>) -> Arc<Self> {
        if self.arguments.is_none() {
            return Arc::clone(self);
        }
        let mut small = Self::clone(self);
        small.arguments = None;
        Arc::new(small)
    }
}

impl fmt::Debug for Registration {
    /// Recorded arguments never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("alias", &self.alias)
            .field("call", &self.call)
            .field("resource", &self.resource)
            .field("action", &self.action)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// A branch within the commit record.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct DecidedBranch {
    /// What joined.
    pub registration: Arc<Registration>,
    /// What was decided about it.
    pub decision: Decision,
    /// What phase one of an unfenced branch returned and kept.
    pub reported: Option<Reported>,
}

/// A move of the horizon of one incarnation (TC11).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct HorizonRecord {
    /// The incarnation.
    pub incarnation: Incarnation,
    /// Counts the moves of this incarnation's horizon, from 1.
    pub number: u64,
    /// `Moved`: void unless it follows the record with the number before its own.
    pub scope: HorizonScope,
    /// The new horizon.
    pub horizon: Horizon,
    /// Outcomes of forgotten transactions are known from this counter on.
    pub remembered_from: u64,
    /// The chunks of bits that changed, whole; of `Whole`, all there are.
    pub bits: Vec<Chunk>,
}

/// What a horizon record is complete about.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum HorizonScope {
    /// It holds the chunks that changed since the record before it.
    Moved,
    /// It holds everything. So a store gives back what it has merged.
    Whole,
}

/// Counters in one chunk of bits: 4 KiB when full.
pub const CHUNK_BITS: u64 = 32_768;

/// The remembered outcomes of [`CHUNK_BITS`] transactions: a set bit says committed.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Chunk {
    /// The first counter divided by [`CHUNK_BITS`].
    pub index: u64,
    /// Bits, the lowest counter in the lowest bit of the first word; zero words at the end are
    /// left out.
    pub words: Arc<Vec<u64>>,
}

/// Under which key a record stands. Keys of one incarnation order as its records may be read.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Key {
    /// A start.
    Incarnation(Incarnation),
    /// A lost start.
    Lost(Incarnation),
    /// The horizon of an incarnation, bits included.
    Horizon(Incarnation),
    /// Something of a transaction; these alone fall to the horizon.
    Transaction(OwnXid, Slot),
    /// An acknowledged horizon.
    Acked(Resource, Incarnation),
    /// A restored resource.
    ResourceRestored(Resource, Incarnation),
    /// A lost database.
    WrittenOff(DatabaseId),
    /// A decision by hand.
    DecidedByHand(OwnXid),
}

/// What of a transaction.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Slot {
    /// Commit or abort.
    Decision,
    /// A registration.
    Branch(Alias),
    /// Ended or parked.
    Progress(Alias),
}

impl Record {
    /// Under which key it stands.
    #[must_use]
    pub fn key(&self) -> Key {
        let of = |xid: &OwnXid, slot| Key::Transaction(*xid, slot);
        match self {
            Self::Incarnation { incarnation, .. } => Key::Incarnation(*incarnation),
            Self::Lost(incarnation) => Key::Lost(*incarnation),
            Self::Branch {
                xid, registration, ..
            } => of(xid, Slot::Branch(registration.alias)),
            Self::Commit { xid, .. } | Self::Abort { xid, .. } => of(xid, Slot::Decision),
            Self::Ended { xid, alias } | Self::Parked { xid, alias, .. } => {
                of(xid, Slot::Progress(*alias))
            }
            Self::Horizon(horizon) => Key::Horizon(horizon.incarnation),
            Self::Acked {
                resource,
                incarnation,
                ..
            } => Key::Acked(resource.clone(), *incarnation),
            Self::ResourceRestored {
                resource,
                incarnation,
                ..
            } => Key::ResourceRestored(resource.clone(), *incarnation),
            Self::WrittenOff(database) => Key::WrittenOff(*database),
            Self::DecidedByHand { xid, .. } => Key::DecidedByHand(*xid),
        }
    }
}
