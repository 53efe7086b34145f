//! What a coordinator does about an event.

use std::time::Duration;

use unanimous_protocol::message::{
    AdminAnswer, AttachRefused, Attached, Began, BeginRefused, BranchResult, DecisionAnswer,
    Horizon, InDoubtAnswer, JoinRefused, Joined, ParkReason, PhaseTwo, ReportAnswer,
};
use unanimous_protocol::{Alias, Incarnation, OwnXid, Resource, RollbackReason};

use super::event::{Position, RequestId, SessionId, Timer};
use super::record::{About, Record};
use super::state::Branch;

/// What the driver must do, in this order.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Effect {
    /// Append a record to the log. Positions count up by one.
    Append {
        /// Its place.
        position: Position,
        /// What is appended.
        record: Record,
        /// Whether something waits for it: sync it as soon as possible.
        force: bool,
    },
    /// Say something, now or once `after` is durable. What still waits when the process ends is
    /// never said.
    Say {
        /// To whom.
        to: To,
        /// What.
        message: Message,
        /// Hold it back until this position is durable.
        after: Option<Position>,
    },
    /// Fire the timer once; one of the same name that is already set is replaced.
    SetTimer {
        /// Which.
        timer: Timer,
        /// When.
        delay: Delay,
    },
    /// The timer is of no use any more. A driver may let it fire all the same.
    ClearTimer(Timer),
    /// For people, events and metrics. Nothing depends on it.
    Note(Note),
}

/// Who is spoken to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum To {
    /// Whoever sent this request; it is the request's one reply.
    Request(RequestId),
    /// An attached session.
    Session(SessionId),
    /// Every session attached with a resource.
    EveryResource,
}

/// What is said.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Message {
    /// The reply to a request.
    Reply(Reply),
    /// Perform phase two.
    PhaseTwo(Box<PhaseTwo>),
    /// The durable horizon of an incarnation (TC11).
    Horizon {
        /// The incarnation.
        incarnation: Incarnation,
        /// Its horizon.
        horizon: Horizon,
    },
}

/// The one reply to a request.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Reply {
    /// To `Begin`.
    Began(Result<Began, BeginRefused>),
    /// To `Register`.
    Joined(Result<Joined, JoinRefused>),
    /// To `Report`.
    Reported(ReportAnswer),
    /// To `Commit`, `Rollback` and `Outcome`.
    Decision(DecisionAnswer),
    /// To `InDoubt`, one for each question in order.
    InDoubt(Vec<InDoubtAnswer>),
    /// To `Attach`.
    Attached(Result<Attached, AttachRefused>),
    /// To `Admin`. The driver fills in what it alone knows: ages, attempts, last errors, names of
    /// finished transactions.
    Admin(AdminAnswer),
    /// To anything, once the log was found to be an older copy (TC14).
    Replaced {
        /// The incarnation that this log lacks.
        newest: Incarnation,
    },
}

/// When a timer fires.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Delay {
    /// After this long.
    For(Duration),
    /// After the driver's doubling, jittered back-off for this branch.
    BackOff,
    /// After `undecodable_after`.
    UndecodableAfter,
}

/// What people may want to know. The driver's tables of attempts and of finished transactions are
/// fed by it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Note {
    /// The start is durable: requests are answered from now on.
    Serving,
    /// After a stop: nothing is undecided any more.
    Drained,
    /// The log is an older copy: nothing is answered any more (TC14). The driver drops what it
    /// still holds back, and answers every request with [`Reply::Replaced`].
    Replaced(Incarnation),
    /// A resource's database was restored: its forgotten rows wait for the operator (RM10).
    ResourceRestored(Resource),
    /// The commit decision is durable.
    Committed(OwnXid),
    /// It was rolled back.
    RolledBack(OwnXid, RollbackReason),
    /// A delivery did not end its branch.
    NotEnded(OwnXid, Alias, BranchResult),
    /// A branch waits for an operator.
    Parked(OwnXid, Alias, ParkReason),
    /// A branch ended.
    Ended(OwnXid, Alias),
    /// Nothing is left to do for a transaction.
    Finished(Box<Finished>),
}

/// A transaction for which nothing is left to do.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Finished {
    /// The transaction.
    pub xid: OwnXid,
    /// Its names.
    pub about: About,
    /// Why it was rolled back; none for a committed one.
    pub reason: Option<RollbackReason>,
    /// Its branches, as they ended.
    pub branches: Vec<Branch>,
}
