//! The test kit itself: it shows what is right and finds what is wrong.

mod harness;
mod mocked;
mod participants;
mod provers;
mod readme;
mod scripted;
