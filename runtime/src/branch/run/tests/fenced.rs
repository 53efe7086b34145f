//! A fenced phase one that joins.

use std::time::Duration;

use futures_util::FutureExt as _;
use unanimous_protocol::message::{Joined, TraceContext};

use super::*;
use crate::branch::fakes::{Captured, database_error, until};
use crate::branch::fence::{StoredAnswer, TryStep};
use crate::{RetryPolicy, retry_call, spawn, tolerate};

#[tokio::test]
async fn rm2_a_branch_joins_before_it_runs_and_its_row_is_closed_before_it_answers() {
    let process = Process::start().await;
    let body = async {
        process.log.say("body");
        let current = BranchContext::current().expect("phase one runs as its branch");
        assert_eq!(
            (current.action(), current.attempt(), current.decision()),
            ("debit", 1, None)
        );
        assert_eq!(current.key(), current.try_key());
        assert_eq!(current.call_id().as_str(), "bank.debit:1");
        Ok(5)
    };
    let result = process
        .transaction(debit(&process.bank, seven(), body))
        .await;
    assert_eq!(result.unwrap(), 5);
    let log = process.log.take();
    assert_eq!(
        log,
        [
            "register bank.debit:1",
            "begin try bank.debit:1",
            "body",
            "local commit of try",
            "commit"
        ]
    );
    assert_eq!(process.commits()[0].succeeded, names(&[1]));
    let registered = process.coordinator.script().registered.remove(0);
    assert_eq!(registered.resource.participant.as_str(), "bank");
    assert_eq!(
        (registered.kind, registered.arguments),
        (BranchKind::Fenced, None)
    );
    assert_eq!(registered.digest, seven().finish().digest().unwrap());
    let script = process.fence.script();
    let tried = &script.tried[0];
    assert_eq!(
        (&*tried.arguments, tried.digest),
        (r#"{"amount":7}"#, registered.digest)
    );
    let stored = StoredAnswer {
        answer: Some("5".into()),
        ..StoredAnswer::default()
    };
    assert_eq!(script.stored, [stored]);
}

#[tokio::test]
async fn rm3_the_row_stores_the_names_and_the_abandoned_calls_below() {
    let process = Process::start().await;
    let abandoned = async {
        tolerate(debit(&process.shop, seven(), async { Err(error()) }))
            .await
            .unwrap_err();
        debit(&process.shop, seven(), async { Ok(1) }).await
    };
    process
        .transaction(debit(&process.bank, seven(), abandoned))
        .await
        .unwrap();
    let commit = process.commits().remove(0);
    assert_eq!(commit.succeeded, names(&[1, 3]));
    let script = process.fence.script();
    let stored = &script.stored[0];
    assert_eq!((&stored.names, stored.marked), (&names(&[3]), false));
    assert_eq!(stored.abandoned, commit.abandoned);
    let abandoned: Vec<_> = stored.abandoned.iter().map(ToString::to_string).collect();
    assert_eq!(abandoned, ["bank.debit:1/~tolerate:1"]);
}

#[tokio::test]
async fn rm3_a_replay_answers_from_the_row_with_all_that_it_named() {
    let process = Process::start().await;
    let stored = |marked| StoredAnswer {
        answer: Some("5".into()),
        names: names(&[9]),
        marked,
        ..StoredAnswer::default()
    };
    process
        .fence
        .script()
        .tries
        .push_back(Ok(TryStep::AlreadyApplied(stored(false))));
    let body = async { unreachable!("it ran before") };
    let result = process
        .transaction(debit(&process.bank, seven(), body))
        .await;
    assert_eq!(result.unwrap(), 5);
    assert_eq!(process.commits()[0].succeeded, names(&[1, 9]));

    process
        .fence
        .script()
        .tries
        .push_back(Ok(TryStep::AlreadyApplied(stored(true))));
    let body = async { unreachable!("it ran before") };
    let result = process
        .transaction(debit(&process.bank, seven(), body))
        .await;
    assert!(
        matches!(result, Err(Error::RollbackOnly { .. })),
        "{result:?}"
    );

    let unreadable = StoredAnswer {
        answer: Some(r#""canary""#.into()),
        ..stored(false)
    };
    process
        .fence
        .script()
        .tries
        .push_back(Ok(TryStep::AlreadyApplied(unreadable)));
    let body = async { unreachable!("it ran before") };
    let result = process
        .transaction(debit(&process.bank, seven(), body))
        .await;
    let error = result.unwrap_err();
    assert!(matches!(error, Error::StoredAnswer { .. }), "{error:?}");
    assert!(
        !format!("{error} {error:?}").contains("canary"),
        "{error:?}"
    );
    assert!(process.commits().is_empty());
}

#[tokio::test]
async fn an_action_that_ends_in_an_error_rolls_back_locally_and_has_failed_though_swallowed() {
    let process = Process::start().await;
    let result = process
        .transaction(async {
            let swallowed = debit(&process.bank, seven(), async { Err(error()) }).await;
            // The body's own error is returned unchanged.
            assert!(matches!(swallowed, Err(Error::NoRuntime)), "{swallowed:?}");
            Ok(1)
        })
        .await;
    assert!(
        matches!(result, Err(Error::RollbackOnly { .. })),
        "{result:?}"
    );
    assert_eq!(process.log.take()[2..], ["local rollback", "rollback"]);
    assert!(process.fence.script().stored.is_empty());
}

#[tokio::test]
async fn a_row_that_cannot_be_closed_is_never_success() {
    let process = Process::start().await;
    for (failure, early) in [(FenceError::EndedEarly, true), (database_error(), false)] {
        process.fence.script().finishes.push_back(Err(failure));
        let result = process
            .transaction(async {
                let result = debit(&process.bank, seven(), async { Ok(5) }).await;
                match result.unwrap_err() {
                    Error::FenceEndedEarly { call } if early => {
                        assert_eq!(call.as_str(), "bank.debit:1");
                    }
                    Error::Database { participant, .. } if !early => {
                        assert_eq!(&*participant, "bank");
                    }
                    other => panic!("{other:?}"),
                }
                Ok(1)
            })
            .await;
        assert!(
            matches!(result, Err(Error::RollbackOnly { .. })),
            "{result:?}"
        );
    }
    assert!(process.commits().is_empty());
}

#[tokio::test]
async fn what_failed_below_marks_the_action_and_its_row() {
    let process = Process::start().await;
    let body = async {
        debit(&process.shop, seven(), async { Err(error()) })
            .await
            .unwrap_err();
        Ok(5)
    };
    let result = process
        .transaction(debit(&process.bank, seven(), body))
        .await;
    assert!(
        matches!(result, Err(Error::RollbackOnly { .. })),
        "{result:?}"
    );
    assert!(process.fence.script().stored[0].marked);
}

#[tokio::test]
async fn a_dropped_phase_one_drops_its_body_inside_then_rolls_back_locally_and_has_failed() {
    /// Says in which surroundings it is dropped.
    struct Guard<'a>(&'a Log);
    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            let branch = BranchContext::current().map(|branch| branch.call_id().to_string());
            let scope = Scope::current().map(|scope| scope.rollback_only().is_some());
            self.0.say(format!("body dropped in {branch:?} {scope:?}"));
        }
    }
    let process = Process::start().await;
    let result = process
        .transaction(async {
            let body = async {
                let _guard = Guard(&process.log);
                std::future::pending().await
            };
            let mut call = Box::pin(debit(&process.bank, seven(), body));
            assert!(call.as_mut().now_or_never().is_none());
            drop(call);
            Ok(1)
        })
        .await;
    assert!(
        matches!(
            result,
            Err(Error::RollbackOnly {
                cause: CallFailure::Dropped,
                ..
            })
        ),
        "{result:?}"
    );
    assert_eq!(
        process.log.take()[2..],
        [
            r#"body dropped in Some("bank.debit:1") Some(false)"#,
            "local rollback",
            "rollback"
        ]
    );
}

