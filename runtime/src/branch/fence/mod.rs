//! The fence: one row per branch in the participant's own database, written in the same local
//! transaction as the business statements, so that empty rollbacks, late tries and repeated
//! deliveries are harmless with no user code.
//!
//! Letters and a number in brackets, such as (RM5), name a [rule](crate#rules).
//!
//! * `table`: the pure decider: (row, event) to step;
//! * [`Fence`]: what a user names in `fence = ..`: a pool;
//! * [`DynFence`]: the same behind a pointer, for the runtime, which opens and closes the local
//!   transaction around the user's functions;
//! * [`FenceTx`]: that local transaction, as the user's functions see it.
//!
//! ```text
//! begin_try ------> BEGIN, insert the row, read the local horizon
//!                   (the user's statements, on the FenceTx)
//! close_try ------> store answer, names, X, mark
//! commit ---------> COMMIT
//! begin_phase_two > BEGIN, read the row
//!                   (the user's statements)
//! close_phase_two > row := confirmed | cancelled
//! commit ---------> COMMIT
//! ```

#[doc(hidden)]
pub mod table;

#[cfg(feature = "sqlite")]
mod backend;
#[cfg(feature = "sqlite")]
mod connection;
#[cfg(feature = "sqlite")]
mod durability;
#[cfg(feature = "sqlite")]
mod horizon;
#[cfg(feature = "sqlite")]
mod row;
#[cfg(feature = "sqlite")]
pub(crate) mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
mod statement;
#[cfg(all(test, feature = "sqlite"))]
mod tests;
#[cfg(feature = "sqlite")]
mod turn;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use unanimous_protocol::message::{Horizon, Json, Kept, ParkReason, TraceContext};
use unanimous_protocol::{
    ActionName, Alias, BranchKind, CallId, DatabaseId, Decision, Digest, Incarnation,
    ParticipantName, Xid,
};

#[cfg(feature = "sqlite")]
pub use self::backend::FenceDatabase;
#[cfg(feature = "sqlite")]
pub use self::connection::FenceTx;
#[cfg(feature = "sqlite")]
pub(crate) use self::durability::open_durable;

/// An open local transaction: a `FenceTx<DB>` behind a pointer. Dropping it rolls it back.
pub type OpenTransaction = Box<dyn Any + Send>;

/// The key of a fence row.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RowKey {
    /// The transaction.
    pub xid: Xid,
    /// The branch.
    pub call: CallId,
}

/// What a try writes before it runs.
#[derive(Clone)]
pub struct TryRow {
    /// The key.
    pub key: RowKey,
    /// The participant.
    pub participant: ParticipantName,
    /// The action.
    pub action: ActionName,
    /// SHA-256 of the arguments (N4).
    pub digest: Digest,
    /// What phase two will be handed.
    pub arguments: Json,
    /// The caller's trace.
    pub trace: Option<TraceContext>,
}

impl fmt::Debug for TryRow {
    /// Recorded arguments never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryRow")
            .field("key", &self.key)
            .field("participant", &self.participant)
            .field("action", &self.action)
            .finish_non_exhaustive()
    }
}

/// What a try leaves in its row: its answer, and what was named below it (RM3).
#[derive(Clone, Default, Eq, PartialEq)]
pub struct StoredAnswer {
    /// What phase one returned.
    pub answer: Option<Json>,
    /// The branches of succeeded calls below it; never its own.
    pub names: BTreeSet<Alias>,
    /// The calls abandoned below it.
    pub abandoned: BTreeSet<CallId>,
    /// Whether it answers with the mark.
    pub marked: bool,
    /// What phase one kept for phase two.
    pub kept: Kept,
}

impl fmt::Debug for StoredAnswer {
    /// Users' values never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredAnswer")
            .field("names", &self.names)
            .field("abandoned", &self.abandoned)
            .field("marked", &self.marked)
            .finish_non_exhaustive()
    }
}

/// What a try finds.
#[derive(Debug)]
pub enum TryStep {
    /// The row is inserted; run the business statements in this transaction (`Applied`).
    Run(OpenTransaction),
    /// It ran before: answer from the row (`AlreadyApplied`).
    AlreadyApplied(StoredAnswer),
    /// A cancel was here first (T1).
    RefusedCancelled,
    /// The row was cleaned, or never will be (RM8).
    BelowHorizon,
    /// The row holds another action, participant or digest (N4).
    CallIdReused,
}

