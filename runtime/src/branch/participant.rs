//! What a participant is to the runtime: the trait that `#[participant]` implements.

use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::fence::DynFence;
use super::{Branch, PhaseTwoError};

/// A place in the user's source.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SourceLocation {
    /// The file, as the compiler names it.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
}

/// One action of a participant, as plain data.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ActionSpec {
    name: &'static str,
    location: SourceLocation,
}

impl ActionSpec {
    /// An action of this name, declared there.
    #[must_use]
    pub const fn new(name: &'static str, file: &'static str, line: u32) -> Self {
        Self {
            name,
            location: SourceLocation { file, line },
        }
    }

    /// The name: part of the wire format.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Where the action is declared.
    #[must_use]
    pub const fn location(&self) -> SourceLocation {
        self.location
    }
}

/// Takes part in other people's transactions: phase two of its actions is delivered here.
///
/// `#[participant]` implements it; by hand it is implemented just so. The runtime opens and closes
/// the fence around [`Participant::phase_two`]; the implementation decodes what it needs and calls
/// the right function.
pub trait Participant: Any + Send + Sync + 'static {
    /// The name of the resource. Several instances of one type have names of their own.
    fn name(&self) -> Cow<'static, str>;

    /// Every action, each with a name of its own.
    fn actions(&self) -> &'static [ActionSpec];

    /// The fence that all actions share, if there is one.
    fn fence(&self) -> Option<&dyn DynFence> {
        None
    }

    /// Whether an action may run on any instance of this type, not only on the provided one.
    /// Only asked of participants without a fence.
    fn any_instance(&self) -> bool {
        false
    }

    /// Where it is declared: tells `build()` which of the participants linked into the program
    /// are provided.
    fn declared_at(&self) -> Option<SourceLocation> {
        None
    }

    /// Commits or rolls back one branch. Called at least once per decided branch, never twice at
    /// once for the same branch in one process, on any instance of the resource.
    ///
    /// Dropped futures count as failed; a fenced branch's local transaction is then rolled back.
    fn phase_two(self: Arc<Self>, branch: &mut Branch) -> BoxFuture<'_, Result<(), PhaseTwoError>>;
}
