//! What a coordinator knows.
//!
//! No clock, no names of streams beyond their numbers, nothing that grows without end: attempts,
//! errors and ages are the driver's. `Clone + Eq + Hash` with ordered maps, so that a model checker
//! can hold it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use unanimous_protocol::message::{ByOperator, Horizon, ParkReason, Reported};
use unanimous_protocol::{
    ActionName, Alias, BranchState, CallId, DatabaseId, Decision, GlobalState, Incarnation, LogId,
    OwnXid, Resource, RollbackReason, limits,
};

use super::bits::Bits;
use super::event::{Position, RequestId, Room, SessionId};
use super::record::{About, Registration};
use super::stranded::is_stranded;

/// The numbers that `decide` counts with.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Settings {
    /// How many [`Timer::Horizon`](super::Timer::Horizon) an ended transaction waits before it may
    /// be forgotten: `clean_after / horizon_interval`.
    pub clean_ticks: usize,
    /// How many [`Timer::Remember`](super::Timer::Remember) an outcome is remembered for at least.
    pub remember_ticks: usize,
    /// Most outcomes remembered.
    pub remembered_max: u64,
    /// Most deliveries under way per resource (G7).
    pub deliveries_max: usize,
    /// Most branches of one transaction.
    pub branches_max: usize,
    /// Most transactions that the horizons list, over all incarnations: they stay below any more.
    pub listed_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            // Both are small whole numbers of intervals.
            clean_ticks: usize::try_from(
                limits::CLEAN_AFTER.as_secs() / limits::HORIZON_INTERVAL.as_secs(),
            )
            .unwrap_or(usize::MAX),
            remember_ticks: 24,
            remembered_max: limits::REMEMBERED_MAX,
            deliveries_max: limits::DELIVERIES_MAX,
            branches_max: limits::BRANCHES_MAX,
            // What parks later is listed as well, and all of it has to fit an announcement.
            listed_max: limits::LISTED_MAX / 2,
        }
    }
}

/// The coordinator's state.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct State {
    pub(super) settings: Settings,
    pub(super) service: Service,
    pub(super) room: Room,
    pub(super) log: LogId,
    /// This start; the last key of `eras` from its record on.
    pub(super) own: Incarnation,
    /// The counter of the last transaction begun.
    pub(super) counter: u64,
    /// Transactions of this start that are open or being decided.
    pub(super) undecided: usize,
    /// The position of the last record appended.
    pub(super) appended: Position,
    /// What becomes true once its position is durable, in order.
    pub(super) pending: VecDeque<(Position, Pending)>,
    /// All incarnations of the log (N1).
    pub(super) eras: BTreeMap<Incarnation, Era>,
    /// Incarnations lost by a declared restore: clients may have met them.
    pub(super) lost: BTreeSet<Incarnation>,
    /// Whether this very start declared a restore.
    pub(super) restored: bool,
    /// The last loss or restore that an attachment showed, while its record is not durable.
    pub(super) unrecorded: Option<Position>,
    pub(super) sessions: BTreeMap<SessionId, Session>,
    pub(super) resources: BTreeMap<Resource, Deliveries>,
    /// Branches that wait for an operator, of transactions that do not know them any more.
    pub(super) stranded: BTreeMap<OwnXid, Vec<Branch>>,
    pub(super) written_off: BTreeSet<DatabaseId>,
    /// Foreign xids decided by hand (OP5); not durable while a position stands with them.
    pub(super) by_hand: BTreeMap<OwnXid, (Decision, Option<Position>)>,
}

/// Whether requests are answered.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Service {
    /// Not started, or the start is not durable: nothing is answered (TC1).
    Recovering,
    Serving,
    /// No begin is accepted.
    Stopping,
    /// The log is an older copy (TC14): the incarnation that it lacks.
    Replaced(Incarnation),
}

/// What becomes true once a record is durable.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Pending {
    Start,
    Joined(OwnXid, Alias),
    Committed(OwnXid),
    Horizon(Incarnation),
    ByHand(OwnXid),
    /// What an attachment showed of a loss or a restore is on record.
    Shown,
}

