//! Begin, run and finish a global transaction.
//!
//! * by annotation: [`global_transactional`](macro@crate::global_transactional); by hand:
//!   [`GlobalTransaction`];
//! * inside one: [`tolerate`], [`retry_call`], [`keyed`], [`outside`], [`spawn`], [`xid`];
//! * when its outcome is known: [`after_commit`], [`after_end`], and for every transaction of a
//!   runtime a [`TransactionHook`](crate::TransactionHook);
//! * around one: [`retry_transaction`].

#[doc(hidden)]
pub mod calls;

pub(crate) mod driver;
mod finish;

pub(crate) mod after;
pub(crate) mod retry;

mod blocks;
mod by_hand;
mod spawn;

pub use after::{after_commit, after_end};
pub use blocks::{TolerateExt, keyed, outside, tolerate};
pub use by_hand::{Completed, GlobalTransaction};
pub use retry::{RetryPolicy, retry_call, retry_transaction};
pub use spawn::spawn;

use unanimous_protocol::Xid;

use crate::context::Scope;

/// How a function relates to the transaction that surrounds it.
///
/// | | inside a transaction | outside |
/// |---|---|---|
/// | `Required` | joins it; who began decides | begins one |
/// | `RequiresNew` | suspends it and begins another, independent one | begins one |
/// | `Supports` | joins it | runs without |
/// | `NotSupported` | suspends it and runs without | runs without |
/// | `Mandatory` | joins it | refuses: [`Error::NotInTransaction`](crate::Error::NotInTransaction) |
/// | `Never` | refuses: [`Error::InTransaction`](crate::Error::InTransaction) | runs without |
///
/// A suspended transaction is not touched: no record is kept of what runs meanwhile, no header
/// travels with it, and the transaction surrounds the caller again as soon as the function
/// returns, panics or is dropped.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Propagation {
    /// Joins the surrounding transaction, or begins one.
    #[default]
    Required,
    /// Suspends the surrounding transaction and begins one of its own.
    RequiresNew,
    /// Joins the surrounding transaction, or runs without one.
    Supports,
    /// Suspends the surrounding transaction and runs without one.
    NotSupported,
    /// Joins the surrounding transaction, and refuses without one.
    Mandatory,
    /// Runs without a transaction, and refuses inside one.
    Never,
}

/// The xid of the transaction that surrounds the caller, so that it can be stored with a job.
#[must_use]
pub fn xid() -> Option<Xid> {
    Scope::current().map(|scope| scope.xid().clone())
}

#[cfg(test)]
mod tests;
