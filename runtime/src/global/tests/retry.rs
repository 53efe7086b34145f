//! `retry_transaction`: what is repeated, and that nothing is repeated beside what may stand.

use std::cell::Cell;

use futures_util::FutureExt as _;
use unanimous_protocol::RollbackReason;
use unanimous_protocol::message::{BeginRefused, DecisionAnswer};

use super::script::Says;
use super::*;

const DIFFER: Says = Says::This(DecisionAnswer::RolledBack(RollbackReason::BranchesDiffer));

fn policy() -> RetryPolicy<Error> {
    RetryPolicy::attempts(3).wait(Duration::ZERO, Duration::ZERO)
}

/// Runs attempts that each begin one transaction with this body; how many there were.
async fn repeated<F: Future<Output = Result<u32, Error>>>(
    world: &World,
    policy: RetryPolicy<Error>,
    body: impl Fn(u32) -> F,
) -> (Result<u32, Error>, u32) {
    let attempts = Cell::new(0);
    let result = retry_transaction(policy, || {
        attempts.set(attempts.get() + 1);
        let body = body(attempts.get());
        let transaction = world.transaction().timeout(Duration::from_secs(1));
        async move { transaction.run(body).await?.into_result() }
    });
    (result.await, attempts.get())
}

#[tokio::test]
async fn what_the_coordinator_rolled_back_is_repeated_as_another_transaction() {
    let world = World::new().await;
    world.script.then(DIFFER);
    let (result, attempts) = repeated(&world, policy(), |nth| async move { Ok(nth) }).await;
    assert_eq!((result.unwrap(), attempts), (2, 2));
    let begun = |asked: &&Asked| matches!(asked, Asked::Begin(_));
    assert_eq!(world.asked().iter().filter(begun).count(), 2);
}

#[tokio::test]
async fn the_last_attempts_error_is_returned_unchanged() {
    let world = World::new().await;
    for _ in 0..9 {
        world.script.then(DIFFER);
    }
    let (result, attempts) = repeated(&world, policy(), |nth| async move { Ok(nth) }).await;
    assert!(matches!(result, Err(Error::RolledBack { .. })));
    assert_eq!(attempts, 3);
}

#[tokio::test]
async fn what_ran_out_of_time_before_commit_was_asked_is_repeated_though_nobody_answered() {
    let world = World::new().await;
    world.script.then(Says::Unavailable);
    let attempts = repeated(&world, policy(), |nth| async move {
        if nth == 1 {
            std::future::pending::<()>().await;
        }
        Ok(nth)
    });
    let (ended, ()) = tokio::join!(attempts, pass(&world, Duration::from_secs(1)));
    assert_eq!((ended.0.unwrap(), ended.1), (2, 2));
}

#[tokio::test]
async fn errors_of_the_body_are_repeated_only_where_that_was_asked_for() {
    let lost = || fail("stock.hold", CallFailure::LostAnswer).map(|()| 0);
    let failed = || fail("stock.hold", CallFailure::Failed).map(|()| 0);
    for (error, widened, expected) in [
        (&failed as &dyn Fn() -> _, false, 1),
        (&failed, true, 3),
        (&lost, false, 3),
        (&|| Err(Error::NoRuntime), false, 1),
        (&|| Err(Error::NoRuntime), true, 3),
    ] {
        let world = World::new().await;
        let policy = policy().when(move |_| widened);
        let (result, attempts) = repeated(&world, policy, |_| async { error() }).await;
        assert!(result.is_err());
        assert_eq!(attempts, expected, "widened: {widened}");
    }
}

/// The commit's answer does not come. Rollback is asked, and whichever decision holds is told.
#[tokio::test]
async fn an_unknown_outcome_is_settled_first() {
    for committed in [true, false] {
        let world = World::new().await;
        world.script.then(Says::Nothing);
        world.script.then(if committed {
            Says::This(DecisionAnswer::Committed)
        } else {
            DIFFER
        });
        let attempts = repeated(&world, policy(), |nth| async move { Ok(nth) });
        let (ended, ()) = tokio::join!(attempts, pass(&world, Duration::from_secs(5)));
        let expected = if committed { 1 } else { 2 };
        assert_eq!((ended.0.unwrap(), ended.1), (expected, expected));
        let asked = world.asked();
        assert!(
            matches!(
                asked[..3],
                [Asked::Begin(_), Asked::Commit(..), Asked::Rollback(_)]
            ),
            "{asked:?}"
        );
    }
}

