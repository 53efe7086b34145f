//! The participant's decider: (row, local horizon, event) to step, cell by cell (protocol section
//! 7, RM3 to RM9). Pure: no clock, no IO, nothing async.
//!
//! | row | try | commit | rollback | answer to a question | horizon passes |
//! |---|---|---|---|---|---|
//! | none, above the horizon | run | `Missing`, park | marker | ignore | - |
//! | none, passed by it | refuse | ended | ended | ignore | - |
//! | tried | stored answer | confirm | cancel | as its decision | stays |
//! | confirmed | stored answer | ended | park | ignore | delete |
//! | cancelled | refuse | park | ended | ignore | delete |
//!
//! Each cell is one local transaction: the row is read, the step taken and the row written in it.
//! No cell looks at a clock; a participant never decides by itself (RM4).

mod rules;

use std::collections::BTreeSet;
use std::sync::Arc;

use unanimous_protocol::message::{Horizon, ParkReason};
use unanimous_protocol::{
    ActionName, BranchKind, Decision, Digest, Incarnation, ParticipantName, RowState, Xid,
};

use super::PhaseTwoCause;

pub use rules::{All, Rules};

/// What the decider sees of a fence row.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Row {
    /// Its state.
    pub state: RowState,
    /// Which call it is bound to (N4); none where no try was: a marker.
    pub bound: Option<Bound>,
    /// Its participant gave up; waits for an operator (OP2). Only ever set on a tried row.
    pub parked: Option<Parked>,
}

/// What the first try binds its call id to (N4).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Bound {
    /// The participant.
    pub participant: ParticipantName,
    /// The action.
    pub action: ActionName,
    /// SHA-256 of the recorded arguments.
    pub digest: Digest,
}

/// A participant gave up on phase two of a branch.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Parked {
    /// What it was to carry out.
    pub decision: Decision,
    /// Why it gave up, for people.
    pub reason: Arc<str>,
}

/// Where a transaction lies relative to the local horizon of its incarnation (RM8).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Position {
    /// Its ended rows are kept: no row means that none was ever written.
    Above,
    /// At or below the horizon and not listed: ended rows are gone, nothing new may start.
    Passed,
}

/// What a try finds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TryVerdict {
    /// Insert the row as tried, run the business statements, store the answer: `Applied`.
    Run,
    /// It ran before: answer from the row.
    AlreadyApplied,
    /// A rollback was here first (T1): an error to the caller.
    RefusedCancelled,
    /// Its rows were cleaned, or never will be written.
    BelowHorizon,
    /// The call id is bound to another participant, action or arguments (N4).
    CallIdReused,
}

/// What phase two finds.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum PhaseTwoVerdict {
    /// Run the business function, then write this state; ended after the local commit (RM5).
    Run {
        /// The state to write.
        close: RowState,
        /// Clear `parked` before, in a local transaction of its own: an operator asked for it, and
        /// what fails now is repeated like any other.
        unpark: bool,
    },
    /// Write a row of this state without running anything; ended after the local commit. An empty
    /// rollback, or a branch that was resolved by hand (OP3).
    Write(RowState),
    /// The branch has ended before; nothing to write.
    Ended,
    /// Nothing is to be done or said: an answer met a row that is not tried (RM7).
    Ignored,
    /// Stop repeating it.
    Park(ParkReason),
}

impl Position {
    /// Where the transaction lies. Xids of other coordinators have no horizon.
    #[must_use]
    pub fn of(xid: &Xid, horizon: impl FnOnce(Incarnation) -> Option<Horizon>) -> Self {
        let passed = xid.own().is_some_and(|own| {
            horizon(own.incarnation).is_some_and(|horizon| horizon.has_passed(own.counter))
        });
        if passed { Self::Passed } else { Self::Above }
    }
}

/// A try of this call arrives (RM3).
#[must_use]
pub fn on_try(row: Option<&Row>, position: Position, bound: &Bound) -> TryVerdict {
    on_try_with::<All>(row, position, bound)
}

/// [`on_try`] under other rules.
#[doc(hidden)]
#[must_use]
pub fn on_try_with<R: Rules>(row: Option<&Row>, position: Position, bound: &Bound) -> TryVerdict {
    match row {
        None if position == Position::Passed && R::TRY_HEEDS_HORIZON => TryVerdict::BelowHorizon,
        None => TryVerdict::Run,
        Some(row) if row.state == RowState::Cancelled && R::TRY_HEEDS_MARKER => {
            TryVerdict::RefusedCancelled
        }
        Some(row) if row.state == RowState::Cancelled => TryVerdict::Run,
        Some(row) if row.bound.as_ref() == Some(bound) => TryVerdict::AlreadyApplied,
        Some(_) => TryVerdict::CallIdReused,
    }
}

/// A decision about this branch is delivered, heard as the answer to a question, or forced by an
/// operator.
#[must_use]
pub fn on_phase_two(
    row: Option<&Row>,
    position: Position,
    decision: Decision,
    cause: PhaseTwoCause,
) -> PhaseTwoVerdict {
    on_phase_two_with::<All>(row, position, decision, cause)
}

/// [`on_phase_two`] under other rules.
#[doc(hidden)]
#[must_use]
pub fn on_phase_two_with<R: Rules>(
    row: Option<&Row>,
    position: Position,
    decision: Decision,
    cause: PhaseTwoCause,
) -> PhaseTwoVerdict {
    let tried = row.is_some_and(|row| row.state == RowState::Tried);
    if cause == PhaseTwoCause::Answered && !tried && R::ANSWERS_ACT_ONLY_ON_TRIED {
        return PhaseTwoVerdict::Ignored;
    }
    match row {
        None => without_row::<R>(position, decision, cause),
        Some(row) if tried => on_tried(row, decision, cause),
        Some(row) => on_ended::<R>(row.state, decision, cause),
    }
}

