//! The participants: the product's fence table over one row each.

use unanimous::branch::fence::table::{self, Event, Seen, Step};
use unanimous_protocol::{BranchKind, Decision, RowState};

use crate::scope::Deciders;
use crate::world::{Broken, Database, LocalHorizon, Operator, Said};

/// A participant at work: its database, and what it is.
#[derive(Debug)]
pub(crate) struct Participant<'a> {
    pub(crate) database: &'a mut Database,
    pub(crate) kind: BranchKind,
    pub(crate) deciders: Deciders,
    /// The first promise that was broken here.
    pub(crate) broken: Option<Broken>,
}

/// What a phase two meets besides the row.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Business {
    Succeeds,
    /// The participant gives up (OP2).
    GivesUp,
    /// Its process ends after it said that the branch ended, before the local commit (RM5).
    EndsTooLate,
}

impl Participant<'_> {
    /// A try that was registered: whether the call is answered with success.
    pub(crate) fn try_(&mut self) -> bool {
        match self.decide(Event::Try) {
            Step::Run => {
                self.effect_of_try();
                self.database.row = Some(RowState::Tried);
                self.database.parked = false;
                self.asks();
                true
            }
            Step::AlreadyApplied => true,
            _ => false,
        }
    }

    /// The business statements of a try, without row.
    pub(crate) fn effect_of_try(&mut self) {
        self.effect_outside();
        self.database.tried += 1;
    }

    /// A try whose local transaction is rolled back: what it did outside remains.
    pub(crate) fn try_in_vain(&mut self) {
        if self.decide(Event::Try) == Step::Run {
            self.effect_outside();
        }
    }

    fn effect_outside(&mut self) {
        if self.database.rolled_back {
            self.breaks(Broken::T1);
        }
        self.database.outside |= self.kind == BranchKind::AlwaysCancel;
    }

    /// A decision is delivered: what is answered.
    pub(crate) fn delivered(
        &mut self,
        decision: Decision,
        by: Operator,
        business: Business,
    ) -> Option<Said> {
        let event = match by {
            Operator::No => Event::Delivered(decision),
            Operator::Retry => Event::Retry(decision),
            Operator::Resolve => Event::Resolve(decision),
        };
        self.phase_two(event, decision, business)
    }

    /// A question about the row was answered. Nothing is said back.
    pub(crate) fn answered(&mut self, decision: Decision) {
        self.phase_two(Event::Answered(decision), decision, Business::Succeeds);
    }

    fn phase_two(&mut self, event: Event, decision: Decision, business: Business) -> Option<Said> {
        let step = self.decide(event);
        if decision == Decision::Rollback
            && matches!(step, Step::Run | Step::Insert(_) | Step::Ended)
        {
            self.database.rolled_back = true;
        }
        match step {
            Step::Run | Step::RunUnparked => {
                self.database.parked = false;
                match business {
                    Business::Succeeds => self.run(decision),
                    Business::GivesUp => {
                        self.database.parked = table::may_park(self.seen());
                        return Some(Said::GaveUp);
                    }
                    Business::EndsTooLate => {}
                }
                Some(Said::Ended)
            }
            // Giving up leaves no marker: the try may still come.
            Step::InsertAndRun if business == Business::GivesUp => Some(Said::GaveUp),
            Step::InsertAndRun => {
                self.database.rolled_back = true;
                self.run(decision);
                Some(Said::Ended)
            }
            Step::Close(state) | Step::Insert(state) => {
                self.database.by_hand |= matches!(event, Event::Resolve(_));
                self.database.row = Some(state);
                self.database.parked = false;
                Some(Said::Ended)
            }
            Step::Ended => Some(Said::Ended),
            Step::GaveUp => Some(Said::GaveUp),
            Step::Missing => {
                self.breaks(Broken::T5);
                Some(Said::Missing)
            }
            Step::RefusedConfirmed | Step::RefusedCancelled => {
                self.breaks(Broken::T2);
                Some(Said::Refused)
            }
            _ => None,
        }
    }

    /// The business function of phase two, in one local transaction with the row.
    fn run(&mut self, decision: Decision) {
        let database = &mut *self.database;
        match decision {
            Decision::Commit => database.confirmed += 1,
            Decision::Rollback => database.cancelled += 1,
        }
        database.row = Some(table::ended_state(decision));
        match decision {
            Decision::Commit if self.database.tried == 0 => self.breaks(Broken::T5),
            Decision::Rollback
                if self.database.tried == 0 && self.kind != BranchKind::AlwaysCancel =>
            {
                self.breaks(Broken::T3);
            }
            _ => {}
        }
    }

    /// A horizon was announced: it is stored together with the deletion (RM8).
    pub(crate) fn clean(&mut self, announced: LocalHorizon, stored: bool) {
        let merged = table::merge_horizons(&self.database.horizon.whole(), &announced.whole());
        let horizon = LocalHorizon {
            counter: merged.counter,
            listed: merged.listed.contains(&crate::names::OWN_XID.counter),
        };
        self.delete(horizon.has_passed());
        if stored {
            self.database.horizon = horizon;
        }
    }

    /// Deletes the row, if it may be.
    pub(crate) fn delete(&mut self, passed: bool) {
        if self
            .seen()
            .is_some_and(|row| (self.deciders.may_delete)(row, passed))
        {
            self.database.row = None;
            self.database.parked = false;
        }
    }

    /// The database comes back without its last local commit, once (E3).
    pub(crate) fn lose_commit(&mut self) {
        let database = &mut *self.database;
        match database.row {
            Some(RowState::Tried) if !database.lost => {
                database.row = None;
                database.tried -= 1;
                database.lost = true;
            }
            Some(RowState::Confirmed) if !database.lost && database.confirmed > 0 => {
                database.row = Some(RowState::Tried);
                database.confirmed -= 1;
                database.lost = true;
            }
            _ => {}
        }
    }

    /// Whether a question about the row is sent, from now on at any time (RM6). That the decision
    /// was not heard is always possible: the process may just have started.
    fn asks(&mut self) {
        self.database.asked |= self.is_in_doubt();
    }

    pub(crate) fn is_in_doubt(&self) -> bool {
        // A row does not tell whether its branch is cancelled without one: it is asked about like
        // any other.
        let kind = match self.kind {
            BranchKind::AlwaysCancel => BranchKind::Fenced,
            kind => kind,
        };
        self.seen()
            .is_some_and(|row| (self.deciders.may_ask)(kind, row, false))
    }

    fn decide(&self, event: Event) -> Step {
        let decide = match self.kind {
            BranchKind::AlwaysCancel => self.deciders.row_always_cancel,
            _ => self.deciders.row,
        };
        decide(self.seen(), self.database.horizon.has_passed(), event)
    }

    fn seen(&self) -> Option<Seen> {
        let parked = self.database.parked;
        self.database.row.map(|state| Seen {
            state,
            same: true,
            parked,
        })
    }

    fn breaks(&mut self, broken: Broken) {
        self.broken.get_or_insert(broken);
    }
}
