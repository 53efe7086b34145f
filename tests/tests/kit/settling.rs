//! Functions with `settle = ..` under the harness, whose clock stands still.

use std::sync::Arc;
use std::time::Duration;

use unanimous::testing::{Fault, Harness, Phase, Point};
use unanimous::{PhaseTwoError, global_transactional, participant};

use crate::participants::{Accounts, Failure, with_accounts};

/// Passes on the harness's clock alone.
const WITHIN: Duration = Duration::from_secs(10);

#[global_transactional(settle = "10s")]
async fn pay(accounts: &Accounts) -> Result<i64, Failure> {
    accounts.debit(30).await
}

#[tokio::test]
async fn a_function_that_settles_returns_once_its_branches_have_ended() {
    let (harness, accounts) = with_accounts().await;
    harness.open();
    harness.scope(pay(&accounts)).await.expect("it commits");
    assert_eq!(accounts.sums().await, (70, 0, 30));
    assert!(harness.runtime().quiet(WITHIN).await);
}

#[tokio::test]
async fn a_function_that_settles_returns_while_phase_two_is_held_back() {
    let (harness, accounts) = with_accounts().await;
    harness.scope(pay(&accounts)).await.expect("it commits");
    assert_eq!(accounts.sums().await, (70, 30, 0));
    let decided = harness.decided();
    assert!(decided[0].is_commit());
    let runtime = harness.runtime();
    assert!(!runtime.settled(&decided[0].xid, WITHIN).await);
    assert!(!runtime.quiet(WITHIN).await);

    assert_eq!(harness.deliver().await.len(), 1);
    assert!(runtime.settled(&decided[0].xid, WITHIN).await);
    assert!(runtime.quiet(WITHIN).await);
    assert_eq!(accounts.sums().await, (70, 0, 30));
}

#[tokio::test]
async fn a_function_that_settles_does_not_wait_for_back_off() {
    let (harness, accounts) = with_accounts().await;
    harness.open();
    let faults = harness.faults();
    faults.plan(Phase::Commit, Point::BeforeBusiness, Fault::Fail);
    harness.scope(pay(&accounts)).await.expect("it commits");
    assert_eq!(accounts.sums().await, (70, 30, 0));
    let xid = harness.decided()[0].xid.clone();
    assert!(!harness.runtime().settled(&xid, WITHIN).await);

    harness.clock().advance(Duration::from_secs(1));
    assert!(harness.runtime().settled(&xid, WITHIN).await);
    assert_eq!(accounts.sums().await, (70, 0, 30));
}

struct Quitter;

#[participant(name = "quitter")]
impl Quitter {
    #[two_phase_action(commit = end, rollback = end)]
    async fn start(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn end(&self) -> Result<(), PhaseTwoError> {
        Err(PhaseTwoError::give_up("no more"))
    }
}

#[global_transactional(settle = "10s")]
async fn quit(quitter: &Quitter) -> Result<(), Failure> {
    quitter.start().await
}

#[tokio::test]
async fn a_function_that_settles_does_not_wait_for_an_operator() {
    let quitter = Arc::new(Quitter);
    let harness = Harness::of(Arc::clone(&quitter)).await.expect("a harness");
    harness.open();
    harness.scope(quit(&quitter)).await.expect("it commits");
    let runtime = harness.runtime();
    assert!(runtime.quiet(WITHIN).await, "what is parked is quiet");
    let xid = harness.decided()[0].xid.clone();
    assert!(!runtime.settled(&xid, WITHIN).await);
}
