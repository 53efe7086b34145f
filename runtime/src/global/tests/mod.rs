//! Runs against a coordinator that follows a script, on a clock that stands still.

#![expect(clippy::disallowed_methods, reason = "tests spawn whole transactions")]

mod after;
mod blocks;
mod commit_on;
mod endings;
mod hooks;
mod propagation;
mod retry;
mod script;

use std::sync::Arc;
use std::time::Duration;

use unanimous_protocol::Alias;
use unanimous_protocol::ids::Target;

use self::script::{Asked, Script};
use super::calls::Ending;
use super::*;
use crate::clock::ManualClock;
use crate::context::CallKind;
use crate::{CallFailure, Error, Runtime, RuntimeBuilder};

/// A runtime over a scripted coordinator.
struct World {
    runtime: Runtime,
    script: Arc<Script>,
    clock: ManualClock,
}

impl World {
    async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    async fn with(set: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder) -> Self {
        let script = Script::new();
        let clock = ManualClock::new();
        let runtime = set(Runtime::builder())
            .coordinator_value(Arc::clone(&script) as _)
            .clock(Arc::new(clock.clone()))
            .application("test")
            .build()
            .await
            .unwrap();
        Self {
            runtime,
            script,
            clock,
        }
    }

    fn transaction(&self) -> GlobalTransaction {
        GlobalTransaction::named("tests::purchase").runtime(&self.runtime)
    }

    fn asked(&self) -> Vec<Asked> {
        self.script.asked()
    }

    /// Lets other tasks run until the coordinator was asked so often.
    async fn until_asked(&self, times: usize) -> Vec<Asked> {
        until(|| self.asked().len() >= times).await;
        self.asked()
    }
}

async fn until(mut seen: impl FnMut() -> bool) {
    for _ in 0..10_000 {
        if seen() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never happened");
}

/// What an action does to the records: registers as this branch and succeeds.
fn act(target: &str, alias: u32) -> Result<(), Error> {
    let scope = Scope::current().ok_or(Error::NoRuntime)?;
    let call = scope.open_call(&Target::new(target), CallKind::Call)?;
    call.joined();
    let answer = call.end_named(Alias(alias));
    call.answered(answer);
    Ok(())
}

/// An action that fails so after it registered.
fn fail(target: &str, cause: CallFailure) -> Result<(), Error> {
    let scope = Scope::current().ok_or(Error::NoRuntime)?;
    let call = scope.open_call(&Target::new(target), CallKind::Call)?;
    call.joined();
    call.failed(cause, Some("out of stock".into()));
    Err(Error::NotInTransaction {
        what: "failed".into(),
    })
}

/// Moves the clock on once somebody sleeps on it.
async fn pass(world: &World, by: Duration) {
    until(|| world.clock.sleepers() > 0).await;
    world.clock.advance(by);
}