/// Why phase two looks at a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PhaseTwoCause {
    /// The coordinator delivered a decision.
    Delivered,
    /// The coordinator answered a question: acts only on a tried row (RM7).
    Answered,
    /// An operator asked to run it again: clears `parked`.
    OperatorRetry,
    /// An operator resolved it by hand: the row is closed without the business function (OP3).
    OperatorResolve,
}

/// A phase two as it reaches the fence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivery {
    /// The row's key.
    pub key: RowKey,
    /// The participant that performs it.
    pub participant: ParticipantName,
    /// The action, as the branch was registered.
    pub action: ActionName,
    /// Whether rollback is performed although no try left a row (T7).
    pub kind: BranchKind,
    /// What was decided.
    pub decision: Decision,
    /// Why it looks at the row.
    pub cause: PhaseTwoCause,
}

/// What phase two finds.
pub enum PhaseTwoStep {
    /// Run the business function in this transaction, then close the row.
    Run {
        /// The open local transaction.
        transaction: OpenTransaction,
        /// The action that was tried.
        action: ActionName,
        /// What the try recorded.
        arguments: Json,
        /// What the try answered and kept.
        stored: StoredAnswer,
        /// The trace of the caller of phase one.
        trace: Option<TraceContext>,
    },
    /// No try left a row: run the business function in this local transaction, in which the marker
    /// is inserted, then close it like a row (T7).
    RunWithoutTry(OpenTransaction),
    /// The branch has ended; nothing to run.
    Ended,
    /// Nothing was done and nothing is to be said: an answer met a row that is not tried (RM7).
    Ignored,
    /// Stop repeating it.
    Park(ParkReason),
}

impl fmt::Debug for PhaseTwoStep {
    /// Recorded arguments never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run { action, .. } => f
                .debug_struct("Run")
                .field("action", action)
                .finish_non_exhaustive(),
            Self::RunWithoutTry(_) => f.write_str("RunWithoutTry"),
            Self::Ended => f.write_str("Ended"),
            Self::Ignored => f.write_str("Ignored"),
            Self::Park(reason) => f.debug_tuple("Park").field(reason).finish(),
        }
    }
}

/// A tried row whose decision is not known here (RM6).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InDoubtRow {
    /// Its key.
    pub key: RowKey,
    /// The action that was tried.
    pub action: ActionName,
    /// When the row was created, in ms since the Unix epoch, by the process's clock.
    pub created_ms: i64,
}

/// Why a fence could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FenceError {
    /// The database failed.
    #[error("the fence's database failed")]
    Database(#[source] Box<dyn StdError + Send + Sync>),
    /// The database does not keep what it commits (E3).
    #[error("{0}")]
    NotDurable(String),
    /// The database file cannot be opened.
    #[error("the database {} cannot be opened", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the database said.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The local transaction was ended by someone else before the row could be closed.
    #[error(
        "the local transaction was ended before the fence could close it; do not commit or roll back `tx` yourself"
    )]
    EndedEarly,
    /// A statement was dropped before it answered, so it is not known whether it ran; nothing was
    /// committed.
    #[error(
        "a statement on `tx` was dropped before it answered, so the local transaction was rolled back"
    )]
    StatementDropped,
    /// The phase one that holds the write lock waits for this one: its body called a service that
    /// came back to the same pool.
    #[error(
        "the fenced action that holds this pool's write lock waits for this one, which it called through a service"
    )]
    Nested,
    /// The tables are missing or of another version.
    #[error("{0}")]
    Schema(String),
    /// A row holds what this version cannot read.
    #[error("the fence row of {0:?} cannot be read: {1}")]
    Row(RowKey, String),
}

/// What a user names in `#[participant(fence = ..)]`: something that leads to a pool.
#[cfg(feature = "sqlite")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold a fence",
    label = "needs a database pool, such as `sqlx::SqlitePool`",
    note = "a fence is written in the same local transaction as the business statements, so it needs their database"
)]
pub trait Fence: Send + Sync + 'static {
    /// The database of the pool.
    type Database: FenceDatabase;

    /// The fence behind a pointer.
    fn erased(&self) -> &dyn DynFence;
}

