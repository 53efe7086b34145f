//! Forgetting, by moving the horizon alone (TC11), and remembering one bit each (N6).
//!
//! ```text
//!  counter   1 2 3 4 5 6 7 8 9 ...
//!            └ bits ┘│       └ open: the mark stops before it
//!                 horizon    not ended below the mark: listed
//!
//!  each tick: note how far everything has ended (a mark); a mark that is `clean_ticks` old becomes
//!  the horizon, in one record with its list and the bits of what it newly forgets
//! ```

use std::collections::BTreeSet;

use unanimous_protocol::message::Horizon;
use unanimous_protocol::{BranchState, Decision, Incarnation, OwnXid, limits};

use super::bits::Bits;
use super::effect::{Message, To};
use super::record::{Chunk, HorizonRecord, HorizonScope, Record};
use super::rules::Rules;
use super::state::{Branch, Entry, Era, Pending, Phase, Transaction};
use super::turn::{Force, Turn};

/// The horizon of an earlier incarnation once all its transactions have ended: nothing joins it any
/// more, so it may pass every counter, also those of transactions that left no record. The largest
/// counter that databases with signed numbers hold.
pub const ALL_COUNTERS: u64 = i64::MAX as u64;

impl<R: Rules> Turn<'_, R> {
    /// One `horizon_interval` has passed.
    pub(super) fn horizon_tick(&mut self) {
        let mut listed: usize = self.state.eras.values().map(Era::lists).sum();
        for incarnation in self.incarnations() {
            listed -= self.lists(incarnation);
            let room = self.state.settings.listed_max.saturating_sub(listed);
            self.age(incarnation, room);
            listed += self.lists(incarnation);
        }
        self.bound_memory();
        self.settle_acks();
        self.announce_own();
    }

    fn incarnations(&self) -> Vec<Incarnation> {
        self.state.eras.keys().copied().collect()
    }

    fn lists(&self, incarnation: Incarnation) -> usize {
        self.state.eras.get(&incarnation).map_or(0, Era::lists)
    }

    /// Everything that had ended `clean_ticks` ago, and nothing younger, is forgotten. `room`: how
    /// many may be listed.
    fn age(&mut self, incarnation: Incarnation, room: usize) {
        let own = self.state.own;
        let last = if incarnation == own {
            self.state.counter
        } else {
            ALL_COUNTERS
        };
        let clean_ticks = self.state.settings.clean_ticks;
        let Some(era) = self.state.eras.get_mut(&incarnation) else {
            return;
        };
        if era.restored && R::RESTORED_HORIZON_STAYS {
            return;
        }
        let mark = mark::<R>(era, last, room);
        era.marks.push_back(mark);
        if era.marks.len() <= clean_ticks {
            return;
        }
        // One move at a time: the next waits until this one is durable.
        let ripe = era.marks.pop_front();
        let ripe = ripe.filter(|ripe| *ripe != era.horizon && era.durable == era.horizon);
        if let Some(ripe) = ripe {
            self.move_horizon(incarnation, ripe);
        }
    }

    fn move_horizon(&mut self, incarnation: Incarnation, horizon: Horizon) {
        let forgotten = self.take_forgotten(incarnation, &horizon);
        let Some(era) = self.state.eras.get_mut(&incarnation) else {
            return;
        };
        let mut changed = BTreeSet::new();
        for (counter, committed) in forgotten {
            let leaves_list = counter <= era.horizon.counter;
            let remembered = R::LEAVES_LIST_WITH_BIT || !leaves_list;
            if committed && remembered && counter >= era.remembered_from {
                era.bits.insert(counter);
                changed.insert(Bits::chunk_of(counter));
            }
        }
        let bits = changed.iter().filter_map(|index| era.bits.chunk(*index));
        let bits: Vec<_> = bits.collect();
        era.horizon = horizon;
        if R::BIT_WITH_HORIZON {
            self.write_horizon(incarnation, bits);
        } else {
            self.write_horizon(incarnation, Vec::new());
            self.write_horizon(incarnation, bits);
        }
    }

    /// TC11: one record for the horizon, its list and its bits; lazy, told once it is durable.
    fn write_horizon(&mut self, incarnation: Incarnation, bits: Vec<Chunk>) {
        let Some(era) = self.state.eras.get_mut(&incarnation) else {
            return;
        };
        era.moves += 1;
        let horizon = era.horizon.clone();
        let record = Record::Horizon(Box::new(HorizonRecord {
            incarnation,
            number: era.moves,
            scope: HorizonScope::Moved,
            horizon: horizon.clone(),
            remembered_from: era.remembered_from,
            bits,
        }));
        let is_told = horizon == era.durable;
        let position = self.append(record, Force::Lazy);
        let pending = Pending::Horizon(incarnation);
        self.state.pending.push_back((position, pending));
        if !is_told {
            let after = R::HORIZON_TOLD_WHEN_DURABLE.then_some(position);
            let message = Message::Horizon {
                incarnation,
                horizon,
            };
            self.say(To::EveryResource, message, after);
        }
    }

    pub(super) fn horizon_durable(&mut self, incarnation: Incarnation) {
        if let Some(era) = self.state.eras.get_mut(&incarnation) {
            // Only one move is under way at a time.
            era.durable = era.horizon.clone();
        }
    }

    fn announce_own(&mut self) {
        let incarnation = self.state.own;
        let own = self.state.eras.get(&incarnation);
        let durable = own.map(|era| era.durable.clone());
        if let Some(horizon) = durable.filter(|horizon| horizon.counter > 0) {
            let message = Message::Horizon {
                incarnation,
                horizon,
            };
            self.say(To::EveryResource, message, None);
        }
    }

    /// Removes what the horizon newly covers: counters, and whether each was committed. One pass,
    /// as under load there are a million of them.
    fn take_forgotten(&mut self, incarnation: Incarnation, horizon: &Horizon) -> Vec<(u64, bool)> {
        let Some(era) = self.state.eras.get_mut(&incarnation) else {
            return Vec::new();
        };
        let above = era.transactions.split_off(&(horizon.counter + 1));
        let below = std::mem::replace(&mut era.transactions, above);
        let mut outcomes = Vec::with_capacity(below.len());
        let mut live = Vec::new();
        for (counter, entry) in below {
            let listed = horizon.listed.contains(&counter);
            if listed || matches!(entry, Entry::Live(_)) {
                live.extend((!listed).then_some(counter));
                era.transactions.insert(counter, entry);
            } else {
                outcomes.push((counter, matches!(entry, Entry::Finished(_))));
            }
        }
        for counter in live {
            let xid = OwnXid {
                incarnation,
                counter,
            };
            outcomes.extend(self.forget_live(xid));
        }
        outcomes
    }

    /// TC12: branches of lazy kinds that nobody parked need not have ended before their transaction is forgotten; who
    /// asks is told. Their deliveries end here.
    fn forget_live(&mut self, xid: OwnXid) -> Option<(u64, bool)> {
        let transaction = self.state.live(xid)?;
        let registrations = transaction
            .branches
            .iter()
            .map(|one| one.registration.clone());
        let registrations: Vec<_> = registrations.collect();
        for registration in &registrations {
            let key = (xid, registration.alias);
            self.withdraw(key);
            self.was_decoded(key);
        }
        let era = self.state.eras.get_mut(&xid.incarnation)?;
        let Some(Entry::Live(transaction)) = era.transactions.remove(&xid.counter) else {
            return None;
        };
        let committed = transaction.phase == Phase::Committed;
        self.finished(xid, *transaction);
        for registration in registrations {
            self.pump(&registration.resource);
        }
        Some((xid.counter, committed))
    }

    /// One tick of remembering has passed: outcomes that are `remember_ticks` old are let go.
    pub(super) fn remember_tick(&mut self) {
        let ticks = self.state.settings.remember_ticks;
        for incarnation in self.incarnations() {
            let Some(era) = self.state.eras.get_mut(&incarnation) else {
                continue;
            };
            era.memories.push_back(era.horizon.counter);
            if era.memories.len() > ticks
                && let Some(old) = era.memories.pop_front()
                && old > 0
            {
                self.remember_from(incarnation, old + 1);
            }
        }
    }

    /// A lazy record raises remembered-from; the bits leave the disk with it, never before (TC11).
    fn remember_from(&mut self, incarnation: Incarnation, counter: u64) {
        let Some(era) = self.state.eras.get_mut(&incarnation) else {
            return;
        };
        if counter <= era.remembered_from {
            return;
        }
        era.remembered_from = counter;
        era.bits.drop_below(counter);
        self.write_horizon(incarnation, Vec::new());
    }

    /// At most `remembered_max` outcomes are remembered, over all incarnations; the oldest go.
    fn bound_memory(&mut self) {
        let max = self.state.settings.remembered_max;
        loop {
            let room: u64 = self.state.eras.values().map(|era| era.bits.room()).sum();
            if room <= max {
                return;
            }
            let oldest = self.state.eras.iter().find_map(|(incarnation, era)| {
                let from = era.bits.without_oldest()?;
                Some((*incarnation, from))
            });
            let Some((incarnation, from)) = oldest else {
                return;
            };
            self.remember_from(incarnation, from);
        }
    }
}

