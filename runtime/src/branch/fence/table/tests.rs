use std::collections::BTreeSet;

use unanimous_protocol::Decision::{Commit, Rollback};
use unanimous_protocol::RowState::{Cancelled, Confirmed, Tried};

use super::Event::{Answered, Delivered, Resolve, Retry};
use super::*;

fn row(state: RowState) -> Seen {
    Seen {
        state,
        same: true,
        parked: false,
    }
}

fn other(state: RowState) -> Seen {
    Seen {
        same: false,
        ..row(state)
    }
}

fn parked() -> Seen {
    Seen {
        parked: true,
        ..row(Tried)
    }
}

const ABOVE: bool = false;
const PASSED: bool = true;
const POSITIONS: [bool; 2] = [ABOVE, PASSED];

#[test]
fn rm4_every_cell_of_try() {
    let step = |row, passed| decide(row, passed, Event::Try);
    assert_eq!(step(None, ABOVE), Step::Run);
    assert_eq!(step(None, PASSED), Step::BelowHorizon);
    for passed in POSITIONS {
        assert_eq!(step(Some(row(Tried)), passed), Step::AlreadyApplied);
        assert_eq!(step(Some(parked()), passed), Step::AlreadyApplied);
        assert_eq!(step(Some(row(Confirmed)), passed), Step::AlreadyApplied);
        assert_eq!(step(Some(row(Cancelled)), passed), Step::RefusedCancelled);
    }
}

#[test]
fn rm4_an_empty_rollback_runs_where_it_is_always_cancelled_and_nothing_else_differs() {
    let events = [Commit, Rollback].map(|decision| {
        [
            Event::Try,
            Delivered(decision),
            Answered(decision),
            Retry(decision),
            Resolve(decision),
        ]
    });
    let rows = [None, Some(parked())].into_iter();
    let rows: Vec<_> = rows
        .chain([Tried, Confirmed, Cancelled].map(|state| Some(row(state))))
        .collect();
    for event in events.into_iter().flatten() {
        for (row, passed) in rows.iter().flat_map(|row| POSITIONS.map(|at| (*row, at))) {
            let empty = row.is_none() && !passed;
            let runs = empty && [Delivered(Rollback), Retry(Rollback)].contains(&event);
            let expected = if runs {
                Step::InsertAndRun
            } else {
                decide(row, passed, event)
            };
            let step = decide_always_cancel(row, passed, event);
            assert_eq!(step, expected, "{row:?} {passed} {event:?}");
        }
    }
}

#[test]
fn rm4_every_cell_of_a_delivered_decision() {
    let step = |row, passed, decision| decide(row, passed, Delivered(decision));
    assert_eq!(step(None, ABOVE, Commit), Step::Missing);
    assert_eq!(step(None, ABOVE, Rollback), Step::Insert(Cancelled));
    assert_eq!(step(None, PASSED, Commit), Step::Ended);
    assert_eq!(step(None, PASSED, Rollback), Step::Ended);
    for passed in POSITIONS {
        let step = |state, decision| step(Some(row(state)), passed, decision);
        assert_eq!(step(Tried, Commit), Step::Run);
        assert_eq!(step(Tried, Rollback), Step::Run);
        assert_eq!(step(Confirmed, Commit), Step::Ended);
        assert_eq!(step(Confirmed, Rollback), Step::RefusedConfirmed);
        assert_eq!(step(Cancelled, Commit), Step::RefusedCancelled);
        assert_eq!(step(Cancelled, Rollback), Step::Ended);
    }
    assert_eq!(ended_state(Commit), Confirmed);
    assert_eq!(ended_state(Rollback), Cancelled);
}

#[test]
fn rm7_an_answer_to_a_question_acts_only_on_a_tried_row() {
    for passed in POSITIONS {
        for decision in [Commit, Rollback] {
            let step = |row| decide(row, passed, Answered(decision));
            assert_eq!(step(Some(row(Tried))), Step::Run);
            assert_eq!(step(None), Step::Ignored);
            assert_eq!(step(Some(row(Confirmed))), Step::Ignored);
            assert_eq!(step(Some(row(Cancelled))), Step::Ignored);
        }
    }
}

#[test]
fn rm8_the_horizon_deletes_ended_rows_that_it_has_passed_and_nothing_else() {
    for ended in [row(Confirmed), row(Cancelled), other(Cancelled)] {
        assert!(may_delete(ended, PASSED));
        assert!(!may_delete(ended, ABOVE));
    }
    for passed in POSITIONS {
        assert!(!may_delete(row(Tried), passed));
        assert!(!may_delete(parked(), passed));
    }
}

#[test]
fn rm8_below_the_horizon_nothing_starts_and_nothing_is_written() {
    assert_eq!(decide(None, PASSED, Event::Try), Step::BelowHorizon);
    for decision in [Commit, Rollback] {
        for event in [Delivered(decision), Retry(decision), Resolve(decision)] {
            assert_eq!(decide(None, PASSED, event), Step::Ended);
        }
    }
}

