//! The test kit itself: it shows what is right and finds what is wrong.

mod by_hand;
mod closing;
mod drops;
mod functions;
mod habits;
mod harness;
mod heard;
mod kinds;
mod mocked;
mod occurrences;
mod participants;
mod provers;
mod readme;
mod scripted;
mod settling;
mod unreadable;
