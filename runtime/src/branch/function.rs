//! Actions that are free functions: each is a participant of its own, with one action, both under
//! one name; an alias is one more such participant.
//!
//! What a method reads off its `self`, a function is handed as state: one value per type, given to
//! the builder of the runtime. Linking a function in makes no process its handler; it is provided
//! by itself or with all others, always explicitly.
//!
//! What `#[two_phase_action]` writes for a free function, by hand: phase one is a
//! [`FunctionAction`], and a [`LinkedFunction`] beside the function says how phase two is performed.
//!
//! ```
//! use unanimous::branch::function::{FunctionAction, LinkedFunction, Need, States, type_of};
//! use unanimous::branch::{ActionSpec, BoxFuture, inventory};
//! use unanimous::{Branch, GlobalTransaction, PhaseTwoError, Runtime};
//!
//! struct Greeting(&'static str);
//!
//! const GREET: ActionSpec = ActionSpec::new("greet", file!(), line!());
//!
//! async fn greet(name: &str) -> Result<usize, unanimous::Error> {
//!     let action = FunctionAction::new(&GREET).argument("name", name);
//!     action.run(async |states| Ok(states.get::<Greeting>().0.len() + name.len())).await
//! }
//!
//! fn send<'a>(
//!     states: &'a States,
//!     branch: &'a mut Branch,
//! ) -> BoxFuture<'a, Result<(), PhaseTwoError>> {
//!     Box::pin(async move {
//!         let name: String = branch.argument("name")?;
//!         println!("{} {name}", states.get::<Greeting>().0);
//!         Ok(())
//!     })
//! }
//!
//! inventory::submit! {
//!     // Without `.rollback(..)`: a rollback ends the branch by itself.
//!     LinkedFunction::new(GREET, type_of(greet), "greet")
//!         .needs(&[Need::of::<Greeting>()])
//!         .commit(send)
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = Runtime::builder()
//!     .coordinator("memory:")
//!     .state(Greeting("hello"))
//!     .action(greet)
//!     .build()
//!     .await?;
//! let welcome = GlobalTransaction::named("welcome").runtime(&runtime);
//! assert_eq!(welcome.run(greet("ann")).await?.into_result()?, 8);
//! # runtime.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod action;

pub use action::FunctionAction;

use std::any::{Any, TypeId, type_name};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::iter;
use std::slice;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use unanimous_protocol::Decision;

use super::fence::DynFence;
use super::{ActionSpec, Branch, Participant, PhaseTwoError, SourceLocation};

/// The state of a runtime's functions: one value per type.
#[derive(Default)]
pub struct States(BTreeMap<TypeId, Box<dyn Any + Send + Sync>>);

impl States {
    /// Keeps the value of this type.
    pub(crate) fn insert(&mut self, id: TypeId, value: Box<dyn Any + Send + Sync>) {
        self.0.insert(id, value);
    }

    pub(crate) fn holds(&self, need: &Need) -> bool {
        self.0.contains_key(&need.id)
    }

    /// The value of this type, lent. Only called for what an action declared that it needs.
    ///
    /// # Panics
    ///
    /// Where the action did not declare it ([`LinkedFunction::needs`]) and the builder was given
    /// none.
    #[must_use]
    pub fn get<T: Any>(&self) -> &T {
        let found = self
            .0
            .get(&TypeId::of::<T>())
            .and_then(|value| value.downcast_ref());
        // `build()` refuses an action whose declared needs are not met, and a function is lent its
        // state only through an action that was built.
        found.unwrap_or_else(|| unreachable!("no state of type `{}`", type_name::<T>()))
    }

    /// A clone of the value of this type.
    ///
    /// # Panics
    ///
    /// As [`States::get`].
    #[must_use]
    pub fn cloned<T: Any + OwnState>(&self) -> T {
        self.get::<T>().own()
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("States")
            .field("values", &self.0.len())
            .finish_non_exhaustive()
    }
}

/// A type whose value may be state.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the state of a runtime",
    label = "needs `Send`, `Sync` and `'static`: the functions of a runtime share it between threads"
)]
pub trait State: Any + Send + Sync {}

#[diagnostic::do_not_recommend]
impl<T: Any + Send + Sync> State for T {}

/// State that a function takes as a value of its own: every `Clone`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be copied for each call",
    label = "needs `Clone`",
    note = "take it lent, `&{Self}`, or an `Arc` of it"
)]
pub trait OwnState {
    /// The copy.
    #[must_use]
    fn own(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> OwnState for T {
    fn own(&self) -> Self {
        self.clone()
    }
}

/// A type of which a function needs the value.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    id: TypeId,
    name: fn() -> &'static str,
}

impl Need {
    /// The value of this type.
    #[must_use]
    pub const fn of<T: State>() -> Self {
        Self {
            id: TypeId::of::<T>(),
            name: type_name::<T>,
        }
    }

    pub(crate) fn type_name(&self) -> &'static str {
        (self.name)()
    }
}

/// The type of a function, by which it is found when it is provided
/// ([`RuntimeBuilder::action`](crate::RuntimeBuilder::action)).
#[must_use]
pub const fn type_of<F: Any + Copy>(_function: F) -> TypeId {
    TypeId::of::<F>()
}

