//! The shared language of `unanimous`: what the transaction manager, the coordinator and the
//! participants say to each other, and the names they use for things.
//!
//! * [`ids`]: incarnations, xids, call ids, aliases, resources: parse, print, order;
//! * [`state`]: the states of a global transaction, a branch and a fence row, and the one table of
//!   legal transitions;
//! * [`outcome`]: what a caller may be told;
//! * [`header`]: what travels beside a call and its answer;
//! * [`message`]: requests and answers, as plain types;
//! * [`wire`]: the same as they travel between processes;
//! * [`limits`]: every shared bound, with its reason.
//!
//! Nothing in this crate performs IO, reads a clock or is `async`. Parsers of outside input return
//! errors and never panic.

pub mod header;
pub mod ids;
pub mod state;

pub mod outcome;

pub mod limits;
pub mod message;
pub mod wire;

pub use ids::{
    ActionName, Alias, CallId, DatabaseId, Digest, Incarnation, LogId, OwnXid, ParticipantName,
    Resource, TransactionName, Xid,
};
pub use outcome::{Outcome, RollbackReason, UnknownWhy};
pub use state::{BranchKind, BranchState, Decision, GlobalState, RowState};