fn without_row<R: Rules>(
    position: Position,
    decision: Decision,
    cause: PhaseTwoCause,
) -> PhaseTwoVerdict {
    match (position, decision) {
        (Position::Passed, _) => PhaseTwoVerdict::Ended,
        (Position::Above, decision) if cause == PhaseTwoCause::OperatorResolve => {
            PhaseTwoVerdict::Write(state_after(decision))
        }
        // The marker meets the try that is still on its way (T3).
        (Position::Above, Decision::Rollback) if R::CANCEL_LEAVES_MARKER => {
            PhaseTwoVerdict::Write(RowState::Cancelled)
        }
        (Position::Above, Decision::Rollback) => PhaseTwoVerdict::Ended,
        (Position::Above, Decision::Commit) if R::MISSING_IS_NOT_DONE => {
            PhaseTwoVerdict::Park(ParkReason::Missing)
        }
        (Position::Above, Decision::Commit) => PhaseTwoVerdict::Ended,
    }
}

fn on_tried(row: &Row, decision: Decision, cause: PhaseTwoCause) -> PhaseTwoVerdict {
    let close = state_after(decision);
    match (cause, &row.parked) {
        (PhaseTwoCause::OperatorResolve, _) => PhaseTwoVerdict::Write(close),
        (PhaseTwoCause::OperatorRetry, parked) => PhaseTwoVerdict::Run {
            close,
            unpark: parked.is_some(),
        },
        (PhaseTwoCause::Delivered | PhaseTwoCause::Answered, Some(parked)) => {
            PhaseTwoVerdict::Park(ParkReason::GaveUp(Arc::clone(&parked.reason)))
        }
        (PhaseTwoCause::Delivered | PhaseTwoCause::Answered, None) => PhaseTwoVerdict::Run {
            close,
            unpark: false,
        },
    }
}

fn on_ended<R: Rules>(
    state: RowState,
    decision: Decision,
    cause: PhaseTwoCause,
) -> PhaseTwoVerdict {
    match (state, decision) {
        (RowState::Confirmed, Decision::Commit) if !R::CONFIRM_RUNS_ONCE => PhaseTwoVerdict::Run {
            close: RowState::Confirmed,
            unpark: false,
        },
        (RowState::Confirmed, Decision::Commit) | (RowState::Cancelled, Decision::Rollback) => {
            PhaseTwoVerdict::Ended
        }
        // An ended row keeps its state (T2); the operator has seen to the difference by hand.
        _ if cause == PhaseTwoCause::OperatorResolve => PhaseTwoVerdict::Ended,
        (_, Decision::Rollback) => PhaseTwoVerdict::Park(ParkReason::RefusedConfirmed),
        (_, Decision::Commit) => PhaseTwoVerdict::Park(ParkReason::RefusedCancelled),
    }
}

/// The state that a decision leaves.
#[must_use]
pub fn state_after(decision: Decision) -> RowState {
    match decision {
        Decision::Commit => RowState::Confirmed,
        Decision::Rollback => RowState::Cancelled,
    }
}

/// Whether a participant's giving up is written on the row: only a tried row waits (OP2).
#[must_use]
pub fn may_park(row: Option<&Row>) -> bool {
    row.is_some_and(|row| row.state == RowState::Tried)
}

/// Whether a question is asked about the row (RM6): tried, not parked, and its decision was not
/// `heard` since this process attached. A branch without fence never asks.
#[must_use]
pub fn may_ask(kind: BranchKind, row: &Row, heard: bool) -> bool {
    may_ask_with::<All>(kind, row, heard)
}

/// [`may_ask`] under other rules.
#[doc(hidden)]
#[must_use]
pub fn may_ask_with<R: Rules>(kind: BranchKind, row: &Row, heard: bool) -> bool {
    let in_doubt = row.state == RowState::Tried && row.parked.is_none() && !heard;
    R::ASKS_IN_DOUBT && kind == BranchKind::Fenced && in_doubt
}

/// Whether cleaning deletes the row (RM8): an ended one that the horizon has passed. The horizon is
/// stored in the same local transaction.
#[must_use]
pub fn may_delete(row: &Row, position: Position) -> bool {
    may_delete_with::<All>(row, position)
}

/// [`may_delete`] under other rules.
#[doc(hidden)]
#[must_use]
pub fn may_delete_with<R: Rules>(row: &Row, position: Position) -> bool {
    let ended = row.state != RowState::Tried || !R::CLEANS_ONLY_ENDED;
    ended && (position == Position::Passed || !R::CLEANS_BY_HORIZON)
}

/// The local horizon after an announcement (RM8): it never goes back, and its list only shrinks.
/// What either has passed stays passed.
#[must_use]
pub fn advanced(local: &Horizon, announced: &Horizon) -> Horizon {
    let counter = local.counter.max(announced.counter);
    let listed: BTreeSet<u64> = local
        .listed
        .union(&announced.listed)
        .copied()
        .filter(|at| *at <= counter && !local.has_passed(*at) && !announced.has_passed(*at))
        .collect();
    Horizon { counter, listed }
}

#[cfg(test)]
mod tests;
