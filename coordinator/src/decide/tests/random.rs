//! Random histories: requests, results, restarts with any prefix of the unforced log, horizons.
//! Whatever happens, nobody hears two outcomes, no row is told two decisions, the queues fit the
//! branches, and once faults end everything ends.

use std::collections::{BTreeMap, BTreeSet};

use unanimous_protocol::message::{
    AdminRequest, BranchResult, DecisionAnswer, Horizon, InDoubtAnswer, ParkReason, PhaseTwo,
};
use unanimous_protocol::{Alias, BranchKind, Decision, Incarnation, Xid};

use super::bench::{call, resource};
use super::*;
use crate::decide::rules::{All, Rules, mutants};
use crate::decide::state::{Delivery, Entry, Phase, State};
use crate::decide::{Event, RequestId, Settings, Timer};

const CALLS: [&str; 3] = ["a:1", "b:1", "b:1/c:1"];
const STEPS: usize = 150;
const SEEDS: u64 = 800;

/// A small generator: the same numbers for the same seed, everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % bound as u64).unwrap()
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Row {
    Tried,
    Confirmed,
    Cancelled,
}

/// One transaction, as its manager and its participants know it.
struct Seen {
    xid: Xid,
    branches: BTreeMap<&'static str, (BranchKind, Option<Alias>)>,
    rows: BTreeMap<&'static str, Row>,
    asked: Option<(Vec<Alias>, Vec<&'static str>)>,
    heard: Option<bool>,
    waiting: Vec<RequestId>,
}

struct World<R> {
    bench: Bench<R>,
    random: Random,
    seen: Vec<Seen>,
    joining: Vec<(RequestId, usize, &'static str)>,
    cleaned: BTreeMap<Incarnation, Horizon>,
    reached: BTreeSet<&'static str>,
}

/// Both resources' branches by their call.
fn resource_of(text: &str) -> u8 {
    if text == "a:1" { RES_A } else { RES_B }
}

impl<R: Rules> World<R> {
    fn new(seed: u64) -> Self {
        let settings = Settings {
            clean_ticks: usize::try_from(seed % 2).unwrap(),
            remember_ticks: 1_000,
            deliveries_max: 2,
            ..Settings::default()
        };
        Self {
            bench: Bench::with(settings),
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            seen: Vec::new(),
            joining: Vec::new(),
            cleaned: BTreeMap::new(),
            reached: BTreeSet::new(),
        }
    }

    fn step(&mut self) -> Result<(), String> {
        match self.random.below(16) {
            0 | 1 => self.begin(),
            2..=4 => self.register(),
            5 | 6 => self.commit(),
            7 => self.ask(false),
            8 => self.ask(true),
            9 => self.in_doubt()?,
            10 => self.perform()?,
            11 => self.attach_or_detach(),
            12 => self.tick(),
            13 => self.fire(),
            14 => self.bench.sync(),
            _ => self.crash(),
        }
        self.observe()
    }

    fn begin(&mut self) {
        if self.seen.len() < 6 {
            let xid = self.bench.begin();
            self.seen.push(Seen {
                xid,
                branches: BTreeMap::new(),
                rows: BTreeMap::new(),
                asked: None,
                heard: None,
                waiting: Vec::new(),
            });
        }
    }

    fn any(&mut self) -> Option<usize> {
        let count = self.seen.len();
        (count > 0).then(|| self.random.below(count))
    }

    fn register(&mut self) {
        let Some(index) = self.any() else { return };
        let text = CALLS[self.random.below(CALLS.len())];
        let kind = if text == "b:1" {
            BranchKind::Unfenced
        } else {
            BranchKind::Fenced
        };
        let xid = self.seen[index].xid.clone();
        let branch = Branched(text, resource_of(text), kind);
        let request = self.bench.ask_register(&xid, branch, 0);
        self.seen[index]
            .branches
            .entry(text)
            .or_insert((kind, None));
        self.joining.push((request, index, text));
    }

