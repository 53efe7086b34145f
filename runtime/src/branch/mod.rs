//! Take part in someone's transaction.
//!
//! * [`participant`]: the trait behind `#[participant]`;
//! * [`phase_two`]: what phase two is handed ([`Branch`], [`BranchContext`]) and what it answers
//!   ([`PhaseTwoError`]);
//! * [`record`]: arguments, written before anything is registered;
//! * [`fence`]: repeated, empty and late calls made harmless;
//! * [`run`]: phase one of a branch: registers, runs, reports;
//! * [`deliver`]: phase two arrives, questions are asked, rows are cleaned.

pub mod fence;
pub mod participant;
pub mod phase_two;
pub mod record;

pub use participant::{ActionSpec, Participant, SourceLocation};
pub use phase_two::{Branch, BranchContext, PhaseTwoError};
