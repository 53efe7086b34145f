//! The start (TC1, TC2): what the records say, and what becomes of what they do not.

use std::collections::BTreeMap;
use std::sync::Arc;

use unanimous_protocol::message::ParkReason;
use unanimous_protocol::{Alias, BranchState, Decision, OwnXid, RollbackReason};

use super::commit::confirmed;
use super::effect::Note;
use super::event::{Position, Start};
use super::record::{About, DecidedBranch, HorizonRecord, HorizonScope, Record, Registration};
use super::rules::Rules;
use super::state::{Branch, Entry, Era, Pending, Phase, Service, State, Transaction};
use super::turn::{Force, Turn};

impl<R: Rules> Turn<'_, R> {
    /// TC1: read everything, append the incarnation, force; serve once that is durable. The force
    /// also makes durable what was read.
    pub(super) fn start(&mut self, start: Start) {
        debug_assert!(self.state.appended == Position(0), "a process starts once");
        let Start {
            log,
            incarnation,
            restored,
            records,
        } = start;
        self.state.log = log;
        self.state.restored = restored;
        let mut found = BTreeMap::new();
        for record in records {
            self.state.read::<R>(record, &mut found);
        }
        self.state.rebuild::<R>(found);
        if restored {
            for era in self.state.eras.values_mut() {
                era.restored = true;
            }
        }
        self.state.own = incarnation;
        self.state.eras.insert(incarnation, Era::default());
        let record = Record::Incarnation {
            incarnation,
            restored,
        };
        if R::RECOVERY_FORCES {
            let position = self.append(record, Force::Forced);
            self.state.pending.push_back((position, Pending::Start));
        } else {
            self.append(record, Force::Lazy);
            self.serve();
        }
        self.resume();
    }

    pub(super) fn serve(&mut self) {
        self.state.service = Service::Serving;
        self.note(Note::Serving);
    }

    /// Whatever is decided and not ended is due as soon as somebody attaches, which nobody can
    /// before the start is durable.
    fn resume(&mut self) {
        if !R::PHASE_TWO_AFTER_RESTART {
            return;
        }
        let live = self.state.eras.iter().flat_map(|(incarnation, era)| {
            let live = era
                .transactions
                .iter()
                .filter(|(_, entry)| matches!(entry, Entry::Live(_)));
            live.map(|(counter, _)| OwnXid {
                incarnation: *incarnation,
                counter: *counter,
            })
        });
        for xid in live.collect::<Vec<_>>() {
            self.begin_phase_two(xid);
        }
    }
}

/// What the records say about one transaction.
#[derive(Debug, Default)]
struct Found {
    about: Option<About>,
    commit: Option<Vec<DecidedBranch>>,
    abort: Option<RollbackReason>,
    branches: BTreeMap<Alias, Arc<Registration>>,
    progress: BTreeMap<Alias, Progress>,
}

#[derive(Debug)]
enum Progress {
    Ended,
    Parked(Option<ParkReason>),
}

type FoundMap = BTreeMap<OwnXid, Found>;

impl State {
    fn read<R: Rules>(&mut self, record: Record, found: &mut FoundMap) {
        match record {
            Record::Incarnation {
                incarnation,
                restored,
            } => {
                if restored {
                    let eras = self.eras.range_mut(..incarnation);
                    eras.for_each(|(_, era)| era.restored = true);
                }
                self.eras.entry(incarnation).or_default();
            }
            Record::Lost(incarnation) => {
                self.lost.insert(incarnation);
            }
            Record::Branch { .. }
            | Record::Commit { .. }
            | Record::Abort { .. }
            | Record::Ended { .. }
            | Record::Parked { .. } => read_transaction(record, found),
            Record::Horizon(horizon) => self.read_horizon::<R>(*horizon),
            Record::Acked {
                resource,
                incarnation,
                counter,
            } => {
                let deliveries = self.resources.entry(resource).or_default();
                deliveries.acked.insert(incarnation, counter);
            }
            Record::ResourceRestored {
                resource,
                incarnation,
                counter,
            } => {
                let deliveries = self.resources.entry(resource).or_default();
                deliveries.restored.insert(incarnation, counter);
            }
            Record::WrittenOff(database) => {
                self.written_off.insert(database);
            }
            Record::DecidedByHand { xid, decision } => {
                self.by_hand.insert(xid, (decision, None));
            }
        }
    }

