//! What is told about a transaction: the second table of section 6 of the protocol (TC13).
//!
//! ```text
//! Xid ── own form? ──> Standing ──┬──> DecisionAnswer   for transaction managers
//!                                 ├──> InDoubtAnswer    for participants, by branch and resource
//!                                 └──> JoinRefused      for late registrations
//! ```

use std::sync::Arc;

use unanimous_protocol::message::{DecisionAnswer, InDoubtAnswer, InDoubtQuestion, JoinRefused};
use unanimous_protocol::{Decision, OwnXid, RollbackReason, Xid};

use super::effect::{Message, Reply, To};
use super::event::{Position, RequestId};
use super::record::Registration;
use super::rules::Rules;
use super::state::{Entry, Phase, State, Transaction};
use super::turn::Turn;

/// What the coordinator finds about an xid.
#[derive(Clone, Copy, Debug)]
pub(super) enum Standing<'a> {
    Live(&'a Transaction),
    /// Committed and ended, with the registrations of S.
    Finished(&'a [Arc<Registration>]),
    RolledBack(RollbackReason),
    /// Forgotten; whether it was committed.
    Remembered(bool),
    Forgotten,
    Foreign,
    DecidedByHand(Decision),
}

const NOT_RECORDED: Standing<'_> = Standing::RolledBack(RollbackReason::NotRecorded);

impl State {
    pub(super) fn standing<R: Rules>(&self, xid: OwnXid) -> Standing<'_> {
        let Some(era) = self.eras.get(&xid.incarnation) else {
            // N1: an incarnation that is not in the list proves nothing.
            return match self.decided_by_hand(xid) {
                None if !R::UNKNOWN_IS_FOREIGN => NOT_RECORDED,
                None => Standing::Foreign,
                Some(decision) => Standing::DecidedByHand(decision),
            };
        };
        match era.transactions.get(&xid.counter) {
            Some(Entry::Live(transaction)) => return Standing::Live(transaction),
            Some(Entry::Finished(confirmed)) => return Standing::Finished(confirmed),
            Some(Entry::RolledBack(reason)) => return Standing::RolledBack(*reason),
            None => {}
        }
        if self.is_never_issued(xid) {
            return Standing::Foreign;
        }
        // What the horizon of a restored copy covers is fact all the same: it was decided, ended
        // and forgotten before the copy was made.
        if era.horizon.has_passed(xid.counter) {
            return if xid.counter >= era.remembered_from {
                Standing::Remembered(era.bits.contains(xid.counter))
            } else {
                Standing::Forgotten
            };
        }
        if era.restored && R::RESTORED_IS_FOREIGN {
            return match self.decided_by_hand(xid) {
                None => Standing::Foreign,
                Some(decision) => Standing::DecidedByHand(decision),
            };
        }
        NOT_RECORDED
    }

    /// Whether it is known that no start has issued it. Of an earlier start nobody knows how far it
    /// counted: begins are not on record (TC3).
    pub(super) fn is_never_issued(&self, xid: OwnXid) -> bool {
        xid.counter == 0 || (xid.incarnation == self.own && xid.counter > self.counter)
    }

    /// OP5: a decision by hand counts once it is durable.
    fn decided_by_hand(&self, xid: OwnXid) -> Option<Decision> {
        match self.by_hand.get(&xid) {
            Some((decision, None)) => Some(*decision),
            _ => None,
        }
    }

    /// What a participant is told about one tried row.
    fn in_doubt<R: Rules>(&self, question: &InDoubtQuestion) -> InDoubtAnswer {
        let Some(xid) = question.xid.own() else {
            return InDoubtAnswer::Foreign;
        };
        let standing = self.standing::<R>(xid);
        match standing {
            Standing::Live(transaction) => live_in_doubt::<R>(transaction, question),
            Standing::Finished(confirmed) => {
                let named = confirmed
                    .iter()
                    .any(|branch| is_asked::<R>(branch, question));
                decided(named)
            }
            Standing::RolledBack(RollbackReason::NotRecorded) if !R::NO_RECORD_IS_ROLLED_BACK => {
                InDoubtAnswer::Wait
            }
            Standing::RolledBack(_) => InDoubtAnswer::RolledBack,
            Standing::Remembered(committed) if !R::BITS_ANSWER_ONLY_TM => decided(committed),
            // RM10: the rows of a restored database are older than what was forgotten. Kept, and
            // an alarm raised, until an operator acts.
            Standing::Remembered(_) | Standing::Forgotten if self.was_restored(question, xid) => {
                InDoubtAnswer::Foreign
            }
            // Never from the bit: it names no branch (TC11).
            Standing::Remembered(_) | Standing::Forgotten => InDoubtAnswer::Forgotten,
            Standing::Foreign => InDoubtAnswer::Foreign,
            Standing::DecidedByHand(decision) => decided(decision == Decision::Commit),
        }
    }

    fn was_restored(&self, question: &InDoubtQuestion, xid: OwnXid) -> bool {
        let deliveries = self.resources.get(&question.resource);
        let upto = deliveries.and_then(|deliveries| deliveries.restored.get(&xid.incarnation));
        upto.is_some_and(|upto| xid.counter <= *upto)
    }
}

