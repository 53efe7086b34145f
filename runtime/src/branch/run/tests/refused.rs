//! What is refused, and what that leaves behind.

use unanimous_protocol::message::JoinRefused;

use super::*;
use crate::branch::fakes::{database_error, unavailable};
use crate::branch::fence::TryStep;

fn never() -> impl Future<Output = Outcome> {
    futures_util::future::lazy(|_| unreachable!("it was refused"))
}

/// The error of one refused call, whose transaction can only roll back although it was swallowed.
async fn refusal(process: &Process, call: impl Future<Output = Outcome>) -> Error {
    let mut refused = None;
    let result = process
        .transaction(async {
            refused = call.await.err();
            Ok(1)
        })
        .await;
    assert!(
        matches!(result, Err(Error::RollbackOnly { .. })),
        "{result:?}"
    );
    assert_eq!(process.log.take().last().unwrap(), "rollback");
    assert!(process.commits().is_empty());
    refused.expect("the call was refused")
}

#[tokio::test]
async fn outside_a_transaction_an_action_says_what_to_annotate() {
    let process = Process::start().await;
    let error = debit(&process.bank, seven(), never()).await.unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("bank.debit") && message.contains("#[global_transactional]"),
        "{message}"
    );
    assert!(process.log.take().is_empty());
}

#[tokio::test]
async fn what_needs_no_coordinator_is_refused_before_anything_is_registered() {
    let process = Process::start().await;
    let large = Recorder::new().put("note", &"x".repeat(70_000));
    let error = refusal(&process, debit(&process.bank, large, never())).await;
    let message = error.to_string();
    assert!(
        message.contains("bank.debit") && message.contains("65536 bytes"),
        "{message}"
    );

    let stranger = FakeParticipant::fenced(&FakeFence::new(3, &process.log));
    let error = refusal(&process, debit(&stranger, seven(), never())).await;
    let place = (("tests.rs", 11), "bank.debit");
    match &error {
        Error::NotProvided { action, file, line } => assert_eq!(((*file, *line), &**action), place),
        other => panic!("{other:?}"),
    }

    let nested = debit(&process.bank, seven(), async {
        let nested = debit(&process.bank, seven(), never()).await;
        assert!(
            matches!(nested, Err(Error::NestedFence { .. })),
            "{nested:?}"
        );
        nested
    });
    let error = refusal(&process, nested).await;
    assert!(matches!(error, Error::NestedFence { .. }), "{error:?}");
    assert_eq!(
        process.coordinator.script().registered.len(),
        1,
        "only the outer one"
    );
}

#[tokio::test]
async fn rm2_a_refused_registration_is_an_error_and_nothing_runs() {
    let process = Process::start().await;
    let table: [(_, Expected); 5] = [
        (Ok(Err(JoinRefused::AlreadyDecided)), |e| {
            matches!(e, Error::AlreadyDecided { .. })
        }),
        (Ok(Err(JoinRefused::CallIdReused)), |e| {
            matches!(e, Error::CallIdReused { .. })
        }),
        (Ok(Err(JoinRefused::TooManyBranches)), |e| {
            matches!(
                e,
                Error::TooMany {
                    what: "branches",
                    max: 1_000,
                    ..
                }
            )
        }),
        (
            Ok(Err(JoinRefused::Foreign)),
            |e| matches!(e, Error::ForeignCoordinator { ours, .. } if &**ours == "fake"),
        ),
        (Err(unavailable()), |e| matches!(e, Error::Coordinator(_))),
    ];
    for (answer, expected) in table {
        process.coordinator.script().joins.push_back(answer);
        let error = refusal(&process, debit(&process.bank, seven(), never())).await;
        assert!(expected(&error), "{error:?}");
        assert!(
            process.fence.script().tried.is_empty(),
            "no row without a registration"
        );
    }
}

#[tokio::test]
async fn what_the_fence_refuses_is_an_error_and_nothing_runs() {
    let process = Process::start().await;
    let table: [(_, Expected); 7] = [
        (Ok(TryStep::RefusedCancelled), |e| {
            matches!(e, Error::RefusedCancelled { .. })
        }),
        (Ok(TryStep::BelowHorizon), |e| {
            matches!(e, Error::AlreadyDecided { .. })
        }),
        (Ok(TryStep::CallIdReused), |e| {
            matches!(e, Error::CallIdReused { .. })
        }),
        (Err(database_error()), |e| {
            matches!(e, Error::Database { .. })
        }),
        (Err(FenceError::NotDurable("say FULL".into())), |e| {
            matches!(e, Error::NotDurable(_))
        }),
        (
            Err(FenceError::Nested),
            |e| matches!(e, Error::NestedFence { action } if &**action == "bank.debit"),
        ),
        (Err(FenceError::Schema("newer".into())), |e| {
            matches!(e, Error::Database { .. })
        }),
    ];
    for (step, expected) in table {
        process.fence.script().tries.push_back(step);
        let error = refusal(&process, debit(&process.bank, seven(), never())).await;
        assert!(expected(&error), "{error:?}");
    }
    assert!(process.fence.script().stored.is_empty());
}

#[tokio::test]
async fn after_a_failure_the_next_action_refuses_at_once() {
    let process = Process::start().await;
    let failing = async {
        debit(&process.bank, seven(), async { Err(Error::NoRuntime) })
            .await
            .unwrap_err();
        process.log.take();
        let second = debit(&process.shop, seven(), never()).await.unwrap_err();
        assert!(matches!(second, Error::RollbackOnly { .. }), "{second:?}");
        assert!(process.log.take().is_empty());
        Err(second)
    };
    refusal(&process, failing).await;
}