#[tokio::test]
async fn what_stays_unknown_is_never_repeated_whatever_the_policy_says() {
    let world = World::new().await;
    world.script.then(Says::Nothing);
    world.script.then(Says::Nothing);
    let attempts = repeated(
        &world,
        policy().when(|_| true),
        |nth| async move { Ok(nth) },
    );
    let passing = async {
        pass(&world, Duration::from_secs(5)).await;
        until(|| world.asked().len() >= 3).await;
        pass(&world, Duration::from_secs(5)).await;
    };
    let (ended, ()) = tokio::join!(attempts, passing);
    assert!(ended.0.unwrap_err().is_unknown());
    assert_eq!(ended.1, 1);
}

/// What the coordinator will never tell is no reason to ask, and no reason to repeat.
#[tokio::test]
async fn what_was_forgotten_is_never_repeated() {
    let world = World::new().await;
    world.script.then(Says::This(DecisionAnswer::Forgotten));
    let policy = policy().when(|_| true);
    let (result, attempts) = repeated(&world, policy, |nth| async move { Ok(nth) }).await;
    assert!(result.unwrap_err().is_unknown());
    assert_eq!(attempts, 1);
}

#[tokio::test]
async fn a_rollback_that_was_not_answered_is_not_repeated() {
    let world = World::new().await;
    world.script.then(Says::Unavailable);
    let policy = policy().when(|_| true);
    let (result, attempts) = repeated(&world, policy, |_| async { Err(Error::NoRuntime) }).await;
    assert!(matches!(result, Err(Error::NoRuntime)));
    assert_eq!(attempts, 1);
}

#[tokio::test]
async fn what_did_not_begin_is_not_repeated() {
    let world = World::new().await;
    world.script.refuse_begin(BeginRefused::Stopping);
    let policy = policy().when(|_| true);
    let (result, attempts) = repeated(&world, policy, |nth| async move { Ok(nth) }).await;
    assert!(matches!(result, Err(Error::BeginRefused(_))));
    assert_eq!(attempts, 1);
}

#[tokio::test]
async fn inside_a_transaction_it_is_refused_before_anything_runs() {
    let world = World::new().await;
    let body = async {
        let (refused, attempts) = repeated(&world, policy(), |nth| async move { Ok(nth) }).await;
        assert!(matches!(refused, Err(Error::InTransaction { .. })));
        assert_eq!(attempts, 0);
        // Suspended, it begins transactions of its own.
        let suspended = outside(repeated(&world, policy(), |nth| async move { Ok(nth) })).await;
        assert_eq!(suspended.0.unwrap(), 1);
        Ok::<_, Error>(())
    };
    let run = world.transaction().run(body).await.unwrap();
    run.into_result().unwrap();
}

/// Two transactions one after the other: the first would be done twice.
#[tokio::test]
async fn an_attempt_that_committed_anything_is_not_repeated() {
    let world = World::new().await;
    let attempts = Cell::new(0);
    let result = retry_transaction(policy(), || {
        attempts.set(attempts.get() + 1);
        let (first, second) = (world.transaction(), world.transaction());
        let script = Arc::clone(&world.script);
        async move {
            first.run(async { Ok::<_, Error>(()) }).await?;
            script.then(DIFFER);
            let second = second.run(async { Ok::<_, Error>(()) });
            second.await?.into_result()
        }
    });
    assert!(matches!(result.await, Err(Error::RolledBack { .. })));
    assert_eq!(attempts.get(), 1);
}