fn decided(committed: bool) -> InDoubtAnswer {
    if committed {
        InDoubtAnswer::Committed
    } else {
        InDoubtAnswer::RolledBack
    }
}

fn live_in_doubt<R: Rules>(tx: &Transaction, question: &InDoubtQuestion) -> InDoubtAnswer {
    match tx.phase {
        Phase::Open if !R::PARTICIPANT_WAITS_WHILE_OPEN => InDoubtAnswer::RolledBack,
        Phase::Open | Phase::Deciding(_) => InDoubtAnswer::Wait,
        Phase::RolledBack(_) => InDoubtAnswer::RolledBack,
        Phase::Committed => decided(tx.branches.iter().any(|branch| {
            let confirmed = branch.decision == Some(Decision::Commit) || !R::ANSWER_BY_BRANCH;
            confirmed && is_asked::<R>(&branch.registration, question)
        })),
    }
}

/// By branch and resource (N5): an abandoned branch of a committed transaction is cancelled, and so
/// is the same call id in another database.
fn is_asked<R: Rules>(branch: &Registration, question: &InDoubtQuestion) -> bool {
    !R::ANSWER_BY_BRANCH || (branch.call == question.call && branch.resource == question.resource)
}

/// What a transaction manager is told, and from which position on.
fn to_manager<R: Rules>(standing: Standing<'_>) -> (DecisionAnswer, Option<Position>) {
    let answer = match standing {
        Standing::Live(transaction) => match transaction.phase {
            Phase::Open if !R::OPEN_IS_TOLD_AS_OPEN => {
                DecisionAnswer::RolledBack(RollbackReason::NotRecorded)
            }
            Phase::Open => DecisionAnswer::Open,
            // TC7: while Deciding nobody is told anything.
            Phase::Deciding(position) => return (DecisionAnswer::Committed, Some(position)),
            Phase::Committed => DecisionAnswer::Committed,
            Phase::RolledBack(reason) => DecisionAnswer::RolledBack(reason),
        },
        Standing::Finished(_) => DecisionAnswer::Committed,
        Standing::RolledBack(reason) => DecisionAnswer::RolledBack(reason),
        Standing::Remembered(_) | Standing::Forgotten if !R::FORGOTTEN_IS_NOT_ROLLED_BACK => {
            DecisionAnswer::RolledBack(RollbackReason::NotRecorded)
        }
        Standing::Remembered(true) | Standing::DecidedByHand(Decision::Commit) => {
            DecisionAnswer::Committed
        }
        Standing::Remembered(false) => DecisionAnswer::RolledBack(RollbackReason::NotRecorded),
        Standing::DecidedByHand(Decision::Rollback) => {
            DecisionAnswer::RolledBack(RollbackReason::Operator)
        }
        Standing::Forgotten => DecisionAnswer::Forgotten,
        Standing::Foreign => DecisionAnswer::Foreign,
    };
    (answer, None)
}

impl<R: Rules> Turn<'_, R> {
    pub(super) fn outcome(&mut self, request: RequestId, xid: &Xid) {
        match xid.own() {
            Some(xid) => self.tell(request, xid),
            None => self.reply_decision(request, DecisionAnswer::Foreign),
        }
    }

    /// Tells a transaction manager what holds. Commit and rollback come here once they did not, or
    /// could not, decide (TC5).
    pub(super) fn tell(&mut self, request: RequestId, xid: OwnXid) {
        let (answer, after) = to_manager::<R>(self.state.standing::<R>(xid));
        let message = Message::Reply(Reply::Decision(answer));
        self.say(To::Request(request), message, after);
    }

    pub(super) fn answer_in_doubt(&mut self, request: RequestId, questions: &[InDoubtQuestion]) {
        let answers = questions
            .iter()
            .map(|question| self.state.in_doubt::<R>(question));
        let answers: Vec<_> = answers.collect();
        self.reply(request, Reply::InDoubt(answers.clone()));
        for (question, answer) in questions.iter().zip(answers) {
            self.given_up(question, answer);
        }
    }

    /// Why a registration comes too late, or to the wrong coordinator.
    pub(super) fn why_not_open(&self, xid: OwnXid) -> JoinRefused {
        match self.state.standing::<R>(xid) {
            Standing::Foreign => JoinRefused::Foreign,
            _ => JoinRefused::AlreadyDecided,
        }
    }
}