#[test]
fn rm8_the_local_horizon_never_goes_back_and_its_list_only_shrinks() {
    let horizon = |counter, listed: &[u64]| Horizon {
        counter,
        listed: listed.iter().copied().collect::<BTreeSet<_>>(),
    };
    let cases = [
        (horizon(0, &[]), horizon(5, &[2]), horizon(5, &[2])),
        (horizon(5, &[2]), horizon(5, &[]), horizon(5, &[])),
        (horizon(5, &[]), horizon(5, &[2]), horizon(5, &[])),
        (horizon(5, &[2]), horizon(8, &[2, 7]), horizon(8, &[2, 7])),
        (
            horizon(5, &[4]),
            horizon(8, &[3, 4, 7]),
            horizon(8, &[4, 7]),
        ),
        (
            horizon(8, &[2, 7]),
            horizon(5, &[2, 4]),
            horizon(8, &[2, 7]),
        ),
        (horizon(8, &[2, 7]), horizon(5, &[]), horizon(8, &[7])),
    ];
    for (local, announced, after) in cases {
        assert_eq!(
            merge_horizons(&local, &announced),
            after,
            "{local:?} then {announced:?}"
        );
        for counter in 1..10 {
            let either = local.has_passed(counter) || announced.has_passed(counter);
            assert_eq!(after.has_passed(counter), either, "{counter}");
        }
    }
}

#[test]
fn rm9_a_confirm_without_row_is_missing_and_never_done() {
    for event in [Delivered(Commit), Retry(Commit)] {
        assert_eq!(decide(None, ABOVE, event), Step::Missing);
    }
}

#[test]
fn rm6_tried_rows_that_heard_nothing_ask() {
    let asks = |row, heard| may_ask(BranchKind::Fenced, row, heard);
    assert!(asks(row(Tried), false));
    assert!(!asks(row(Tried), true));
    assert!(!asks(parked(), false));
    assert!(!asks(row(Confirmed), false));
    assert!(!asks(row(Cancelled), false));
    assert!(!may_ask(BranchKind::Unfenced, row(Tried), false));
}

#[test]
fn n4_a_repeat_with_another_participant_action_or_digest_is_refused() {
    for state in [Tried, Confirmed] {
        assert_eq!(
            decide(Some(other(state)), ABOVE, Event::Try),
            Step::CallIdReused
        );
        assert_eq!(
            decide(Some(row(state)), ABOVE, Event::Try),
            Step::AlreadyApplied
        );
    }
    let cancelled = decide(Some(other(Cancelled)), ABOVE, Event::Try);
    assert_eq!(
        cancelled,
        Step::RefusedCancelled,
        "whoever was cancelled stays so"
    );
}

#[test]
fn op2_a_parked_row_answers_park_until_an_operator_retries() {
    for decision in [Commit, Rollback] {
        let step = |row, event| decide(Some(row), ABOVE, event);
        assert_eq!(step(parked(), Delivered(decision)), Step::GaveUp);
        assert_eq!(step(parked(), Answered(decision)), Step::GaveUp);
        assert_eq!(step(parked(), Retry(decision)), Step::RunUnparked);
        assert_eq!(step(row(Tried), Retry(decision)), Step::Run);
    }
}

#[test]
fn op2_only_a_tried_row_is_parked() {
    assert!(may_park(Some(row(Tried))));
    for ended in [None, Some(row(Confirmed)), Some(row(Cancelled))] {
        assert!(!may_park(ended));
    }
}