/// What an inner transaction of its own did stands, and begins again with its body; only where its
/// outcome is unknown nothing is repeated.
#[tokio::test]
async fn inner_transactions_count_only_where_they_are_unknown() {
    for (inner, expected) in [
        (DecisionAnswer::Committed, 2),
        (DecisionAnswer::Forgotten, 1),
    ] {
        let world = World::new().await;
        let (begins, script) = (world.transaction(), Arc::clone(&world.script));
        let (_, attempts) = repeated(&world, policy(), |nth| {
            let inner_one = begins.clone().propagation(Propagation::RequiresNew);
            let script = Arc::clone(&script);
            async move {
                if nth == 1 {
                    script.then(Says::This(inner));
                    let _ = inner_one.run(async { Ok::<_, Error>(()) }).await?;
                    script.then(DIFFER);
                }
                Ok(nth)
            }
        })
        .await;
        assert_eq!(attempts, expected, "{inner:?}");
    }
}

/// A transaction that was dropped on the way is rolled back some time: nobody has heard so yet.
#[tokio::test]
async fn an_attempt_that_dropped_a_transaction_is_not_repeated() {
    let world = World::new().await;
    let attempts = Cell::new(0);
    let result = retry_transaction(policy().when(|_| true), || {
        attempts.set(attempts.get() + 1);
        let (dropped, second) = (world.transaction(), world.transaction());
        async move {
            let dropped = dropped.run(std::future::pending::<Result<(), Error>>());
            assert!(dropped.now_or_never().is_none());
            let second = second.run(async { Err::<(), _>(Error::NoRuntime) });
            second.await?.into_result()
        }
    });
    assert!(result.await.is_err());
    assert_eq!(attempts.get(), 1);
}

/// Also through `Runtime::scope`, and with the waits of the policy on the runtime's clock.
#[tokio::test]
async fn the_waits_are_on_the_runtimes_clock() {
    let world = World::new().await;
    world.script.then(DIFFER);
    let second = Duration::from_secs(1);
    let policy = RetryPolicy::attempts(2).wait(second, second);
    let result = retry_transaction(policy, || {
        world.runtime.scope(async {
            let transaction = GlobalTransaction::named("purchase");
            let run = transaction.run(async { Ok::<_, Error>(7) });
            run.await?.into_result()
        })
    });
    let (result, ()) = tokio::join!(result, async {
        until(|| world.clock.sleepers() > 0).await;
        assert_eq!(world.asked().len(), 2, "it waits");
        world.clock.advance(second * 2);
    });
    assert_eq!(result.unwrap(), 7);
    assert_eq!(world.asked().len(), 4);
}

/// Also where a task of the transaction began it.
#[tokio::test]
async fn an_inner_transaction_of_a_spawned_task_counts_where_it_is_unknown() {
    let world = World::new().await;
    let (begins, script) = (world.transaction(), Arc::clone(&world.script));
    let (_, attempts) = repeated(&world, policy(), |nth| {
        let inner = begins.clone().propagation(Propagation::RequiresNew);
        let script = Arc::clone(&script);
        async move {
            script.then(Says::This(DecisionAnswer::Forgotten));
            let inner = inner.run(async { Ok::<_, Error>(()) });
            let ended = spawn(inner).await.unwrap()?;
            assert!(ended.failure().is_some_and(Error::is_unknown));
            script.then(DIFFER);
            Ok(nth)
        }
    })
    .await;
    assert_eq!(attempts, 1);
}

/// Also where the inner one is repeated by itself, beside the transaction.
#[tokio::test]
async fn an_inner_transaction_that_is_repeated_itself_counts_where_it_is_unknown() {
    for (answers, expected) in [
        ([DecisionAnswer::Forgotten, DecisionAnswer::Committed], 1),
        ([DecisionAnswer::Committed, DecisionAnswer::Committed], 3),
    ] {
        let world = World::new().await;
        let (world, script) = (&world, &world.script);
        let (_, attempts) = repeated(world, policy(), |nth| async move {
            for answer in answers {
                script.then(Says::This(answer));
                let inner = repeated(world, policy(), |nth| async move { Ok(nth) });
                let (inner, attempts) = outside(inner).await;
                let unknown = inner.as_ref().is_err_and(Error::is_unknown);
                assert_eq!(unknown, answer == DecisionAnswer::Forgotten);
                assert_eq!(attempts, 1);
            }
            script.then(DIFFER);
            Ok(nth)
        })
        .await;
        assert_eq!(attempts, expected, "{answers:?}");
    }
}
