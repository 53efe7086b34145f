#![doc = include_str!("../docs/testing.md")]

#[cfg(feature = "sqlite")]
mod database;
mod faults;
mod harness;
mod mocked;
mod prover;
mod scripted;
mod stage;
mod timed;

#[cfg(feature = "sqlite")]
pub use database::database;
pub use faults::{Fail, Fault, FaultPlan, Faults, Reached};
pub use harness::{Delivered, Harness, Settled, Tried};
pub use mocked::{Decided, without_coordinator};
pub use prover::{Breach, Broken, Problem, Proof, Prover, Rule};
pub use scripted::{Gate, Heard, Message, Scripted};

pub use crate::clock::ManualClock;
pub use crate::points::{Phase, Point};
