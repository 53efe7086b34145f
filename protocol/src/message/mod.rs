//! Requests and answers between the runtime and a coordinator, as plain types.
//!
//! What must survive carries xid, call id and resource, never the alias alone: the marker of an
//! empty rollback is keyed by call id, or a late try would not find it.

mod admin;
mod attach;
mod branch;
mod global;
mod paging;

pub use admin::{
    AdminAnswer, AdminRefusal, AdminRequest, BranchDetail, TransactionDetail, TransactionSummary,
};
pub use attach::{Attach, AttachRefused, AttachResource, Attached, Horizon, IncarnationInfo};
pub use branch::{
    BranchResult, ByOperator, InDoubtAnswer, InDoubtQuestion, JoinRefused, Joined, Kept,
    ParkReason, PhaseTwo, Register, Report, ReportAnswer, ReportRefused, Reported, TraceContext,
};
pub use global::{Began, Begin, BeginRefused, Commit, DecisionAnswer};
pub use paging::Paging;

/// Text that is JSON. The protocol carries it and never looks inside.
pub type Json = std::sync::Arc<str>;
