//! Tasks that belong to the transaction.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use tokio::task::JoinHandle;
use unanimous_protocol::ids::Target;

use super::calls::Ending;
use crate::context::{CallKind, OpenCall, Scope, SpawnedTask};

/// Spawns a task that carries the surrounding transaction.
///
/// The task is a call of its scope (N3), Running from the spawn on: whoever ends with `Ok` awaits
/// the tasks spawned in it first, within the remaining time. It is judged by the calls below it,
/// by panic and by abort; its value is not looked at. Outside a transaction it is
/// `tokio::spawn`; what needs no transaction uses that directly.
///
/// # Panics
///
/// Outside a tokio runtime, as `tokio::spawn` does.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let opened = Scope::current().and_then(|scope| {
        // A call id at its limits: the task runs without the transaction, and an action in it
        // says that it needs one.
        let call = scope
            .open_call(&Target::new("~spawn"), CallKind::Block)
            .ok()?;
        Some((call, scope.count_spawned()))
    });
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the spawn that carries the context"
    )]
    match opened {
        Some((call, task)) => tokio::spawn(run(future, call, task)),
        None => tokio::spawn(future),
    }
}

async fn run<F: Future>(future: F, call: OpenCall, task: SpawnedTask) -> F::Output {
    // Fields drop in reverse order: the record is closed before the task stops being counted.
    let _task = task;
    let call = call;
    let ended = AssertUnwindSafe(call.scope().enter(future))
        .catch_unwind()
        .await;
    match ended {
        Ok(output) => {
            call.scope().join_spawned().await;
            call.close(Ending::Ok);
            output
        }
        Err(panic) => {
            drop(call);
            std::panic::resume_unwind(panic)
        }
    }
}
