//! The free functions that a builder was given, and their state.

use std::any::{Any, TypeId, type_name};
use std::panic::Location;
use std::sync::Arc;

use super::BuildError;
use crate::branch::Participant;
use crate::branch::function::{Function, LinkedFunction, States};

/// What a builder was told about free functions.
#[derive(Default)]
pub(super) struct Functions {
    named: Vec<Named>,
    linked: bool,
    states: Vec<Given>,
}

/// A function that was given by itself.
struct Named {
    function: TypeId,
    path: &'static str,
}

/// A value that was given as state.
struct Given {
    id: TypeId,
    type_name: &'static str,
    value: Box<dyn Any + Send + Sync>,
    at: &'static Location<'static>,
}

impl Functions {
    pub(super) fn name<F: Any>(&mut self) {
        self.named.push(Named {
            function: TypeId::of::<F>(),
            path: type_name::<F>(),
        });
    }

    pub(super) fn all_linked(&mut self) {
        self.linked = true;
    }

    pub(super) fn state<T: Any + Send + Sync>(&mut self, value: T, at: &'static Location<'static>) {
        self.states.push(Given {
            id: TypeId::of::<T>(),
            type_name: type_name::<T>(),
            value: Box::new(value),
            at,
        });
    }

    /// Every function that is provided, with its state.
    pub(super) fn provide(self) -> Result<Vec<Arc<dyn Participant>>, BuildError> {
        let functions = functions(&self.named, self.linked)?;
        let given: Vec<&'static str> = self.states.iter().map(|given| given.type_name).collect();
        let states = states(self.states, &functions)?;
        for function in &functions {
            if let Some(need) = function.missing(&states).next() {
                return Err(BuildError::MissingState {
                    action: function.to_string(),
                    state: need.type_name(),
                    given,
                });
            }
        }
        let states = Arc::new(states);
        let provided = functions
            .into_iter()
            .flat_map(|function| Function::provide(function, &states))
            .map(|function| -> Arc<dyn Participant> { Arc::new(function) });
        Ok(provided.collect())
    }
}

/// Each once, however often it was given.
fn functions(named: &[Named], linked: bool) -> Result<Vec<&'static LinkedFunction>, BuildError> {
    let mut functions: Vec<&'static LinkedFunction> = Vec::new();
    if linked {
        functions.extend(LinkedFunction::all());
    }
    for Named { function, path } in named {
        let Some(found) = LinkedFunction::of(*function) else {
            return Err(BuildError::NotAnAction(path));
        };
        if !functions.iter().any(|known| std::ptr::eq(*known, found)) {
            functions.push(found);
        }
    }
    Ok(functions)
}

/// One value per type.
fn states(given: Vec<Given>, functions: &[&LinkedFunction]) -> Result<States, BuildError> {
    let mut states = States::default();
    let mut places: Vec<(TypeId, &'static Location<'static>)> = Vec::new();
    for Given {
        id,
        type_name,
        value,
        at,
    } in given
    {
        if let Some((_, first)) = places.iter().find(|(earlier, _)| *earlier == id) {
            let takers = functions.iter().filter(|function| function.takes(id));
            return Err(BuildError::DoubledState {
                state: type_name,
                first,
                second: at,
                actions: takers.map(ToString::to_string).collect(),
            });
        }
        places.push((id, at));
        states.insert(id, value);
    }
    Ok(states)
}
