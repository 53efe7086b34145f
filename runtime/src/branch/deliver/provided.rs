//! The participants that were given to the runtime.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::ptr;
use std::sync::Arc;

use unanimous_protocol::ids::{NameError, Target};
use unanimous_protocol::{ActionName, DatabaseId, Resource, limits};

use super::chain;
use crate::branch::fence::{DynFence, FenceError};
use crate::branch::function::Function;
use crate::branch::{ActionSpec, Participant, SourceLocation};

/// One participant as it was given to the runtime, under the name of its resource (N5).
#[derive(Clone)]
pub(crate) struct Provided {
    participant: Arc<dyn Participant>,
    resource: Resource,
    /// Aliases included; with what a call of each is aimed at, spelled once.
    actions: BTreeMap<ActionName, Target>,
}

/// Why a participant cannot be provided.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProvideError {
    /// Its name is none.
    #[error("the participant `{name}`{at}: {error}", at = At(*.at))]
    Name {
        /// The name it gave.
        name: String,
        /// Where it is declared.
        at: Option<SourceLocation>,
        /// What is wrong with it.
        error: NameError,
    },
    /// The name of an action is none.
    #[error("the action `{action}` of the participant `{participant}`{at}: {error}", at = At(Some(*.at)))]
    Action {
        /// The participant.
        participant: String,
        /// The action.
        action: &'static str,
        /// Where it is declared.
        at: SourceLocation,
        /// What is wrong with it.
        error: NameError,
    },
    /// Two actions of one participant share a name.
    #[error("the participant `{participant}` has two actions named `{action}`: {first} and {second}", first = At(Some(*.first)), second = At(Some(*.second)))]
    DoubledAction {
        /// The participant.
        participant: String,
        /// The name they share.
        action: &'static str,
        /// One of them.
        first: SourceLocation,
        /// The other.
        second: SourceLocation,
    },
    /// Two participants share a name.
    #[error("two participants are named `{name}`{first}{second}; give several instances names of their own with `name = EXPR`", first = At(*.first), second = At(*.second))]
    Doubled {
        /// The name they share.
        name: String,
        /// Where one is declared.
        first: Option<SourceLocation>,
        /// Where the other is declared.
        second: Option<SourceLocation>,
    },
    /// There are more participants and functions, or more actions of one of them, than one
    /// attachment presents: a loop provides them.
    #[error("{what}: at most {max} can be presented to a coordinator")]
    TooMany {
        /// How many of what.
        what: String,
        /// The limit.
        max: usize,
    },
    /// Its fence cannot be used.
    // With all its sources: the last of them may be what says what to write.
    #[error("the fence of the participant `{name}`{at} cannot be used: {}", chain(.error), at = At(*.at))]
    Fence {
        /// The participant.
        name: String,
        /// Where it is declared.
        at: Option<SourceLocation>,
        /// Why.
        error: FenceError,
    },
}

/// A place in the user's source, where one is known.
struct At(Option<SourceLocation>);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(SourceLocation { file, line }) => write!(f, " ({file}:{line})"),
            None => Ok(()),
        }
    }
}

impl Provided {
    /// Checks the participant's names and prepares its fence: creates the tables unless told not
    /// to, and checks that the database keeps what it commits unless `volatile` (E3).
    pub(crate) async fn prepare(
        participant: Arc<dyn Participant>,
        create_tables: bool,
        volatile: bool,
    ) -> Result<Self, ProvideError> {
        let (name, at) = (participant.name().into_owned(), participant.declared_at());
        let database = match participant.fence() {
            Some(fence) => {
                let prepared = fence.prepare(create_tables, volatile).await;
                Some(prepared.map_err(|error| ProvideError::Fence { name, at, error })?)
            }
            None => None,
        };
        Self::new(participant, database)
    }

    /// A participant whose database has this identity; none without a fence.
    pub(crate) fn new(
        participant: Arc<dyn Participant>,
        database: Option<DatabaseId>,
    ) -> Result<Self, ProvideError> {
        let name = participant.name().into_owned();
        let at = participant.declared_at();
        let actions = actions(&*participant, &name)?;
        match name.parse() {
            Ok(name) => {
                let resource = Resource {
                    participant: name,
                    database,
                };
                Ok(Self {
                    participant,
                    resource,
                    actions,
                })
            }
            Err(error) => Err(ProvideError::Name { name, at, error }),
        }
    }

    pub(crate) fn participant(&self) -> &Arc<dyn Participant> {
        &self.participant
    }

    pub(crate) fn resource(&self) -> &Resource {
        &self.resource
    }

    pub(crate) fn actions(&self) -> impl Iterator<Item = &ActionName> {
        self.actions.keys()
    }

