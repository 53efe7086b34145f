//! Everything that needs more than one crate to be tested. The README's example is a doc test of
//! this crate.

#[doc = include_str!("../../README.md")]
#[cfg(doctest)]
pub struct Readme;
