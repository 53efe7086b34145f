//! `tolerate`, `retry_call`, `keyed`, `outside` and spawned tasks.

use std::cell::{Cell, RefCell};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use unanimous_protocol::header::AnswerHeader;

use super::*;

/// The commit that was asked: its names and its abandoned calls.
fn committed(world: &World) -> (Vec<u32>, Vec<String>) {
    let asked = world.asked();
    let Some(Asked::Commit(_, names, abandoned)) = asked.last() else {
        panic!("{asked:?}")
    };
    (names.clone(), abandoned.clone())
}

async fn run<F: Future<Output = Result<(), Error>>>(world: &World, body: F) -> Result<(), Error> {
    world.transaction().run(body).await.unwrap().into_result()
}

#[tokio::test]
async fn tm1_a_tolerated_error_abandons_its_block_and_commits_the_rest() {
    let world = World::new().await;
    let body = async {
        act("stock.hold", 1)?;
        let block = async {
            act("points.earn", 2)?;
            fail("mail.queue", CallFailure::Failed)
        };
        assert!(block.tolerate().await.is_err());
        act("money.hold", 3)
    };
    run(&world, body).await.unwrap();
    assert_eq!(
        committed(&world),
        (vec![1, 3], vec!["~tolerate:1".to_owned()])
    );
}

#[tokio::test]
async fn tm1_a_tolerated_ok_over_a_failed_call_fails() {
    let world = World::new().await;
    let body = async {
        tolerate(async {
            let _ = fail("mail.queue", CallFailure::Failed);
            Ok::<_, Error>(())
        })
        .await
    };
    let failure = run(&world, body).await.unwrap_err();
    let Error::RollbackOnly { call, .. } = &failure else {
        panic!("{failure}")
    };
    assert_eq!(call.as_str(), "~tolerate:1/mail.queue:1");
}

#[tokio::test]
async fn tm1_a_dropped_tolerate_block_is_abandoned() {
    let world = World::new().await;
    let body = async {
        let block = tolerate(async {
            act("points.earn", 2)?;
            std::future::pending::<Result<(), Error>>().await
        });
        assert!(block.now_or_never().is_none());
        act("stock.hold", 1)
    };
    run(&world, body).await.unwrap();
    assert_eq!(committed(&world), (vec![1], vec!["~tolerate:1".to_owned()]));
}

#[tokio::test]
async fn tolerate_if_lets_other_errors_fail_the_call() {
    let world = World::new().await;
    let body = async {
        let block = async { fail("mail.queue", CallFailure::Failed) };
        let _ = block.tolerate_if(|_| false).await;
        Ok(())
    };
    assert!(matches!(
        run(&world, body).await,
        Err(Error::RollbackOnly { .. })
    ));
}

#[tokio::test]
async fn n3_a_repeated_call_keeps_its_id() {
    let world = World::new().await;
    let ids = RefCell::new(Vec::new());
    let attempt = || async {
        let scope = Scope::current().unwrap();
        let call = scope.open_call(&Target::new("stock.hold"), CallKind::Call)?;
        ids.borrow_mut().push(call.id().to_string());
        call.joined();
        if ids.borrow().len() < 3 {
            call.failed(CallFailure::LostAnswer, None);
            return Err(Error::NoRuntime);
        }
        let answer = call.end_named(Alias(9));
        call.answered(answer);
        Ok(())
    };
    let policy = RetryPolicy::attempts(5).wait(Duration::ZERO, Duration::ZERO);
    run(&world, async { retry_call(policy, attempt).await })
        .await
        .unwrap();
    assert_eq!(*ids.borrow(), ["~retry:1/stock.hold:1"; 3]);
    assert_eq!(committed(&world), (vec![9], vec![]));
}

#[tokio::test]
async fn only_what_may_help_is_repeated() {
    let table = [
        // cause, widened by `when`, attempts
        (CallFailure::LostAnswer, false, 3),
        (CallFailure::Failed, false, 1),
        (CallFailure::Failed, true, 3),
        (CallFailure::Refused, true, 1),
        (CallFailure::Dropped, false, 1),
    ];
    for (cause, widened, expected) in table {
        let world = World::new().await;
        let attempts = Cell::new(0);
        let attempt = || async {
            attempts.set(attempts.get() + 1);
            fail("stock.hold", cause)
        };
        let policy = RetryPolicy::attempts(3).wait(Duration::ZERO, Duration::ZERO);
        let policy = policy.when(move |_| widened);
        let _ = run(&world, async { retry_call(policy, attempt).await })
            .await
            .unwrap_err();
        assert_eq!(attempts.get(), expected, "{cause:?}, widened: {widened}");
    }
}

#[tokio::test]
async fn a_retry_outside_a_transaction_is_refused() {
    let attempts = Cell::new(0);
    let attempt = || async {
        attempts.set(attempts.get() + 1);
        Ok::<_, Error>(())
    };
    let refused = retry_call(RetryPolicy::attempts(3), attempt)
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::NotInTransaction { .. }));
    assert_eq!(attempts.get(), 0);
}

#[tokio::test]
async fn n3_a_key_names_a_call_whatever_its_order() {
    let world = World::new().await;
    let ids = RefCell::new(Vec::new());
    let line = |key: &'static str| {
        let ids = &ids;
        keyed(key, async move {
            let scope = Scope::current().unwrap();
            let call = scope.open_call(&Target::new("stock.hold"), CallKind::Call)?;
            ids.borrow_mut().push(call.id().to_string());
            call.close(Ending::Ok);
            Ok::<_, Error>(())
        })
    };
    let body = async {
        line("line-2").await?;
        line("line-1").await
    };
    run(&world, body).await.unwrap();
    assert_eq!(
        *ids.borrow(),
        ["line-2:1/stock.hold:1", "line-1:1/stock.hold:1"]
    );
}