/// A fence behind a pointer: each method is one local transaction, or its opening or closing.
///
/// Dropping a future of any method leaves no open transaction in the pool (C4). `now_ms` is the
/// wall clock in milliseconds since the Unix epoch; it is stored for people and for
/// [`DynFence::in_doubt`], and decides nothing.
pub trait DynFence: Send + Sync {
    /// Creates the tables unless told not to, checks their version and that the database keeps
    /// what it commits (E3) unless `volatile`, and returns its identity (N5).
    fn prepare(
        &self,
        create_tables: bool,
        volatile: bool,
    ) -> BoxFuture<'_, Result<DatabaseId, FenceError>>;

    /// Identifies the pool: clones of one pool have one key.
    fn pool_key(&self) -> usize;

    /// Whether the database outlives this process: a file, or a server.
    fn outlives_process(&self) -> bool;

    /// Opens the local transaction of a try (RM3).
    fn begin_try(&self, row: TryRow, now_ms: i64) -> BoxFuture<'_, Result<TryStep, FenceError>>;

    /// Stores the answer in the row, which must still be there, and tried. Nothing is committed.
    fn close_try(
        &self,
        transaction: OpenTransaction,
        key: RowKey,
        stored: StoredAnswer,
    ) -> BoxFuture<'_, Result<OpenTransaction, FenceError>>;

    /// Commits a local transaction whose row is closed. After an error, and where the future is
    /// dropped, nobody knows whether it is committed: the row tells.
    fn commit(&self, transaction: OpenTransaction) -> BoxFuture<'_, Result<(), FenceError>>;

    /// Opens the local transaction of a phase two (section 7 of the protocol).
    fn begin_phase_two(
        &self,
        delivery: Delivery,
        now_ms: i64,
    ) -> BoxFuture<'_, Result<PhaseTwoStep, FenceError>>;

    /// Writes on the row, which must still be there, and tried, how its branch ended. Nothing is
    /// committed.
    fn close_phase_two(
        &self,
        transaction: OpenTransaction,
        key: RowKey,
        decision: Decision,
        now_ms: i64,
    ) -> BoxFuture<'_, Result<OpenTransaction, FenceError>>;

    /// Writes on the row that its participant gave up.
    fn park(
        &self,
        key: RowKey,
        decision: Decision,
        reason: Arc<str>,
    ) -> BoxFuture<'_, Result<(), FenceError>>;

    /// Tried rows of the participant that are not parked and were created before, oldest first
    /// (RM6). The next page follows the last row of the one before.
    fn in_doubt(
        &self,
        participant: ParticipantName,
        created_before_ms: i64,
        after: Option<InDoubtRow>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<InDoubtRow>, FenceError>>;

    /// Tried rows that the participant gave up, oldest first: they ask nothing, but the coordinator
    /// is told of them (OP2). The next page follows the last row of the one before.
    fn given_up(
        &self,
        participant: ParticipantName,
        after: Option<InDoubtRow>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<InDoubtRow>, FenceError>>;

    /// How many rows of the participant are parked.
    fn parked(&self, participant: ParticipantName) -> BoxFuture<'_, Result<u64, FenceError>>;

    /// The local horizons (RM8, RM10).
    fn horizons(&self) -> BoxFuture<'_, Result<BTreeMap<Incarnation, Horizon>, FenceError>>;

    /// The newest incarnation that any row or horizon names (RM10).
    fn newest_incarnation(&self) -> BoxFuture<'_, Result<Option<Incarnation>, FenceError>>;

    /// Stores the horizon and deletes the ended rows that it covers (RM8), at most
    /// [`CLEAN_BATCH_MAX`](unanimous_protocol::limits::CLEAN_BATCH_MAX) per local transaction.
    /// Dropped half-way it leaves rows for the next announcement, which does no harm.
    fn clean(
        &self,
        incarnation: Incarnation,
        horizon: Horizon,
    ) -> BoxFuture<'_, Result<(), FenceError>>;
}

#[cfg(feature = "sqlite")]
impl<F: Fence> Fence for Arc<F> {
    type Database = F::Database;

    fn erased(&self) -> &dyn DynFence {
        (**self).erased()
    }
}
