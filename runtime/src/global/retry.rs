//! Repeats: of one call inside a transaction, and of a whole transaction.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use unanimous_protocol::ids::Target;
use unanimous_protocol::limits;

use super::calls::Ending;
use crate::backoff::Backoff;
use crate::context::{Ambient, CallKind, Scope};
use crate::runtime::Runtime;
use crate::{CallFailure, Error, FromTransactionError};

type When<E> = Arc<dyn Fn(&E) -> bool + Send + Sync>;

/// When and how often [`retry_call`] and [`retry_transaction`] repeat.
#[derive(Clone)]
pub struct RetryPolicy<E> {
    attempts_max: u32,
    wait_min: Duration,
    wait_max: Duration,
    when: Option<When<E>>,
}

impl<E> RetryPolicy<E> {
    /// At most so many attempts in all, 50 ms to 5 s apart, doubling, with jitter. By default only
    /// lost answers and unavailability are repeated; by [`retry_transaction`] also what the
    /// coordinator rolled back and what ran out of time.
    #[must_use]
    pub fn attempts(attempts_max: u32) -> Self {
        let (wait_min, wait_max) = (limits::RECONNECT_MIN, limits::RECONNECT_MAX);
        Self {
            attempts_max,
            wait_min,
            wait_max,
            when: None,
        }
    }

    /// The first and the longest wait between attempts.
    #[must_use]
    pub fn wait(mut self, min: Duration, max: Duration) -> Self {
        (self.wait_min, self.wait_max) = (min, max.max(min));
        self
    }

    /// Repeats these errors too. [`retry_call`] never repeats what was refused for good, nor
    /// [`retry_transaction`] what was not rolled back.
    #[must_use]
    pub fn when(mut self, when: impl Fn(&E) -> bool + Send + Sync + 'static) -> Self {
        self.when = Some(Arc::new(when));
        self
    }

    fn repeats(&self, error: &E, cause: Option<CallFailure>) -> bool {
        match cause {
            Some(CallFailure::Refused) => false,
            Some(CallFailure::LostAnswer) => true,
            _ => self.widened(error),
        }
    }

    fn widened(&self, error: &E) -> bool {
        self.when.as_ref().is_some_and(|when| when(error))
    }
}

impl<E> fmt::Debug for RetryPolicy<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("attempts_max", &self.attempts_max)
            .field("wait_min", &self.wait_min)
            .field("wait_max", &self.wait_max)
            .finish_non_exhaustive()
    }
}

