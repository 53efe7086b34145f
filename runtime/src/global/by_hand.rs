//! What `#[global_transactional]` does, as public API.

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use unanimous_protocol::Outcome;

use super::Propagation;
use super::calls::Ending;
use super::driver::{Finished, Plan, Run};
use crate::{Error, Runtime};

/// A global transaction begun by hand: the builder equivalent of `#[global_transactional]`.
///
/// ```
/// use std::time::Duration;
/// use unanimous::{GlobalTransaction, Outcome, Propagation};
/// # use unanimous::Runtime;
/// # async fn place() -> Result<u32, std::io::Error> { Ok(1) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = Runtime::builder().coordinator("memory:").build().await?;
///
/// let completed = GlobalTransaction::named("purchase")
///     .timeout(Duration::from_secs(30))
///     .settle(Duration::from_secs(2))
///     .propagation(Propagation::RequiresNew)
///     .runtime(&runtime)
///     .run(place())
///     .await?;
/// match completed.outcome {
///     Some(Outcome::Unknown { xid, .. }) => println!("ask again later about {xid}"),
///     outcome => assert_eq!(outcome, Some(Outcome::Committed)),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing begins before `run`"]
pub struct GlobalTransaction {
    plan: Plan,
}

impl GlobalTransaction {
    /// A transaction of this name: for people, and as the target of a call id where it joins.
    pub fn named(name: impl Into<Cow<'static, str>>) -> Self {
        let propagation = Propagation::Required;
        let name = name.into();
        Self {
            plan: Plan {
                name,
                timeout: None,
                settle: None,
                propagation,
                runtime: None,
            },
        }
    }

    /// How long it may stay open; the body is dropped at the deadline. Default 60 s. A joined
    /// scope ignores it.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.plan.timeout = Some(timeout);
        self
    }

    /// Wait at most so long after a commit for all branches to end. Never changes the outcome.
    pub fn settle(mut self, settle: Duration) -> Self {
        self.plan.settle = Some(settle);
        self
    }

    /// How it relates to a surrounding transaction. Default: [`Propagation::Required`]. Where it
    /// does not begin one, the timeout, `settle` and the runtime are not used.
    pub fn propagation(mut self, propagation: Propagation) -> Self {
        self.plan.propagation = propagation;
        self
    }

    /// The runtime to use. Default: the surrounding one, else the installed one.
    pub fn runtime(mut self, runtime: &Runtime) -> Self {
        self.plan.runtime = Some(runtime.clone());
        self
    }

    /// Begins, runs the body inside the transaction, and decides from its result: `Ok` asks for
    /// commit, `Err` rolls back.
    ///
    /// Dropping the future drops the body and rolls back; once commit was asked, the runtime
    /// finishes the decision.
    ///
    /// # Errors
    ///
    /// When the transaction could not begin, ran out of time, or was refused to join, and when the
    /// propagation refuses where the call stands. What the
    /// body returned is in [`Completed`] otherwise, whatever the outcome.
    pub fn run<T, E, F>(self, body: F) -> impl Future<Output = Result<Completed<T, E>, Error>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.judge(body, None)
    }

    /// The same; an error that `commit_on` accepts asks for commit too. Like the argument of the
    /// annotation it does not lift a failed call.
    ///
    /// ```
    /// # use unanimous::{GlobalTransaction, Outcome, Runtime};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let runtime = Runtime::builder().coordinator("memory:").build().await?;
    /// async fn order() -> Result<u32, String> {
    ///     Err("waiting".to_owned())
    /// }
    ///
    /// let completed = GlobalTransaction::named("order")
    ///     .runtime(&runtime)
    ///     .run_or_commit_on(|result| matches!(result, Err(error) if error == "waiting"), order())
    ///     .await?;
    /// assert_eq!(completed.outcome, Some(Outcome::Committed));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_or_commit_on<T, E, F>(
        self,
        commit_on: fn(&Result<T, E>) -> bool,
        body: F,
    ) -> impl Future<Output = Result<Completed<T, E>, Error>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.judge(body, Some(commit_on))
    }

    /// The body goes to the heap: an `async fn` would hold it twice, and nested ones four times.
    fn judge<T, E, F>(
        self,
        body: F,
        commit_on: Option<Judge<T, E>>,
    ) -> impl Future<Output = Result<Completed<T, E>, Error>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let body = Box::pin(Some(body));
        self.judge_boxed(body, commit_on)
    }

    async fn judge_boxed<T, E, F>(
        self,
        mut body: Pin<Box<Option<F>>>,
        commit_on: Option<Judge<T, E>>,
    ) -> Result<Completed<T, E>, Error>
    where
        F: Future<Output = Result<T, E>>,
    {
        let mut run = Run::new(self.plan, body.as_mut(), ending_of, commit_on);
        poll_fn(|cx| run.poll_ended(cx)).await?;
        let Finished { outcome, error } = run.take_finished().unwrap_or(Finished::PLAIN);
        match (run.take_output(), error) {
            (Some(body), error) => Ok(Completed {
                outcome,
                body,
                error,
            }),
            (None, Some(error)) => Err(error),
            (None, None) => unreachable!("a run without output ended in an error"),
        }
    }
}

/// Whether a body that ended so asks for commit all the same.
type Judge<T, E> = fn(&Result<T, E>) -> bool;

/// A global transaction that has ended, and what its body returned.
#[derive(Debug)]
#[non_exhaustive]
pub struct Completed<T, E> {
    /// The outcome. In a joined scope the transaction is still open: `Unknown` with
    /// [`UnknownWhy::Open`](crate::UnknownWhy::Open). None where the body ran without a
    /// transaction, which only [`Propagation::Supports`], [`Propagation::NotSupported`] and
    /// [`Propagation::Never`] do.
    pub outcome: Option<Outcome>,
    /// What the body returned; not lost when the outcome is unknown.
    pub body: Result<T, E>,
    error: Option<Error>,
}

impl<T, E> Completed<T, E> {
    /// Why the body's `Ok` does not stand, if it does not.
    #[must_use]
    pub fn failure(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// What an annotated function returns: the body's result, or the failure of the transaction
    /// that replaces it.
    pub fn into_result(self) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.into_result_or(E::from)
    }

    /// The same for an error type that cannot hold a failure of the transaction itself: `fail`
    /// makes one of it, as `map_err` does.
    ///
    /// # Errors
    ///
    /// The body's own, or what `fail` made.
    pub fn into_result_or(self, fail: impl FnOnce(Error) -> E) -> Result<T, E> {
        match self.error {
            Some(error) => Err(fail(error)),
            None => self.body,
        }
    }
}

pub(crate) fn ending_of<T, E>(result: &Result<T, E>) -> Ending {
    if result.is_ok() {
        Ending::Ok
    } else {
        Ending::Err
    }
}
