//! One phase two: what is done, in which order, and what is answered.

use futures_util::FutureExt as _;
use unanimous_protocol::Decision::{Commit, Rollback};
use unanimous_protocol::message::{ParkReason, Reported};

use super::*;
use crate::branch::fakes::{Act, database_error};
use crate::branch::fence::{FenceError, PhaseTwoStep};

#[tokio::test]
async fn rm5_ended_is_answered_only_after_the_local_commit() {
    let process = Process::fenced();
    let hold = Arc::new(tokio::sync::Notify::new());
    *process.fence.hold_finish.lock().unwrap() = Some(Arc::clone(&hold));
    let mut delivery = process.deliveries.phase_two(process.delivery(Commit));
    assert!((&mut delivery).now_or_never().is_none());
    assert_eq!(
        process.log.take(),
        ["begin commit of 1 (Delivered)", "commit debit (attempt 1)"]
    );
    hold.notify_one();
    assert_eq!(delivery.await, BranchResult::Ended);
    assert_eq!(process.log.take(), ["local commit of commit"]);
}

#[tokio::test]
async fn rm5_a_failed_local_commit_is_no_end() {
    for (error, text) in [
        (
            database_error(),
            "the fence's database failed: disk on fire",
        ),
        (
            FenceError::EndedEarly,
            "the local transaction was ended before the fence could close it; do not commit or roll back `tx` yourself",
        ),
    ] {
        let process = Process::fenced();
        process.fence.script().finishes.push_back(Err(error));
        assert_eq!(process.deliver(Commit).await, retry(text));
        assert_eq!(process.log.take().last().unwrap(), "local rollback");
        assert_eq!(process.deliver(Commit).await, BranchResult::Ended);
        assert!(
            process
                .log
                .take()
                .contains(&"commit debit (attempt 2)".to_owned())
        );
    }
}

#[tokio::test]
async fn every_ending_of_user_code_has_its_answer_and_rolls_back_locally() {
    let after = BranchResult::Retry {
        error: "not yet".into(),
        after: Some(SECOND),
    };
    let missing = "the argument `amount` of debit: nothing was recorded under this name";
    for (act, result) in [
        (Act::Fail("no money"), retry("no money")),
        (Act::FailAfter(SECOND), after),
        (Act::Panic("ouch"), retry("phase two panicked: ouch")),
        (
            Act::FailUnprintable,
            retry("phase two panicked: unprintable"),
        ),
        (
            Act::Decode("amount"),
            BranchResult::NotHere {
                error: missing.into(),
            },
        ),
    ] {
        let process = Process::fenced();
        process.participant.then(act);
        assert_eq!(process.deliver(Rollback).await, result);
        let log = process.log.take();
        assert_eq!(log.last().unwrap(), "local rollback", "{log:?}");
        assert!(!log.iter().any(|line| line.starts_with("park")), "{log:?}");
        assert!(process.events().is_empty());
    }
}

#[tokio::test]
async fn giving_up_is_written_on_the_row_before_it_is_answered() {
    let process = Process::fenced();
    process.participant.then(Act::GiveUp("account closed"));
    let reason = ParkReason::GaveUp("account closed".into());
    assert_eq!(
        process.deliver(Commit).await,
        BranchResult::Park(reason.clone())
    );
    let log = process.log.take();
    assert_eq!(
        log[2..],
        ["local rollback", "park (commit): account closed"]
    );
    match &process.events()[..] {
        [
            Event::Parked {
                xid, reason: told, ..
            },
        ] => {
            assert_eq!((xid, told), (&key(1).xid, &reason));
        }
        events => panic!("{events:?}"),
    }
    // A row that cannot be marked is not parked: another process would call it again.
    process.participant.then(Act::GiveUp("account closed"));
    process
        .fence
        .script()
        .parks
        .push_back(Err(database_error()));
    let text = "the fence's database failed: disk on fire";
    assert_eq!(process.deliver(Commit).await, retry(text));
    assert!(process.events().is_empty());
}