#[test]
fn op3_a_branch_resolved_by_hand_takes_the_decided_state_without_business_code() {
    for decision in [Commit, Rollback] {
        let step = |row| decide(row, ABOVE, Resolve(decision));
        assert_eq!(step(None), Step::Insert(ended_state(decision)));
        assert_eq!(step(Some(row(Tried))), Step::Close(ended_state(decision)));
        assert_eq!(step(Some(parked())), Step::Close(ended_state(decision)));
        for ended in [row(Confirmed), row(Cancelled)] {
            assert_eq!(
                step(Some(ended)),
                Step::Ended,
                "an ended row keeps its state"
            );
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Sent {
    Try,
    Cancel,
    Confirm,
}

/// What a step leaves, and the answer of the fence.
fn carry_out(state: &mut Option<RowState>, sent: Sent, effects: &mut Vec<Sent>) -> &'static str {
    let (event, after) = match sent {
        Sent::Try => (Event::Try, Tried),
        Sent::Cancel => (Delivered(Rollback), Cancelled),
        Sent::Confirm => (Delivered(Commit), Confirmed),
    };
    match decide(state.map(row), ABOVE, event) {
        Step::Run => {
            effects.push(sent);
            *state = Some(after);
            "Applied"
        }
        Step::Insert(marker) => {
            *state = Some(marker);
            "Applied"
        }
        Step::AlreadyApplied | Step::Ended => "AlreadyApplied",
        Step::Missing => "Missing",
        Step::RefusedConfirmed => "RefusedConfirmed",
        Step::RefusedCancelled => "RefusedCancelled",
        other => panic!("{other:?}"),
    }
}

/// What the protocol promises, from the history alone.
#[expect(clippy::match_same_arms, reason = "each arm is a case of its own")]
fn expected(before: &[Sent], sent: Sent) -> &'static str {
    let first = |wanted: Sent| before.iter().position(|one| *one == wanted);
    let (tried, cancelled) = (first(Sent::Try), first(Sent::Cancel));
    // A try takes effect only before every cancel; a confirm ends it only between both.
    let effective = tried.filter(|at| cancelled.is_none_or(|cancelled| *at < cancelled));
    let confirmed = first(Sent::Confirm).is_some_and(|at| {
        effective.is_some_and(|tried| tried < at) && cancelled.is_none_or(|cancel| at < cancel)
    });
    match sent {
        Sent::Try if confirmed => "AlreadyApplied",
        Sent::Try if cancelled.is_some() => "RefusedCancelled",
        Sent::Try if effective.is_some() => "AlreadyApplied",
        Sent::Try | Sent::Cancel if cancelled.is_none() && !confirmed => "Applied",
        Sent::Cancel if confirmed => "RefusedConfirmed",
        Sent::Confirm if confirmed => "AlreadyApplied",
        Sent::Confirm if cancelled.is_some() => "RefusedCancelled",
        Sent::Confirm if effective.is_some() => "Applied",
        Sent::Confirm => "Missing",
        Sent::Try | Sent::Cancel => "AlreadyApplied",
    }
}

fn orders(left: &[Sent], order: &mut Vec<Sent>, check: &mut impl FnMut(&[Sent])) {
    if left.is_empty() {
        check(order);
    }
    for at in 0..left.len() {
        let mut rest = left.to_vec();
        order.push(rest.remove(at));
        orders(&rest, order, check);
        order.pop();
    }
}

#[test]
fn rm4_every_order_of_two_tries_two_cancels_and_a_confirm_has_one_effect_at_most() {
    let all = [
        Sent::Try,
        Sent::Try,
        Sent::Cancel,
        Sent::Cancel,
        Sent::Confirm,
    ];
    let mut checked = 0;
    let mut answers = BTreeSet::new();
    orders(&all, &mut Vec::new(), &mut |order| {
        checked += 1;
        let (mut state, mut effects) = (None, Vec::new());
        for (at, sent) in order.iter().enumerate() {
            let answer = carry_out(&mut state, *sent, &mut effects);
            assert_eq!(
                answer,
                expected(&order[..at], *sent),
                "{sent:?} at {at} of {order:?}"
            );
            answers.insert(answer);
        }
        let whole = [Sent::Try, Sent::Confirm];
        let undone = [Sent::Try, Sent::Cancel];
        assert!(
            effects.is_empty() || effects == whole || effects == undone,
            "{order:?}"
        );
    });
    assert_eq!(checked, 120);
    assert_eq!(
        answers.len(),
        5,
        "every answer of the fence occurs: {answers:?}"
    );
}

#[test]
fn every_dropped_rule_shows() {
    #[derive(Clone, Debug, Eq, Hash, PartialEq)]
    struct None;
    impl Rules for None {
        const CANCEL_LEAVES_MARKER: bool = false;
        const TRY_HEEDS_MARKER: bool = false;
        const CONFIRM_RUNS_ONCE: bool = false;
        const ASKS_IN_DOUBT: bool = false;
        const ANSWERS_ACT_ONLY_ON_TRIED: bool = false;
        const CLEANS_ONLY_ENDED: bool = false;
        const CLEANS_BY_HORIZON: bool = false;
        const TRY_HEEDS_HORIZON: bool = false;
        const MISSING_IS_NOT_DONE: bool = false;
    }
    #[derive(Clone, Debug, Eq, Hash, PartialEq)]
    struct CancelsOnlyRows;
    impl Rules for CancelsOnlyRows {
        const CANCELS_WITHOUT_ROW: bool = false;
    }
    let cancel = Delivered(Rollback);
    assert_eq!(
        decide_always_cancel_with::<CancelsOnlyRows>(Option::None, ABOVE, cancel),
        Step::Insert(Cancelled)
    );
    let step = |row, event| decide_with::<None>(row, ABOVE, event);
    assert_eq!(step(Option::None, Delivered(Rollback)), Step::Ended);
    assert_eq!(step(Option::None, Delivered(Commit)), Step::Ended);
    assert_eq!(step(Some(row(Confirmed)), Delivered(Commit)), Step::Run);
    assert_eq!(
        step(Some(row(Confirmed)), Answered(Rollback)),
        Step::RefusedConfirmed
    );
    assert_eq!(step(Some(row(Cancelled)), Event::Try), Step::Run);
    assert_eq!(
        decide_with::<None>(Option::None, PASSED, Event::Try),
        Step::Run
    );
    assert!(may_delete_with::<None>(row(Tried), ABOVE));
    assert!(!may_ask_with::<None>(BranchKind::Fenced, row(Tried), false));
}
