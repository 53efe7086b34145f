//! The test kit itself: it shows what is right and finds what is wrong.

mod by_hand;
mod drops;
mod functions;
mod harness;
mod kinds;
mod mocked;
mod participants;
mod provers;
mod readme;
mod scripted;
mod settling;
mod unreadable;