#[tokio::test]
async fn what_the_fence_finds_is_answered_without_user_code() {
    let cases = [
        (Ok(PhaseTwoStep::Ended), BranchResult::Ended),
        (
            Ok(PhaseTwoStep::Park(ParkReason::Missing)),
            BranchResult::Park(ParkReason::Missing),
        ),
        (
            Ok(PhaseTwoStep::Ignored),
            retry("the fence ignored a delivered decision"),
        ),
        (
            Err(database_error()),
            retry("the fence's database failed: disk on fire"),
        ),
        (
            Err(FenceError::Row(key(1), "state 9".into())),
            BranchResult::NotHere {
                error: format!("the fence row of {:?} cannot be read: state 9", key(1)).into(),
            },
        ),
    ];
    for (step, result) in cases {
        let process = Process::fenced();
        process.fence.script().begins.push_back(step);
        assert_eq!(process.deliver(Commit).await, result);
        assert_eq!(process.log.take(), ["begin commit of 1 (Delivered)"]);
    }
}

#[tokio::test]
async fn one_branch_never_runs_twice_at_once() {
    let process = Process::fenced();
    process.participant.then(Act::Hang);
    let mut first = process.deliveries.phase_two(process.delivery(Commit));
    assert!((&mut first).now_or_never().is_none());
    let busy = retry("phase two of this branch still runs in this process");
    assert_eq!(process.deliver(Commit).await, busy);
    process.log.take();
    // A delivery that is dropped has failed; the next one may run.
    drop(first);
    assert_eq!(process.log.take(), ["local rollback"]);
    assert_eq!(process.deliver(Commit).await, BranchResult::Ended);
}

#[tokio::test]
async fn n5_another_database_of_the_same_name_is_not_here() {
    let process = Process::fenced();
    let mut delivery = process.delivery(Commit);
    delivery.resource.database = Some(unanimous_protocol::DatabaseId([8; 16]));
    let answer = process.deliveries.phase_two(delivery).await;
    assert!(matches!(answer, BranchResult::NotHere { .. }), "{answer:?}");
    assert!(process.log.take().is_empty());
}

#[tokio::test]
async fn an_unknown_action_is_not_here_unless_it_was_resolved_by_hand() {
    let process = Process::fenced();
    let mut delivery = process.delivery(Commit);
    delivery.action = "credit".parse().unwrap();
    let error = "this version of bank knows no action `credit`".into();
    let answer = process.deliveries.phase_two(delivery.clone()).await;
    assert_eq!(answer, BranchResult::NotHere { error });
    assert!(process.log.take().is_empty());
    delivery.by_operator = ByOperator::Resolve;
    process
        .fence
        .script()
        .begins
        .push_back(Ok(PhaseTwoStep::Ended));
    assert_eq!(
        process.deliveries.phase_two(delivery).await,
        BranchResult::Ended
    );
    assert_eq!(process.log.take(), ["begin commit of 1 (OperatorResolve)"]);
}

#[tokio::test]
async fn op2_a_retry_by_the_operator_reaches_the_fence_as_such() {
    let process = Process::fenced();
    let delivery = PhaseTwo {
        by_operator: ByOperator::Retry,
        ..process.delivery(Rollback)
    };
    assert_eq!(
        process.deliveries.phase_two(delivery).await,
        BranchResult::Ended
    );
    assert_eq!(process.log.take()[0], "begin rollback of 1 (OperatorRetry)");
}

#[tokio::test]
async fn an_unfenced_branch_is_handed_what_travels_and_keeps_nothing() {
    let process = Process::unfenced();
    process.participant.then(Act::Decode("amount"));
    let mut delivery = process.delivery(Commit);
    delivery.reported = Some(Reported {
        tried: Some("5".into()),
        ..Reported::default()
    });
    assert_eq!(
        process.deliveries.phase_two(delivery).await,
        BranchResult::Ended
    );
    process.participant.then(Act::GiveUp("closed"));
    let parked = BranchResult::Park(ParkReason::GaveUp("closed".into()));
    assert_eq!(process.deliver(Commit).await, parked);
    assert_eq!(
        process.log.take(),
        ["commit debit (attempt 1)", "commit debit (attempt 2)"]
    );
    assert_eq!(process.events().len(), 1);
}

