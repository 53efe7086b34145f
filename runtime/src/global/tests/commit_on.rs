//! Errors that commit all the same: what is asked, and what the caller hears (calls-and-wire 2).

use unanimous_protocol::message::DecisionAnswer;
use unanimous_protocol::{Outcome, RollbackReason};

use super::script::Says;
use super::*;

/// A body's own error, with something for a guard to look at.
#[derive(Debug)]
enum Failure {
    Waiting(u32),
    Transaction(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Transaction(error)
    }
}

/// `commit_on(Failure::Waiting(position) if *position < 10)`.
fn waits(result: &Result<(), Failure>) -> bool {
    matches!(result, Err(Failure::Waiting(position)) if *position < 10)
}

async fn run(
    world: &World,
    body: impl Future<Output = Result<(), Failure>>,
) -> Completed<(), Failure> {
    let run = world.transaction().run_or_commit_on(waits, body);
    run.await.unwrap()
}

#[expect(
    clippy::unused_async,
    reason = "it runs when it is polled, inside the transaction"
)]
async fn wait_at(position: u32) -> Result<(), Failure> {
    act("queue.join", 1)?;
    Err(Failure::Waiting(position))
}

#[tokio::test]
async fn an_error_that_it_matches_commits_and_is_returned_unchanged() {
    let world = World::new().await;
    let ran = run(&world, wait_at(9)).await;
    assert_eq!(ran.outcome, Some(Outcome::Committed));
    assert!(matches!(ran.into_result(), Err(Failure::Waiting(9))));
    let asked = world.asked();
    assert!(
        matches!(&asked[1..], [Asked::Commit(_, names, _)] if names == &[1]),
        "{asked:?}"
    );
}

#[tokio::test]
async fn an_error_that_its_guard_turns_down_rolls_back() {
    let world = World::new().await;
    let ran = run(&world, wait_at(10)).await;
    assert!(matches!(ran.outcome, Some(Outcome::RolledBack { .. })));
    assert!(matches!(ran.into_result(), Err(Failure::Waiting(10))));
    assert!(matches!(world.asked()[1..], [Asked::Rollback(_)]));
}

#[tokio::test]
async fn tm2_it_lifts_no_failed_call() {
    let world = World::new().await;
    let body = async {
        let _ = fail("stock.hold", CallFailure::Failed);
        wait_at(1).await.or(Err(Failure::Waiting(1)))
    };
    let ran = run(&world, body).await;
    let failure = ran.into_result().unwrap_err();
    assert!(
        matches!(failure, Failure::Transaction(Error::RollbackOnly { .. })),
        "{failure:?}"
    );
    assert!(matches!(world.asked()[1..], [Asked::Rollback(_)]));
}

/// What the body returned is not lost, but the caller hears what became of the transaction.
#[tokio::test]
async fn where_it_is_not_committed_the_caller_hears_that_instead() {
    let differ = DecisionAnswer::RolledBack(RollbackReason::BranchesDiffer);
    for (answer, expected) in [(differ, "RolledBack"), (DecisionAnswer::Foreign, "Unknown")] {
        let world = World::new().await;
        world.script.then(Says::This(answer));
        let ran = run(&world, wait_at(1)).await;
        assert!(matches!(ran.body, Err(Failure::Waiting(1))));
        let Err(Failure::Transaction(error)) = ran.into_result() else {
            panic!("the body's error was returned although nothing was committed")
        };
        assert!(format!("{error:?}").starts_with(expected), "{error:?}");
    }
}

/// A joined scope is judged by its own `commit_on`, and only by that.
#[tokio::test]
async fn tm1_a_joined_scope_that_ends_by_its_own_commit_on_is_no_failed_call() {
    for (position, commits) in [(1, true), (10, false)] {
        let world = World::new().await;
        let body = async {
            let swallowed = run(&world, wait_at(position)).await;
            assert!(swallowed.body.is_err());
            Ok::<_, Error>(())
        };
        let ran = world.transaction().run(body).await.unwrap();
        assert_eq!(ran.outcome == Some(Outcome::Committed), commits);
    }
}

/// It wants to be committed, so its tasks are awaited as after `Ok`.
#[tokio::test]
async fn tm1_a_joined_scope_that_ends_by_its_own_commit_on_awaits_its_tasks() {
    let world = World::new().await;
    let body = async {
        let inner = async {
            drop(spawn(async {
                for _ in 0..5 {
                    tokio::task::yield_now().await;
                }
                act("stock.hold", 4)
            }));
            wait_at(1).await
        };
        assert!(run(&world, inner).await.body.is_err());
        Ok::<_, Error>(())
    };
    let ran = world.transaction().run(body).await.unwrap();
    assert_eq!(ran.outcome, Some(Outcome::Committed), "{:?}", ran.failure());
}
