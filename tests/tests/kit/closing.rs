//! The last moments of a local transaction: before its commit nothing of it stays, and whoever does
//! not hear that it was committed finds it.

use std::time::Duration;

use unanimous::protocol::message::BranchResult;
use unanimous::sqlx;
use unanimous::testing::{Fault, Harness, Phase, Point, Tried};
use unanimous::{Error, RetryPolicy, retry_call};

use crate::participants::{Accounts, Failure, with_accounts};

/// Rounds of delivery, a minute apart: more than a branch needs.
const ROUNDS: usize = 5;

/// The states of all fence rows: 1 is tried, 2 confirmed, 3 cancelled.
async fn rows(accounts: &Accounts) -> Vec<i64> {
    let sql = "SELECT state FROM unanimous_fence ORDER BY created_ms, xid, call_id";
    let rows = sqlx::query_scalar(sql).fetch_all(&accounts.db).await;
    rows.expect("the rows")
}

/// A try that meets this fault.
async fn tried<'a>(
    harness: &'a Harness,
    accounts: &Accounts,
    point: Point,
    fault: Fault,
) -> Tried<'a, (), Failure> {
    let plan = harness.faults();
    plan.plan(Phase::Try, point, fault);
    let stops = plan.stops();
    let body = async {
        // A stopped one is dropped by its caller, who goes on.
        tokio::select! {
            biased;
            failed = accounts.debit(30) => assert!(failed.is_err()),
            () = plan.stopped(stops + 1) => {}
        }
        Ok(())
    };
    let tried = harness.try_phase(body).await;
    assert!(plan.pending().is_empty(), "{point:?}");
    tried
}

#[tokio::test]
async fn a_try_that_ends_before_its_local_commit_leaves_nothing_of_it() {
    for point in [Point::BeforeRowCloses, Point::BeforeLocalCommit] {
        for fault in [Fault::Fail, Fault::Stop] {
            let (harness, accounts) = with_accounts().await;
            let tried = tried(&harness, &accounts, point, fault).await;
            assert_eq!(accounts.sums().await, (100, 0, 0), "{point:?} {fault:?}");
            assert_eq!(rows(&accounts).await, [0_i64; 0], "{point:?} {fault:?}");
            let settled = tried.commit().await;
            settled.assert_rolled_back().assert_deliveries(1);
            assert!(matches!(settled.refused, Some(Error::RollbackOnly { .. })));
            assert_eq!(accounts.sums().await, (100, 0, 0), "{point:?} {fault:?}");
        }
    }
}

/// The row is there and its caller does not know: the call has failed, and the rollback finds it.
#[tokio::test]
async fn a_try_whose_local_commit_was_not_answered_is_cancelled() {
    for fault in [Fault::Fail, Fault::Stop] {
        let (harness, accounts) = with_accounts().await;
        let tried = tried(&harness, &accounts, Point::AfterLocalCommit, fault).await;
        assert_eq!(accounts.sums().await, (70, 30, 0), "{fault:?}");
        assert_eq!(rows(&accounts).await, [1], "{fault:?}");
        let settled = tried.commit().await;
        settled.assert_rolled_back().assert_deliveries(1);
        assert_eq!(accounts.sums().await, (100, 0, 0), "{fault:?}");
        assert_eq!(rows(&accounts).await, [3], "{fault:?}");
    }
}

/// A repeat of the same call is answered from the row that nobody heard of.
#[tokio::test]
async fn a_try_whose_local_commit_was_not_answered_counts_once_when_it_is_repeated() {
    let (harness, accounts) = with_accounts().await;
    let plan = harness.faults();
    plan.plan(Phase::Try, Point::AfterLocalCommit, Fault::Fail);
    let body = async {
        let policy = RetryPolicy::attempts(2)
            .wait(Duration::ZERO, Duration::ZERO)
            .when(|_| true);
        retry_call(policy, || accounts.debit(30)).await
    };
    let tried = harness.try_phase(body).await;
    assert_eq!(*tried.value(), 70, "as it answered first");
    tried.commit().await.assert_committed().assert_deliveries(1);
    assert_eq!(accounts.sums().await, (70, 0, 30));
    assert!(plan.pending().is_empty());
}

#[tokio::test]
async fn a_phase_two_is_repeated_whole_before_its_local_commit_and_found_done_after_it() {
    for (phase, after) in [(Phase::Commit, (70, 0, 30)), (Phase::Rollback, (100, 0, 0))] {
        for (point, during, row) in [
            (Point::BeforeRowCloses, (70, 30, 0), 1),
            (Point::BeforeLocalCommit, (70, 30, 0), 1),
            (
                Point::AfterLocalCommit,
                after,
                if phase == Phase::Commit { 2 } else { 3 },
            ),
        ] {
            let (harness, accounts) = with_accounts().await;
            let tried = harness.try_phase(accounts.debit(30)).await;
            let plan = harness.faults();
            plan.plan(phase, point, Fault::Stop);
            plan.plan(phase, point, Fault::Fail);
            let settle = async {
                match phase {
                    Phase::Commit => tried.commit().await,
                    _ => tried.rollback().await,
                }
            };
            // It is dropped where it has stopped.
            tokio::select! {
                biased;
                settled = settle => panic!("it stops: {settled:?}"),
                () = plan.stopped(1) => {}
            }
            assert_eq!(accounts.sums().await, during, "{phase} {point}");
            assert_eq!(rows(&accounts).await, [row], "{phase} {point}");
            let mut results = Vec::new();
            for _ in 0..ROUNDS {
                if matches!(results.last(), Some(BranchResult::Ended)) {
                    break;
                }
                results.extend(harness.deliver().await.into_iter().map(|one| one.result));
                harness.clock().advance(Duration::from_secs(60));
            }
            let last = results.last();
            assert_eq!(
                last,
                Some(&BranchResult::Ended),
                "{phase} {point}: {results:?}"
            );
            // Ended before: what was found done comes to no such point again.
            let failed = results.len() - 1;
            assert_eq!(
                failed,
                usize::from(point != Point::AfterLocalCommit),
                "{results:?}"
            );
            assert_eq!(accounts.sums().await, after, "{phase} {point}");
        }
    }
}
