//! What happens to a coordinator.

use std::sync::Arc;

use unanimous_protocol::message::{
    AdminRequest, Attach, Begin, BranchResult, Commit, InDoubtQuestion, Register, Report,
};
use unanimous_protocol::{Alias, Incarnation, LogId, OwnXid, Resource, Xid};

use super::record::Record;

/// A request that waits for its one reply. The driver chooses the number and never reuses it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RequestId(pub u64);

/// One attached stream or in-process client. The driver chooses the number and never reuses it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionId(pub u64);

/// A place in the log: the number of an [`Append`](super::Effect::Append), from 1, anew at each
/// start.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Position(pub u64);

/// Everything that may happen to a coordinator.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Event {
    /// The first event of a process: what the store held (TC1).
    Start(Box<Start>),
    /// Everything appended up to and including this position is durable.
    Durable(Position),

    /// Begin a transaction.
    Begin {
        /// To answer with [`Reply::Began`](super::Reply::Began).
        request: RequestId,
        /// Who asks: a name for people.
        application: Arc<str>,
        /// What is asked.
        begin: Begin,
    },
    /// A branch asks to join.
    Register {
        /// To answer with [`Reply::Joined`](super::Reply::Joined).
        request: RequestId,
        /// Who runs phase one, and so is asked first for phase two.
        session: SessionId,
        /// What is asked.
        register: Box<Register>,
    },
    /// What phase one of an unfenced branch returned and kept.
    Report {
        /// To answer with [`Reply::Reported`](super::Reply::Reported).
        request: RequestId,
        /// What is reported.
        report: Report,
    },
    /// Commit a transaction.
    Commit {
        /// To answer with [`Reply::Decision`](super::Reply::Decision).
        request: RequestId,
        /// What is asked.
        commit: Commit,
    },
    /// Roll a transaction back.
    Rollback {
        /// To answer with [`Reply::Decision`](super::Reply::Decision).
        request: RequestId,
        /// The transaction.
        xid: Xid,
    },
    /// Ask what was decided; decides nothing.
    Outcome {
        /// To answer with [`Reply::Decision`](super::Reply::Decision).
        request: RequestId,
        /// The transaction.
        xid: Xid,
    },
    /// Ask about tried rows (RM6).
    InDoubt {
        /// To answer with [`Reply::InDoubt`](super::Reply::InDoubt).
        request: RequestId,
        /// The rows.
        questions: Vec<InDoubtQuestion>,
    },
    /// An operator, a console or a test asks (OP1 to OP5).
    Admin {
        /// To answer with [`Reply::Admin`](super::Reply::Admin).
        request: RequestId,
        /// What is asked.
        admin: AdminRequest,
    },

    /// A client presents itself; a second one of the same session replaces the first (RM10).
    Attach {
        /// To answer with [`Reply::Attached`](super::Reply::Attached).
        request: RequestId,
        /// The session.
        session: SessionId,
        /// What it presents.
        attach: Box<Attach>,
    },
    /// The session ended: what was under way there is lost.
    Detached(SessionId),
    /// What came of a phase two (TC10).
    Result {
        /// Where it came from.
        session: SessionId,
        /// The transaction.
        xid: Xid,
        /// The branch.
        alias: Alias,
        /// What came of it.
        result: BranchResult,
    },
    /// A resource has cleaned up to this horizon (RM8).
    HorizonAcked {
        /// The resource.
        resource: Resource,
        /// The incarnation.
        incarnation: Incarnation,
        /// The counter.
        counter: u64,
    },

    /// Time has passed.
    Timer(Timer),
    /// Whether the store has room for new transactions.
    Room(Room),
    /// Begin nothing more; [`Timer::Drain`] ends the wait for what is open.
    Stop,
}

/// The start of a coordinator (TC1).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Start {
    /// The identity of the log.
    pub log: LogId,
    /// This start: a number above every one in the records, and 64 fresh random bits (N1).
    pub incarnation: Incarnation,
    /// The operator declares that this log is a restored copy: what it does not know may
    /// nevertheless have been committed.
    pub restored: bool,
    /// What the store held, in the order it was written, or of each key the last in the order of
    /// the keys.
    pub records: Vec<Record>,
}

/// What a timer is for. The first three are set by [`Effect::SetTimer`](super::Effect::SetTimer);
/// the others are the driver's: `Horizon` and `Remember` fire periodically, `Drain` once after a
/// stop, `Lost` where an answer is overdue. A timer that fires late or in vain does no harm.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Timer {
    /// A transaction's time is over.
    Deadline(OwnXid),
    /// A phase two is due again.
    Retry(OwnXid, Alias),
    /// No instance could decode a branch for long.
    Undecodable(OwnXid, Alias),
    /// A phase two under way counts as lost: it is repeated, there or elsewhere.
    Lost(OwnXid, Alias),
    /// Every `horizon_interval`: transactions age by one, the horizon moves.
    Horizon,
    /// Every `remember_for / remember_ticks`: remembered outcomes age by one.
    Remember,
    /// The drain time after a stop is over.
    Drain,
}

/// Whether the store has room for new transactions.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Room {
    /// Yes.
    #[default]
    Enough,
    /// No: begins are refused, what was begun goes on.
    Full,
}