/// One incarnation's transactions.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Era {
    /// Part of a declared restore: what it does not know may have been committed.
    pub(super) restored: bool,
    /// By counter; above the horizon, or listed with it.
    pub(super) transactions: BTreeMap<u64, Entry>,
    /// How often the horizon moved.
    pub(super) moves: u64,
    /// As appended.
    pub(super) horizon: Horizon,
    /// As durable: what others may be told.
    pub(super) durable: Horizon,
    /// How far transactions had ended at the last ticks, oldest first.
    pub(super) marks: VecDeque<Horizon>,
    /// Outcomes below the horizon, known from `remembered_from` on.
    pub(super) bits: Bits,
    pub(super) remembered_from: u64,
    /// Where the horizon stood at the last ticks of remembering, oldest first.
    pub(super) memories: VecDeque<u64>,
}

/// A transaction above the horizon. Those without anything left to do are kept small.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Entry {
    /// Open, or something is left to do.
    Live(Box<Transaction>),
    /// Committed, and every branch has ended: the registrations of S.
    Finished(Box<[Arc<Registration>]>),
    /// Rolled back, and every branch has ended.
    RolledBack(RollbackReason),
}

/// A transaction that is open or not done.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Transaction {
    pub(super) about: About,
    pub(super) phase: Phase,
    /// In the order of their aliases.
    pub(super) branches: Vec<Branch>,
}

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Phase {
    Open,
    /// The commit record is appended there and not durable (TC7).
    Deciding(Position),
    Committed,
    RolledBack(RollbackReason),
}

/// One branch of a transaction.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Branch {
    /// What joined.
    pub registration: Arc<Registration>,
    /// Where it stands.
    pub state: BranchState,
    /// What was decided about it.
    pub decision: Option<Decision>,
    /// Why it is parked, if it is.
    pub parked: Option<ParkReason>,
    /// What phase one of an unfenced branch returned and kept.
    pub reported: Option<Reported>,
    /// Who ran phase one, of this start.
    pub(super) home: Option<SessionId>,
    /// Who waits for the registration to be durable.
    pub(super) waiting: Vec<RequestId>,
    pub(super) delivery: Delivery,
    /// What the next delivery says about the operator.
    pub(super) by_operator: ByOperator,
    /// Sessions that could not perform it, since the last back-off.
    pub(super) not_here: BTreeSet<SessionId>,
    /// What nobody could decode, while that is timed.
    pub(super) undecodable: Option<Arc<str>>,
}

/// Where the phase two of a branch is.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Delivery {
    /// Not decided, ended, or parked.
    #[default]
    None,
    /// Waits for a session or for its turn.
    Due,
    /// At that session.
    UnderWay(SessionId),
    /// Waits for a timer, an attachment or the operator.
    Resting,
}

/// A branch, across transactions.
pub(super) type BranchKey = (OwnXid, Alias);

/// One client.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Session {
    pub(super) resources: BTreeSet<Resource>,
    pub(super) under_way: BTreeSet<BranchKey>,
}

/// The phase two of one resource's branches; one resource never delays another (G7).
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Deliveries {
    /// Who performs it, and the actions each knows.
    pub(super) sessions: BTreeMap<SessionId, BTreeSet<ActionName>>,
    pub(super) due: BTreeSet<BranchKey>,
    pub(super) resting: BTreeSet<BranchKey>,
    pub(super) under_way: usize,
    /// Horizons that its database was cleaned up to (RM10). What was acknowledged since the last
    /// two ticks is not compared yet: another instance may have read its horizons before.
    pub(super) acked: BTreeMap<Incarnation, u64>,
    pub(super) acked_lately: VecDeque<BTreeMap<Incarnation, u64>>,
    /// Up to where it had cleaned when its database was found restored.
    pub(super) restored: BTreeMap<Incarnation, u64>,
}

