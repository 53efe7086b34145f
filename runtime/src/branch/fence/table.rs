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

use unanimous_protocol::message::Horizon;
use unanimous_protocol::{BranchKind, Decision, RowState};

pub use rules::{All, Rules};

/// What the decider sees of a fence row.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Seen {
    /// Its state.
    pub state: RowState,
    /// Whether the row is bound to the participant, action and digest at hand (N4). A marker, which
    /// no try bound, is the same as any.
    pub same: bool,
    /// Whether its participant gave up (OP2). Only ever so on a tried row.
    pub parked: bool,
}

/// What happens to a branch.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Event {
    /// A try arrives (RM3).
    Try,
    /// The coordinator delivers its decision.
    Delivered(Decision),
    /// The coordinator answers a question with its decision (RM7).
    Answered(Decision),
    /// An operator asks to run it again (OP2).
    Retry(Decision),
    /// An operator resolved it by hand (OP3).
    Resolve(Decision),
}

/// What is to be done, in the local transaction that read the row.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Step {
    /// A try: insert the row as tried, run the business statements, store the answer (`Applied`).
    /// Phase two: run the business function, then write the state that the decision leaves; ended
    /// after the local commit (RM5).
    Run,
    /// As `Run`, after `parked` was cleared in a local transaction of its own: what fails from here
    /// on is repeated like any other.
    RunUnparked,
    /// The try ran before: answer from the row.
    AlreadyApplied,
    /// The call id is bound to another participant, action or arguments (N4).
    CallIdReused,
    /// The transaction's rows were cleaned, or never will be written: the try is refused (RM8).
    BelowHorizon,
    /// Write this state on the row without running anything; ended after the local commit (OP3).
    Close(RowState),
    /// Insert a row of this state without running anything; ended after the local commit. The
    /// marker of an empty rollback (T3), or a branch resolved by hand.
    Insert(RowState),
    /// The branch has ended before; nothing to write.
    Ended,
    /// Nothing is to be done or said: an answer met a row that is not tried (RM7).
    Ignored,
    /// The row is parked and no operator asked.
    GaveUp,
    /// Insert the marker and run the business function in the same local transaction: rollback of
    /// a branch that is cancelled although no try left a row (T7).
    InsertAndRun,
    /// Commit without a row above the horizon: park, never done (RM9).
    Missing,
    /// Rollback of a confirmed row: park, report a bug (T2).
    RefusedConfirmed,
    /// A try: an error to the caller (T1). Commit of a cancelled row: park, report a bug (T2).
    RefusedCancelled,
}

/// The step for an event. `passed`: the transaction lies at or below the local horizon of its
/// incarnation and is not listed.
#[must_use]
pub fn decide(row: Option<Seen>, passed: bool, event: Event) -> Step {
    decide_with::<All>(row, passed, event)
}

/// The step for an event of a branch whose rollback is performed although no try left a row (T7):
/// the empty rollback runs the business function. What was resolved by hand needs none.
#[must_use]
pub fn decide_always_cancel(row: Option<Seen>, passed: bool, event: Event) -> Step {
    decide_always_cancel_with::<All>(row, passed, event)
}

/// [`decide_always_cancel`] under other rules.
#[doc(hidden)]
#[must_use]
pub fn decide_always_cancel_with<R: Rules>(row: Option<Seen>, passed: bool, event: Event) -> Step {
    match (decide_with::<R>(row, passed, event), event) {
        (
            Step::Insert(RowState::Cancelled),
            Event::Delivered(Decision::Rollback) | Event::Retry(Decision::Rollback),
        ) if R::CANCELS_WITHOUT_ROW => Step::InsertAndRun,
        (step, _) => step,
    }
}

