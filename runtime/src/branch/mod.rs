//! Take part in someone's transaction.
//!
//! * [`Action`]: what `#[two_phase_action]` does, as public API;
//! * [`participant`]: the trait behind `#[participant]`;
//! * [`phase_two`]: what phase two is handed ([`Branch`]) and what it answers ([`PhaseTwoError`]);
//! * `context`: what a branch is, for the user's functions ([`BranchContext`]);
//! * [`record`]: arguments, written before anything is registered;
//! * [`function`]: actions that are free functions, and their state;
//! * [`fence`]: repeated, empty and late calls made harmless;
//! * `run`: phase one of a branch: registers, runs, reports;
//! * `deliver`: phase two arrives, questions are asked, rows are cleaned.

mod action;
mod context;
pub(crate) mod deliver;
#[cfg(test)]
pub(crate) mod fakes;
pub mod fence;
pub mod function;
pub mod participant;
pub mod phase_two;
pub mod record;
pub(crate) mod run;

pub(crate) use context::{BranchScope, InBranch};

pub use action::Action;
pub use context::{BranchContext, KeepError};
pub use deliver::ProvideError;
pub use participant::{ActionSpec, Participant, SourceLocation};
pub use phase_two::{Branch, PhaseTwoError};
pub use record::{RecordError, Recorded, Recorder};

pub use crate::__private::LinkedParticipant;
pub use futures_util::future::BoxFuture;
pub use inventory;