    /// TC11: a record that follows another is void after any other.
    fn read_horizon<R: Rules>(&mut self, record: HorizonRecord) {
        let era = self.eras.entry(record.incarnation).or_default();
        let follows = record.number == era.moves + 1;
        if record.scope == HorizonScope::Moved && !follows && R::HORIZON_IS_CHAINED {
            return;
        }
        era.moves = record.number;
        era.horizon = record.horizon.clone();
        era.durable = record.horizon;
        era.remembered_from = record.remembered_from;
        for chunk in record.bits {
            era.bits.set_chunk(chunk);
        }
        era.bits.drop_below(record.remembered_from);
    }

    fn rebuild<R: Rules>(&mut self, found: FoundMap) {
        for (xid, found) in found {
            let Some(era) = self.eras.get_mut(&xid.incarnation) else {
                continue;
            };
            if era.horizon.has_passed(xid.counter) {
                continue;
            }
            if let Some(entry) = found.into_entry::<R>() {
                if let Entry::Live(transaction) = &entry
                    && transaction.phase == Phase::Open
                {
                    self.undecided += 1;
                }
                era.transactions.insert(xid.counter, entry);
            }
        }
    }
}

fn read_transaction(record: Record, found: &mut FoundMap) {
    match record {
        Record::Branch {
            xid,
            about,
            registration,
        } => {
            let found = found.entry(xid).or_default();
            found.about = Some(about);
            found.branches.insert(registration.alias, registration);
        }
        Record::Commit {
            xid,
            about,
            branches,
        } => {
            let found = found.entry(xid).or_default();
            found.about = Some(about);
            found.commit = Some(branches);
        }
        Record::Abort { xid, about, reason } => {
            let found = found.entry(xid).or_default();
            found.about = Some(about);
            found.abort = Some(reason);
        }
        Record::Ended { xid, alias } => {
            let found = found.entry(xid).or_default();
            found.progress.insert(alias, Progress::Ended);
        }
        Record::Parked { xid, alias, reason } => {
            let found = found.entry(xid).or_default();
            found.progress.insert(alias, Progress::Parked(reason));
        }
        _ => {}
    }
}

impl Found {
    /// TC2: only a commit record counts; what else is known is rolled back.
    fn into_entry<R: Rules>(mut self) -> Option<Entry> {
        let about = self.about.take()?;
        let phase = match (&self.commit, self.abort) {
            (Some(_), _) => Phase::Committed,
            (None, None) if !R::OPEN_DIES_WITH_INCARNATION => Phase::Open,
            (None, reason) => Phase::RolledBack(reason.unwrap_or(RollbackReason::Stopped)),
        };
        let mut branches = self.decided_branches::<R>(phase);
        for branch in &mut branches {
            match self.progress.remove(&branch.registration.alias) {
                Some(Progress::Ended) => branch.state = BranchState::Ended,
                Some(Progress::Parked(Some(reason))) => {
                    branch.state = BranchState::Parked;
                    branch.parked = Some(reason);
                }
                Some(Progress::Parked(None)) | None => {}
            }
        }
        let quiet = branches.iter().all(Branch::has_ended);
        Some(match phase {
            Phase::Committed if quiet => Entry::Finished(confirmed(&branches)),
            Phase::RolledBack(reason) if quiet => Entry::RolledBack(reason),
            _ => Entry::Live(Box::new(Transaction {
                about,
                phase,
                branches,
            })),
        })
    }

    fn decided_branches<R: Rules>(&mut self, phase: Phase) -> Vec<Branch> {
        let mut branches = BTreeMap::new();
        for (alias, registration) in std::mem::take(&mut self.branches) {
            let mut branch = Branch::new(registration, BranchState::Joined);
            branch.decision = match phase {
                Phase::Open => None,
                Phase::Committed if !R::COMMIT_IS_SELF_CONTAINED => Some(Decision::Commit),
                _ => Some(Decision::Rollback),
            };
            branches.insert(alias, branch);
        }
        for decided in self.commit.take().unwrap_or_default() {
            let alias = decided.registration.alias;
            let mut branch = Branch::new(decided.registration, BranchState::Joined);
            branch.decision = Some(decided.decision);
            branch.reported = decided.reported;
            branches.insert(alias, branch);
        }
        branches.into_values().collect()
    }
}