    /// The manager names what it saw succeed and abandons the rest; now and then it has missed
    /// something.
    fn commit(&mut self) {
        let Some(index) = self.any() else { return };
        let misses = self.random.one_in(8);
        let abandons = self.random.one_in(4);
        let seen = &mut self.seen[index];
        if seen.asked.is_none() {
            let mut named = Vec::new();
            let mut abandoned = Vec::new();
            for (text, (_, alias)) in &seen.branches {
                let dropped = abandons && *text != "a:1";
                match alias {
                    Some(alias) if !dropped => named.push(*alias),
                    _ => abandoned.push(*text),
                }
            }
            if misses {
                named.pop();
            }
            seen.asked = Some((named, abandoned));
        }
        let (named, abandoned) = seen.asked.clone().unwrap();
        let xid = seen.xid.clone();
        let request = self.bench.ask_commit(&xid, &named, &abandoned);
        self.seen[index].waiting.push(request);
    }

    fn ask(&mut self, rollback: bool) {
        let Some(index) = self.any() else { return };
        let request = self.bench.request();
        let xid = self.seen[index].xid.clone();
        self.seen[index].waiting.push(request);
        self.bench.event(if rollback {
            Event::Rollback { request, xid }
        } else {
            Event::Outcome { request, xid }
        });
    }

    fn in_doubt(&mut self) -> Result<(), String> {
        let Some(index) = self.any() else {
            return Ok(());
        };
        for text in CALLS {
            self.ask_about(index, text)?;
        }
        Ok(())
    }

    /// RM6, RM7: a fenced row that is tried asks, and the answer acts on it alone.
    fn ask_about(&mut self, index: usize, text: &'static str) -> Result<(), String> {
        let seen = &self.seen[index];
        let fenced = seen.branches.get(text).map(|(kind, _)| *kind) == Some(BranchKind::Fenced);
        if !fenced || seen.rows.get(text) != Some(&Row::Tried) {
            return Ok(());
        }
        let xid = seen.xid.clone();
        let answer = self.bench.in_doubt(&xid, text, resource_of(text));
        match answer {
            InDoubtAnswer::Wait => {}
            InDoubtAnswer::Committed => self.apply(index, text, Decision::Commit)?,
            InDoubtAnswer::RolledBack => self.apply(index, text, Decision::Rollback)?,
            InDoubtAnswer::Forgotten => {
                self.reached.insert("asked when forgotten");
                self.apply(index, text, Decision::Rollback)?;
            }
            InDoubtAnswer::Foreign => return Err(format!("{xid} is foreign to {text}")),
        }
        Ok(())
    }

    fn apply(&mut self, index: usize, text: &'static str, to: Decision) -> Result<(), String> {
        let seen = &mut self.seen[index];
        let row = seen.rows.get(text).copied();
        let next = match (row, to) {
            (Some(Row::Tried | Row::Confirmed), Decision::Commit) => Row::Confirmed,
            (None | Some(Row::Tried | Row::Cancelled), Decision::Rollback) => Row::Cancelled,
            _ => return Err(format!("{to} of {} {text}, whose row is {row:?}", seen.xid)),
        };
        seen.rows.insert(text, next);
        self.consistent(index)
    }

    /// G1, G3: rows and what the manager heard agree.
    fn consistent(&self, index: usize) -> Result<(), String> {
        let seen = &self.seen[index];
        let named = |text: &str| {
            let (named, _) = seen.asked.as_ref()?;
            let (_, alias) = seen.branches.get(text)?;
            Some(named.contains(&(*alias)?))
        };
        let abandoned = |text: &str| {
            let asked = seen.asked.as_ref();
            asked.is_some_and(|(_, calls)| calls.iter().any(|id| call(id).covers(&call(text))))
        };
        for (text, row) in &seen.rows {
            let agrees = match (row, seen.heard) {
                (Row::Confirmed, heard) => heard != Some(false) && named(text) == Some(true),
                // In a committed transaction nothing is cancelled but what was abandoned.
                (Row::Cancelled, Some(true)) => abandoned(text),
                _ => true,
            };
            if !agrees {
                let heard = seen.heard;
                return Err(format!("{}: heard {heard:?}, {text} is {row:?}", seen.xid));
            }
        }
        Ok(())
    }

