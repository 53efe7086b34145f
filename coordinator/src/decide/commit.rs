//! The one decision of a transaction (TC5 to TC9).
//!
//! ```text
//!        commit, S and X match     record durable        all of S ended
//!  Open ─────────────────────> Deciding ────────> Committed ────────> Finished
//!    │  rollback, deadline, operator, stop,                 deliver
//!    └──────────────────────────────────────────> RolledBack ───────> dropped
//!       commit that does not match                          deliver
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use unanimous_protocol::message::{Commit, DecisionAnswer};
use unanimous_protocol::{Alias, BranchState, CallId, Decision, OwnXid, RollbackReason, Xid};

use super::effect::{Effect, Finished, Note};
use super::event::{Position, RequestId, Timer};
use super::join::writes_lazy_registrations;
use super::record::{DecidedBranch, Record, Registration};
use super::rules::Rules;
use super::state::{Branch, Entry, Pending, Phase, Service, Transaction};
use super::turn::{Force, Turn};

impl<R: Rules> Turn<'_, R> {
    pub(super) fn commit(&mut self, request: RequestId, commit: &Commit) {
        let Some(xid) = commit.xid.own() else {
            return self.reply_decision(request, DecisionAnswer::Foreign);
        };
        // TC5: one compare-and-set, from Open only.
        if let Some(transaction) = self.open_mut(xid) {
            if fits::<R>(transaction, &commit.succeeded, &commit.abandoned) {
                name_branches::<R>(transaction, &commit.succeeded);
                self.write_commit(xid);
            } else {
                self.roll_back(xid, RollbackReason::BranchesDiffer);
            }
        }
        self.tell(request, xid);
    }

    pub(super) fn rollback(&mut self, request: RequestId, xid: &Xid) {
        let Some(xid) = xid.own() else {
            return self.reply_decision(request, DecisionAnswer::Foreign);
        };
        if self.open_mut(xid).is_some() {
            self.roll_back(xid, RollbackReason::Requested);
        }
        self.tell(request, xid);
    }

    pub(super) fn deadline(&mut self, xid: OwnXid) {
        let Some(transaction) = self.state.live(xid) else {
            return;
        };
        match transaction.phase {
            Phase::Open => self.roll_back(xid, RollbackReason::TimedOut),
            // TC5: the decision was taken when its record was written.
            Phase::Deciding(_) if !R::DEADLINE_YIELDS_TO_DECIDING => {
                self.roll_back(xid, RollbackReason::TimedOut);
            }
            _ => {}
        }
    }

    pub(super) fn open_mut(&mut self, xid: OwnXid) -> Option<&mut Transaction> {
        let transaction = self.state.live_mut(xid);
        transaction.filter(|transaction| transaction.phase == Phase::Open)
    }

    /// Writes the commit record of what [`name_branches`] decided. Until it is durable nobody is
    /// told anything (TC7).
    pub(super) fn write_commit(&mut self, xid: OwnXid) {
        self.close_door(xid);
        let Some(transaction) = self.state.live(xid) else {
            return;
        };
        let record = Record::Commit {
            xid,
            about: transaction.about.clone(),
            branches: recorded::<R>(&transaction.branches),
        };
        let force = if R::FORCE_COMMIT {
            Force::Forced
        } else {
            Force::Lazy
        };
        let position = self.append(record, force);
        self.effects.push(Effect::ClearTimer(Timer::Deadline(xid)));
        if let Some(transaction) = self.state.live_mut(xid) {
            transaction.become_(Phase::Deciding(position));
        }
        if !R::FORCE_COMMIT {
            return self.commit_durable(xid, position);
        }
        let pending = Pending::Committed(xid);
        self.state.pending.push_back((position, pending));
        if !R::TELL_ONLY_AFTER_DURABLE {
            self.begin_phase_two(xid);
        }
    }

    /// TC8: the decision is durable. Who asked has its answer waiting for this position; now the
    /// branches hear it too.
    pub(super) fn commit_durable(&mut self, xid: OwnXid, position: Position) {
        let Some(transaction) = self.state.live_mut(xid) else {
            return;
        };
        if transaction.phase != Phase::Deciding(position) {
            return;
        }
        transaction.become_(Phase::Committed);
        self.decided(Note::Committed(xid));
        self.begin_phase_two(xid);
        self.finish_if_quiet(xid);
    }

    /// TC9: presumed abort. Told and delivered at once, the record is lazy, and where no branch is
    /// on record there is nothing to write.
    pub(super) fn roll_back(&mut self, xid: OwnXid, reason: RollbackReason) {
        self.close_door(xid);
        let Some(transaction) = self.state.live_mut(xid) else {
            return;
        };
        for branch in transaction
            .branches
            .iter_mut()
            .filter(|one| belongs::<R>(one))
        {
            branch.decision = Some(Decision::Rollback);
        }
        transaction.become_(Phase::RolledBack(reason));
        let on_record = transaction
            .branches
            .iter()
            .any(|branch| branch.registration.kind.is_forced());
        if on_record || writes_lazy_registrations::<R>() {
            let about = transaction.about.clone();
            let record = Record::Abort { xid, about, reason };
            self.append(record, Force::Lazy);
        }
        self.effects.push(Effect::ClearTimer(Timer::Deadline(xid)));
        self.decided(Note::RolledBack(xid, reason));
        self.begin_phase_two(xid);
        self.finish_if_quiet(xid);
    }

    /// One transaction of this start less is undecided.
    fn decided(&mut self, note: Note) {
        self.note(note);
        // Counted when it began, or found open by a mutant's start.
        self.state.undecided = self.state.undecided.saturating_sub(1);
        self.drained();
    }

    /// Says so once a stop has nothing left to wait for.
    pub(super) fn drained(&mut self) {
        if self.state.service == Service::Stopping && self.state.undecided == 0 {
            self.note(Note::Drained);
        }
    }

    /// The drain time is over: nothing survives a stop as Open (TC2).
    pub(super) fn roll_back_open(&mut self) {
        if self.state.service != Service::Stopping {
            return;
        }
        let open = self.state.eras.iter().flat_map(|(incarnation, era)| {
            era.transactions.iter().filter_map(|(counter, entry)| {
                let incarnation = *incarnation;
                let counter = *counter;
                match entry {
                    Entry::Live(tx) if tx.phase == Phase::Open => Some(OwnXid {
                        incarnation,
                        counter,
                    }),
                    _ => None,
                }
            })
        });
        for xid in open.collect::<Vec<_>>() {
            self.roll_back(xid, RollbackReason::Stopped);
        }
    }

    /// Once every branch has ended, the little that answers need is kept (TC12).
    pub(super) fn finish_if_quiet(&mut self, xid: OwnXid) {
        let Some(transaction) = self.state.live(xid) else {
            return;
        };
        let reason = match transaction.phase {
            Phase::Open | Phase::Deciding(_) => return,
            Phase::Committed => None,
            Phase::RolledBack(reason) => Some(reason),
        };
        if !transaction.branches.iter().all(Branch::has_ended) {
            return;
        }
        let small = match reason {
            None => Entry::Finished(confirmed(&transaction.branches)),
            Some(reason) => Entry::RolledBack(reason),
        };
        let Some(era) = self.state.eras.get_mut(&xid.incarnation) else {
            return;
        };
        let entry = if R::COMMITTED_STAYS_ABOVE_HORIZON || reason.is_some() {
            era.transactions.insert(xid.counter, small)
        } else {
            era.transactions.remove(&xid.counter)
        };
        if let Some(Entry::Live(transaction)) = entry {
            self.finished(xid, *transaction);
        }
    }

    /// Tells people that nothing is left to do for a transaction.
    pub(super) fn finished(&mut self, xid: OwnXid, transaction: Transaction) {
        let reason = match transaction.phase {
            Phase::RolledBack(reason) => Some(reason),
            _ => None,
        };
        self.note(Note::Finished(Box::new(Finished {
            xid,
            about: transaction.about,
            reason,
            branches: transaction.branches,
        })));
    }
}

