//! Recovery (G6): once faults end, everything ends, also where all messages under way are lost.
//!
//! For a state one fair continuation is played: every process starts anew or attaches anew, what
//! was asked is asked again, every message arrives once, an operator retries what is parked. It is
//! a witness: where it ends everything, a state in which everything has ended can be reached.

use unanimous::global::calls::{Asking, Rules};
use unanimous_protocol::{Decision, Outcome};

use crate::names::{Place, XID};
use crate::participant::Business;
use crate::scope::Can;
use crate::step::{Operation, Small, Step};
use crate::world::{Broken, Msg, World};

/// More rounds than any repair takes: a start, a decision, a delivery, and one to spare.
const ROUNDS: usize = 4;
/// More than forgetting takes: a horizon, a cleaning.
const HORIZONS: usize = 3;

impl<T: Rules> Small<T> {
    /// Whether everything ends from here, without breaking another promise on the way.
    pub(crate) fn recovers(&self, world: &World<T>) -> bool {
        self.recovery(world).is_ok()
    }

    pub(crate) fn recovery(&self, world: &World<T>) -> Result<(), Broken> {
        let mut world = world.clone();
        forget_what_was_sent(&mut world);
        for _ in 0..ROUNDS {
            self.round(&mut world);
            self.check(&world)?;
        }
        // No row may have to wait for the horizon to learn its decision.
        let ended = self.places().all(|place| world.has_ended(place));
        let mut forgotten = false;
        for _ in 0..HORIZONS {
            forgotten |= self.horizon(&mut world);
            self.check(&world)?;
        }
        if self.new_xid_is_old(&world) {
            return Err(Broken::G8);
        }
        if ended && forgotten && self.manager_knows(&world) {
            Ok(())
        } else {
            Err(Broken::G6)
        }
    }

    fn check(&self, world: &World<T>) -> Result<(), Broken> {
        world
            .broken
            .or_else(|| self.broken_in(world))
            .map_or(Ok(()), Err)
    }

    /// One round without faults.
    fn round(&self, world: &mut World<T>) {
        self.take(world, Step::Sync);
        for place in self.places() {
            self.take(world, Step::Attach(place));
        }
        if world.manager.asking().is_none() {
            self.take(world, Step::BodyEnds(false));
        }
        let asks_commit = world
            .manager
            .asking()
            .is_some_and(|asking| asking.commit().is_some());
        self.take(
            world,
            if asks_commit {
                Step::AskCommit
            } else {
                Step::AskRollback
            },
        );
        self.take(world, Step::Sync);
        if self.scope.can(Can::GiveUp) || self.scope.can(Can::Operate) {
            for place in self.places() {
                self.take(world, Step::Operate(place, Operation::Retry));
            }
        }
        self.deliver(world);
        for place in self.places() {
            if self.participant(world, place).is_in_doubt() {
                self.take(world, Step::AskAbout(place));
            }
            if world.databases[place].parked && self.kind(place).has_row() {
                self.take(world, Step::TellGivenUp(place));
            }
        }
        self.deliver(world);
        forget_what_was_sent(world);
    }

    /// The horizon moves and databases are cleaned: whether the transaction is forgotten.
    fn horizon(&self, world: &mut World<T>) -> bool {
        self.take(world, Step::HorizonTick);
        self.take(world, Step::Sync);
        // The horizons of earlier starts are told at attach alone.
        for place in self.places() {
            self.take(world, Step::Attach(place));
        }
        self.deliver(world);
        let forgotten = world.sent.iter().any(|message| match message {
            Msg::Horizon(horizon) => horizon.has_passed(),
            _ => false,
        });
        forget_what_was_sent(world);
        forgotten
    }

    /// Every message arrives once, and what is said because of it too.
    fn deliver(&self, world: &mut World<T>) {
        let sent = world.sent.clone();
        for message in sent.iter() {
            match message {
                Msg::PhaseTwo(..) => self.take(world, Step::PhaseTwo(*message, Business::Succeeds)),
                Msg::Answer(..) => self.take(world, Step::Answer(*message)),
                Msg::Horizon(_) => {
                    let with_row = |place: &Place| self.kind(*place).has_row();
                    for place in self.places().filter(with_row) {
                        self.take(world, Step::Clean(place, *message));
                    }
                }
                Msg::Joined(..) | Msg::Succeeded(..) | Msg::Result(..) | Msg::Told(_) => {}
            }
        }
        let sent = world.sent.clone();
        for message in sent
            .iter()
            .filter(|message| matches!(message, Msg::Result(..)))
        {
            self.take(world, Step::Report(*message));
        }
    }

    /// Whether the manager's user can be told something final.
    fn manager_knows(&self, world: &World<T>) -> bool {
        let Some(asking) = world.manager.asking() else {
            return false;
        };
        let told = [Decision::Commit, Decision::Rollback]
            .into_iter()
            .any(|decision| world.sent.contains(&Msg::Told(decision)));
        // What was let go of is told as forgotten for ever.
        let let_go = self.scope.can(Can::LetGo);
        told || let_go || matches!(Asking::outcome(asking), Outcome::RolledBack { .. })
    }

    /// A transaction that begins now must have another xid (G8).
    fn new_xid_is_old(&self, world: &World<T>) -> bool {
        let around = self.around(&world.databases);
        let begun = world
            .coordinator
            .clone()
            .change(|coordinator| coordinator.begin(around));
        begun.as_ref() == Some(&*XID)
    }
}

/// Messages under way are lost; what was told stays told.
fn forget_what_was_sent<T: Rules>(world: &mut World<T>) {
    world
        .sent
        .change(|sent| sent.retain(|message| matches!(message, Msg::Told(_))));
}