#[tokio::test]
async fn outside_there_is_no_transaction() {
    let world = World::new().await;
    let body = async {
        assert!(outside(async { xid() }).await.is_none());
        assert!(xid().is_some());
        Ok(())
    };
    run(&world, body).await.unwrap();
}

#[tokio::test]
async fn tm1_a_spawned_task_is_awaited_before_the_decision() {
    let world = World::new().await;
    let body = async {
        drop(spawn(async {
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
            act("stock.hold", 4)
        }));
        Ok(())
    };
    run(&world, body).await.unwrap();
    assert_eq!(committed(&world).0, [4]);
}

#[tokio::test]
async fn tm1_a_spawned_task_that_never_ends_makes_the_transaction_roll_back_at_its_deadline() {
    let world = World::new().await;
    let body = async {
        drop(spawn(std::future::pending::<()>()));
        Ok(())
    };
    let ended = tokio::join!(run(&world, body), pass(&world, Duration::from_secs(60))).0;
    let failure = ended.unwrap_err();
    let still = matches!(
        failure,
        Error::RollbackOnly {
            cause: CallFailure::StillRunning,
            ..
        }
    );
    assert!(still, "{failure}");
}

#[tokio::test]
async fn tm1_a_spawned_task_that_panics_or_is_aborted_fails() {
    for abort in [true, false] {
        let world = World::new().await;
        let body = async {
            let task = spawn(async move {
                if !abort {
                    panic!("told to");
                }
                std::future::pending::<()>().await;
            });
            if abort {
                task.abort();
            }
            assert!(task.await.is_err());
            Ok(())
        };
        let failure = run(&world, body).await.unwrap_err();
        assert!(matches!(failure, Error::RollbackOnly { .. }), "{failure}");
    }
}

/// Runs `body` as deep below the root as a call id may be.
fn as_deep_as_may_be(
    levels: usize,
    body: BoxFuture<'_, Result<(), Error>>,
) -> BoxFuture<'_, Result<(), Error>> {
    if levels == 0 {
        return body;
    }
    Box::pin(async move { keyed("k", as_deep_as_may_be(levels - 1, body)).await })
}

/// Its absence counts as a failure, also where its error is swallowed (TM1).
#[tokio::test]
async fn tm1_a_call_that_cannot_be_named_has_failed() {
    let world = World::new().await;
    let body = Box::pin(async {
        let unnamed = act("stock.hold", 1).unwrap_err();
        assert!(matches!(unnamed, Error::CallId(_)), "{unnamed}");
        Ok(())
    });
    let failure = run(&world, as_deep_as_may_be(16, body)).await.unwrap_err();
    assert!(matches!(failure, Error::RollbackOnly { .. }), "{failure}");
}

/// Without the transaction it would do by itself what the transaction then commits without.
#[tokio::test]
async fn tm1_a_task_that_cannot_be_named_stays_in_its_transaction_which_rolls_back() {
    let world = World::new().await;
    let body = Box::pin(async {
        let task = spawn(async { (xid(), act("stock.hold", 1)) });
        let (within, acted) = task.await.unwrap();
        assert_eq!(within, xid());
        assert!(
            matches!(acted, Err(Error::RollbackOnly { .. })),
            "{acted:?}"
        );
        Ok(())
    });
    let failure = run(&world, as_deep_as_may_be(16, body)).await.unwrap_err();
    assert!(matches!(failure, Error::RollbackOnly { .. }), "{failure}");
}

/// Otherwise the task of one attempt would answer for that of the next, which has its call id.
#[tokio::test]
async fn tm1_the_tasks_of_one_attempt_have_ended_before_the_next_begins() {
    let world = World::new().await;
    let (seen, release) = (
        RefCell::new(Vec::new()),
        Arc::new(tokio::sync::Notify::new()),
    );
    let ended = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let attempt = || async {
        let over = ended.load(std::sync::atomic::Ordering::SeqCst);
        seen.borrow_mut().push(over);
        if seen.borrow().len() == 2 {
            return act("stock.hold", 1);
        }
        let (release, ended) = (Arc::clone(&release), Arc::clone(&ended));
        drop(spawn(async move {
            release.notified().await;
            ended.store(true, std::sync::atomic::Ordering::SeqCst);
        }));
        Err(Error::NoRuntime)
    };
    let policy = RetryPolicy::attempts(2).wait(Duration::ZERO, Duration::ZERO);
    let body = async { retry_call(policy.when(|_| true), attempt).await };
    let releases = async {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        release.notify_one();
    };
    let (ended, ()) = tokio::join!(run(&world, body), releases);
    ended.unwrap();
    assert_eq!(*seen.borrow(), [false, true]);
}

/// Its caller could otherwise swallow the error of a scope in which something joined.
#[tokio::test]
async fn tm1_what_an_answer_names_has_joined_in_every_scope_around_it() {
    let world = World::new().await;
    let body = async {
        let inner = async {
            let block = async {
                let scope = Scope::current().unwrap();
                let call = scope.open_call(&Target::new("mail.queue"), CallKind::Call)?;
                call.answered_elsewhere(AnswerHeader::nothing().with_name(Alias(2)));
                Err::<(), _>(Error::NoRuntime)
            };
            block.tolerate().await
        };
        let swallowed = world.transaction().run(inner).await?;
        assert!(swallowed.body.is_err());
        Ok(())
    };
    let failure = run(&world, body).await.unwrap_err();
    assert!(matches!(failure, Error::RollbackOnly { .. }), "{failure}");
}
