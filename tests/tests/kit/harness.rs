//! The harness: one runtime per test, phase two when it is told.

use std::sync::Arc;

use unanimous::protocol::message::{BranchResult, ParkReason};
use unanimous::testing::{Fault, Harness, Phase, Point};
use unanimous::{
    Decision, Error, Event, Outcome, PhaseTwoError, global_transactional, participant,
};

use crate::participants::{Accounts, Failure, Flaw, Purse, with_accounts};

#[tokio::test]
async fn phase_two_happens_when_it_is_told() {
    let (harness, accounts) = with_accounts().await;
    let tried = harness.try_phase(accounts.debit(30)).await;
    assert_eq!(*tried.value(), 70);
    assert_eq!(tried.branches().len(), 1);
    assert_eq!(accounts.sums().await, (70, 30, 0));
    tried.commit().await.assert_committed().assert_deliveries(1);
    assert_eq!(accounts.sums().await, (70, 0, 30));

    let tried = harness.try_phase(accounts.debit(30)).await;
    tried
        .rollback_twice()
        .await
        .assert_rolled_back()
        .assert_deliveries(2);
    assert_eq!(accounts.sums().await, (70, 0, 30));

    let tried = harness.try_phase(accounts.debit(30)).await;
    tried
        .commit_twice()
        .await
        .assert_committed()
        .assert_deliveries(2);
    assert_eq!(accounts.sums().await, (40, 0, 60));
}

#[global_transactional]
async fn pay(accounts: &Accounts, amount: i64) -> Result<i64, Failure> {
    accounts.debit(amount).await
}

#[tokio::test]
async fn an_annotated_function_decides_and_its_phase_two_waits() {
    let (harness, accounts) = with_accounts().await;
    harness.scope(pay(&accounts, 30)).await.expect("it commits");
    assert_eq!(accounts.sums().await, (70, 30, 0));
    assert!(harness.scope(pay(&accounts, 300)).await.is_err());

    let decided = harness.decided();
    assert_eq!(decided.len(), 2);
    assert!(decided[0].is_commit() && !decided[1].is_commit());
    assert!(decided[0].name.ends_with("pay"), "{decided:?}");

    // Delivered at once from now on, also what waits.
    harness.open();
    let settled = harness
        .runtime()
        .settled(&decided[0].xid, std::time::Duration::ZERO);
    let _ = settled.await;
    harness.scope(pay(&accounts, 1)).await.expect("it commits");
    while accounts.sums().await != (69, 0, 31) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_waits_is_delivered_together() {
    let (harness, accounts) = with_accounts().await;
    harness.scope(pay(&accounts, 30)).await.expect("it commits");
    harness.scope(pay(&accounts, 20)).await.expect("it commits");
    let delivered = harness.deliver().await;
    assert_eq!(delivered.len(), 2);
    assert!(harness.deliver().await.is_empty());
    assert!(delivered.iter().all(|one| one.decision == Decision::Commit));
    assert!(
        delivered
            .iter()
            .all(|one| one.result == BranchResult::Ended)
    );
    assert_eq!(accounts.sums().await, (50, 0, 50));
}

#[tokio::test]
async fn a_failed_call_makes_commit_a_rollback() {
    let (harness, accounts) = with_accounts().await;
    let swallowed = async {
        accounts.debit(30).await?;
        let _ = accounts.debit(300).await;
        Ok::<_, Failure>(())
    };
    let settled = harness.try_phase(swallowed).await.commit().await;
    settled.assert_rolled_back();
    assert!(matches!(settled.refused, Some(Error::RollbackOnly { .. })));
    assert_eq!(accounts.sums().await, (100, 0, 0));
}

#[tokio::test]
async fn a_phase_fails_at_a_named_point_and_is_repeated() {
    let (harness, accounts) = with_accounts().await;
    let tried = harness.try_phase(accounts.debit(30)).await;
    let plan = harness.faults();
    plan.plan(Phase::Commit, Point::AfterLocalCommit, Fault::Fail);
    let settled = tried.commit_twice().await;
    let results: Vec<_> = settled
        .deliveries
        .iter()
        .map(|delivered| delivered.result.clone())
        .collect();
    assert!(
        matches!(
            &results[..],
            [BranchResult::Retry { .. }, BranchResult::Ended]
        ),
        "{results:?}"
    );
    assert!(plan.pending().is_empty());
    assert_eq!(accounts.sums().await, (70, 0, 30));
}

#[tokio::test]
async fn a_late_try_finds_its_cancel_there() {
    let (harness, accounts) = with_accounts().await;
    let plan = harness.faults();
    plan.plan(Phase::Try, Point::AfterRegister, Fault::Stop);
    let xid = harness.begin().await;
    let late = harness.run_in(&xid, accounts.debit(30));
    let cancelled = async {
        plan.stopped(1).await;
        let outcome = harness.runtime().resolve(&xid).await;
        assert!(matches!(outcome, Outcome::RolledBack { .. }));
        assert_eq!(harness.deliver().await.len(), 1);
        plan.go_on();
    };
    let (late, ()) = futures_util::future::join(late, cancelled).await;
    let late = late.expect_err("it is refused");
    let late = Error::find_in(&*late).expect("by the fence");
    assert!(matches!(late, Error::RefusedCancelled { .. }), "{late}");
    assert_eq!(accounts.sums().await, (100, 0, 0));
}

#[tokio::test]
async fn the_same_request_delivered_twice_joins_once() {
    let (harness, accounts) = with_accounts().await;
    let xid = harness.begin().await;
    for _ in 0..2 {
        let left = harness.run_in(&xid, accounts.debit(30)).await;
        assert_eq!(left.expect("it is answered"), 70);
    }
    assert_eq!(harness.branches(&xid).len(), 1);
    assert_eq!(accounts.sums().await, (70, 30, 0));
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

#[tokio::test]
async fn what_is_parked_is_seen_and_heard() {
    let quitter = Arc::new(Quitter);
    let harness = Harness::of(Arc::clone(&quitter)).await.expect("a harness");
    let settled = harness.try_phase(quitter.start()).await.commit().await;
    let [delivered] = &settled.deliveries[..] else {
        panic!("{settled:?}")
    };
    let gave_up = BranchResult::Park(ParkReason::GaveUp("no more".into()));
    assert_eq!(delivered.result, gave_up);
    assert!(matches!(&harness.events()[..], [Event::Parked { .. }]));
}

#[tokio::test]
async fn harnesses_in_one_process_do_not_meet() {
    let one = async {
        let purse = Arc::new(Purse::with(Flaw::None));
        let harness = Harness::of(Arc::clone(&purse)).await.expect("a harness");
        let settled = harness.try_phase(purse.take(30)).await.commit().await;
        settled.assert_committed().assert_deliveries(1);
        purse.gold()
    };
    let other = async {
        let purse = Arc::new(Purse::with(Flaw::None));
        let harness = Harness::of(Arc::clone(&purse)).await.expect("a harness");
        let settled = harness.try_phase(purse.take(20)).await.rollback().await;
        settled.assert_rolled_back().assert_deliveries(1);
        purse.gold()
    };
    let sums = futures_util::future::join(one, other).await;
    assert_eq!(sums, ((70, 1), (100, 0)));
}
