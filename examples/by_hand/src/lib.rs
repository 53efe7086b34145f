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
//! * [`office`]: the other kinds of propagation, and what else a transaction may be told.
//! * [`safes`]: several instances of one type; values that phase one keeps; actions with one
//!   partner, with older names, with effects outside the database.
//! * [`letters`]: instances that are all alike.
//! * [`fees`]: actions that are free functions.
//!
//! README.md has a row for each ability of an annotation. `tests/parity` holds the same bank with
//! annotations and shows that both do the same. Annotations say less and check more: here nothing
//! tells that a parameter was left out of the recorded ones, or that a name in phase two is
//! misspelled.

pub mod accounts;
pub mod bank;
pub mod fees;
pub mod ledger;
pub mod letters;
pub mod notices;
pub mod office;
pub mod safes;

pub use accounts::Accounts;
pub use bank::Bank;
pub use ledger::{BankError, Journal};
pub use letters::Letters;
pub use notices::{Notices, Outbox};
pub use office::Office;
pub use safes::Safes;
