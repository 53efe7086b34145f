//! Programs as strangers write them, each against the public API alone and run to a commit and to a
//! rollback: web handlers, generic repositories, facades, mocks, streams and tasks.

#![deny(warnings)]

mod bodies;
mod facade;
mod handlers;
mod macros;
mod parameters;
mod receivers;
mod repository;
mod tasks;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use unanimous::{Runtime, RuntimeBuilder};

/// What happened, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    pub(crate) fn write(&self, line: impl Into<String>) {
        self.lines().push(line.into());
    }

    /// What was written since the last time, sorted: branches end in any order.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut lines = std::mem::take(&mut *self.lines());
        lines.sort_unstable();
        lines
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A runtime over a coordinator in memory.
pub(crate) async fn started(set: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder) -> Runtime {
    let builder = set(Runtime::builder().coordinator("memory:"));
    let runtime = builder.build().await.expect("it can be built");
    runtime.ready().await;
    runtime
}

/// Runs a call, and phase two of all that it began.
pub(crate) async fn ended<F: Future>(runtime: &Runtime, call: F) -> F::Output {
    let output = runtime.scope(call).await;
    assert!(runtime.quiet(Duration::from_secs(20)).await);
    output
}