/// How far everything has ended: the counter before the first that is undecided, and those below
/// it that have not ended. Where more of these would be listed than there is room for, the horizon
/// stays below them: nobody could be told of it otherwise.
fn mark<R: Rules>(era: &Era, last: u64, room: usize) -> Horizon {
    let from = era.last_mark();
    let still_owed = |counter: &u64| {
        let entry = era.transactions.get(counter);
        entry.is_some_and(|entry| ending::<R>(entry) != Ending::Ended)
    };
    let mut listed: BTreeSet<u64> = from.listed.iter().copied().filter(still_owed).collect();
    for (counter, entry) in era.transactions.range(from.counter + 1..) {
        match ending::<R>(entry) {
            Ending::Owed if listed.len() < room => {
                listed.insert(*counter);
            }
            Ending::Undecided | Ending::Owed => {
                return Horizon {
                    counter: counter - 1,
                    listed,
                };
            }
            Ending::Ended => {}
        }
    }
    Horizon {
        counter: last.max(from.counter),
        listed,
    }
}

/// Whether a transaction may be forgotten.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ending {
    /// The horizon never passes it.
    Undecided,
    /// The horizon passes it and lists it.
    Owed,
    Ended,
}

fn ending<R: Rules>(entry: &Entry) -> Ending {
    let Entry::Live(transaction) = entry else {
        return Ending::Ended;
    };
    let undecided = matches!(transaction.phase, Phase::Open | Phase::Deciding(_));
    if undecided && R::HORIZON_STOPS_AT_OPEN {
        Ending::Undecided
    } else if !undecided && transaction.is_owed::<R>() {
        Ending::Owed
    } else {
        Ending::Ended
    }
}

