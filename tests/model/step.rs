//! What may happen next, and what comes of it.

use std::marker::PhantomData;
use std::sync::Arc;

use unanimous::global::calls::Rules;
use unanimous_coordinator::decide::{Event, RequestId, Timer};
use unanimous_protocol::header::AnswerHeader;
use unanimous_protocol::message::AdminRequest;
use unanimous_protocol::{BranchKind, Decision};

use crate::coordinator::{Around, Coordinator, Outcome};
use crate::manager::{CallEnd, Manager};
use crate::memo::{Cache, Memo};
use crate::names::{Names, OWN_XID, PLACES, Place, XID, answer, call_of};
use crate::participant::{Business, Participant};
use crate::reached::Reached;
use crate::scope::{Can, Deciders, Scope};
use crate::world::{Broken, Database, Doubt, Msg, Said, World};

/// One scope under some rules.
#[derive(Debug)]
pub(crate) struct Small<T> {
    pub(crate) scope: Scope,
    pub(crate) deciders: Deciders,
    pub(crate) names: Names,
    /// Of so many states one is checked for recovery (G6).
    pub(crate) recovery_of: u64,
    pub(crate) reached: Reached,
    /// What the coordinator makes of a step: most worlds share their coordinator with others.
    cache: Cache,
    rules: PhantomData<T>,
}

/// One step.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Step {
    /// The body hears how its call ended; an answer comes from a place.
    CallEnds(CallEnd, Place),
    /// The `tolerate` block ends with `Ok` or not.
    BlockEnds(bool),
    /// The body ends with `Ok` or not.
    BodyEnds(bool),
    /// Nobody answers the manager in time.
    Silence,

    /// A registration arrives; so do the next ones, at the coordinator.
    Register(Place),
    AskCommit,
    AskRollback,
    AskOutcome,
    /// A question about a row.
    AskAbout(Place),
    /// The coordinator hears of a row that was given up.
    TellGivenUp(Place),
    /// The result of a phase two.
    Report(Msg),
    /// What was appended is durable.
    Sync,
    /// The coordinator crashes and starts with what these bits keep.
    Crash(u32),
    /// The participant's process attaches anew.
    Attach(Place),
    Deadline,
    HorizonTick,
    RememberTick,
    Operate(Place, Operation),

    /// A registered call runs its local transaction; the next ones are local transactions too.
    Try(Place),
    /// The same, but its local transaction is rolled back after it did something outside.
    TryInVain(Place),
    EffectAlone(Place),
    PhaseTwo(Msg, Business),
    /// The answer to a question about a row.
    Answer(Msg),
    Clean(Place, Msg),
    Delete(Place),
    LoseCommit(Place),
}

/// What an operator asks for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Operation {
    RollBack,
    Decide,
    Retry,
    GiveUp,
    Resolve,
}

const OPERATOR: RequestId = RequestId(300);

/// How often an operator acts: gives up, and retries or resolves.
const OPERATIONS: u8 = 2;

impl<T: Rules> Small<T> {
    pub(crate) fn new(scope: Scope, deciders: Deciders, recovery_of: u64) -> Self {
        let names = Names::new(scope);
        let (reached, cache) = (Reached::default(), Cache::default());
        Self {
            scope,
            deciders,
            names,
            recovery_of,
            reached,
            cache,
            rules: PhantomData,
        }
    }

    pub(crate) fn places(&self) -> std::ops::Range<Place> {
        0..if self.scope.has_third() { PLACES } else { 2 }
    }

    pub(crate) fn start(&self) -> World<T> {
        let databases = Default::default();
        let coordinator = Coordinator::new(self.around(&databases));
        World {
            coordinator: Memo::new(coordinator),
            manager: Memo::new(Manager::new()),
            sent: Memo::new([].into()),
            databases,
            crashes_left: self.scope.crashes,
            operations_left: if self.scope.can(Can::Operate) {
                OPERATIONS
            } else {
                0
            },
            decided: false,
            broken: None,
        }
    }

