//! The only names that generated code may use. Not covered by semantic versioning: `unanimous`
//! pins the exact version of its macros.

mod action;
mod function;
mod global;

pub use action::*;
pub use function::*;
pub use global::*;

pub use inventory;

pub use crate::branch::fence::DynFence;
pub use crate::branch::{
    ActionSpec, Branch, BranchContext, Participant, PhaseTwoError, SourceLocation,
};
pub use crate::global::Propagation;
pub use unanimous_protocol::Decision;

#[cfg(feature = "sqlite")]
pub use crate::branch::fence::FenceTx;
