//! What `#[two_phase_action]` makes of a function, as public API.

use std::fmt;
use std::pin::Pin;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ActionSpec, Participant, Recorder};
#[cfg(feature = "sqlite")]
use crate::branch::fence::{Fence, FenceTx};
use crate::{__private as run, Error, FromTransactionError};

/// One call of an action by hand: the builder equivalent of `#[two_phase_action]`.
///
/// The call joins the transaction that surrounds it as a branch, runs its body, and reports.
/// Phase two arrives at [`Participant::phase_two`] under the name in the [`ActionSpec`].
///
/// ```
/// use std::borrow::Cow;
/// use std::sync::Arc;
///
/// use unanimous::branch::{Action, ActionSpec, BoxFuture};
/// use unanimous::{Branch, Decision, GlobalTransaction, Participant, PhaseTwoError, Runtime};
///
/// struct Mailer;
///
/// const PREPARE: ActionSpec = ActionSpec::new("prepare", file!(), line!());
///
/// impl Mailer {
///     async fn prepare(&self, to: &str) -> Result<(), unanimous::Error> {
///         let draft = async { Ok(println!("drafted for {to}")) };
///         Action::new(&PREPARE, self).argument("to", to).run(draft).await
///     }
/// }
///
/// impl Participant for Mailer {
///     fn name(&self) -> Cow<'static, str> {
///         "mailer".into()
///     }
///
///     fn actions(&self) -> &'static [ActionSpec] {
///         &[PREPARE]
///     }
///
///     fn phase_two(self: Arc<Self>, branch: &mut Branch) -> BoxFuture<'_, Result<(), PhaseTwoError>> {
///         Box::pin(async move {
///             let to: String = branch.argument("to")?;
///             match (branch.action(), branch.decision()) {
///                 ("prepare", Decision::Commit) => Ok(println!("sent to {to}")),
///                 ("prepare", Decision::Rollback) => Ok(println!("thrown away")),
///                 _ => Err(branch.unknown_action()),
///             }
///         })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mailer = Arc::new(Mailer);
/// let runtime =
///     Runtime::builder().coordinator("memory:").participant(mailer.clone()).build().await?;
/// let send = GlobalTransaction::named("send").runtime(&runtime);
/// send.run(mailer.prepare("ann")).await?.into_result()?;
/// # runtime.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing joins before `run`, `run_stored` or `run_fenced`"]
pub struct Action<'a, P, T, E> {
    spec: &'a ActionSpec,
    participant: &'a P,
    arguments: Recorder,
    fail: fn(Error) -> Result<T, E>,
}

impl<'a, P, T, E> Action<'a, P, T, E> {
    /// A call of this action on this instance, which belongs to a provided participant.
    pub fn new(spec: &'a ActionSpec, participant: &'a P) -> Self
    where
        E: FromTransactionError,
    {
        Self::mapped(spec, participant, |error| {
            Err(E::from_transaction_error(error))
        })
    }

    /// The same for an error type that cannot hold a failure of the transaction itself: `fail`
    /// makes one of it, as `map_err` does.
    pub fn mapped(
        spec: &'a ActionSpec,
        participant: &'a P,
        fail: fn(Error) -> Result<T, E>,
    ) -> Self {
        Self {
            spec,
            participant,
            arguments: Recorder::new(),
            fail,
        }
    }

    /// Records one argument for phase two, which reads it by the same name
    /// ([`Branch::argument`](crate::Branch::argument)). Names are part of the wire format; all
    /// arguments together are at most
    /// [`ARGUMENTS_BYTES_MAX`](crate::protocol::limits::ARGUMENTS_BYTES_MAX) bytes long.
    pub fn argument<V: Serialize + ?Sized>(mut self, name: &str, value: &V) -> Self {
        self.arguments = self.arguments.put(name, value);
        self
    }
}

impl<P: Participant, T, E> Action<'_, P, T, E> {
    /// Joins, and runs the body. For participants without a fence: the body runs again when the
    /// call is repeated.
    ///
    /// Dropping the future drops the body inside its context, and then fails the call.
    ///
    /// # Errors
    ///
    /// The body's own, and whatever keeps the branch from joining; nothing ran in that case.
    pub fn run<F>(self, body: F) -> impl Future<Output = Result<T, E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let how = run::how_mapped(self.fail);
        self.unfenced(how, Box::pin(body))
    }

    /// The same, and hands the value to phase two
    /// ([`Branch::tried`](crate::Branch::tried)). When the call is repeated, the first value that
    /// was stored stands and is what the caller gets.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run); also when the value cannot be stored, which fails the call.
    pub fn run_stored<F>(self, body: F) -> impl Future<Output = Result<T, E>>
    where
        T: Serialize + DeserializeOwned,
        F: Future<Output = Result<T, E>>,
    {
        let how = run::how_tried_mapped(self.fail);
        self.unfenced(how, Box::pin(body))
    }

    /// The body is on the heap: an `async fn` that takes it by value would hold it twice.
    async fn unfenced<F>(self, how: run::How<Result<T, E>>, body: Pin<Box<F>>) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let Self {
            spec,
            participant,
            arguments,
            ..
        } = self;
        run::run_unfenced(spec, participant, arguments, how, async || body.await).await
    }

    /// Joins, and runs the body in the fence's local transaction, which the runtime opens and
    /// closes: fence row and business statements commit together. A repeat of the call is
    /// answered from the row and does not run the body again.
    ///
    /// `fence` is the participant's own [`fence`](Participant::fence). Dropping the future fails
    /// the call and rolls the local transaction back.
    ///
    /// # Errors
    ///
    /// The body's own, whatever keeps the branch from joining, and failures of the fence's
    /// database; nothing of the body stands in any of these cases.
    #[cfg(feature = "sqlite")]
    pub async fn run_fenced<F, B>(self, fence: &F, body: B) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        F: Fence,
        B: AsyncFnOnce(&mut FenceTx<F::Database>) -> Result<T, E>,
    {
        let how = run::how_fenced_mapped(self.fail);
        let (arguments, fence) = (self.arguments, run::fence_of(fence));
        run::run_fenced(self.spec, self.participant, fence, arguments, how, body).await
    }
}

impl<P, T, E> fmt::Debug for Action<'_, P, T, E> {
    /// Recorded arguments never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Action")
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}
