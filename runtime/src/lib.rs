//! Distributed transactions as annotations: all participants commit, or none does.

pub mod branch;
pub mod clock;
pub mod coordinator;
mod error;

pub use error::{CallFailure, Error};