    /// A participant performs some phase two that was delivered, and answers, or not.
    fn perform(&mut self) -> Result<(), String> {
        if self.bench.delivered.is_empty() {
            return Ok(());
        }
        let at = self.random.below(self.bench.delivered.len());
        let (session, two) = self.bench.delivered.remove(at);
        let result = match self.random.below(8) {
            0 => BranchResult::Retry {
                error: "again".into(),
                after: None,
            },
            1 => BranchResult::NotHere {
                error: "not here".into(),
            },
            2 if self.random.one_in(4) => BranchResult::Park(ParkReason::GaveUp("no".into())),
            _ => {
                self.perform_one(&two)?;
                BranchResult::Ended
            }
        };
        if !self.random.one_in(4) {
            self.bench
                .result_from(session.0, &two.xid, two.alias, result);
        }
        Ok(())
    }

    fn perform_one(&mut self, two: &PhaseTwo) -> Result<(), String> {
        let found = self.seen.iter().position(|seen| seen.xid == two.xid);
        let index = found.ok_or_else(|| format!("{} was never begun", two.xid))?;
        let text = CALLS
            .into_iter()
            .find(|text| call(text) == two.call)
            .unwrap();
        if two.resource != resource(resource_of(text)) {
            return Err(format!("{text} was delivered to {}", two.resource));
        }
        self.reached.insert(match two.decision {
            Decision::Commit => "confirmed",
            Decision::Rollback => "cancelled",
        });
        self.apply(index, text, two.decision)
    }

    fn attach_or_detach(&mut self) {
        let name = [RES_A, RES_B][self.random.below(2)];
        let session = u64::from(name) + self.random.below(2) as u64 * 1_000;
        if self.random.one_in(3) {
            self.bench.detach(session);
        } else {
            let actions: &[&str] = if self.random.one_in(5) {
                &[]
            } else {
                &["debit"]
            };
            let attach = bench::attach_of(None);
            self.bench.attach_as(session, name, actions, attach);
        }
    }

    fn tick(&mut self) {
        self.bench.timer(Timer::Horizon);
        if let Some(moved) = self.bench.horizons.last().cloned() {
            // RM8: what a durable horizon passed is cleaned, and tries below it are refused.
            self.reached.insert("horizon told");
            self.cleaned.insert(moved.0, moved.1);
        }
    }

    fn fire(&mut self) {
        let timers = self.bench.timers.len();
        if timers > 0 {
            let timer = self.bench.timers.remove(self.random.below(timers));
            self.bench.timer(timer);
        }
        if let Some(index) = self.any() {
            // One that was set before the decision and fires after it.
            let late = Timer::Deadline(self.seen[index].xid.own().unwrap());
            if self.random.one_in(3) {
                self.bench.timer(late);
            }
        }
        if let Some((_, two)) = self.bench.delivered.first() {
            let lost = Timer::Lost(two.xid.own().unwrap(), two.alias);
            self.bench.timer(lost);
        }
    }

    fn crash(&mut self) {
        if !self.random.one_in(3) {
            return;
        }
        let unforced = self.bench.log.len() - self.bench.durable;
        let kept = self.bench.durable + self.random.below(unforced + 1);
        self.bench.log.truncate(kept);
        self.bench.timers.clear();
        self.joining.clear();
        self.seen.iter_mut().for_each(|seen| seen.waiting.clear());
        self.bench.start(false);
        self.bench.sync();
        self.reached.insert("crashed");
    }

