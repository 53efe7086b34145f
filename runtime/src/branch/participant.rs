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
    aliases: &'static [&'static str],
    always_cancel: bool,
    location: SourceLocation,
}

impl ActionSpec {
    /// An action of this name, declared there.
    #[must_use]
    pub const fn new(name: &'static str, file: &'static str, line: u32) -> Self {
        Self {
            name,
            aliases: &[],
            always_cancel: false,
            location: SourceLocation { file, line },
        }
    }

    /// It also performs phase two of branches that other versions registered under these names.
    #[must_use]
    pub const fn aliases(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// Rollback of a fenced branch is performed although no try left a row. Its registration
    /// costs a forced write, and its arguments travel to the coordinator.
    #[must_use]
    pub const fn always_cancel(self) -> Self {
        Self {
            always_cancel: true,
            ..self
        }
    }

    /// The name: part of the wire format.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The names under which other versions know it.
    #[must_use]
    pub const fn other_names(&self) -> &'static [&'static str] {
        self.aliases
    }

    /// Whether its rollback is performed although no try left a row.
    #[must_use]
    pub const fn is_always_cancelled(&self) -> bool {
        self.always_cancel
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
    fn phase_two(self: Arc<Self>, branch: &mut Branch) -> BoxFuture<'_, Result<(), PhaseTwoError>>
    where
        Self: Send + Sync + 'static;
}
