//! What the annotations write, written by hand: no macros.
//!
//! A bank holds money of its customers ([`Accounts`], behind a fence) and tells them about it
//! ([`Notices`], without one). Read in this order:
//!
//! * [`ledger`]: tables and statements; nothing of transactions. An annotated version has it too.
//! * [`accounts`]: a fenced action and its participant: what `#[participant]` and
//!   `#[two_phase_action]` write.
//! * [`notices`]: an action without a fence, whose value is handed to phase two, with an error
//!   type that cannot hold ours (`map_err`).
//! * [`bank`]: global transactions: what `#[global_transactional]` writes.
//!
//! `tests/parity` holds the same bank with annotations and shows that both do the same. Annotations
//! say less and check more: here nothing tells that a parameter was left out of the recorded ones,
//! or that a name in phase two is misspelled.

pub mod accounts;
pub mod bank;
pub mod ledger;
pub mod notices;

pub use accounts::Accounts;
pub use bank::Bank;
pub use ledger::BankError;
pub use notices::{Notices, Outbox};