    /// Tries what joined, hears what was answered, and looks at the queues.
    fn observe(&mut self) -> Result<(), String> {
        for (request, index, text) in std::mem::take(&mut self.joining) {
            match self.bench.joined(request) {
                None => self.joining.push((request, index, text)),
                Some(Ok(joined)) => self.try_branch(index, text, joined.alias),
                Some(Err(_)) => {}
            }
        }
        for index in 0..self.seen.len() {
            for request in std::mem::take(&mut self.seen[index].waiting) {
                match self.bench.decision(request) {
                    None => self.seen[index].waiting.push(request),
                    Some(DecisionAnswer::Committed) => self.hear(index, true)?,
                    Some(DecisionAnswer::RolledBack(_)) => self.hear(index, false)?,
                    Some(_) => {}
                }
            }
        }
        queues_fit(&self.bench.state)
    }

    fn hear(&mut self, index: usize, committed: bool) -> Result<(), String> {
        let seen = &mut self.seen[index];
        self.reached.insert(if committed {
            "committed"
        } else {
            "rolled back"
        });
        if seen.heard.replace(committed) == Some(!committed) {
            return Err(format!("{} was told both outcomes", seen.xid));
        }
        self.consistent(index)
    }

    /// RM2, RM3: a try runs once, never after a marker, never below the local horizon.
    fn try_branch(&mut self, index: usize, text: &'static str, alias: Alias) {
        let seen = &mut self.seen[index];
        let own = seen.xid.own().unwrap();
        let below = self.cleaned.get(&own.incarnation);
        if below.is_some_and(|horizon| horizon.has_passed(own.counter)) {
            return;
        }
        let row = *seen.rows.entry(text).or_insert(Row::Tried);
        if row == Row::Tried
            && seen.asked.is_none()
            && let Some((_, known)) = seen.branches.get_mut(text)
        {
            *known = Some(alias);
        }
    }

    /// G6: faults end; so does every transaction.
    fn calm(&mut self) -> Result<(), String> {
        self.bench.sync();
        for name in [RES_A, RES_B] {
            self.bench.attach(name);
        }
        for index in 0..self.seen.len() {
            self.seen[index].waiting.clear();
            let xid = self.seen[index].xid.clone();
            let request = self.bench.request();
            self.bench.event(Event::Rollback { request, xid });
            self.seen[index].waiting.push(request);
        }
        for _ in 0..8 {
            self.bench.sync();
            self.observe()?;
            self.settle_once()?;
        }
        let unended = self
            .seen
            .iter()
            .find(|seen| seen.heard.is_none() || seen.rows.values().any(|row| *row == Row::Tried));
        match unended {
            None => Ok(()),
            Some(seen) => Err(format!("{}: {:?} {:?}", seen.xid, seen.heard, seen.rows)),
        }
    }

