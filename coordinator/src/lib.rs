//! The coordinator of the `unanimous` distributed transaction framework: decides outcomes, keeps
//! them, and drives phase two until every branch has ended.
//!
//! ```text
//!  clients ──► drive (sessions, timers, one mutex) ──► decide (pure)
//!                 │                                       │
//!                 └────────────── store ◄─────────────────┘ records
//! ```
//!
//! * [`drive`]: an embeddable [`Coordinator`], a function call away;
//! * [`mod@decide`]: what it decides, without clock, IO or async;
//! * [`store`]: where its log lives: in memory, or in one verified file;
//! * `serve` (feature): the coordinator served to other processes;
//! * [`clock`], [`random`]: time and randomness, parameters of the driver.

pub mod clock;
pub mod decide;
pub mod drive;
pub mod random;
#[cfg(feature = "serve")]
pub mod serve;
pub mod store;

pub use drive::{Coordinator, Options};
