//! Distributed transactions as annotations: all participants commit, or none does.
//!
//! * [`global_transactional`] on a service function begins or joins a global transaction and
//!   decides from its result: `Ok` commits everywhere; an error, a panic, the deadline or a
//!   dropped future rolls back.
//! * [`two_phase_action`] on a method of a [`participant`] makes it a TCC branch: phase one runs at
//!   once, the method named by `commit` or `rollback` once the outcome is decided.
//! * A [`Runtime`] connects both to a coordinator: embedded in the process, or `unanimous serve`.
//!
//! The page of each annotation is its manual, with an example for every argument;
//! [`RuntimeBuilder`] shows every setting, [`carry`] a whole HTTP service, `testing` (a feature) how
//! to test actions.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `embedded` (default) | the coordinators `memory:` and `embedded:PATH` |
//! | `sqlite` (default) | `fence = ..` over SQLite pools, [`sqlx`] |
//! | `grpc` | the coordinator `unanimous://HOST:PORT` |
//! | `listen` | `embedded:PATH?listen=127.0.0.1:PORT`, which serves other processes |
//! | `tower` | layers for axum and tonic, `Runtime::readiness`, `Error::http_status` |
//! | `reqwest` | a middleware for reqwest clients |
//! | `tonic` | failures of a transaction as `tonic::Status` |
//! | `testing` | the test kit; for tests only |
//!
//! # What it tells
//!
//! Log lines and spans go to `tracing`: without a subscriber, such as that of `tracing-subscriber`,
//! nothing is seen of them. What a person has to look at is an [`Event`] besides
//! ([`RuntimeBuilder::on_event`]), and `unanimous list`, or [`Runtime::admin`], shows what is under
//! way.
//!
//! # Outcomes
//!
//! `Ok` means decided, not yet carried out: branches confirm a moment later. A failed transaction
//! is told as [`Error`], and an outcome that is not known as [`Error::Unknown`], never as one of
//! the others; ask later with [`Runtime::outcome`], or settle it with [`Runtime::resolve`].
//!
//! # Errors
//!
//! One type per boundary: [`Error`] is what transactional code meets, [`BuildError`] what
//! [`RuntimeBuilder::build`] refuses, [`AdminError`] what an operator's request comes to, and
//! [`FenceError`] how the database of a fence fails. What can be mended by writing something else is
//! told in the text itself, not in its sources alone.
//!
//! # What is not promised
//!
//! Only actions are undone: plain SQL in a transactional body is not. A restart of the coordinator
//! rolls undecided transactions back. Effects outside a participant's database happen at least
//! once.
//!
//! # Rules
//!
//! On the pages for those who write a coordinator, a fence or a console ([`coordinator`],
//! [`branch::fence`], [`protocol`]) letters and a number in brackets, such as (RM5), name a rule of
//! the commit protocol: in the repository `cargo xtask rules` lists them, with the tests that keep
//! each.

mod backoff;
mod context;
mod error;
mod events;
mod hooks;
mod points;

pub mod branch;
pub mod carry;
pub mod clock;
pub mod coordinator;
pub mod global;
pub mod runtime;
#[cfg(feature = "testing")]
pub mod testing;

#[cfg(feature = "sqlite")]
pub mod sqlite;

#[doc(hidden)]
pub mod __private;
/// The same for an annotation with `crate = PATH`: a path to another crate is told of in these words.
#[doc(hidden)]
pub use __private as crate_must_name_the_crate_unanimous;

pub use branch::fence::FenceError;
pub use branch::{Action, Branch, BranchContext, KeepError, Participant, PhaseTwoError};
pub use carry::Context;
pub use error::{CallFailure, Called, Error};
pub use events::Event;
pub use global::{
    Completed, GlobalTransaction, Propagation, RetryPolicy, TolerateExt, after_commit, after_end,
    keyed, outside, retry_call, retry_transaction, spawn, tolerate, xid,
};
pub use hooks::{Begun, HookResult, TransactionHook};
pub use runtime::{AdminError, BuildError, InstallError, Runtime, RuntimeBuilder};
pub use unanimous_protocol::{Decision, Outcome, RollbackReason, UnknownWhy, Xid};

/// The names, states and messages that [`coordinator::Coordinator`], [`runtime::Admin`] and
/// [`Event`] speak of.
///
/// Letters and a number in brackets, such as (N3), name a [rule](crate#rules).
pub mod protocol {
    // Not `wire`: were its `Result` in reach of users, the compiler would spell theirs
    // `std::result::Result` in every message.
    #[doc(inline)]
    pub use unanimous_protocol::{
        ActionName, Alias, BranchKind, BranchState, CallId, DatabaseId, Decision, Digest,
        GlobalState, Incarnation, LogId, Outcome, OwnXid, ParticipantName, Resource,
        RollbackReason, RowState, TransactionName, UnknownWhy, Xid, header, ids, limits, message,
        outcome, state,
    };
}

pub use __private::FromTransactionError;

#[cfg(feature = "sqlite")]
pub use branch::fence::{Fence, FenceTx};
#[cfg(feature = "sqlite")]
pub use sqlx;

#[doc = include_str!("docs/global_transactional.md")]
pub use unanimous_macros::global_transactional;
#[doc = include_str!("docs/participant.md")]
pub use unanimous_macros::participant;
#[doc = include_str!("docs/two_phase_action.md")]
pub use unanimous_macros::two_phase_action;
