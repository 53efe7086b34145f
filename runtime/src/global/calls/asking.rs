//! What was asked of the coordinator about a transaction, and what its user may be told (TM3, TM4).

use std::marker::PhantomData;

use unanimous_protocol::message::{Commit, DecisionAnswer};
use unanimous_protocol::{Outcome, RollbackReason, UnknownWhy, Xid};

use super::{All, Rules};

/// The decision of one transaction, from the side that began it.
///
/// The user hears `Committed` only on that answer; `RolledBack` on that answer, or at once where
/// commit was never asked and never will be, because nobody else can commit (OP1).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Asking<R: Rules = All> {
    xid: Xid,
    asked: Asked,
    heard: Heard,
    rules: PhantomData<R>,
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Asked {
    /// Nothing yet: commit may still be asked.
    Nothing,
    /// Commit; it never changes (TM2).
    Commit(Commit),
    /// Only rollback, and commit never will be.
    Rollback(RollbackReason),
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Heard {
    Nothing(UnknownWhy),
    Committed,
    RolledBack(RollbackReason),
}

impl<R: Rules> Asking<R> {
    /// Nothing was asked about this transaction yet.
    #[must_use]
    pub fn new(xid: Xid) -> Self {
        let heard = Heard::Nothing(UnknownWhy::NoAnswer);
        Self {
            xid,
            asked: Asked::Nothing,
            heard,
            rules: PhantomData,
        }
    }

    /// The transaction.
    #[must_use]
    pub fn xid(&self) -> &Xid {
        &self.xid
    }

    /// The body ended well: commit is to be asked. Returns what to send, on every repeat the same
    /// (TM2); `None` once rollback was chosen, after which commit is never asked (TM4).
    pub fn ask_commit(&mut self, commit: Commit) -> Option<&Commit> {
        if self.asked == Asked::Nothing {
            self.asked = Asked::Commit(commit);
        }
        self.commit()
    }

    /// The commit that was asked, to be repeated while there is no answer.
    #[must_use]
    pub fn commit(&self) -> Option<&Commit> {
        match &self.asked {
            Asked::Commit(commit) => Some(commit),
            Asked::Nothing | Asked::Rollback(_) => None,
        }
    }

    /// Rollback is asked. Legal at any time, also after commit, where the coordinator's
    /// compare-and-set decides (TM3).
    pub fn ask_rollback(&mut self, reason: RollbackReason) {
        if self.asked == Asked::Nothing {
            self.asked = Asked::Rollback(reason);
        }
    }

    /// The coordinator answered. A decision that was heard stands.
    pub fn answered(&mut self, answer: DecisionAnswer) {
        let heard = match answer {
            DecisionAnswer::Committed => Heard::Committed,
            DecisionAnswer::RolledBack(reason) => Heard::RolledBack(reason),
            DecisionAnswer::Open => Heard::Nothing(UnknownWhy::Open),
            DecisionAnswer::Forgotten => Heard::Nothing(UnknownWhy::Forgotten),
            DecisionAnswer::Foreign => Heard::Nothing(UnknownWhy::Foreign),
        };
        if let Heard::Nothing(_) = self.heard {
            self.heard = heard;
        }
    }

    /// Nobody answered in time.
    pub fn silence(&mut self) {
        if !R::SILENCE_IS_UNKNOWN && matches!(self.heard, Heard::Nothing(_)) {
            self.heard = Heard::RolledBack(RollbackReason::Requested);
        }
    }

    /// Whether the coordinator told its decision: nothing is left to be asked.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        !matches!(self.heard, Heard::Nothing(_))
    }

    /// What the user may be told now (TM4).
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match (self.heard, &self.asked) {
            (Heard::Committed, _) => Outcome::Committed,
            (Heard::RolledBack(reason), _) => Outcome::RolledBack { reason },
            (Heard::Nothing(_), Asked::Rollback(reason)) => Outcome::RolledBack { reason: *reason },
            (Heard::Nothing(why), Asked::Nothing | Asked::Commit(_)) => Outcome::Unknown {
                xid: self.xid.clone(),
                why,
            },
        }
    }
}