    pub(crate) fn knows(&self, action: &ActionName) -> bool {
        self.actions.contains_key(action)
    }

    /// The action of this name, and what a call of it is aimed at.
    pub(crate) fn action(&self, name: &str) -> Option<(&ActionName, &Target)> {
        self.actions
            .iter()
            .find(|(action, _)| action.as_str() == name)
    }

    pub(crate) fn fence(&self) -> Option<&dyn DynFence> {
        self.participant.fence()
    }

    /// Whether phase two, which runs on the provided value, finds what phase one did on this
    /// instance: behind a fence the same pool, else the same address (calls-and-wire section 9).
    fn stands_for(&self, instance: &dyn Participant, pool: Option<usize>) -> bool {
        let any: &dyn Any = instance;
        let provided: &dyn Any = &*self.participant;
        if any.type_id() != provided.type_id() {
            return false;
        }
        match (pool, self.fence()) {
            (Some(pool), Some(fence)) => fence.pool_key() == pool,
            (Some(_), None) | (None, Some(_)) => false,
            (None, None) => {
                // All values of a type without contents are the same one.
                self.participant.any_instance()
                    || size_of_val(instance) == 0
                    || ptr::addr_eq(instance, Arc::as_ptr(&self.participant))
            }
        }
    }
}

fn actions(
    participant: &dyn Participant,
    name: &str,
) -> Result<BTreeMap<ActionName, Target>, ProvideError> {
    let specs = participant.actions();
    // A function and its only action share a name, which is spelled once.
    let prefix = match Function::behind(participant) {
        Some(_) => String::new(),
        None => format!("{name}."),
    };
    let mut actions = BTreeMap::new();
    let mut seen: BTreeMap<&str, SourceLocation> = BTreeMap::new();
    for spec in specs {
        let at = spec.location();
        for action in [spec.name()].iter().chain(spec.other_names()).copied() {
            if let Some(first) = seen.insert(action, at) {
                let participant = name.to_owned();
                return Err(ProvideError::DoubledAction {
                    participant,
                    action,
                    first,
                    second: at,
                });
            }
            let target = Target::new(&format!("{prefix}{action}"));
            let parsed = action.parse().map_err(|error| ProvideError::Action {
                participant: name.to_owned(),
                action,
                at,
                error,
            });
            actions.insert(parsed?, target);
        }
    }
    at_most(actions.len(), || {
        format!("the participant `{name}` has {} actions", actions.len())
    })?;
    Ok(actions)
}

/// Whether an attachment has room for so many.
fn at_most(count: usize, what: impl FnOnce() -> String) -> Result<(), ProvideError> {
    let max = limits::RESOURCES_MAX;
    if count <= max {
        return Ok(());
    }
    let what = what();
    Err(ProvideError::TooMany { what, max })
}

impl fmt::Debug for Provided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provided")
            .field("resource", &self.resource)
            .field("actions", &self.actions)
            .finish_non_exhaustive()
    }
}

/// All provided participants, each under a name of its own.
#[derive(Debug, Default)]
pub(crate) struct Registry(BTreeMap<String, Arc<Provided>>);

impl Registry {
    pub(crate) fn new(provided: Vec<Provided>) -> Result<Self, ProvideError> {
        at_most(provided.len(), || {
            format!("{} participants and functions are provided", provided.len())
        })?;
        let mut registry = BTreeMap::new();
        for provided in provided {
            let name = provided.resource.participant.as_str().to_owned();
            let second = provided.participant.declared_at();
            if let Some(first) = registry.insert(name.clone(), Arc::new(provided)) {
                let first: Arc<Provided> = first;
                let first = first.participant.declared_at();
                return Err(ProvideError::Doubled {
                    name,
                    first,
                    second,
                });
            }
        }
        Ok(Self(registry))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Provided>> {
        self.0.values()
    }

    /// Who performs phase two of this resource.
    pub(crate) fn of(&self, resource: &Resource) -> Option<&Arc<Provided>> {
        let provided = self.0.get(resource.participant.as_str())?;
        (provided.resource == *resource).then_some(provided)
    }

    /// The provided function that is described so.
    pub(crate) fn function(&self, spec: &ActionSpec) -> Option<&Arc<Provided>> {
        let provided = self.0.get(spec.name())?;
        Function::behind(&*provided.participant)?
            .is(spec)
            .then_some(provided)
    }

    /// The provided participant that this instance belongs to. `pool` is the instance's fence.
    pub(crate) fn behind(
        &self,
        instance: &dyn Participant,
        pool: Option<usize>,
    ) -> Option<&Arc<Provided>> {
        let provided = self.0.get(&*instance.name())?;
        provided.stands_for(instance, pool).then_some(provided)
    }
}
