//! Begin, run and finish a global transaction.
//!
//! * [`calls`]: the pure decider: call records, what is named, whether commit may be asked;
//! * `driver`: the future that begins, polls the body in its scope, and finishes;
//! * `finish`: from a body's ending to a decision;
//! * `by_hand`: what `#[global_transactional]` does, as public API;
//! * `blocks`: `tolerate`, `retry_call`, `keyed`, `outside`;
//! * `spawn`: tasks that belong to the transaction.

pub mod calls;

pub(crate) mod driver;
mod finish;

mod blocks;
mod by_hand;
mod spawn;

pub use blocks::{RetryPolicy, TolerateExt, keyed, outside, retry_call, tolerate};
pub use by_hand::{Completed, GlobalTransaction};
pub use spawn::spawn;

use unanimous_protocol::Xid;

use crate::context::Scope;

/// How a function relates to the transaction that surrounds it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Propagation {
    /// Joins the surrounding transaction, or begins one.
    #[default]
    Required,
    /// Suspends the surrounding transaction and begins one of its own.
    RequiresNew,
    /// Joins the surrounding transaction, and refuses without one.
    Mandatory,
}

/// The xid of the transaction that surrounds the caller, so that it can be stored with a job.
#[must_use]
pub fn xid() -> Option<Xid> {
    Scope::current().map(|scope| scope.xid().clone())
}

#[cfg(test)]
mod tests;
