//! The fence table on a real database: RM3 to RM5, RM9, T1 to T6.

use std::collections::BTreeSet;

use unanimous_protocol::message::{ParkReason, TraceContext};
use unanimous_protocol::{Alias, Decision, Digest, RowState};

use super::{
    Bench, Came, NOW_MS, call, deliver, effect_in, open_try, run_phase_two, run_try,
    run_try_answering,
};
use crate::branch::fence::{
    DynFence, FenceError, PhaseTwoCause, PhaseTwoStep, StoredAnswer, TryRow, TryStep,
};

fn stored() -> StoredAnswer {
    StoredAnswer {
        answer: Some(r#"{"order":7}"#.into()),
        names: [Alias(3), Alias(40)].into(),
        abandoned: [
            call("account.debit:1/~tolerate:1"),
            call("account.debit:1/~tolerate:2"),
        ]
        .into(),
        marked: true,
        kept: [
            ("hold".into(), r#"[1,"a,b"]"#.into()),
            ("n".into(), "null".into()),
        ]
        .into(),
    }
}

#[tokio::test]
async fn rm3_a_repeated_try_answers_from_its_row_with_names_x_and_mark() {
    let bench = Bench::new().await;
    let row = bench.row();
    assert_eq!(
        run_try_answering(&bench.pool, &row, stored()).await,
        Came::Applied
    );
    let repeated = run_try_answering(&bench.pool, &row, StoredAnswer::default()).await;
    assert_eq!(repeated, Came::AlreadyApplied(stored()));
    assert_eq!(bench.effects(&row.key).await, ["tried"]);
    // Still so after phase two: a duplicate of the call may arrive at any time.
    assert_eq!(
        deliver(&bench.pool, &row, Decision::Commit).await,
        Came::Ended
    );
    let late = run_try(&bench.pool, &row).await;
    assert_eq!(late, Came::AlreadyApplied(stored()));
}

#[tokio::test]
async fn rm3_the_row_and_the_effect_of_a_try_stand_or_fall_together_wherever_it_is_killed() {
    let bench = Bench::new().await;
    for statements in 0..=2 {
        let row = bench.row();
        let mut tx = open_try(&bench.pool, &row).await;
        for _ in 0..statements {
            effect_in(&mut tx, &row.key, "tried")
                .await
                .expect("an effect");
        }
        drop(tx);
        assert_eq!(
            run_try(&bench.pool, &row).await,
            Came::Applied,
            "{statements}"
        );
        assert_eq!(
            bench.effects(&row.key).await,
            ["tried"],
            "after {statements} statements"
        );
        assert_eq!(bench.state(&row.key).await, Some(RowState::Tried));
    }
}

#[tokio::test]
async fn rm5_phase_two_is_run_again_when_it_was_killed_before_its_local_commit() {
    let bench = Bench::new().await;
    for decision in [Decision::Commit, Decision::Rollback] {
        let row = bench.row();
        run_try(&bench.pool, &row).await;
        for _ in 0..2 {
            let step = begin(&bench, &row, decision).await;
            let PhaseTwoStep::Run { transaction, .. } = step else {
                panic!("{step:?}")
            };
            drop(transaction);
        }
        assert_eq!(bench.state(&row.key).await, Some(RowState::Tried));
        assert_eq!(deliver(&bench.pool, &row, decision).await, Came::Ended);
        assert_eq!(deliver(&bench.pool, &row, decision).await, Came::Ended);
        assert_eq!(bench.effects(&row.key).await.len(), 2);
    }
}

async fn begin(bench: &Bench, row: &TryRow, decision: Decision) -> PhaseTwoStep {
    let cause = PhaseTwoCause::Delivered;
    super::begin_phase_two(&bench.pool, row, decision, cause)
        .await
        .expect("a step")
}

#[tokio::test]
async fn rm5_a_row_that_was_ended_behind_the_fence_is_no_success() {
    let bench = Bench::new().await;
    let row = bench.row();
    run_try(&bench.pool, &row).await;
    let step = begin(&bench, &row, Decision::Commit).await;
    let PhaseTwoStep::Run {
        mut transaction, ..
    } = step
    else {
        panic!("{step:?}")
    };
    let tx: &mut crate::FenceTx<sqlx::Sqlite> = transaction.downcast_mut().expect("SQLite");
    sqlx::query("DELETE FROM unanimous_fence")
        .execute(&mut *tx)
        .await
        .expect("a deletion");
    let key = row.key.clone();
    let ended = super::finish_phase_two(&bench.pool, transaction, key, Decision::Commit).await;
    assert!(matches!(ended, Err(FenceError::EndedEarly)), "{ended:?}");
    assert_eq!(bench.state(&row.key).await, Some(RowState::Tried));
}

#[tokio::test]
async fn rm5_phase_two_is_handed_what_the_try_recorded_and_answered() {
    let bench = Bench::new().await;
    let mut row = bench.row();
    row.trace = Some(TraceContext("00-abc-def-01".into()));
    run_try_answering(&bench.pool, &row, stored()).await;
    match begin(&bench, &row, Decision::Rollback).await {
        PhaseTwoStep::Run {
            action,
            arguments,
            stored: answer,
            trace,
            ..
        } => {
            assert_eq!(action, row.action);
            assert_eq!(arguments, row.arguments);
            assert_eq!(answer, stored());
            assert_eq!(trace, row.trace);
        }
        other => panic!("expected to run, got {other:?}"),
    }
}

#[tokio::test]
async fn rm4_a_try_after_its_cancel_is_refused() {
    let bench = Bench::new().await;
    let row = bench.row();
    assert_eq!(
        deliver(&bench.pool, &row, Decision::Rollback).await,
        Came::Ended
    );
    assert_eq!(bench.state(&row.key).await, Some(RowState::Cancelled));
    assert_eq!(run_try(&bench.pool, &row).await, Came::RefusedCancelled);
    assert!(bench.effects(&row.key).await.is_empty());
}

#[tokio::test]
async fn rm4_a_decision_against_the_other_is_refused_and_changes_nothing() {
    let bench = Bench::new().await;
    let cases = [
        (
            Decision::Commit,
            Decision::Rollback,
            ParkReason::RefusedConfirmed,
        ),
        (
            Decision::Rollback,
            Decision::Commit,
            ParkReason::RefusedCancelled,
        ),
    ];
    for (first, second, reason) in cases {
        let row = bench.row();
        run_try(&bench.pool, &row).await;
        assert_eq!(deliver(&bench.pool, &row, first).await, Came::Ended);
        let before = bench.contents().await;
        assert_eq!(deliver(&bench.pool, &row, second).await, Came::Park(reason));
        assert_eq!(bench.contents().await, before);
    }
}

#[tokio::test]
async fn rm9_a_commit_without_a_row_is_missing_and_never_done() {
    let bench = Bench::new().await;
    let row = bench.row();
    let came = deliver(&bench.pool, &row, Decision::Commit).await;
    assert_eq!(came, Came::Park(ParkReason::Missing));
    assert_eq!(bench.state(&row.key).await, None);
    // The lost try may still come.
    assert_eq!(run_try(&bench.pool, &row).await, Came::Applied);
}

type Change = fn(&mut TryRow);

#[tokio::test]
async fn n4_a_repeat_that_differs_is_refused_and_changes_nothing() {
    let bench = Bench::new().await;
    let row = bench.row();
    run_try(&bench.pool, &row).await;
    let changes: [(&str, Change); 3] = [
        ("digest", |row| row.digest = Digest([2; 32])),
        ("action", |row| {
            row.action = "credit".parse().expect("a name");
        }),
        ("participant", |row| {
            row.participant = "storage".parse().expect("a name");
        }),
    ];
    let before = bench.contents().await;
    for (what, change) in changes {
        let mut other = row.clone();
        change(&mut other);
        assert_eq!(
            run_try(&bench.pool, &other).await,
            Came::CallIdReused,
            "{what}"
        );
        assert_eq!(bench.contents().await, before, "{what}");
    }
}

#[tokio::test]
async fn rm7_an_answer_to_a_question_acts_on_tried_rows_only() {
    let bench = Bench::new().await;
    for decision in [Decision::Commit, Decision::Rollback] {
        let never_tried = bench.row();
        let answered = async |row: &TryRow| {
            run_phase_two(&bench.pool, row, decision, PhaseTwoCause::Answered).await
        };
        assert_eq!(answered(&never_tried).await, Came::Ignored);
        assert_eq!(bench.state(&never_tried.key).await, None);
        for ended in [Decision::Commit, Decision::Rollback] {
            let row = bench.row();
            run_try(&bench.pool, &row).await;
            deliver(&bench.pool, &row, ended).await;
            let before = bench.contents().await;
            assert_eq!(answered(&row).await, Came::Ignored);
            assert_eq!(bench.contents().await, before);
        }
        let tried = bench.row();
        run_try(&bench.pool, &tried).await;
        assert_eq!(answered(&tried).await, Came::Ended);
        assert_eq!(
            bench.effects(&tried.key).await,
            ["tried", super::done(decision)]
        );
    }
}

#[tokio::test]
async fn rm4_an_operator_ends_a_tried_row_without_the_business_function() {
    let bench = Bench::new().await;
    let cases = [
        (Decision::Commit, RowState::Confirmed),
        (Decision::Rollback, RowState::Cancelled),
    ];
    for (decision, state) in cases {
        let row = bench.row();
        run_try(&bench.pool, &row).await;
        bench
            .pool
            .park(row.key.clone(), decision, "no".into())
            .await
            .expect("parked");
        let resolve = PhaseTwoCause::OperatorResolve;
        assert_eq!(
            run_phase_two(&bench.pool, &row, decision, resolve).await,
            Came::Ended
        );
        assert_eq!(bench.state(&row.key).await, Some(state));
        assert_eq!(bench.effects(&row.key).await, ["tried"]);
        let parked = "SELECT count(*) FROM unanimous_fence WHERE parked IS NOT NULL";
        let parked: i64 = sqlx::query_scalar(parked)
            .fetch_one(&bench.pool)
            .await
            .expect("a count");
        assert_eq!(parked, 0, "only tried rows are parked");
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Event {
    Try,
    Cancel,
    Confirm,
}

/// All orders of {Try, Try, Cancel, Cancel, Confirm}.
fn orders() -> Vec<Vec<Event>> {
    let mut orders = vec![vec![]];
    let events = [
        Event::Try,
        Event::Try,
        Event::Cancel,
        Event::Cancel,
        Event::Confirm,
    ];
    for (n, event) in events.into_iter().enumerate() {
        orders = orders
            .into_iter()
            .flat_map(|order| {
                (0..=n).map(move |at| {
                    let mut longer = order.clone();
                    longer.insert(at, event);
                    longer
                })
            })
            .collect();
    }
    assert_eq!(orders.len(), 120);
    orders
}

async fn perform(fence: &sqlx::SqlitePool, row: &TryRow, event: Event) -> Came {
    match event {
        Event::Try => run_try(fence, row).await,
        Event::Cancel => deliver(fence, row, Decision::Rollback).await,
        Event::Confirm => deliver(fence, row, Decision::Commit).await,
    }
}

/// What section 7 of the protocol says, written down once more.
fn expected(state: Option<RowState>, event: Event) -> (Came, Option<RowState>) {
    use RowState::{Cancelled, Confirmed, Tried};
    let (came, next) = match (state, event) {
        (None, Event::Try) => (Came::Applied, Some(Tried)),
        (None, Event::Confirm) => (Came::Park(ParkReason::Missing), None),
        (None | Some(Tried | Cancelled), Event::Cancel) => (Came::Ended, Some(Cancelled)),
        (Some(Tried | Confirmed), Event::Try) => {
            (Came::AlreadyApplied(StoredAnswer::default()), state)
        }
        (Some(Tried | Confirmed), Event::Confirm) => (Came::Ended, Some(Confirmed)),
        (Some(Confirmed), Event::Cancel) => (Came::Park(ParkReason::RefusedConfirmed), state),
        (Some(Cancelled), Event::Try) => (Came::RefusedCancelled, state),
        (Some(Cancelled), Event::Confirm) => (Came::Park(ParkReason::RefusedCancelled), state),
    };
    (came, next)
}

#[tokio::test]
async fn rm4_every_order_of_tries_cancels_and_a_confirm_follows_the_table() {
    let bench = Bench::new().await;
    for order in orders() {
        let row = bench.row();
        let mut state = None;
        for event in &order {
            let (came, next) = expected(state, *event);
            assert_eq!(
                perform(&bench.pool, &row, *event).await,
                came,
                "{order:?} at {event:?}"
            );
            assert_eq!(
                bench.state(&row.key).await,
                next,
                "{order:?} after {event:?}"
            );
            state = next;
        }
        let effects = bench.effects(&row.key).await;
        let sane: [&[&str]; 3] = [&[], &["tried", "confirmed"], &["tried", "cancelled"]];
        assert!(
            sane.iter().any(|sane| effects == *sane),
            "{order:?}: {effects:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rm4_every_order_holds_on_two_connections_in_parallel() {
    let bench = Bench::new().await;
    let pools = [bench.another_pool().await, bench.another_pool().await];
    let mut ends = BTreeSet::new();
    for order in orders() {
        let row = bench.row();
        let halves = [0, 1].map(|half| {
            let events: Vec<Event> = order.iter().copied().skip(half).step_by(2).collect();
            let (pool, row) = (pools[half].clone(), row.clone());
            tokio::spawn(async move {
                let mut came = Vec::new();
                for event in events {
                    came.push(perform(&pool, &row, event).await);
                }
                came
            })
        });
        let mut came = Vec::new();
        for half in halves {
            came.extend(half.await.expect("no panic"));
        }
        let applied = came.iter().filter(|came| **came == Came::Applied).count();
        let effects = bench.effects(&row.key).await;
        let sane = match bench.state(&row.key).await {
            Some(RowState::Confirmed) => applied == 1 && effects == ["tried", "confirmed"],
            Some(RowState::Cancelled) if applied == 1 => effects == ["tried", "cancelled"],
            Some(RowState::Cancelled) => applied == 0 && effects.is_empty(),
            // Two cancels were delivered: the row has ended.
            _ => false,
        };
        assert!(sane, "{order:?}: {came:?} {effects:?}");
        ends.insert(effects);
    }
    assert!(ends.len() > 1, "the orders end in different ways: {ends:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rm4_many_cancels_at_once_leave_one_marker_and_no_error() {
    let bench = Bench::new().await;
    let row = bench.row();
    let pools = [bench.pool.clone(), bench.another_pool().await];
    let cancels: Vec<_> = (0..16)
        .map(|n| {
            let (pool, row) = (pools[n % 2].clone(), row.clone());
            tokio::spawn(async move { deliver(&pool, &row, Decision::Rollback).await })
        })
        .collect();
    for cancel in cancels {
        assert_eq!(cancel.await.expect("no panic"), Came::Ended);
    }
    assert_eq!(bench.state(&row.key).await, Some(RowState::Cancelled));
    assert!(bench.effects(&row.key).await.is_empty());
}

#[tokio::test]
async fn a_row_of_a_foreign_coordinator_goes_through_its_phases_too() {
    let bench = Bench::new().await;
    let mut row = bench.row();
    row.key.xid = "192.168.0.1:8091:77".parse().expect("an xid");
    assert_eq!(run_try(&bench.pool, &row).await, Came::Applied);
    assert_eq!(
        deliver(&bench.pool, &row, Decision::Commit).await,
        Came::Ended
    );
    assert_eq!(
        bench.pool.newest_incarnation().await.expect("an answer"),
        None
    );
}

#[tokio::test]
async fn a_counter_that_no_column_can_hold_is_refused_before_any_effect() {
    let bench = Bench::new().await;
    let mut row = bench.row();
    row.key.xid = format!("u1.1.{:016x}.{}", 7, u64::MAX)
        .parse()
        .expect("an xid");
    let before = bench.contents().await;
    let begun = bench.pool.begin_try(row, NOW_MS).await;
    assert!(
        matches!(begun, Err(FenceError::Row(..))),
        "{:?}",
        begun.map(|_: TryStep| ())
    );
    assert_eq!(bench.contents().await, before);
}

#[tokio::test]
async fn a_row_of_another_participant_in_the_same_database_is_not_touched() {
    let bench = Bench::new().await;
    let row = bench.row();
    run_try(&bench.pool, &row).await;
    let mut other = row.clone();
    other.participant = "storage".parse().expect("a name");
    let begun = super::begin_phase_two(
        &bench.pool,
        &other,
        Decision::Rollback,
        PhaseTwoCause::Delivered,
    )
    .await;
    assert!(matches!(begun, Err(FenceError::Row(..))), "{begun:?}");
    assert_eq!(bench.state(&row.key).await, Some(RowState::Tried));
}

#[tokio::test]
async fn rm4_what_is_always_cancelled_is_cancelled_without_a_row_once_and_leaves_a_marker() {
    let bench = Bench::new().await;
    let row = bench.row();
    let delivery = || super::Delivery {
        kind: unanimous_protocol::BranchKind::AlwaysCancel,
        ..super::delivery(&row, Decision::Rollback, PhaseTwoCause::Delivered)
    };
    // A rollback that fails leaves nothing: it is repeated.
    let step = bench.pool.begin_phase_two(delivery(), NOW_MS).await;
    let Ok(PhaseTwoStep::RunWithoutTry(transaction)) = step else {
        panic!("{step:?}")
    };
    drop(transaction);
    assert_eq!(bench.state(&row.key).await, None);
    for _ in 0..2 {
        assert_eq!(super::perform(&bench.pool, delivery()).await, Came::Ended);
        assert_eq!(bench.state(&row.key).await, Some(RowState::Cancelled));
    }
    assert_eq!(bench.effects(&row.key).await, ["cancelled"]);
    // T1: the late try finds the marker.
    assert_eq!(run_try(&bench.pool, &row).await, Came::RefusedCancelled);
}

#[tokio::test]
async fn rm3_what_phase_one_kept_stands_in_the_row_with_its_answer() {
    let bench = Bench::new().await;
    let row = bench.row();
    let step = bench.pool.begin_try(row.clone(), NOW_MS).await;
    let Ok(TryStep::Run(transaction)) = step else {
        panic!("{step:?}")
    };
    let kept: unanimous_protocol::message::Kept =
        [("a".into(), "[1]".into()), ("b".into(), "null".into())].into();
    let stored = StoredAnswer {
        kept: kept.clone(),
        ..StoredAnswer::default()
    };
    super::finish_try(&bench.pool, transaction, row.key.clone(), stored.clone())
        .await
        .expect("a commit");
    let PhaseTwoStep::Run { stored: found, .. } = begin(&bench, &row, Decision::Commit).await
    else {
        panic!("a tried row is confirmed")
    };
    assert_eq!(found.kept, kept);
    assert_eq!(
        run_try(&bench.pool, &row).await,
        Came::AlreadyApplied(stored)
    );
}
