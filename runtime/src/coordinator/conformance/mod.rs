//! The public conformance suite: what every [`Coordinator`] must do, its [`Capabilities`] granted.
//!
//! ```
//! use unanimous::coordinator::conformance;
//! # use unanimous::Runtime;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let runtime = Runtime::builder().coordinator("memory:").build().await?;
//! # let mine = runtime.coordinator_value();
//!
//! let report = conformance::check(mine).await; // an `Arc<dyn Coordinator>` of your own
//! assert!(report.failures.is_empty(), "{report}");
//! # Ok(())
//! # }
//! ```
//!
//! Each check uses transactions and resources of its own, so a coordinator that serves others may
//! be checked too. Nothing is timed: a coordinator that never answers fails its check after
//! [`PATIENCE`].

mod checks;
mod handler;

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::{Capabilities, Coordinator};
use crate::clock::{Clock, SystemClock};

/// How long a check waits for what must happen.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What came of the checks.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Checks that held.
    pub passed: Vec<&'static str>,
    /// Checks that ask for what the coordinator says it cannot do.
    pub skipped: Vec<&'static str>,
    /// Checks that did not hold, each with what was seen.
    pub failures: Vec<(&'static str, String)>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (passed, skipped) = (self.passed.len(), self.skipped.len());
        writeln!(
            f,
            "{passed} passed, {skipped} skipped, {} failed",
            self.failures.len()
        )?;
        self.failures
            .iter()
            .try_for_each(|(check, seen)| writeln!(f, "  {check}: {seen}"))
    }
}

/// Runs every check that the coordinator's capabilities call for, one after the other.
pub async fn check(coordinator: Arc<dyn Coordinator>) -> Report {
    let capabilities = coordinator.capabilities();
    let mut report = Report::default();
    for check in checks::ALL {
        if !(check.needs)(&capabilities) {
            report.skipped.push(check.name);
            continue;
        }
        let run = AssertUnwindSafe((check.run)(Arc::clone(&coordinator))).catch_unwind();
        let clock: &dyn Clock = &SystemClock::new();
        let seen = tokio::select! {
            ended = run => ended.map_err(|panic| text(&*panic)),
            () = clock.sleep(PATIENCE) => Err(format!("nothing happened for {PATIENCE:?}")),
        };
        match seen {
            Ok(()) => report.passed.push(check.name),
            Err(seen) => report.failures.push((check.name, seen)),
        }
    }
    report
}

/// One property.
struct Check {
    name: &'static str,
    needs: fn(&Capabilities) -> bool,
    run: fn(Arc<dyn Coordinator>) -> futures_util::future::BoxFuture<'static, ()>,
}

fn text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let literal = || panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(literal)
        .unwrap_or_else(|| "it panicked".to_owned())
}