#[tokio::test]
async fn parallel_calls_on_one_pool_are_not_nested() {
    let process = Process::start().await;
    let both = async {
        let one = debit(
            &process.bank,
            seven(),
            tokio::task::yield_now().map(|()| Ok(1)),
        );
        let two = debit(
            &process.bank,
            seven(),
            tokio::task::yield_now().map(|()| Ok(2)),
        );
        let (one, two) = futures_util::future::join(one, two).await;
        Ok(one? + two?)
    };
    assert_eq!(process.transaction(both).await.unwrap(), 3);
    assert_eq!(process.commits()[0].succeeded, names(&[1, 2]));
}

#[tokio::test]
async fn spawned_tasks_are_awaited_before_the_row_is_closed() {
    let process = Process::start().await;
    let (send, receive) = tokio::sync::oneshot::channel::<()>();
    let log = process.log.clone();
    let body = async {
        drop(spawn(async move {
            let _ = receive.await;
            log.say("task ends");
        }));
        Ok(5)
    };
    let release = async {
        until("the try has begun", || {
            process.fence.script().tried.len() == 1
        })
        .await;
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        process.log.say("released");
        send.send(()).unwrap();
    };
    let transaction = process.transaction(debit(&process.bank, seven(), body));
    let (result, ()) = futures_util::future::join(transaction, release).await;
    result.unwrap();
    assert_eq!(
        process.log.take()[2..5],
        ["released", "task ends", "local commit of try"]
    );
}

