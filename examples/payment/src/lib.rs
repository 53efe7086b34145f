//! A shop that sells what it has, for money that somebody else keeps.
//!
//! * [`payments`]: the participant. It has no database; it calls a payment API, and every call
//!   carries an idempotency key that the framework makes, so that repeats have one effect;
//! * [`api`]: that payment API, a small HTTP server of the example's own, with the faults of real
//!   ones: answers get lost, and requests hang;
//! * [`shop`]: the purchase: authorise the money, create the order, all or nothing.

pub mod api;
pub mod payments;
pub mod shop;
