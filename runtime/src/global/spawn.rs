//! Tasks that belong to the transaction.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use tokio::task::JoinHandle;
use unanimous_protocol::ids::Target;

use super::calls::Ending;
use crate::CallFailure;
use crate::context::{Ambient, CallKind, Entered, OpenCall, Scope, SpawnedTask};

/// Spawns a task that carries the surrounding transaction.
///
/// The task is a call of its scope, Running from the spawn on: whoever ends with `Ok` awaits
/// the tasks spawned in it first, within the remaining time. It is judged by the calls below it,
/// by panic and by abort; its value is not looked at. Outside a transaction it is
/// `tokio::spawn`; what needs no transaction uses that directly.
///
/// ```
/// # use std::sync::{Arc, Mutex};
/// # use unanimous::{Error, Runtime, global_transactional, participant, spawn};
/// # type Failure = Box<dyn std::error::Error + Send + Sync>;
/// # #[derive(Default)]
/// # struct Shelf {
/// #     taken: Mutex<Vec<String>>,
/// # }
/// # #[participant(name = "shelf")]
/// # impl Shelf {
/// #     #[two_phase_action(commit = none, rollback = put_back)]
/// #     async fn take(&self, sku: &str) -> Result<(), Failure> {
/// #         self.taken.lock().unwrap().push(sku.to_owned());
/// #         Ok(())
/// #     }
/// #     async fn put_back(&self) -> Result<(), Failure> {
/// #         Ok(())
/// #     }
/// # }
/// #[global_transactional]
/// async fn purchase(shelf: Arc<Shelf>) -> Result<(), Failure> {
///     let other = shelf.clone();
///     let tea = spawn(async move { other.take("tea").await });
///     shelf.take("milk").await?;
///     tea.await? // awaited here or not: the commit waits for it
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Failure> {
/// # let shelf = Arc::new(Shelf::default());
/// # let runtime =
/// #     Runtime::builder().coordinator("memory:").participant(shelf.clone()).build().await?;
///
/// runtime.scope(purchase(shelf.clone())).await?;
/// assert_eq!(shelf.taken.lock().unwrap().len(), 2);
/// # Ok(())
/// # }
/// ```
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
    let Some(scope) = Scope::current() else {
        return start(future);
    };
    match scope.open_call(&Target::new("~spawn"), CallKind::Block) {
        Ok(call) => {
            let task = scope.count_spawned();
            let future = Ambient::with_scope(call.scope().clone()).enter(future);
            start(run(future, call, task))
        }
        // A call id at its limits: what the task does is not named, so all rolls back. Without the
        // transaction it might do so much the more.
        Err(error) => {
            scope.cannot_call(CallFailure::Refused, &error);
            start(Ambient::with_scope(scope).enter(future))
        }
    }
}

#[track_caller]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the spawn that carries the context"
)]
fn start<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(future)
}

async fn run<F: Future>(future: Entered<F>, call: OpenCall, task: SpawnedTask) -> F::Output {
    // Fields drop in reverse order: the record is closed before the task stops being counted.
    let _task = task;
    let call = call;
    let ended = AssertUnwindSafe(future).catch_unwind().await;
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