impl Era {
    fn last_mark(&self) -> &Horizon {
        self.marks.back().unwrap_or(&self.horizon)
    }

    /// How many transactions its last mark lists.
    fn lists(&self) -> usize {
        self.last_mark().listed.len()
    }

    /// A branch of the transaction has parked. It may have counted as ended when the marks were
    /// set: an operator has to find it all the same.
    pub(super) fn list_in_marks(&mut self, counter: u64) {
        for mark in &mut self.marks {
            if counter <= mark.counter && mark.listed.len() < limits::LISTED_MAX {
                mark.listed.insert(counter);
            }
        }
    }
}

impl Transaction {
    /// Whether a branch has not ended that must have before the transaction is forgotten: any of
    /// S, any of a forced kind, and any that is parked, given up or written off: an operator has
    /// to find it.
    pub(super) fn is_owed<R: Rules>(&self) -> bool {
        let committed = self.phase == Phase::Committed;
        if committed && !R::FORGET_ONLY_ENDED {
            return false;
        }
        let must_end = |branch: &Branch| {
            let forced =
                branch.registration.kind.is_forced() && (R::FORCED_KINDS_END_FIRST || committed);
            forced || branch.decision == Some(Decision::Commit)
        };
        let mut branches = self.branches.iter();
        branches.any(|branch| match branch.state {
            BranchState::Ended => false,
            BranchState::Parked => R::GIVEN_UP_IS_NOT_ENDED,
            _ => must_end(branch),
        })
    }
}
