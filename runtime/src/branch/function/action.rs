//! What `#[two_phase_action]` makes of a free function, as public API.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::States;
#[cfg(feature = "sqlite")]
use crate::branch::fence::{Fence, FenceTx};
use crate::branch::{ActionSpec, Recorder};
use crate::{__private as run, Error, FromTransactionError};

/// One call of an action that is a free function, by hand: as [`Action`](crate::Action) is for
/// methods. What phase two does stands in the function's [`LinkedFunction`](super::LinkedFunction).
#[must_use = "nothing joins before `run`, `run_stored` or `run_fenced`"]
pub struct FunctionAction<'a, T, E> {
    spec: &'a ActionSpec,
    arguments: Recorder,
    fail: fn(Error) -> Result<T, E>,
}

impl<'a, T, E> FunctionAction<'a, T, E> {
    /// A call of the function that is provided under this specification.
    pub fn new(spec: &'a ActionSpec) -> Self
    where
        E: FromTransactionError,
    {
        Self::mapped(spec, |error| Err(E::from_transaction_error(error)))
    }

    /// The same for an error type that cannot hold a failure of the transaction itself: `fail`
    /// makes one of it, as `map_err` does.
    pub fn mapped(spec: &'a ActionSpec, fail: fn(Error) -> Result<T, E>) -> Self {
        Self {
            spec,
            arguments: Recorder::new(),
            fail,
        }
    }

    /// Records one argument for phase two, within the limits of
    /// [`Action::argument`](crate::Action::argument).
    pub fn argument<V: Serialize + ?Sized>(mut self, name: &str, value: &V) -> Self {
        self.arguments = self.arguments.put(name, value);
        self
    }

    /// Joins, and runs the body, which is lent the state of the runtime. The body runs again when
    /// the call is repeated.
    ///
    /// Dropping the future drops the body inside its context, and then fails the call.
    ///
    /// # Errors
    ///
    /// The body's own, and whatever keeps the branch from joining; nothing ran in that case.
    pub async fn run<B>(self, body: B) -> Result<T, E>
    where
        B: AsyncFnOnce(&States) -> Result<T, E>,
    {
        let (arguments, how) = (self.arguments, run::how_mapped(self.fail));
        run::run_unfenced_function(self.spec, arguments, how, body).await
    }

    /// The same, and hands the value to phase two
    /// ([`Branch::tried`](crate::Branch::tried)). When the call is repeated, the first value that
    /// was stored stands and is what the caller gets.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run); also when the value cannot be stored, which fails the call.
    pub async fn run_stored<B>(self, body: B) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        B: AsyncFnOnce(&States) -> Result<T, E>,
    {
        let (arguments, how) = (self.arguments, run::how_tried_mapped(self.fail));
        run::run_unfenced_function(self.spec, arguments, how, body).await
    }

    /// Joins, and runs the body in the local transaction of the fence that the function was linked
    /// with; fence row and business statements commit together. A repeat of the call is answered
    /// from the row and does not run the body again. `fence` leads to the same fence and tells its
    /// database.
    ///
    /// Dropping the future fails the call and rolls the local transaction back.
    ///
    /// # Errors
    ///
    /// The body's own, whatever keeps the branch from joining, and failures of the fence's
    /// database; nothing of the body stands in any of these cases.
    #[cfg(feature = "sqlite")]
    pub async fn run_fenced<F, B>(self, _fence: fn(&States) -> &F, body: B) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        F: Fence,
        B: AsyncFnOnce(&mut FenceTx<F::Database>, &States) -> Result<T, E>,
    {
        let (arguments, how) = (self.arguments, run::how_fenced_mapped(self.fail));
        run::run_function_in_transaction(self.spec, arguments, how, body).await
    }
}

impl<T, E> fmt::Debug for FunctionAction<'_, T, E> {
    /// Recorded arguments never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunctionAction")
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}
