//! What the expansion of `#[two_phase_action]` on a free function calls beside what it shares with
//! methods.

use super::global::How;
#[cfg(feature = "sqlite")]
use super::{FenceOf, FenceTx};
use crate::branch::ActionSpec;
#[cfg(feature = "sqlite")]
use crate::branch::fence::FenceDatabase;
use crate::branch::record::Recorder;
use crate::branch::run::{self, Finishing};
#[cfg(feature = "sqlite")]
use crate::branch::{Branch, PhaseTwoError};

pub use crate::branch::function::{LinkedFunction, Need, States, type_of};

/// The open local transaction of a branch.
///
/// # Errors
///
/// When the fence is of another database; phase one was refused then.
#[cfg(feature = "sqlite")]
pub fn transaction_of<DB: FenceDatabase>(
    branch: &mut Branch,
) -> Result<&mut FenceTx<DB>, PhaseTwoError> {
    branch.open_transaction()
}

/// Phase one of a fenced function: the body runs in the fence's local transaction and is lent the
/// state of the runtime. `fence` leads from the state to the fence; here it only names its
/// database, as the fence is the provided function's.
///
/// Dropping the future fails the call and rolls the local transaction back. It is the other
/// function's own: a future around it would hold the body once more.
#[cfg(feature = "sqlite")]
pub fn run_fenced_function<DB, R, B>(
    spec: &ActionSpec,
    _fence: fn(&States) -> FenceOf<'_, DB>,
    arguments: Recorder,
    how: How<R>,
    body: B,
) -> impl Future<Output = R>
where
    DB: FenceDatabase,
    B: AsyncFnOnce(&mut FenceTx<DB>, &States) -> R,
{
    run_function_in_transaction(spec, arguments, how, body)
}

/// The same, the database known by other means.
#[cfg(feature = "sqlite")]
pub(crate) async fn run_function_in_transaction<DB, R, B>(
    spec: &ActionSpec,
    arguments: Recorder,
    how: How<R>,
    body: B,
) -> R
where
    DB: FenceDatabase,
    B: AsyncFnOnce(&mut FenceTx<DB>, &States) -> R,
{
    if arguments.refused {
        return (how.fail)(run::outside(spec, None));
    }
    let beginning = match run::begin_fenced_function(spec, arguments) {
        Ok(beginning) => beginning,
        Err(error) => return (how.fail)(error),
    };
    let (phase, mut transaction) = match beginning.await {
        Ok(run::Begun::Run(phase, transaction)) => (phase, transaction),
        Ok(run::Begun::Replay(replay)) => return how.replay(*replay),
        Err(error) => return (how.fail)(error),
    };
    let Some(lent) = transaction.downcast_mut() else {
        return (how.fail)(phase.other_database());
    };
    let states = phase.states();
    let result = phase.enter(body(lent, &states)).await;
    match run::finish_fenced(phase, transaction, how.ended(&result)).await {
        Ok(()) => result,
        Err(error) => (how.fail)(error),
    }
}

/// Phase one of a function without a fence; the body is lent the state of the runtime.
///
/// Dropping the future drops the body inside its context, and then fails the call.
pub async fn run_unfenced_function<R, B: AsyncFnOnce(&States) -> R>(
    spec: &ActionSpec,
    arguments: Recorder,
    how: How<R>,
    body: B,
) -> R {
    if arguments.refused {
        return (how.fail)(run::outside(spec, None));
    }
    let beginning = match run::begin_unfenced_function(spec, arguments) {
        Ok(beginning) => beginning,
        Err(error) => return (how.fail)(error),
    };
    let phase = match beginning.await {
        Ok(phase) => phase,
        Err(error) => return (how.fail)(error),
    };
    let states = phase.states();
    let result = phase.enter(body(&states)).await;
    let finished = match run::finish_unfenced(phase, how.ended(&result)) {
        Finishing::Now(finished) => finished,
        Finishing::Later(finishing) => finishing.await,
    };
    match finished {
        Ok(None) => result,
        Ok(Some(replay)) => how.replay(*replay),
        Err(error) => (how.fail)(error),
    }
}