#[tokio::test]
async fn op3_an_unfenced_branch_resolved_by_hand_ends_without_user_code() {
    let process = Process::unfenced();
    let delivery = PhaseTwo {
        by_operator: ByOperator::Resolve,
        ..process.delivery(Commit)
    };
    assert_eq!(
        process.deliveries.phase_two(delivery).await,
        BranchResult::Ended
    );
    assert!(process.log.take().is_empty());
}

#[tokio::test]
async fn a_long_error_is_cut() {
    let process = Process::unfenced();
    process
        .participant
        .then(Act::Fail(include_str!("perform.rs")));
    let BranchResult::Retry { error, .. } = process.deliver(Commit).await else {
        panic!()
    };
    assert_eq!(error.len(), super::super::ERROR_BYTES_MAX);
}

#[tokio::test]
async fn logs_carry_the_xid_and_the_trace_and_never_a_recorded_value() {
    let captured = crate::branch::fakes::Captured::start();
    let process = Process::fenced();
    for act in [None, Some(Act::Decode("card")), Some(Act::GiveUp("closed"))] {
        let mut step = process
            .fence
            .run(r#"{"card":"canary"}"#, Some(r#""canary""#));
        if let PhaseTwoStep::Run { trace, .. } = &mut step {
            *trace = Some(unanimous_protocol::message::TraceContext(
                "00-trace-01".into(),
            ));
        }
        process.fence.script().begins.push_back(Ok(step));
        if let Some(act) = act {
            process.participant.then(act);
        }
        process.deliver(Commit).await;
    }
    let text = captured.text();
    for expected in [
        "span phase_two",
        "xid=u1.1.00000000000000aa.1",
        "00-trace-01",
        "closed",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(text.contains("what was recorded is not a `u64`"), "{text}");
    assert!(!text.contains("canary"), "{text}");
}

#[tokio::test]
async fn a_branch_with_a_row_is_not_here_where_the_participant_has_no_fence() {
    let process = Process::unfenced();
    for kind in [BranchKind::Fenced, BranchKind::AlwaysCancel] {
        let delivery = PhaseTwo {
            kind,
            ..process.delivery(Rollback)
        };
        let result = process.deliveries.phase_two(delivery).await;
        assert!(matches!(result, BranchResult::NotHere { .. }), "{result:?}");
    }
    assert!(process.log.take().is_empty());
}

#[tokio::test]
async fn an_action_without_fence_of_a_fenced_participant_touches_no_row() {
    let process = Process::fenced();
    process.participant.then(Act::Decode("amount"));
    let delivery = PhaseTwo {
        kind: BranchKind::Unfenced,
        arguments: Some(r#"{"amount":7}"#.into()),
        ..process.delivery(Rollback)
    };
    let result = process.deliveries.phase_two(delivery).await;
    assert_eq!(result, BranchResult::Ended);
    assert_eq!(process.log.take(), ["rollback debit (attempt 1)"]);
}

#[tokio::test]
async fn what_is_always_cancelled_is_handed_what_was_registered_where_no_row_is() {
    let process = Process::fenced();
    let delivery = PhaseTwo {
        kind: BranchKind::AlwaysCancel,
        arguments: Some(r#"{"amount":7}"#.into()),
        ..process.delivery(Rollback)
    };
    let step = PhaseTwoStep::RunWithoutTry(process.fence.tx());
    process.fence.script().begins.push_back(Ok(step));
    process.participant.then(Act::Decode("amount"));
    let result = process.deliveries.phase_two(delivery).await;
    assert_eq!(result, BranchResult::Ended);
    assert_eq!(
        process.log.take(),
        [
            "begin rollback of 1 (Delivered)",
            "rollback debit (attempt 1)",
            "local commit of rollback"
        ]
    );
}