/// TC6: `S ⊆ joined ⊆ S ∪ below(X)` and `S ∩ below(X) = ∅`, which is: each joined branch is named or
/// abandoned, never both, and all names are found.
fn fits<R: Rules>(
    transaction: &Transaction,
    succeeded: &BTreeSet<Alias>,
    abandoned: &BTreeSet<CallId>,
) -> bool {
    if !R::COMPARE_BRANCHES || !R::CONFIRM_ONLY_NAMED {
        return true;
    }
    let mut found = 0;
    let mut joined = transaction.branches.iter().filter(|one| belongs::<R>(one));
    let each = joined.all(|branch| {
        // Nobody was told the name of a branch that is still joining.
        let is_known = branch.state == BranchState::Joined;
        let is_named = is_known && succeeded.contains(&branch.registration.alias);
        let is_abandoned = abandoned
            .iter()
            .any(|call| call.covers(&branch.registration.call));
        found += usize::from(is_named);
        is_named != is_abandoned
    });
    each && found == succeeded.len()
}

/// TC4: also while its registration is being forced.
fn belongs<R: Rules>(branch: &Branch) -> bool {
    R::JOINS_AT_ONCE || branch.state != BranchState::Joining
}

fn name_branches<R: Rules>(transaction: &mut Transaction, succeeded: &BTreeSet<Alias>) {
    let branches = transaction.branches.iter_mut();
    for branch in branches.filter(|branch| belongs::<R>(branch)) {
        let named = succeeded.contains(&branch.registration.alias) || !R::CONFIRM_ONLY_NAMED;
        branch.decision = Some(if named {
            Decision::Commit
        } else {
            Decision::Rollback
        });
    }
}

/// The branches as the commit record lists them, with what phase two needs (TC6).
fn recorded<R: Rules>(branches: &[Branch]) -> Vec<DecidedBranch> {
    if !R::COMMIT_IS_SELF_CONTAINED {
        return Vec::new();
    }
    let decided = branches.iter().filter_map(|branch| {
        Some(DecidedBranch {
            registration: branch.registration.clone(),
            decision: branch.decision?,
            reported: branch.reported.clone(),
        })
    });
    decided.collect()
}

/// The registrations of S.
pub(super) fn confirmed(branches: &[Branch]) -> Box<[Arc<Registration>]> {
    let confirmed = branches
        .iter()
        .filter(|branch| branch.decision == Some(Decision::Commit));
    confirmed
        .map(|branch| branch.registration.without_arguments())
        .collect()
}