/// [`decide`] under other rules.
#[doc(hidden)]
#[must_use]
pub fn decide_with<R: Rules>(row: Option<Seen>, passed: bool, event: Event) -> Step {
    let tried = row.filter(|row| row.state == RowState::Tried);
    match (event, row) {
        (Event::Try, row) => on_try::<R>(row, passed),
        (Event::Answered(_), _) if tried.is_none() && R::ANSWERS_ACT_ONLY_ON_TRIED => Step::Ignored,
        (Event::Delivered(decision) | Event::Answered(decision) | Event::Retry(decision), None) => {
            without_row::<R>(passed, decision)
        }
        (Event::Resolve(_), None) if passed => Step::Ended,
        // Without a row the late try would still run.
        (Event::Resolve(decision), None) => Step::Insert(ended_state(decision)),
        (Event::Resolve(decision), Some(_)) if tried.is_some() => {
            Step::Close(ended_state(decision))
        }
        // An ended row keeps its state (T2); the operator has seen to the difference by hand.
        (Event::Resolve(_), Some(_)) => Step::Ended,
        (Event::Retry(_), Some(row)) if tried.is_some() => {
            if row.parked {
                Step::RunUnparked
            } else {
                Step::Run
            }
        }
        (Event::Delivered(_) | Event::Answered(_), Some(row)) if tried.is_some() => {
            if row.parked {
                Step::GaveUp
            } else {
                Step::Run
            }
        }
        (
            Event::Delivered(decision) | Event::Answered(decision) | Event::Retry(decision),
            Some(row),
        ) => on_ended::<R>(row.state, decision),
    }
}

fn on_try<R: Rules>(row: Option<Seen>, passed: bool) -> Step {
    match row {
        None if passed && R::TRY_HEEDS_HORIZON => Step::BelowHorizon,
        None => Step::Run,
        Some(row) if row.state == RowState::Cancelled => {
            if R::TRY_HEEDS_MARKER {
                Step::RefusedCancelled
            } else {
                Step::Run
            }
        }
        Some(row) if row.same => Step::AlreadyApplied,
        Some(_) => Step::CallIdReused,
    }
}

fn without_row<R: Rules>(passed: bool, decision: Decision) -> Step {
    match decision {
        _ if passed => Step::Ended,
        // The marker meets the try that is still on its way (T3).
        Decision::Rollback if R::CANCEL_LEAVES_MARKER => Step::Insert(RowState::Cancelled),
        Decision::Commit if R::MISSING_IS_NOT_DONE => Step::Missing,
        Decision::Rollback | Decision::Commit => Step::Ended,
    }
}

fn on_ended<R: Rules>(state: RowState, decision: Decision) -> Step {
    match (ended_state(decision) == state, decision) {
        (true, Decision::Commit) if !R::CONFIRM_RUNS_ONCE => Step::Run,
        (true, _) => Step::Ended,
        (false, Decision::Rollback) => Step::RefusedConfirmed,
        (false, Decision::Commit) => Step::RefusedCancelled,
    }
}

/// The state that a decision leaves.
#[must_use]
pub fn ended_state(decision: Decision) -> RowState {
    match decision {
        Decision::Commit => RowState::Confirmed,
        Decision::Rollback => RowState::Cancelled,
    }
}

/// Whether a participant's giving up is written on the row: only a tried row waits (OP2).
#[must_use]
pub fn may_park(row: Option<Seen>) -> bool {
    row.is_some_and(|row| row.state == RowState::Tried)
}

/// Whether a question is asked about the row (RM6): tried, not parked, and its decision was not
/// `heard` since this process attached. A branch without fence never asks.
#[must_use]
pub fn may_ask(kind: BranchKind, row: Seen, heard: bool) -> bool {
    may_ask_with::<All>(kind, row, heard)
}

/// [`may_ask`] under other rules.
#[doc(hidden)]
#[must_use]
pub fn may_ask_with<R: Rules>(kind: BranchKind, row: Seen, heard: bool) -> bool {
    let in_doubt = row.state == RowState::Tried && !row.parked && !heard;
    R::ASKS_IN_DOUBT && kind == BranchKind::Fenced && in_doubt
}

/// Whether cleaning deletes the row (RM8): an ended one that the horizon has passed. The horizon is
/// stored in the same local transaction.
#[must_use]
pub fn may_delete(row: Seen, passed: bool) -> bool {
    may_delete_with::<All>(row, passed)
}

/// [`may_delete`] under other rules.
#[doc(hidden)]
#[must_use]
pub fn may_delete_with<R: Rules>(row: Seen, passed: bool) -> bool {
    let ended = row.state != RowState::Tried || !R::CLEANS_ONLY_ENDED;
    ended && (passed || !R::CLEANS_BY_HORIZON)
}

/// The local horizon after an announcement (RM8): it never goes back, and its list only shrinks.
/// What either has passed stays passed.
#[must_use]
pub fn merge_horizons(local: &Horizon, announced: &Horizon) -> Horizon {
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
