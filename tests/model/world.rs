//! The state of the small world.

use std::collections::BTreeSet;

use unanimous::global::calls::Rules;
use unanimous_protocol::message::{ByOperator, Horizon};
use unanimous_protocol::{Alias, Decision, RowState};

use crate::coordinator::{Coordinator, Outcome};
use crate::manager::Manager;
use crate::memo::Memo;
use crate::names::{OWN_XID, PLACES, Place};

/// Everything that a next step depends on.
///
/// The network is the set of all messages ever sent: each may arrive never, once, often, at any
/// time. Participants keep nothing but their database, so they may crash between any two steps.
#[derive(Clone, Debug, Hash, PartialEq)]
pub(crate) struct World<T: Rules> {
    pub(crate) coordinator: Memo<Coordinator>,
    pub(crate) manager: Memo<Manager<T>>,
    pub(crate) sent: Memo<BTreeSet<Msg>>,
    pub(crate) databases: [Database; PLACES],
    pub(crate) crashes_left: u8,
    /// Each may add a record: without a bound the log would grow for ever.
    pub(crate) operations_left: u8,
    /// The transaction was decided by a coordinator, at some time.
    pub(crate) decided: bool,
    /// The first promise that was broken.
    pub(crate) broken: Option<Broken>,
}

impl<T: Rules> World<T> {
    /// Adds what the coordinator sent to the network.
    pub(crate) fn heard(&mut self, outcome: &Outcome) {
        let joined = outcome
            .sent
            .iter()
            .any(|message| matches!(message, Msg::Joined(..)));
        if self.decided && joined {
            self.broken.get_or_insert(Broken::G5);
        }
        self.decided |= outcome.decided;
        self.broken = self.broken.or(outcome.broken);
        self.send(&outcome.sent);
    }

    /// Adds messages to the network.
    pub(crate) fn send(&mut self, messages: &[Msg]) {
        let new = messages
            .iter()
            .filter(|message| !self.sent.contains(message));
        let new: Vec<Msg> = new.copied().collect();
        if !new.is_empty() {
            self.sent.change(|sent| sent.extend(new));
        }
    }

    /// The answers that a call gives whose branch stands at this place: under the names that its
    /// registration was answered with.
    pub(crate) fn successes(&self, place: Place) -> Vec<Msg> {
        let joined = self.sent.iter().filter_map(|message| match message {
            Msg::Joined(at, alias) if *at == place => Some(Msg::Succeeded(place, *alias)),
            _ => None,
        });
        joined.collect()
    }

    /// Whether a place was told two decisions.
    pub(crate) fn contradicts(&self, place: Place) -> bool {
        let heard = |wanted: Decision| {
            self.sent.iter().any(|message| match message {
                Msg::PhaseTwo(at, _, decision, _) => *at == place && *decision == wanted,
                Msg::Answer(at, Doubt::Committed) => *at == place && wanted == Decision::Commit,
                Msg::Answer(at, Doubt::RolledBack) => *at == place && wanted == Decision::Rollback,
                _ => false,
            })
        };
        heard(Decision::Commit) && heard(Decision::Rollback)
    }

    /// Whether the branch has ended there, or somebody sees to it.
    pub(crate) fn has_ended(&self, place: Place) -> bool {
        let database = &self.databases[place];
        // What a try did outside wants its cancel although no row tells of it (T7).
        let had_effect = database.tried > 0 || database.outside;
        let effect_ended = !had_effect || database.confirmed + database.cancelled > 0;
        let ended = database.row != Some(RowState::Tried) && effect_ended;
        ended || database.by_hand
    }
}

/// A message that was sent.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Msg {
    /// The registration was answered.
    Joined(Place, Alias),
    /// The call was answered with success.
    Succeeded(Place, Alias),
    /// Perform phase two.
    PhaseTwo(Place, Alias, Decision, Operator),
    /// What came of it.
    Result(Place, Alias, Said),
    /// The answer to a question about a row.
    Answer(Place, Doubt),
    /// A horizon was announced.
    Horizon(LocalHorizon),
    /// A decision was told to whoever asked for it.
    Told(Decision),
}

impl Msg {
    /// Orders before every other message.
    pub(crate) const FIRST: Self = Self::Joined(0, Alias(0));
}

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Operator {
    No,
    Retry,
    Resolve,
}

impl From<ByOperator> for Operator {
    fn from(by_operator: ByOperator) -> Self {
        match by_operator {
            ByOperator::No => Self::No,
            ByOperator::Retry => Self::Retry,
            ByOperator::Resolve => Self::Resolve,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Said {
    Ended,
    GaveUp,
    Missing,
    Refused,
}

/// An answer to a question that changes a row.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Doubt {
    Committed,
    RolledBack,
    Forgotten,
}

/// A participant's database, as far as the one transaction goes.
#[allow(clippy::struct_excessive_bools, reason = "facts of different kinds")]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Database {
    /// The fence row; of an unfenced branch the row of the user's own making.
    pub(crate) row: Option<RowState>,
    pub(crate) parked: bool,
    pub(crate) horizon: LocalHorizon,
    /// How often each business function took effect.
    pub(crate) tried: u8,
    pub(crate) confirmed: u8,
    pub(crate) cancelled: u8,
    /// Whether a try reached outside the database, which its local transaction does not undo. Only
    /// where the branch is cancelled although no try left a row.
    pub(crate) outside: bool,
    /// Whether a rollback was carried out, with or without a row.
    pub(crate) rolled_back: bool,
    /// An operator resolved the branch by hand (OP3): its effect is the operator's.
    pub(crate) by_hand: bool,
    /// Whether the database has lost a commit.
    pub(crate) lost: bool,
    /// Whether a question about the row was ever sent.
    pub(crate) asked: bool,
}

/// What a database stores of the horizon of the first start.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct LocalHorizon {
    pub(crate) counter: u64,
    /// Whether the one transaction is listed.
    pub(crate) listed: bool,
}

impl LocalHorizon {
    pub(crate) fn whole(self) -> Horizon {
        let listed = if self.listed {
            [OWN_XID.counter].into()
        } else {
            BTreeSet::new()
        };
        Horizon {
            counter: self.counter,
            listed,
        }
    }

    pub(crate) fn has_passed(self) -> bool {
        self.counter >= OWN_XID.counter && !self.listed
    }
}

/// A promise of the framework.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Broken {
    /// Every branch has the effect, or none has.
    G1,
    /// A commit is durable before anybody hears of it.
    G2,
    /// One decision.
    G3,
    /// Effective once.
    G4,
    /// No branch joins after the decision.
    G5,
    /// Everything ends once faults end.
    G6,
    /// No xid is issued twice.
    G8,
    /// "Rolled back" is never said of what was committed.
    G11,
    /// One branch per call.
    G12,
    /// No try takes effect after a cancel.
    T1,
    /// Never confirmed and cancelled.
    T2,
    /// No cancel of what was not tried.
    T3,
    /// No confirm of what was not tried: row and effect are one.
    T5,
    /// The client hears one outcome, and a true one.
    C1,
}