impl State {
    /// A coordinator before its [`Event::Start`](super::Event::Start).
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let none = Incarnation {
            number: 0,
            random: 0,
        };
        Self {
            settings,
            service: Service::Recovering,
            room: Room::Enough,
            log: LogId([0; 16]),
            own: none,
            counter: 0,
            undecided: 0,
            appended: Position(0),
            pending: VecDeque::new(),
            eras: BTreeMap::new(),
            lost: BTreeSet::new(),
            restored: false,
            unrecorded: None,
            sessions: BTreeMap::new(),
            resources: BTreeMap::new(),
            stranded: BTreeMap::new(),
            written_off: BTreeSet::new(),
            by_hand: BTreeMap::new(),
        }
    }

    /// How many transactions are open or being decided.
    #[must_use]
    pub fn undecided(&self) -> usize {
        self.undecided
    }

    pub(super) fn entry(&self, xid: OwnXid) -> Option<&Entry> {
        self.eras
            .get(&xid.incarnation)?
            .transactions
            .get(&xid.counter)
    }

    pub(super) fn live(&self, xid: OwnXid) -> Option<&Transaction> {
        match self.entry(xid) {
            Some(Entry::Live(transaction)) => Some(transaction),
            _ => None,
        }
    }

    pub(super) fn live_mut(&mut self, xid: OwnXid) -> Option<&mut Transaction> {
        let era = self.eras.get_mut(&xid.incarnation)?;
        match era.transactions.get_mut(&xid.counter) {
            Some(Entry::Live(transaction)) => Some(transaction),
            _ => None,
        }
    }

    pub(super) fn branch(&self, (xid, alias): BranchKey) -> Option<&Branch> {
        if is_stranded(alias) {
            let mut stranded = self.stranded.get(&xid)?.iter();
            return stranded.find(|branch| branch.registration.alias == alias);
        }
        self.live(xid)?.branch(alias)
    }

    pub(super) fn branch_mut(&mut self, (xid, alias): BranchKey) -> Option<&mut Branch> {
        if is_stranded(alias) {
            let mut stranded = self.stranded.get_mut(&xid)?.iter_mut();
            return stranded.find(|branch| branch.registration.alias == alias);
        }
        self.live_mut(xid)?.branch_mut(alias)
    }
}

impl Transaction {
    pub(super) fn branch(&self, alias: Alias) -> Option<&Branch> {
        self.branches.get(self.place(alias)?)
    }

    pub(super) fn branch_mut(&mut self, alias: Alias) -> Option<&mut Branch> {
        let place = self.place(alias)?;
        self.branches.get_mut(place)
    }

    fn place(&self, alias: Alias) -> Option<usize> {
        self.branches
            .binary_search_by_key(&alias, |branch| branch.registration.alias)
            .ok()
    }

    pub(super) fn branch_of(&self, call: &CallId) -> Option<&Branch> {
        self.branches
            .iter()
            .find(|branch| branch.registration.call == *call)
    }

    /// The state as section 6 of the protocol names it, `Finished` told apart by the caller.
    pub(super) fn state(&self) -> GlobalState {
        match self.phase {
            Phase::Open => GlobalState::Open,
            Phase::Deciding(_) => GlobalState::Deciding,
            Phase::Committed => GlobalState::Committed,
            Phase::RolledBack(_) => GlobalState::RolledBack,
        }
    }

    /// Takes the one step that the table of transitions allows.
    pub(super) fn become_(&mut self, phase: Phase) {
        let before = self.state();
        self.phase = phase;
        debug_assert!(
            before.may_become(self.state()),
            "{before:?} may not become {:?}",
            self.state()
        );
    }
}

impl Branch {
    pub(super) fn new(registration: Arc<Registration>, state: BranchState) -> Self {
        Self {
            registration,
            state,
            decision: None,
            parked: None,
            reported: None,
            home: None,
            waiting: Vec::new(),
            delivery: Delivery::None,
            by_operator: ByOperator::No,
            not_here: BTreeSet::new(),
            undecodable: None,
        }
    }

    /// Lets go of what only phase two needs.
    pub(crate) fn let_go(&mut self) {
        self.registration = self.registration.without_arguments();
        self.reported = None;
    }

    /// Whether its participant has ended it.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.state == BranchState::Ended
    }

    pub(super) fn become_(&mut self, state: BranchState) {
        debug_assert!(
            self.state == state || self.state.may_become(state),
            "{:?} may not become {state:?}",
            self.state
        );
        self.state = state;
    }
}
