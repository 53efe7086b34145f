//! Which kinds of steps a search has taken: one that takes none of a kind says nothing about it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::manager::CallEnd;
use crate::participant::Business;
use crate::step::Step;

/// How often each kind of step was taken.
#[derive(Debug, Default)]
pub(crate) struct Reached([AtomicU64; KINDS.len()]);

/// The kinds of steps that a search is to reach.
pub(crate) const KINDS: [&str; 26] = [
    "a call is answered",
    "a header is lost",
    "a call fails",
    "a block ends well",
    "a block is abandoned",
    "the body ends well",
    "the body fails",
    "a branch registers",
    "commit is asked",
    "rollback is asked",
    "the outcome is asked",
    "a row in doubt is asked about",
    "a result is reported",
    "a sync",
    "a crash",
    "the deadline passes",
    "the horizon moves",
    "outcomes are let go of",
    "an operator acts",
    "a try",
    "a phase two",
    "a participant gives up",
    "an answer about a row in doubt",
    "a database is cleaned",
    "a row given up is told of",
    "a try is in vain",
];

impl Reached {
    pub(crate) fn note(&self, step: Step) {
        if let Some(kind) = kind(step) {
            self.0[kind].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often each kind of step was taken.
    pub(crate) fn counts(&self) -> [u64; KINDS.len()] {
        std::array::from_fn(|kind| self.0[kind].load(Ordering::Relaxed))
    }
}

fn kind(step: Step) -> Option<usize> {
    Some(match step {
        Step::CallEnds(CallEnd::Answered, _) => 0,
        Step::CallEnds(CallEnd::Stripped, _) => 1,
        Step::CallEnds(CallEnd::Failed, _) => 2,
        Step::BlockEnds(true) => 3,
        Step::BlockEnds(false) => 4,
        Step::BodyEnds(true) => 5,
        Step::BodyEnds(false) => 6,
        Step::Register(_) => 7,
        Step::AskCommit => 8,
        Step::AskRollback => 9,
        Step::AskOutcome => 10,
        Step::AskAbout(_) => 11,
        Step::Report(_) => 12,
        Step::Sync => 13,
        Step::Crash(_) => 14,
        Step::Deadline => 15,
        Step::HorizonTick => 16,
        Step::RememberTick => 17,
        Step::Operate(..) => 18,
        Step::Try(_) => 19,
        Step::PhaseTwo(_, Business::Succeeds) => 20,
        Step::PhaseTwo(_, Business::GivesUp) => 21,
        Step::Answer(_) => 22,
        Step::Clean(..) => 23,
        Step::TellGivenUp(_) => 24,
        Step::TryInVain(_) => 25,
        // Only mutants take the others.
        _ => return None,
    })
}
