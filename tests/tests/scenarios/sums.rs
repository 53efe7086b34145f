//! Random transactions under random faults: whatever was lost, repeated, dropped or killed, the
//! sums hold, no row stays tried, and nobody was told anything that the databases do not say.
//!
//! A failure prints the seed; `UNANIMOUS_SEED=.. cargo test -p unanimous-tests --test scenarios sums`
//! plays the same transactions and faults again. Threads may still take turns differently.

use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _, stream};
use unanimous::{Error, Outcome, RetryPolicy, TolerateExt, Xid, global_transactional, retry_call};

use crate::cancellation::polled;
use crate::process::{Process, Server};
use crate::vault::{Failure, Fault, Vault};
use crate::wire::{Fate, Message, Wire};
use crate::world::{Site, World, coordinator};

const SEEDS: u64 = 6;
const GENERATIONS: usize = 3;
const TRANSACTIONS: usize = 24;
const AT_A_TIME: usize = 6;
/// A run that makes no progress for so long hangs.
const HANG: Duration = Duration::from_secs(120);

/// `SplitMix64`: small, and the same everywhere.
#[derive(Clone)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("it is below the limit")
    }

    fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// One call of a transaction.
#[derive(Clone, Debug)]
struct Step {
    vault: usize,
    count: i64,
    how: How,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum How {
    Plainly,
    Tolerated,
    Repeated,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Ok,
    Err,
    Panic,
}

/// One transaction, as the seed wants it.
#[derive(Clone, Debug)]
struct Wanted {
    label: String,
    steps: Vec<Step>,
    end: End,
    /// After so many polls its caller is dropped.
    polls: Option<usize>,
}

impl Wanted {
    fn draw(random: &mut Random, label: String) -> Self {
        let steps = (0..=random.below(4)).map(|_| Step {
            vault: random.below(3),
            // Now and then more than there is.
            count: if random.percent(6) {
                100_000
            } else {
                [1, 2, 3][random.below(3)]
            },
            how: [How::Plainly, How::Plainly, How::Tolerated, How::Repeated][random.below(4)],
        });
        let steps = steps.collect();
        let end = match random.below(10) {
            0 => End::Err,
            1 => End::Panic,
            _ => End::Ok,
        };
        let polls = random.percent(25).then(|| random.below(60));
        Self {
            label,
            steps,
            end,
            polls,
        }
    }

    fn label(&self, step: usize) -> String {
        format!("{}.{step}", self.label)
    }
}

/// What its caller was told.
#[derive(Clone, Debug)]
enum Told {
    /// Committed, and which steps had succeeded.
    Committed(Vec<bool>),
    RolledBack,
    Unknown(Xid),
    /// It was dropped or killed.
    Nothing,
}

#[global_transactional(timeout = "20s")]
async fn play(vaults: &[Vault], wanted: &Wanted) -> Result<Vec<bool>, Failure> {
    let mut succeeded = Vec::new();
    for (index, step) in wanted.steps.iter().enumerate() {
        let label = wanted.label(index);
        let take = || vaults[step.vault].take(&label, step.count);
        let taken = match step.how {
            How::Plainly => take().await.map(drop),
            How::Tolerated => {
                succeeded.push(take().tolerate().await.is_ok());
                continue;
            }
            How::Repeated => retry_call(RetryPolicy::attempts(3), take).await.map(drop),
        };
        taken?;
        succeeded.push(true);
    }
    match wanted.end {
        End::Ok => Ok(succeeded),
        End::Err => Err(Failure::Scripted("at the end")),
        End::Panic => panic!("the scenario wanted it"),
    }
}

/// What was told, kept outside the processes that are killed.
type Telling = Arc<Mutex<Vec<(Wanted, Told)>>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn run(world: &World, wanted: Wanted, place: usize, telling: &Telling) {
    let call = AssertUnwindSafe(world.run(play(&world.vaults, &wanted))).catch_unwind();
    let told = match polled(wanted.polls.unwrap_or(usize::MAX), call).await {
        None => Told::Nothing,
        Some(Err(_panic)) => Told::RolledBack,
        Some(Ok(Ok(succeeded))) => Told::Committed(succeeded),
        Some(Ok(Err(Failure::Transaction(Error::Unknown { xid, .. })))) => Told::Unknown(xid),
        Some(Ok(Err(_))) => Told::RolledBack,
    };
    lock(telling)[place].1 = told;
}

/// What the threads of a run tell its driver.
enum News {
    /// So many messages have passed: time for a fault.
    Trip,
    /// All transactions have ended.
    Done,
}

/// How often each kind of thing happened over all seeds: a run that never reaches them proves
/// nothing.
#[derive(Debug, Default)]
struct Reached {
    committed: usize,
    rolled_back: usize,
    unknown: usize,
    dropped: usize,
    finished_unheard: usize,
    coordinators_killed: usize,
    participants_killed: usize,
}

/// One seed.
struct Run {
    seed: u64,
    random: Random,
    site: Site,
    coordinator: Deployment,
    telling: Telling,
}

/// Where the coordinator runs.
enum Deployment {
    /// In a process of its own, at the end of this wire.
    Apart(Option<Server>, Wire),
    /// In the process of the participants, and dies with it.
    Together,
}

impl Run {
    fn start(seed: u64) -> Self {
        let site = Site::new();
        let coordinator = if seed.is_multiple_of(2) {
            let server = Server::start(&site);
            let wire = server.wire();
            Deployment::Apart(Some(server), wire)
        } else {
            Deployment::Together
        };
        let (random, telling) = (Random(seed), Telling::default());
        Self {
            seed,
            random,
            site,
            coordinator,
            telling,
        }
    }

