//! Placeholder.
pub mod store;
pub mod random;

pub mod decide;