/// One decision's call of a partner: reads what it takes off the branch and the state.
pub type PhaseTwoFn =
    for<'a> fn(&'a States, &'a mut Branch) -> BoxFuture<'a, Result<(), PhaseTwoError>>;

/// Leads from the state to the fence, in both phases.
pub type FenceFn = fn(&States) -> &dyn DynFence;

/// An action that is a free function, as plain data; found by the type of the function among all
/// that are linked into the program.
#[derive(Clone, Copy, Debug)]
pub struct LinkedFunction {
    spec: ActionSpec,
    function: TypeId,
    name: &'static str,
    aliases: &'static [ActionSpec],
    needs: &'static [Need],
    fence: Option<FenceFn>,
    commit: Option<PhaseTwoFn>,
    rollback: Option<PhaseTwoFn>,
}

inventory::collect!(LinkedFunction);

impl LinkedFunction {
    /// The function of this type ([`type_of`]) and name, which is for messages. Without a partner a
    /// decision ends the branch by itself.
    #[must_use]
    pub const fn new(spec: ActionSpec, function: TypeId, name: &'static str) -> Self {
        Self {
            spec,
            function,
            name,
            aliases: &[],
            needs: &[],
            fence: None,
            commit: None,
            rollback: None,
        }
    }

    /// With a partner that ends it when the decision is commit.
    #[must_use]
    pub const fn commit(mut self, partner: PhaseTwoFn) -> Self {
        self.commit = Some(partner);
        self
    }

    /// With a partner that ends it when the decision is rollback.
    #[must_use]
    pub const fn rollback(mut self, partner: PhaseTwoFn) -> Self {
        self.rollback = Some(partner);
        self
    }

    /// With one partner for both decisions, which asks the branch for [`Branch::decision`].
    #[must_use]
    pub const fn partners(self, partner: PhaseTwoFn) -> Self {
        self.commit(partner).rollback(partner)
    }

    /// Which also performs phase two of branches that other versions registered under these names,
    /// each declared where the function's own is.
    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [ActionSpec]) -> Self {
        self.aliases = aliases;
        self
    }

    /// With the state that it takes.
    #[must_use]
    pub const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }

    /// With a fence.
    #[must_use]
    pub const fn fence(mut self, fence: FenceFn) -> Self {
        self.fence = Some(fence);
        self
    }

    /// Every such action that is linked into the program.
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        inventory::iter::<Self>.into_iter()
    }

    /// The action that is this function.
    pub(crate) fn of(function: TypeId) -> Option<&'static Self> {
        Self::all().find(|linked| linked.function == function)
    }

    pub(crate) fn declared_at(&self) -> SourceLocation {
        self.spec.location()
    }

    pub(crate) fn missing<'a>(&'a self, states: &'a States) -> impl Iterator<Item = &'a Need> {
        self.needs.iter().filter(|need| !states.holds(need))
    }

    pub(crate) fn takes(&self, state: TypeId) -> bool {
        self.needs.iter().any(|need| need.id == state)
    }
}

impl fmt::Display for LinkedFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SourceLocation { file, line } = self.declared_at();
        write!(f, "`{}` ({file}:{line})", self.name)
    }
}

/// A provided function with the state of its runtime.
pub(crate) struct Function {
    /// Its own, or one of an alias.
    spec: &'static ActionSpec,
    linked: &'static LinkedFunction,
    states: Arc<States>,
}

impl Function {
    /// The action under each of its names. The states hold what it needs.
    pub(crate) fn provide(
        linked: &'static LinkedFunction,
        states: &Arc<States>,
    ) -> impl Iterator<Item = Self> {
        iter::once(&linked.spec)
            .chain(linked.aliases)
            .map(move |spec| Self {
                spec,
                linked,
                states: Arc::clone(states),
            })
    }

    /// The function behind a provided participant.
    pub(crate) fn behind(participant: &dyn Participant) -> Option<&Self> {
        let any: &dyn Any = participant;
        any.downcast_ref()
    }

    /// Whether it is the one that is described so.
    pub(crate) fn is(&self, spec: &ActionSpec) -> bool {
        *self.spec == *spec
    }

    pub(crate) fn states(&self) -> &Arc<States> {
        &self.states
    }
}

impl Participant for Function {
    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.spec.name())
    }

    fn actions(&self) -> &'static [ActionSpec] {
        slice::from_ref(self.spec)
    }

    fn fence(&self) -> Option<&dyn DynFence> {
        self.linked.fence.map(|fence| fence(&self.states))
    }

    fn declared_at(&self) -> Option<SourceLocation> {
        Some(self.linked.declared_at())
    }

    fn phase_two(self: Arc<Self>, branch: &mut Branch) -> BoxFuture<'_, Result<(), PhaseTwoError>> {
        let partner = match branch.decision() {
            Decision::Commit => self.linked.commit,
            Decision::Rollback => self.linked.rollback,
        };
        Box::pin(async move {
            match partner {
                Some(partner) => partner(&self.states, branch).await,
                None => Ok(()),
            }
        })
    }
}