    fn play(&mut self, reached: &mut Reached) {
        for generation in 0..GENERATIONS {
            self.generation(generation, reached);
        }
        let (process, wire) = self.process();
        wire.heal();
        let told = lock(&self.telling).clone();
        process.run(async |world| {
            world.settle().await;
            check(world, &told, reached).await;
        });
        process.end();
    }

    /// The process of the participants, and the wire to its coordinator.
    fn process(&self) -> (Process<World>, Wire) {
        if let Deployment::Apart(_, wire) = &self.coordinator {
            return (Process::at(wire, &self.site), wire.clone());
        }
        let mut made = None;
        let process = Process::start(async {
            let wire = Wire::to(coordinator(&self.site.embedded()).await);
            made = Some(wire.clone());
            World::on(&self.site, Arc::new(wire)).await
        });
        (process, made.expect("it was started"))
    }

    /// One process that runs transactions until they end, or until it is killed.
    fn generation(&mut self, generation: usize, reached: &mut Reached) {
        let (tell, hear) = channel();
        let (process, wire) = self.process();
        self.break_the_wire(&wire, tell.clone());
        self.script(&process.inside.vaults);
        let first = lock(&self.telling).len();
        let draw = |number: usize| {
            let label = format!("{}.{generation}.{number}", self.seed);
            Wanted::draw(&mut self.random, label)
        };
        let wanted: Vec<Wanted> = (0..TRANSACTIONS).map(draw).collect();
        lock(&self.telling).extend(wanted.iter().map(|wanted| (wanted.clone(), Told::Nothing)));
        let telling = Arc::clone(&self.telling);
        process.spawn(async move |world| {
            let runs = wanted.into_iter().zip(first..);
            let runs =
                stream::iter(runs.map(|(wanted, place)| run(&world, wanted, place, &telling)));
            runs.buffer_unordered(AT_A_TIME).collect::<()>().await;
            let _ = tell.send(News::Done);
        });
        while !self.fault(&hear, reached) {}
        if let Deployment::Together = self.coordinator {
            wire.cut();
        }
        if self.random.percent(30) {
            process.run(async |world| world.runtime.shutdown().await);
        }
        process.kill();
    }

    /// Waits for the next fault; true when it is the end of the process.
    fn fault(&mut self, hear: &Receiver<News>, reached: &mut Reached) -> bool {
        let news = hear.recv_timeout(HANG).expect("it makes progress");
        let kills_coordinator = self.random.percent(50);
        match (news, &mut self.coordinator) {
            (News::Done, _) => return true,
            (News::Trip, Deployment::Apart(server, wire)) if kills_coordinator => {
                reached.coordinators_killed += 1;
                let killed = server.take().expect("it runs");
                *server = Some(killed.restart(wire, &self.site));
                return false;
            }
            (News::Trip, Deployment::Together) => reached.coordinators_killed += 1,
            (News::Trip, Deployment::Apart(..)) => {}
        }
        reached.participants_killed += 1;
        true
    }