/// Repeats a call under the same call id, so that a repeat takes effect once (fenced actions) or
/// can be recognised (unfenced ones, by their call id).
///
/// One call, Running between attempts, which never overlap; each attempt restarts the ordinals
/// below it. The last answer decides. A repeat written by hand would get a new ordinal and be
/// another call.
///
/// Stops at the transaction's deadline. Dropped, the call has failed.
///
/// ```
/// # use std::sync::Arc;
/// # use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
/// # use std::time::Duration;
/// # use unanimous::{Runtime, RetryPolicy, global_transactional, participant, retry_call};
/// # type Failure = Box<dyn std::error::Error + Send + Sync>;
/// # #[derive(Default)]
/// # struct Shelf {
/// #     asked: AtomicU32,
/// # }
/// # #[participant(name = "shelf")]
/// # impl Shelf {
/// #     #[two_phase_action(commit = none, rollback = put_back)]
/// #     async fn take(&self, sku: &str) -> Result<(), Failure> {
/// #         let _ = sku;
/// #         if self.asked.fetch_add(1, SeqCst) == 0 { Err("it is busy".into()) } else { Ok(()) }
/// #     }
/// #     async fn put_back(&self) -> Result<(), Failure> {
/// #         Ok(())
/// #     }
/// # }
/// #[global_transactional]
/// async fn purchase(shelf: &Shelf) -> Result<(), Failure> {
///     let policy = RetryPolicy::attempts(3)
///         .wait(Duration::from_millis(5), Duration::from_secs(1))
///         .when(|error: &Failure| error.to_string() == "it is busy");
///     retry_call(policy, || shelf.take("tea")).await
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Failure> {
/// # let shelf = Arc::new(Shelf::default());
/// # let runtime =
/// #     Runtime::builder().coordinator("memory:").participant(shelf.clone()).build().await?;
///
/// runtime.scope(purchase(&shelf)).await?;
/// assert_eq!(shelf.asked.load(SeqCst), 2);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// The last attempt's; [`Error::NotInTransaction`] outside a transaction.
pub async fn retry_call<T, E, F>(
    policy: RetryPolicy<E>,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
    E: FromTransactionError,
{
    let refuse = |error| Err(E::from_transaction_error(error));
    let Some(scope) = Scope::current() else {
        return refuse(Error::NotInTransaction {
            what: "retry_call".into(),
        });
    };
    if let Some(error) = scope.rollback_only() {
        return refuse(error);
    }
    let call = match scope.open_call(&Target::new("~retry"), CallKind::Block) {
        Ok(call) => call,
        Err(error) => return refuse(error),
    };
    let runtime = scope.runtime();
    let entropy = runtime.entropy().clone();
    let mut backoff = Backoff::new(policy.wait_min, policy.wait_max, entropy);
    for left in (0..policy.attempts_max.max(1)).rev() {
        let result = call.scope().enter(attempt()).await;
        let cause = call.scope().failure_cause();
        let again = match &result {
            Err(error) => left > 0 && policy.repeats(error, cause),
            Ok(_) => false,
        };
        if again || result.is_ok() {
            // Before a repeat as well: its calls have the ids of those that still run.
            call.scope().join_spawned().await;
        }
        let wait = backoff.wait();
        if !again || scope.remaining().is_none_or(|remaining| remaining <= wait) {
            call.close(if result.is_ok() {
                Ending::Ok
            } else {
                Ending::Err
            });
            return result;
        }
        call.scope().restart();
        runtime.clock().sleep(wait).await;
    }
    unreachable!("the last attempt returns")
}

/// Repeats a whole transaction that was rolled back.
///
/// Each attempt calls `attempt` anew, which begins a transaction: an annotated function, or a
/// [`GlobalTransaction`](crate::GlobalTransaction). It is repeated only where nothing of it stands:
///
/// * the coordinator answered that it was rolled back, or it ran out of time before commit was
///   asked, and
/// * the transaction itself failed ([`Error::RolledBack`], [`Error::TimedOut`]), the answer of a
///   call in it was lost, or [`RetryPolicy::when`] accepts the error. Other errors of the body's
///   own would come again.
///
/// Never after an unknown outcome: where the answer to a commit does not come, it asks for rollback
/// first, as [`Runtime::resolve`](crate::Runtime::resolve) does, and goes by whichever decision
/// holds. If that is commit, the body's value is returned; if nobody answers that either,
/// [`Error::Unknown`] is.
///
/// An attempt that commits one of several transactions is not repeated. Transactions of their own
/// inside the body (`requires_new`) do not count, unless their outcome is unknown: they begin again
/// with the body. Transactions that other processes begin are not seen. The waits of the policy are
/// on the runtime's clock, outside any transaction; dropping the future drops the attempt under way,
/// which rolls back, and repeats nothing.
///
/// ```
/// # use unanimous::{Error, RetryPolicy, Runtime, global_transactional, retry_transaction};
/// #[global_transactional]
/// async fn purchase(count: u32) -> Result<u32, Error> {
///     Ok(count * 3)
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = Runtime::builder().coordinator("memory:").build().await?;
/// # let place = async {
/// let price = retry_transaction(RetryPolicy::attempts(3), || purchase(2)).await?;
/// # Ok::<_, Error>(price)
/// # };
/// # assert_eq!(runtime.scope(place).await?, 6);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// The last attempt's; [`Error::InTransaction`] inside a transaction, which would only be joined.
pub async fn retry_transaction<T, E, F>(
    policy: RetryPolicy<E>,
    mut attempt: impl FnMut() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
    E: FromTransactionError,
{
    if let Some(scope) = Scope::current() {
        return Err(E::from_transaction_error(Error::InTransaction {
            what: "retry_transaction".into(),
            xid: scope.xid().clone(),
        }));
    }
    let mut left = policy.attempts_max.max(1);
    let mut backoff = None;
    loop {
        left -= 1;
        let noted = Attempt::within(Ambient::current().attempt());
        let mut ambient = Ambient::attempted(noted.clone());
        let made = ambient.within(&mut attempt);
        let result = ambient.enter(made).await;
        let Err(error) = &result else { return result };
        let Some(Repeatable { runtime, by_itself }) = noted.repeatable() else {
            return result;
        };
        if left == 0 || !(by_itself || policy.widened(error)) {
            return result;
        }
        let entropy = || runtime.entropy().clone();
        let backoff = backoff
            .get_or_insert_with(|| Backoff::new(policy.wait_min, policy.wait_max, entropy()));
        let wait = backoff.wait();
        tracing::debug!(left, ?wait, "a transaction was rolled back and is repeated");
        runtime.clock().sleep(wait).await;
    }
}

/// What an attempt of a [`retry_transaction`] hears of the transactions that begin in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempt {
    heard: Arc<Mutex<Heard>>,
    /// Inside one of those transactions already.
    inner: bool,
    /// The attempt around it, which hears all of it as well.
    around: Option<Arc<Attempt>>,
}

#[derive(Debug, Default)]
struct Heard {
    /// Begun and not heard to have ended; a drop leaves it so.
    undecided: usize,
    committed: bool,
    by_itself: bool,
    /// Of an outermost transaction that was rolled back.
    runtime: Option<Runtime>,
}

/// An attempt of which nothing stands.
struct Repeatable {
    runtime: Runtime,
    /// Not because of an error of the body's own.
    by_itself: bool,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ended {
    Committed,
    /// Because its body wanted it, or a call in it failed.
    RolledBack,
    /// By the transaction itself: its time, the coordinator, a lost answer.
    RolledBackByItself,
    /// Nobody answered.
    Unanswered,
}

impl Attempt {
    /// A fresh one.
    fn within(around: Option<&Self>) -> Self {
        Self {
            around: around.cloned().map(Arc::new),
            ..Self::default()
        }
    }

    /// The same, inside one of its transactions.
    pub(crate) fn inner(&self) -> Self {
        Self {
            heard: Arc::clone(&self.heard),
            inner: true,
            around: self.around.as_ref().map(|around| Arc::new(around.inner())),
        }
    }

    /// A transaction begins in it.
    pub(super) fn began(&self, runtime: &Runtime) -> Noted {
        self.heard().undecided += 1;
        let around = self.around.as_ref();
        Noted {
            attempt: self.clone(),
            runtime: runtime.clone(),
            around: around.map(|around| Box::new(around.began(runtime))),
        }
    }

    fn repeatable(&self) -> Option<Repeatable> {
        let mut heard = self.heard();
        if heard.undecided > 0 || heard.committed {
            return None;
        }
        Some(Repeatable {
            runtime: heard.runtime.take()?,
            by_itself: heard.by_itself,
        })
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One transaction of an attempt.
#[derive(Debug)]
pub(super) struct Noted {
    attempt: Attempt,
    runtime: Runtime,
    around: Option<Box<Noted>>,
}

impl Noted {
    pub(super) fn ended(self, ended: Ended) {
        if let Some(around) = self.around {
            around.ended(ended);
        }
        let mut heard = self.attempt.heard();
        if ended == Ended::Unanswered {
            return;
        }
        heard.undecided -= 1;
        if self.attempt.inner {
            return;
        }
        match ended {
            Ended::Committed => heard.committed = true,
            Ended::RolledBack | Ended::RolledBackByItself => {
                heard.by_itself |= ended == Ended::RolledBackByItself;
                heard.runtime = Some(self.runtime.clone());
            }
            Ended::Unanswered => {}
        }
    }
}
