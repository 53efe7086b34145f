//! Where the coordinator's log lives: a small ordered store with group commit.
//!
//! ```text
//!  drive ── append(batch, force) ──► queue ──► writer thread: one store transaction, one sync
//!    ▲                                                              │
//!    └──────────────── durable(position) ◄──────────────────────────┘
//! ```
//!
//! A store knows keys, bytes and positions; what the bytes mean is the codec's business. Appending
//! never waits for the disk. A forced batch is committed at once, together with everything queued
//! before it; lazy batches ride along, or are committed in the background.
//!
//! After a failed write or sync a store is *failed* for ever (E4, L3): it acknowledges nothing
//! more, and every further append is refused.

pub mod codec;
mod counting;
mod error;
mod memory;
pub mod redb;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use unanimous_protocol::LogId;

pub use self::redb::RedbStore;
pub use counting::{Counters, CountingStore};
pub use error::StoreError;
pub use memory::{MemoryDisk, MemoryStore};

/// Counts the batches appended to one opened store, from 1. A position is durable when everything
/// up to it survives a loss of power.
pub type Position = u64;

/// A place for one value. Each variant is a table of its own, ordered by its key.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Key {
    /// About an incarnation: its start, its horizon, its remembered outcomes.
    Incarnation(Vec<u8>),
    /// One record of one transaction; the only kind that a horizon deletes.
    Record(RecordKey),
    /// Whatever no horizon touches: resources, lost databases, decisions by hand.
    Fact(Vec<u8>),
}

/// The place of one record of one transaction: records of one transaction lie side by side, and
/// new ones at the end.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RecordKey {
    /// The number of the incarnation that issued the transaction.
    pub incarnation: u64,
    /// The transaction's counter.
    pub counter: u64,
    /// Which record of the transaction.
    pub slot: u64,
}

/// A value to be put under a key, in place of what was there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Put {
    /// Where.
    pub key: Key,
    /// What: the encoded message, without format and checksum, which the store adds.
    pub value: Vec<u8>,
}

/// What a move of the horizon deletes, in the store transaction that stores it (TC11).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Forget {
    /// The number of the incarnation.
    pub incarnation: u64,
    /// Records of transactions up to this counter are deleted,
    pub counter: u64,
    /// except those of these counters.
    pub listed: BTreeSet<u64>,
    /// Rows of [`Key::Incarnation`] within this range are deleted: outcomes no longer remembered.
    pub rows: Range<Vec<u8>>,
}

/// What becomes durable together: any number of values and at most one horizon.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Batch {
    /// What is deleted first.
    pub forget: Option<Forget>,
    /// The values put then, in order.
    pub puts: Vec<Put>,
}

/// Whether somebody waits for a batch.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Force {
    /// Nobody waits: it rides the next forced batch, or a background commit.
    Lazy,
    /// Something depends on it: commit and sync it at once.
    Forced,
}

/// The acknowledgement of an append.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Appended {
    /// The batch's position.
    pub position: Position,
    /// Whether it is durable already, as in a store without a disk.
    pub durable: bool,
}

/// Everything a store holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Loaded {
    /// Where it was found, for messages.
    pub path: PathBuf,
    /// The identity of the log.
    pub log: LogId,
    /// The entries in the order of their keys.
    pub entries: Vec<(Key, Vec<u8>)>,
}

/// Who is told when positions become durable.
pub trait Listener: Send + Sync + 'static {
    /// Everything up to `position` is durable. Called in order, from the store's own thread.
    fn durable(&self, position: Position);
    /// The store has failed: nothing beyond the last durable position ever becomes durable in
    /// this process. Called at most once.
    fn failed(&self, error: StoreError);
}

/// A store for the coordinator's log.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// Everything the store holds. Called once, before the first append.
    fn load(&self) -> Result<Loaded, StoreError>;

    /// Names who is told about durable positions. Called once, before the first append.
    fn listen(&self, listener: Arc<dyn Listener>);

    /// Queues a batch. Never waits for the disk.
    ///
    /// Batches become durable in the order of their positions, each whole or not at all.
    fn append(&self, batch: Batch, force: Force) -> Result<Appended, StoreError>;

    /// Whether the disk was full at the start: what was decided is finished, but nothing may begin.
    fn is_full(&self) -> bool {
        false
    }

    /// Tries to set space aside again after the disk was full; returns whether begins are possible.
    /// Blocks on the file system.
    fn make_reserve(&self) -> bool {
        true
    }

    /// Commits what is queued and closes the store. Blocks; later appends are refused.
    fn close(&self) -> Result<(), StoreError>;
}