    pub(crate) fn around(&self, databases: &[Database; PLACES]) -> Around<'_> {
        Around {
            scope: self.scope,
            names: &self.names,
            deciders: self.deciders,
            horizons: databases.map(|database| database.horizon),
        }
    }

    pub(crate) fn kind(&self, place: Place) -> BranchKind {
        self.scope.kinds[call_of(place)]
    }

    /// Every step that is possible; most messages may arrive again and change nothing.
    pub(crate) fn possible(&self, world: &World<T>, steps: &mut Vec<Step>) {
        if world.broken.is_some() {
            return;
        }
        of_the_manager(&world.manager, steps);
        self.of_the_coordinator(world, steps);
        for message in world.sent.iter() {
            self.of_a_message(world, *message, steps);
        }
        for place in self.places() {
            self.of_a_participant(world, place, steps);
        }
    }

    fn of_the_coordinator(&self, world: &World<T>, steps: &mut Vec<Step>) {
        if world.coordinator.waits() {
            steps.push(Step::Sync);
        }
        if world.crashes_left > 0 {
            let keeps = world.coordinator.keeps(self.scope.can(Can::KeepAnySubset));
            steps.extend(keeps.into_iter().map(Step::Crash));
        }
        for (can, step) in [
            (Can::TimeOut, Step::Deadline),
            (Can::MoveHorizon, Step::HorizonTick),
            (Can::LetGo, Step::RememberTick),
        ] {
            if self.scope.can(can) {
                steps.push(step);
            }
        }
        if world.operations_left > 0 {
            steps.push(Step::Operate(0, Operation::RollBack));
            steps.push(Step::Operate(0, Operation::Decide));
        }
    }

    fn of_a_message(&self, world: &World<T>, message: Msg, steps: &mut Vec<Step>) {
        match message {
            Msg::Joined(place, _) => {
                steps.push(Step::Try(place));
                if self.kind(place) == BranchKind::AlwaysCancel {
                    steps.push(Step::TryInVain(place));
                }
            }
            Msg::Succeeded(place, _) => {
                if world.manager.running() == Some(call_of(place)) {
                    steps.push(Step::CallEnds(CallEnd::Answered, place));
                    if self.scope.can(Can::LoseHeaders) {
                        steps.push(Step::CallEnds(CallEnd::Stripped, place));
                    }
                }
            }
            Msg::PhaseTwo(..) => {
                steps.push(Step::PhaseTwo(message, Business::Succeeds));
                if self.scope.can(Can::GiveUp) {
                    steps.push(Step::PhaseTwo(message, Business::GivesUp));
                }
                if self.scope.can(Can::SayEndedFirst) {
                    steps.push(Step::PhaseTwo(message, Business::EndsTooLate));
                }
            }
            Msg::Result(..) => steps.push(Step::Report(message)),
            Msg::Answer(..) => steps.push(Step::Answer(message)),
            Msg::Horizon(_) => {
                let with_row = self.places().filter(|place| self.kind(*place).has_row());
                steps.extend(with_row.map(|place| Step::Clean(place, message)));
            }
            Msg::Told(_) => {}
        }
    }

    fn of_a_participant(&self, world: &World<T>, place: Place, steps: &mut Vec<Step>) {
        let database = &world.databases[place];
        let is_called = call_of(place) < world.manager.opened();
        if is_called {
            steps.push(Step::Register(place));
        }
        if database.asked {
            steps.push(Step::AskAbout(place));
        }
        if database.parked && self.kind(place).has_row() {
            steps.push(Step::TellGivenUp(place));
        }
        if database.row.is_some() && self.kind(place).has_row() {
            steps.push(Step::Delete(place));
        }
        if world.operations_left > 0 {
            let operations = [Operation::Retry, Operation::GiveUp, Operation::Resolve];
            steps.extend(operations.map(|operation| Step::Operate(place, operation)));
        }
        let unfenced = self.kind(place) == BranchKind::Unfenced;
        if self.scope.can(Can::RunUnregistered) && unfenced && is_called {
            steps.push(Step::Try(place));
        }
        if self.scope.can(Can::CommitEffectAlone) && database.row.is_none() && is_called {
            steps.push(Step::EffectAlone(place));
        }
        if self.scope.can(Can::LoseLocalCommit) {
            steps.push(Step::LoseCommit(place));
        }
    }

    /// What comes of a step; none where it changes nothing.
    pub(crate) fn perform(&self, world: &World<T>, step: Step) -> Option<World<T>> {
        let mut next = world.clone();
        self.take(&mut next, step);
        if next == *world {
            return None;
        }
        self.reached.note(step);
        let broken = next.broken.or_else(|| self.broken_in(&next));
        next.broken = broken;
        Some(next)
    }

    /// Takes a step without asking what it breaks or whether it changes anything.
    pub(crate) fn take(&self, world: &mut World<T>, step: Step) {
        match step {
            Step::CallEnds(end, place) => {
                let answer = self.answer_of(world, place);
                world
                    .manager
                    .change(|manager| manager.call_ends(self.scope, end, answer));
            }
            Step::BlockEnds(ok) => world.manager.change(|manager| manager.block_ends(ok)),
            Step::BodyEnds(ok) => world.manager.change(|manager| manager.ends(ok)),
            Step::Silence => world.manager.change(Manager::silence),
            Step::Try(_)
            | Step::TryInVain(_)
            | Step::EffectAlone(_)
            | Step::PhaseTwo(..)
            | Step::Answer(_)
            | Step::Clean(..)
            | Step::Delete(_)
            | Step::LoseCommit(_) => self.take_locally(world, step),
            _ => self.coordinate(world, step),
        }
    }

    fn answer_of(&self, world: &World<T>, place: Place) -> AnswerHeader {
        let alias = world.sent.iter().find_map(|message| match message {
            Msg::Succeeded(from, alias) if *from == place => Some(*alias),
            _ => None,
        });
        let register = &self.names.places[place].register;
        alias.map_or_else(AnswerHeader::nothing, |alias| answer(register, alias))
    }

    fn coordinate(&self, world: &mut World<T>, step: Step) {
        if let Step::Crash(_) = step {
            world.crashes_left = world.crashes_left.saturating_sub(1);
        }
        let horizons = world.databases.map(|database| database.horizon);
        let manager = (step == Step::AskCommit).then(|| world.manager.hash());
        let key = (world.coordinator.hash(), step, horizons, manager);
        let (coordinator, outcome) = self.cache.get(key, || {
            let mut after = world.coordinator.clone();
            let outcome = after.change(|coordinator| self.event(world, coordinator, step));
            let unchanged = after == world.coordinator;
            (
                if unchanged {
                    world.coordinator.clone()
                } else {
                    after
                },
                Arc::new(outcome),
            )
        });
        if matches!(step, Step::Operate(..)) && coordinator != world.coordinator {
            world.operations_left = world.operations_left.saturating_sub(1);
        }
        world.coordinator = coordinator;
        if let Step::Operate(place, Operation::Resolve) = step {
            // An unfenced branch has no row that could be closed: its record ends it.
            let unfenced = self.kind(place) == BranchKind::Unfenced;
            world.databases[place].by_hand |= unfenced && outcome.done;
        }
        world.heard(&outcome);
    }

    fn event(&self, world: &World<T>, coordinator: &mut Coordinator, step: Step) -> Outcome {
        let around = self.around(&world.databases);
        match step {
            Step::Register(place) => coordinator.register(around, place),
            Step::AskCommit => {
                let commit = world
                    .manager
                    .asking()
                    .and_then(|asking| asking.commit().cloned());
                commit.map_or_else(Outcome::default, |commit| {
                    coordinator.commit(around, commit)
                })
            }
            Step::AskRollback => coordinator.rollback(around),
            Step::AskOutcome => coordinator.outcome(around),
            Step::AskAbout(place) => coordinator.in_doubt(around, place, false),
            Step::TellGivenUp(place) => coordinator.in_doubt(around, place, true),
            Step::Report(Msg::Result(place, alias, said)) => {
                coordinator.result(around, place, alias, said)
            }
            Step::Sync => coordinator.sync(around),
            Step::Crash(keep) => coordinator.crash(around, keep),
            Step::Attach(place) => coordinator.attach(around, place),
            Step::Deadline => coordinator.handle(around, Event::Timer(Timer::Deadline(*OWN_XID))),
            Step::HorizonTick => coordinator.handle(around, Event::Timer(Timer::Horizon)),
            Step::RememberTick => coordinator.handle(around, Event::Timer(Timer::Remember)),
            Step::Operate(place, operation) => {
                let admin = self.admin(place, operation);
                coordinator.handle(
                    around,
                    Event::Admin {
                        request: OPERATOR,
                        admin,
                    },
                )
            }
            _ => Outcome::default(),
        }
    }

    fn admin(&self, place: Place, operation: Operation) -> AdminRequest {
        let (xid, call) = (XID.clone(), self.names.places[place].register.call.clone());
        match operation {
            Operation::RollBack => AdminRequest::RollBack(xid),
            Operation::Decide => AdminRequest::Decide(xid, Decision::Commit),
            Operation::Retry => AdminRequest::Retry(xid, call),
            Operation::GiveUp => AdminRequest::GiveUp(xid, call, "by hand".into()),
            Operation::Resolve => AdminRequest::Resolve(xid, call),
        }
    }

    fn take_locally(&self, world: &mut World<T>, step: Step) {
        let (Step::PhaseTwo(Msg::PhaseTwo(place, ..), _)
        | Step::Answer(Msg::Answer(place, _))
        | Step::Try(place)
        | Step::TryInVain(place)
        | Step::EffectAlone(place)
        | Step::Clean(place, _)
        | Step::Delete(place)
        | Step::LoseCommit(place)) = step
        else {
            return;
        };
        let mut participant = self.participant(world, place);
        let mut said = Vec::new();
        match step {
            Step::Try(_) if participant.try_() => said.push(None),
            Step::TryInVain(_) => participant.try_in_vain(),
            Step::EffectAlone(_) => participant.effect_of_try(),
            Step::PhaseTwo(Msg::PhaseTwo(_, alias, decision, by), business) => {
                let result = participant.delivered(decision, by, business);
                said.extend(result.map(|said| Some(Msg::Result(place, alias, said))));
            }
            Step::Answer(Msg::Answer(_, doubt)) => participant.answered(match doubt {
                Doubt::Committed => Decision::Commit,
                Doubt::RolledBack | Doubt::Forgotten => Decision::Rollback,
            }),
            Step::Clean(_, Msg::Horizon(horizon)) => {
                participant.clean(horizon, !self.scope.can(Can::StoreHorizonApart));
            }
            Step::Delete(_) => participant.delete(participant.database.horizon.has_passed()),
            Step::LoseCommit(_) => participant.lose_commit(),
            _ => {}
        }
        let broken = participant.broken;
        world.broken = world.broken.or(broken);
        let succeeded = said.contains(&None).then(|| world.successes(place));
        let results = said.into_iter().flatten();
        let messages: Vec<Msg> = results.chain(succeeded.into_iter().flatten()).collect();
        world.send(&messages);
    }

    pub(crate) fn participant<'a>(&self, world: &'a mut World<T>, place: Place) -> Participant<'a> {
        Participant {
            database: &mut world.databases[place],
            kind: self.kind(place),
            deciders: self.deciders,
            broken: None,
        }
    }

    /// The first promise that a state breaks.
    pub(crate) fn broken_in(&self, world: &World<T>) -> Option<Broken> {
        let sent = |message: &Msg| world.sent.contains(message);
        let databases = &world.databases;
        let told_committed = sent(&Msg::Told(Decision::Commit));
        let told_rolled_back =
            sent(&Msg::Told(Decision::Rollback)) || world.manager.tells_rolled_back();
        let confirmed = databases.iter().any(|database| database.confirmed > 0);
        if told_rolled_back && (told_committed || confirmed) {
            return Some(Broken::C1);
        }
        for place in self.places() {
            if world.contradicts(place) {
                return Some(Broken::G3);
            }
            if databases[place].confirmed > 0 && databases[place].cancelled > 0 {
                return Some(Broken::T2);
            }
        }
        for call in 0..2 {
            let broken = self.broken_by_call(world, call, told_committed || confirmed);
            if broken.is_some() {
                return broken;
            }
        }
        None
    }

    fn broken_by_call(&self, world: &World<T>, call: usize, committed: bool) -> Option<Broken> {
        let places = || self.places().filter(|place| call_of(*place) == call);
        let sum = |count: fn(&Database) -> u8| -> u8 {
            places().map(|place| count(&world.databases[place])).sum()
        };
        let tried = sum(|database| database.tried);
        let confirmed = sum(|database| database.confirmed);
        let cancelled = sum(|database| database.cancelled);
        let mut aliases = world.sent.iter().filter_map(|message| match message {
            Msg::Joined(place, alias) if call_of(*place) == call => Some(alias),
            _ => None,
        });
        if aliases
            .next()
            .is_some_and(|first| aliases.any(|other| other != first))
        {
            return Some(Broken::G12);
        }
        if tried > 1 || confirmed > 1 || cancelled > 1 {
            return Some(Broken::G4);
        }
        let abandoned = call == 1 && world.manager.abandoned;
        // Where a database has lost an effect, the harm is done once nobody waits for it any more.
        let ended = world.sent.iter().any(|message| match message {
            Msg::Result(place, _, Said::Ended) => call_of(*place) == call,
            _ => false,
        });
        let lost = places().any(|place| world.databases[place].lost) && !ended;
        let whole = if abandoned {
            confirmed == 0
        } else {
            (tried > 0 || lost) && cancelled == 0
        };
        (committed && !whole).then_some(Broken::G1)
    }
}

fn of_the_manager<T: Rules>(manager: &Manager<T>, steps: &mut Vec<Step>) {
    if manager.asking().is_some() {
        steps.extend([Step::Silence, Step::AskRollback, Step::AskOutcome]);
        if manager
            .asking()
            .is_some_and(|asking| asking.commit().is_some())
        {
            steps.push(Step::AskCommit);
        }
        return;
    }
    steps.push(Step::BodyEnds(false));
    if let Some(call) = manager.running() {
        steps.push(Step::CallEnds(CallEnd::Failed, call));
    } else if manager.in_block() {
        steps.push(Step::BlockEnds(true));
    } else {
        steps.push(Step::BodyEnds(true));
    }
    if manager.in_block() {
        steps.push(Step::BlockEnds(false));
    }
}
