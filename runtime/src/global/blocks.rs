//! Blocks of calls: `tolerate`, `retry_call`, `keyed`, `outside`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use unanimous_protocol::ids::Target;
use unanimous_protocol::limits;

use super::calls::Ending;
use crate::backoff::Backoff;
use crate::context::{Ambient, CallKind, OpenCall, Scope};
use crate::{CallFailure, Error, FromTransactionError};

/// Runs a block that the transaction may commit without.
///
/// The block is **one** call. If it ends in `Err` or is dropped, it is abandoned with everything
/// below it: whatever it reserved stands until the decision and is then cancelled (TC8). If it
/// ends in `Ok` although a call below it failed, it has failed, and with it the transaction.
///
/// Outside a transaction the future simply runs.
///
/// # Errors
///
/// The block's own, unchanged.
pub async fn tolerate<T, E, F>(block: F) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    tolerate_when(block, |_| true).await
}

/// [`tolerate`] as a method of any future of a `Result`.
pub trait TolerateExt<T, E>: Future<Output = Result<T, E>> + Sized {
    /// [`tolerate`].
    fn tolerate(self) -> impl Future<Output = Result<T, E>> {
        tolerate(self)
    }

    /// [`tolerate`], for the errors that `when` accepts; any other makes the call a failed one.
    fn tolerate_if<W>(self, when: W) -> impl Future<Output = Result<T, E>>
    where
        W: FnOnce(&E) -> bool,
    {
        tolerate_when(self, when)
    }
}

impl<T, E, F: Future<Output = Result<T, E>>> TolerateExt<T, E> for F {}

async fn tolerate_when<T, E, F>(block: F, when: impl FnOnce(&E) -> bool) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let Some(call) = open(&Target::new("~tolerate")) else {
        return block.await;
    };
    let call = Tolerated(Some(call));
    let result = call.scope().enter(block).await;
    match &result {
        Ok(_) => {
            call.scope().join_spawned().await;
            call.end(true);
        }
        Err(error) if when(error) => call.end(false),
        Err(_) => call.fail(),
    }
    result
}

/// A `tolerate` block under way: dropped, it is abandoned rather than failed.
struct Tolerated(Option<OpenCall>);

impl Tolerated {
    fn scope(&self) -> Scope {
        match &self.0 {
            Some(call) => call.scope().clone(),
            None => unreachable!("only `end`, `fail` and `drop` take the call"),
        }
    }

    fn end(mut self, ok: bool) {
        self.take(ok);
    }

    fn fail(mut self) {
        if let Some(call) = self.0.take() {
            call.failed(CallFailure::Failed, None);
        }
    }

    fn take(&mut self, ok: bool) {
        if let Some(call) = self.0.take() {
            call.close_tolerate(ok);
        }
    }
}

impl Drop for Tolerated {
    fn drop(&mut self) {
        self.take(false);
    }
}

/// Gives the calls of a block a key of the user's instead of their place among their siblings, so
/// that an unordered fan-out gets the same call ids when it is repeated (N3).
///
/// The block is one call; it is judged by the calls below it, by panic and by drop. Its value is
/// not looked at. Outside a transaction the future simply runs.
pub async fn keyed<F: Future>(key: impl fmt::Display, block: F) -> F::Output {
    let Some(call) = open(&Target::new(&key.to_string())) else {
        return block.await;
    };
    let output = call.scope().enter(block).await;
    call.scope().join_spawned().await;
    call.close(Ending::Ok);
    output
}

/// Runs a future outside the surrounding transaction: no header travels with its calls and no
/// record is kept of them. For third parties.
///
/// The transaction is suspended for the length of each poll of this future; it needs no resuming,
/// whether the future ends, panics or is dropped.
pub async fn outside<F: Future>(future: F) -> F::Output {
    Ambient::suspended().enter(future).await
}

type When<E> = Arc<dyn Fn(&E) -> bool + Send + Sync>;

/// When and how often [`retry_call`] repeats.
#[derive(Clone)]
pub struct RetryPolicy<E> {
    attempts_max: u32,
    wait_min: Duration,
    wait_max: Duration,
    when: Option<When<E>>,
}

impl<E> RetryPolicy<E> {
    /// At most so many attempts in all, 50 ms to 5 s apart, doubling, with jitter. Only lost
    /// answers and unavailability are repeated.
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

    /// Repeats these errors too. What was refused for good is never repeated.
    #[must_use]
    pub fn when(mut self, when: impl Fn(&E) -> bool + Send + Sync + 'static) -> Self {
        self.when = Some(Arc::new(when));
        self
    }

    fn repeats(&self, error: &E, cause: Option<CallFailure>) -> bool {
        match cause {
            Some(CallFailure::Refused) => false,
            Some(CallFailure::LostAnswer) => true,
            _ => self.when.as_ref().is_some_and(|when| when(error)),
        }
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
        if result.is_ok() {
            call.scope().join_spawned().await;
        }
        let cause = call.scope().failure_cause();
        let again = match &result {
            Err(error) => left > 0 && policy.repeats(error, cause),
            Ok(_) => false,
        };
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

/// The record of a block, or none outside a transaction or at the limits of a call id; there the
/// calls of the block are looked at one by one.
fn open(target: &Target) -> Option<OpenCall> {
    Scope::current()?.open_call(target, CallKind::Block).ok()
}
