//! The search itself.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use stateright::{Checker, HasDiscoveries, Model, Property};
use unanimous::global::calls::Rules;

use crate::reached::KINDS;
use crate::step::{Small, Step};
use crate::world::{Broken, World};

impl<T: Rules> Model for Small<T> {
    type State = World<T>;
    type Action = Step;

    fn init_states(&self) -> Vec<Self::State> {
        vec![self.start()]
    }

    fn actions(&self, world: &Self::State, steps: &mut Vec<Self::Action>) {
        self.possible(world, steps);
    }

    fn next_state(&self, world: &Self::State, step: Self::Action) -> Option<Self::State> {
        self.perform(world, step)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(SAFETY, |_, world: &World<T>| world.broken.is_none()),
            Property::always(RECOVERY, |small: &Self, world: &World<T>| {
                world.broken.is_some() || !small.is_sampled(world) || small.recovers(world)
            }),
        ]
    }
}

const SAFETY: &str = "every promise is kept";
const RECOVERY: &str = "everything ends once faults end";

impl<T: Rules> Small<T> {
    fn is_sampled(&self, world: &World<T>) -> bool {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(world);
        self.recovery_of == 1 || (self.recovery_of > 1 && hash % self.recovery_of == 0)
    }
}

/// What a search found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) states: usize,
    /// The broken promise, and the shortest history that breaks it.
    pub(crate) broken: Option<(Broken, Vec<Step>)>,
    pub(crate) reached: [u64; KINDS.len()],
}

/// Searches a scope, to the end or to the first broken promise.
pub(crate) fn search<T: Rules>(small: Small<T>, threads: usize) -> Found {
    let checker = small
        .checker()
        .threads(threads)
        .finish_when(HasDiscoveries::Any)
        .spawn_bfs()
        .join();
    let broken = checker.discoveries().into_iter().next().map(|(_, path)| {
        let broken = path.last_state().broken.unwrap_or(Broken::G6);
        (broken, path.into_actions())
    });
    Found {
        states: checker.unique_state_count(),
        broken,
        reached: checker.model().reached.counts(),
    }
}