    /// Loses, repeats and swallows messages, and asks for a greater fault now and then.
    fn break_the_wire(&mut self, wire: &Wire, tell: Sender<News>) {
        let mut random = Random(self.random.next());
        let mut left = 20 + random.below(150);
        wire.plan(move |message| {
            left -= 1;
            if left == 0 {
                left = 60 + random.below(150);
                let _ = tell.send(News::Trip);
            }
            match (random.below(100), message) {
                (0..4, _) => Fate::Drop,
                (4..10, _) => Fate::LoseAnswer,
                (10..16, Message::Begin) => Fate::Pass,
                (10..16, _) => Fate::Twice,
                (16..24, Message::Commit) | (16, Message::PhaseTwo) => Fate::Vanish,
                (24..32, Message::Commit) | (17, Message::PhaseTwo) => Fate::Mute,
                (16..19, Message::Register) => Fate::Invent,
                _ => Fate::Pass,
            }
        });
    }

    /// Some phases fail for reasons of their own.
    fn script(&mut self, vaults: &[Vault]) {
        for vault in vaults {
            for phase in [&vault.script.confirms, &vault.script.cancels] {
                for _ in 0..self.random.below(4) {
                    phase.then(if self.random.percent(50) {
                        Fault::Fail
                    } else {
                        Fault::Panic
                    });
                }
            }
            if self.random.percent(50) {
                vault.script.tries.then(Fault::Panic);
            }
        }
    }
}

/// What was told agrees with what the databases hold.
async fn check(world: &World, told: &[(Wanted, Told)], reached: &mut Reached) {
    let mut effects = Vec::new();
    for vault in &world.vaults {
        effects.push(vault.effects().await);
    }
    let mut sold = [0; 3];
    for (wanted, told) in told {
        let spent = wanted.steps.iter().enumerate().map(|(index, step)| {
            let times = |what: &str| {
                let key = (wanted.label(index), what.to_owned());
                effects[step.vault].get(&key).map_or(0, |(times, _)| *times)
            };
            match (times("held"), times("spent"), times("released")) {
                (1, 1, 0) => {
                    sold[step.vault] += step.count;
                    true
                }
                (0, 0, 0) | (1, 0, 1) => false,
                other => panic!("{wanted:?} at {index}, {told:?}: {other:?}"),
            }
        });
        let spent: Vec<bool> = spent.collect();
        let needed = wanted.steps.iter().map(|step| step.how != How::Tolerated);
        let all = spent
            .iter()
            .zip(needed)
            .all(|(spent, needed)| *spent || !needed);
        let any = spent.contains(&true);
        assert!(all || !any, "half of it: {wanted:?}, {told:?}: {spent:?}");
        match told {
            Told::Committed(succeeded) => {
                reached.committed += 1;
                assert_eq!(&spent, succeeded, "{wanted:?}");
            }
            Told::RolledBack => {
                reached.rolled_back += 1;
                assert!(!any, "told that it rolled back: {wanted:?}: {spent:?}");
            }
            Told::Unknown(xid) => {
                reached.unknown += 1;
                let outcome = world.runtime.outcome(xid).await;
                let committed = outcome == Outcome::Committed;
                assert!(!any || committed, "{wanted:?}: {outcome:?}");
                assert!(all || !committed, "{wanted:?}: {spent:?}");
            }
            Told::Nothing => {
                reached.dropped += 1;
                reached.finished_unheard += usize::from(any);
            }
        }
    }
    for (vault, sold) in world.vaults.iter().zip(sold) {
        assert_eq!(vault.sums().await.2, sold, "{}", vault.name);
    }
}

#[test]
fn whatever_is_lost_dropped_or_killed_the_sums_hold_and_nobody_was_lied_to() {
    let seeds = match std::env::var("UNANIMOUS_SEED") {
        Ok(seed) => seed.parse().expect("a number")..=seed.parse().expect("a number"),
        Err(_) => 1..=SEEDS,
    };
    let one = seeds.clone().count() == 1;
    let mut reached = Reached::default();
    for seed in seeds {
        let play = AssertUnwindSafe(|| Run::start(seed).play(&mut reached));
        let again = "cargo test -p unanimous-tests --test scenarios sums";
        let played = std::panic::catch_unwind(play);
        assert!(played.is_ok(), "UNANIMOUS_SEED={seed} {again}");
    }
    let Reached {
        committed,
        rolled_back,
        unknown,
        dropped,
        finished_unheard,
        ..
    } = &reached;
    let Reached {
        coordinators_killed,
        participants_killed,
        ..
    } = &reached;
    let all = [committed, rolled_back, unknown, dropped, finished_unheard];
    let all = all
        .into_iter()
        .chain([coordinators_killed, participants_killed]);
    assert!(
        one || all.into_iter().all(|times| *times > 0),
        "{reached:?}"
    );
}
