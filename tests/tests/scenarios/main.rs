//! Whole transactions through the public API: real annotations, real SQLite fences, the real
//! embedded coordinator. Each test is named after the invariant or the row of the fault matrix that
//! it would see broken.
//!
//! Everything any scenario logs, at `TRACE`, goes through [`logs`], which looks for the values that
//! must never be there.

mod clock;
mod logs;
mod process;
mod vault;
mod wire;
mod world;

mod basics;
mod by_hand;
mod canaries;
mod cancellation;
mod carried;
mod clocks;
mod composition;
mod disasters;
mod given_up;
mod interruptions;
mod operators;
mod queue;
mod refusals;
mod requests;
mod restarts;
mod runtimes;
mod starved;
mod sums;