/// Whoever checks call ids tells a repeat, so that nothing is remembered of calls that have none.
#[tokio::test]
async fn attempts_are_counted_from_the_first_repeat_of_a_call() {
    let process = Process::start().await;
    let attempt = || async {
        let branch = BranchContext::current().expect("phase one runs as its branch");
        Ok(u64::from(branch.attempt()))
    };
    let call = || process.transaction(debit(&process.bank, seven(), attempt()));
    assert_eq!(call().await.unwrap(), 1);
    let repeat = Joined {
        alias: Alias(9),
        repeat: true,
    };
    process.coordinator.script().joins.push_back(Ok(Ok(repeat)));
    assert_eq!(call().await.unwrap(), 2);
}

/// Then nobody tells a repeat, and every call is counted.
#[tokio::test]
async fn attempts_are_counted_where_the_coordinator_checks_no_call_ids() {
    let mut capabilities = Capabilities::full();
    capabilities.checks_call_ids = false;
    let process = Process::beside(capabilities).await;
    let attempt = || async {
        match BranchContext::current().map_or(0, |branch| branch.attempt()) {
            1 => Err(Error::NoRuntime),
            attempt => Ok(u64::from(attempt)),
        }
    };
    let twice = RetryPolicy::attempts(2)
        .wait(Duration::ZERO, Duration::ZERO)
        .when(|_| true);
    let call = || debit(&process.bank, seven(), attempt());
    let result = process.transaction(retry_call(twice, call)).await;
    assert_eq!(result.unwrap(), 2);
}

#[tokio::test]
async fn logs_carry_the_xid_and_never_a_recorded_value() {
    let captured = Captured::start();
    let process = Process::start().await;
    let canary = || Recorder::new().put("card", "canary");
    process
        .transaction(debit(&process.bank, canary(), async { Ok(4711) }))
        .await
        .unwrap();
    process
        .transaction(debit(&process.bank, canary(), async { Err(error()) }))
        .await
        .unwrap_err();
    let text = captured.text();
    assert!(
        text.contains("span branch") && text.contains("xid=u1.1.00000000000000aa.1"),
        "{text}"
    );
    assert!(!text.contains("canary") && !text.contains("4711"), "{text}");
    let shown = format!(
        "{:?} {:?}",
        process.coordinator,
        process.fence.script().tried
    );
    assert!(!shown.contains("canary"), "{shown}");
    let trace: Option<TraceContext> = process.fence.script().tried[0].trace.clone();
    assert_eq!(trace, None);
}

/// Any error of the user's.
fn error() -> Error {
    Error::NoRuntime
}

#[tokio::test]
async fn kept_values_go_into_the_row_and_none_are_kept_after_it_is_closed() {
    let process = Process::start().await;
    let held = Mutex::new(None);
    let body = async {
        let branch = BranchContext::current().unwrap();
        branch.keep("number", &42)?;
        *held.lock().unwrap() = Some(branch);
        Ok(5)
    };
    process
        .transaction(debit(&process.bank, seven(), body))
        .await
        .unwrap();
    let kept = process.fence.script().stored[0].kept.clone();
    assert_eq!(kept, [("number".into(), "42".into())].into());
    let late = held.lock().unwrap().take().unwrap().keep("number", &43);
    assert!(late.is_err());
}