    fn settle_once(&mut self) -> Result<(), String> {
        for index in 0..self.seen.len() {
            for (number, text) in (1..).zip(CALLS) {
                let xid = self.seen[index].xid.clone();
                // Answers that were lost on a stream that stayed.
                let lost = Timer::Lost(xid.own().unwrap(), Alias(number));
                self.bench.timer(lost);
                self.bench.admin(AdminRequest::Retry(xid, call(text)));
            }
        }
        for (session, two) in std::mem::take(&mut self.bench.delivered) {
            self.perform_one(&two)?;
            self.bench
                .result_from(session.0, &two.xid, two.alias, BranchResult::Ended);
        }
        for index in 0..self.seen.len() {
            for text in CALLS {
                self.ask_about(index, text)?;
            }
        }
        Ok(())
    }
}

/// The queues hold exactly what the branches say, and the counts are right.
fn queues_fit(state: &State) -> Result<(), String> {
    let mut undecided = 0;
    let mut found = BTreeMap::new();
    for (incarnation, era) in &state.eras {
        for (counter, entry) in &era.transactions {
            let Entry::Live(transaction) = entry else {
                continue;
            };
            let decided = !matches!(transaction.phase, Phase::Open | Phase::Deciding(_));
            undecided += usize::from(!decided);
            for branch in &transaction.branches {
                let key = (incarnation, counter, branch.registration.alias);
                found.insert(key, (branch.delivery, &branch.registration.resource));
                let idle = branch.delivery == Delivery::None;
                let wants = decided && !branch.has_ended() && branch.parked.is_none();
                if idle == wants {
                    return Err(format!("{key:?} is {:?}", branch.delivery));
                }
            }
        }
    }
    let count = |name, is: fn(Delivery) -> bool| {
        let of = found
            .values()
            .filter(|(delivery, at)| *at == name && is(*delivery));
        of.count()
    };
    for (name, deliveries) in &state.resources {
        let due = count(name, |delivery| delivery == Delivery::Due);
        let resting = count(name, |delivery| delivery == Delivery::Resting);
        let under_way = count(name, |delivery| matches!(delivery, Delivery::UnderWay(_)));
        let expected = (due, resting, under_way);
        let held = (
            deliveries.due.len(),
            deliveries.resting.len(),
            deliveries.under_way,
        );
        if held != expected {
            return Err(format!(
                "{name} holds {held:?}, its branches say {expected:?}"
            ));
        }
    }
    let at_sessions: usize = state.sessions.values().map(|one| one.under_way.len()).sum();
    let under_way: usize = state.resources.values().map(|one| one.under_way).sum();
    if at_sessions != under_way || undecided != state.undecided() {
        return Err(format!(
            "{at_sessions} {under_way} {undecided} {}",
            state.undecided()
        ));
    }
    Ok(())
}

fn history<R: Rules>(seed: u64) -> Result<BTreeSet<&'static str>, String> {
    let mut world = World::<R>::new(seed);
    for _ in 0..STEPS {
        world.step()?;
    }
    world.calm()?;
    Ok(world.reached)
}

#[test]
fn random_histories_keep_one_outcome_and_end() {
    let mut reached = BTreeSet::new();
    for seed in 0..SEEDS {
        match history::<All>(seed) {
            Ok(more) => reached.extend(more),
            Err(wrong) => panic!("history::<All>({seed}): {wrong}"),
        }
    }
    let all = [
        "asked when forgotten",
        "cancelled",
        "committed",
        "confirmed",
        "crashed",
        "horizon told",
        "rolled back",
    ];
    assert_eq!(reached, all.into(), "a state was never reached");
}

/// How many of the histories go wrong.
fn wrong<R: Rules>() -> u64 {
    let found = (0..SEEDS).find(|seed| history::<R>(*seed).is_err());
    u64::from(found.is_some())
}

#[test]
fn random_histories_find_mutants() {
    let found = [
        ("FORCE_COMMIT", wrong::<mutants::CommitNotForced>()),
        ("DEADLINE_YIELDS", wrong::<mutants::DeadlineBeatsDeciding>()),
        ("COMPARE_BRANCHES", wrong::<mutants::TakesNamed>()),
        ("CONFIRM_ONLY_NAMED", wrong::<mutants::ConfirmsAllJoined>()),
        ("FORGET_ONLY_ENDED", wrong::<mutants::ForgetsBeforeEnded>()),
        ("JOINS_AT_ONCE", wrong::<mutants::JoinsWhenDurable>()),
        ("ANSWER_BY_BRANCH", wrong::<mutants::AnswersByTransaction>()),
        (
            "ABOVE_HORIZON",
            wrong::<mutants::CommittedDroppedAboveHorizon>(),
        ),
        ("PHASE_TWO", wrong::<mutants::NoPhaseTwoAfterRestart>()),
    ];
    let missed: Vec<_> = found.iter().filter(|(_, wrong)| *wrong == 0).collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
}
