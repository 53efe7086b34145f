//! Service code with mocked participants.

use unanimous_protocol::{Outcome, Xid};

use super::Harness;

/// What was decided about a transaction.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Decided {
    /// The transaction.
    pub xid: Xid,
    /// Its name: of the function that began it, unless the annotation names it.
    pub name: String,
    /// The decision.
    pub outcome: Outcome,
}

impl Decided {
    /// Whether it committed.
    #[must_use]
    pub fn is_commit(&self) -> bool {
        matches!(self.outcome, Outcome::Committed)
    }
}

/// Runs service code whose participants are mocks: plain implementations of the traits that it
/// calls, with no database and nothing provided. Gives what it returned and what was decided.
///
/// Functions with `#[global_transactional]` begin, join and decide as usual; a real action refuses
/// with [`Error::NotProvided`](crate::Error::NotProvided). The clock stands still, so nothing
/// times out. Nothing is process-wide, so tests run in parallel. Dropping the future drops the
/// service code and everything it began.
///
/// # Panics
///
/// Outside a tokio runtime.
pub async fn without_coordinator<F: Future>(service: F) -> (F::Output, Vec<Decided>) {
    let harness = match Harness::start(|builder| builder).await {
        Ok(harness) => harness,
        Err(error) => panic!("{error}"),
    };
    // Nothing joins, so nothing is delivered: a function may wait for its branches.
    harness.open();
    let output = harness.scope(service).await;
    // What was dropped, or panicked, inside is decided without its caller.
    harness.runtime().decisions_made().await;
    let decided = harness.decided();
    (output, decided)
}
