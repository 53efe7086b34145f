use std::collections::BTreeSet;

use unanimous_protocol::Decision::{Commit, Rollback};
use unanimous_protocol::OwnXid;
use unanimous_protocol::RowState::{Cancelled, Confirmed, Tried};

use super::PhaseTwoCause::{Answered, Delivered, OperatorResolve, OperatorRetry};
use super::Position::{Above, Passed};
use super::*;

fn bound() -> Bound {
    Bound {
        participant: "account".parse().unwrap(),
        action: "debit".parse().unwrap(),
        digest: Digest([1; 32]),
    }
}

fn row(state: RowState) -> Row {
    Row {
        state,
        bound: Some(bound()),
        parked: None,
    }
}

fn marker() -> Row {
    Row {
        state: Cancelled,
        bound: None,
        parked: None,
    }
}

fn parked() -> Row {
    let parked = Parked {
        decision: Commit,
        reason: "no such account".into(),
    };
    Row {
        parked: Some(parked),
        ..row(Tried)
    }
}

fn run(close: RowState) -> PhaseTwoVerdict {
    PhaseTwoVerdict::Run {
        close,
        unpark: false,
    }
}

fn park(reason: ParkReason) -> PhaseTwoVerdict {
    PhaseTwoVerdict::Park(reason)
}

const POSITIONS: [Position; 2] = [Above, Passed];

#[test]
fn rm4_every_cell_of_try() {
    let verdict = |row: Option<&Row>, position| on_try(row, position, &bound());
    assert_eq!(verdict(None, Above), TryVerdict::Run);
    assert_eq!(verdict(None, Passed), TryVerdict::BelowHorizon);
    for position in POSITIONS {
        assert_eq!(
            verdict(Some(&row(Tried)), position),
            TryVerdict::AlreadyApplied
        );
        assert_eq!(
            verdict(Some(&parked()), position),
            TryVerdict::AlreadyApplied
        );
        assert_eq!(
            verdict(Some(&row(Confirmed)), position),
            TryVerdict::AlreadyApplied
        );
        assert_eq!(
            verdict(Some(&row(Cancelled)), position),
            TryVerdict::RefusedCancelled
        );
        assert_eq!(
            verdict(Some(&marker()), position),
            TryVerdict::RefusedCancelled
        );
    }
}

#[test]
fn rm4_every_cell_of_a_delivered_decision() {
    let verdict =
        |row: Option<&Row>, position, decision| on_phase_two(row, position, decision, Delivered);
    assert_eq!(verdict(None, Above, Commit), park(ParkReason::Missing));
    assert_eq!(
        verdict(None, Above, Rollback),
        PhaseTwoVerdict::Write(Cancelled)
    );
    assert_eq!(verdict(None, Passed, Commit), PhaseTwoVerdict::Ended);
    assert_eq!(verdict(None, Passed, Rollback), PhaseTwoVerdict::Ended);
    for position in POSITIONS {
        let verdict = |row: &Row, decision| verdict(Some(row), position, decision);
        assert_eq!(verdict(&row(Tried), Commit), run(Confirmed));
        assert_eq!(verdict(&row(Tried), Rollback), run(Cancelled));
        assert_eq!(verdict(&row(Confirmed), Commit), PhaseTwoVerdict::Ended);
        assert_eq!(
            verdict(&row(Confirmed), Rollback),
            park(ParkReason::RefusedConfirmed)
        );
        for cancelled in [row(Cancelled), marker()] {
            assert_eq!(
                verdict(&cancelled, Commit),
                park(ParkReason::RefusedCancelled)
            );
            assert_eq!(verdict(&cancelled, Rollback), PhaseTwoVerdict::Ended);
        }
    }
}

#[test]
fn rm7_an_answer_to_a_question_acts_only_on_a_tried_row() {
    for position in POSITIONS {
        for decision in [Commit, Rollback] {
            let verdict = |row: Option<&Row>| on_phase_two(row, position, decision, Answered);
            assert_eq!(verdict(Some(&row(Tried))), run(state_after(decision)));
            assert_eq!(verdict(None), PhaseTwoVerdict::Ignored);
            for ended in [row(Confirmed), row(Cancelled), marker()] {
                assert_eq!(verdict(Some(&ended)), PhaseTwoVerdict::Ignored);
            }
        }
    }
}

#[test]
fn rm8_the_horizon_deletes_ended_rows_that_it_has_passed_and_nothing_else() {
    for ended in [row(Confirmed), row(Cancelled), marker()] {
        assert!(may_delete(&ended, Passed));
        assert!(!may_delete(&ended, Above));
    }
    for position in POSITIONS {
        assert!(!may_delete(&row(Tried), position));
        assert!(!may_delete(&parked(), position));
    }
}

#[test]
fn rm8_below_the_horizon_nothing_starts_and_nothing_is_written() {
    assert_eq!(on_try(None, Passed, &bound()), TryVerdict::BelowHorizon);
    for decision in [Commit, Rollback] {
        for cause in [Delivered, OperatorRetry, OperatorResolve] {
            assert_eq!(
                on_phase_two(None, Passed, decision, cause),
                PhaseTwoVerdict::Ended
            );
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
            advanced(&local, &announced),
            after,
            "{local:?} then {announced:?}"
        );
        for counter in 0..10 {
            let either = local.has_passed(counter) || announced.has_passed(counter);
            assert_eq!(after.has_passed(counter), either, "{counter}");
        }
    }
}

#[test]
fn rm8_only_the_horizon_of_the_xids_own_incarnation_passes_it() {
    let incarnation = |number| Incarnation { number, random: 7 };
    let own = OwnXid {
        incarnation: incarnation(1),
        counter: 3,
    };
    let of = |xid: &Xid| {
        Position::of(xid, |asked| {
            let horizon = Horizon {
                counter: 3,
                listed: BTreeSet::new(),
            };
            (asked == incarnation(1)).then_some(horizon)
        })
    };
    assert_eq!(of(&own.into()), Passed);
    assert_eq!(of(&OwnXid { counter: 4, ..own }.into()), Above);
    assert_eq!(
        of(&OwnXid {
            incarnation: incarnation(2),
            ..own
        }
        .into()),
        Above
    );
    assert_eq!(of(&"10.0.0.1:8091:3".parse().unwrap()), Above);
}

#[test]
fn rm9_a_confirm_without_row_is_missing_and_never_done() {
    for cause in [Delivered, OperatorRetry] {
        let verdict = on_phase_two(None, Above, Commit, cause);
        assert_eq!(verdict, park(ParkReason::Missing));
    }
}

#[test]
fn rm6_tried_rows_that_heard_nothing_ask() {
    let asks = |row: &Row, heard| may_ask(BranchKind::Fenced, row, heard);
    assert!(asks(&row(Tried), false));
    assert!(!asks(&row(Tried), true));
    assert!(!asks(&parked(), false));
    assert!(!asks(&row(Confirmed), false));
    assert!(!asks(&marker(), false));
    assert!(!may_ask(BranchKind::Unfenced, &row(Tried), false));
}

#[test]
fn n4_a_repeat_with_another_participant_action_or_digest_is_refused() {
    let others = [
        Bound {
            participant: "storage".parse().unwrap(),
            ..bound()
        },
        Bound {
            action: "credit".parse().unwrap(),
            ..bound()
        },
        Bound {
            digest: Digest([2; 32]),
            ..bound()
        },
    ];
    for state in [Tried, Confirmed] {
        let row = row(state);
        for other in &others {
            assert_eq!(on_try(Some(&row), Above, other), TryVerdict::CallIdReused);
        }
        assert_eq!(
            on_try(Some(&row), Above, &bound()),
            TryVerdict::AlreadyApplied
        );
    }
}

#[test]
fn op2_a_parked_row_answers_park_until_an_operator_retries() {
    for cause in [Delivered, Answered] {
        let gave_up = ParkReason::GaveUp("no such account".into());
        assert_eq!(
            on_phase_two(Some(&parked()), Above, Commit, cause),
            park(gave_up)
        );
    }
    let retried = PhaseTwoVerdict::Run {
        close: Confirmed,
        unpark: true,
    };
    assert_eq!(
        on_phase_two(Some(&parked()), Above, Commit, OperatorRetry),
        retried
    );
    assert_eq!(
        on_phase_two(Some(&row(Tried)), Above, Commit, OperatorRetry),
        run(Confirmed)
    );
}

#[test]
fn op2_only_a_tried_row_is_parked() {
    assert!(may_park(Some(&row(Tried))));
    for other in [None, Some(&row(Confirmed)), Some(&marker())] {
        assert!(!may_park(other));
    }
}

#[test]
fn op3_a_branch_resolved_by_hand_takes_the_decided_state_without_business_code() {
    for decision in [Commit, Rollback] {
        let resolved = PhaseTwoVerdict::Write(state_after(decision));
        for waiting in [None, Some(&row(Tried)), Some(&parked())] {
            assert_eq!(
                on_phase_two(waiting, Above, decision, OperatorResolve),
                resolved
            );
        }
        for ended in [row(Confirmed), row(Cancelled), marker()] {
            let verdict = on_phase_two(Some(&ended), Above, decision, OperatorResolve);
            assert_eq!(
                verdict,
                PhaseTwoVerdict::Ended,
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
fn carry_out(row: &mut Option<Row>, sent: Sent, effects: &mut Vec<Sent>) -> &'static str {
    let decision = match sent {
        Sent::Try => {
            let verdict = on_try(row.as_ref(), Above, &bound());
            if verdict == TryVerdict::Run {
                *row = Some(self::row(Tried));
                effects.push(Sent::Try);
            }
            return match verdict {
                TryVerdict::Run => "Applied",
                TryVerdict::AlreadyApplied => "AlreadyApplied",
                TryVerdict::RefusedCancelled => "RefusedCancelled",
                other => panic!("{other:?}"),
            };
        }
        Sent::Cancel => Rollback,
        Sent::Confirm => Commit,
    };
    match on_phase_two(row.as_ref(), Above, decision, Delivered) {
        PhaseTwoVerdict::Run { close, .. } => {
            effects.push(sent);
            row.as_mut().expect("a row is tried").state = close;
            "Applied"
        }
        PhaseTwoVerdict::Write(state) => {
            *row = Some(Row { state, ..marker() });
            "Applied"
        }
        PhaseTwoVerdict::Ended => "AlreadyApplied",
        PhaseTwoVerdict::Park(ParkReason::Missing) => "Missing",
        PhaseTwoVerdict::Park(ParkReason::RefusedConfirmed) => "RefusedConfirmed",
        PhaseTwoVerdict::Park(ParkReason::RefusedCancelled) => "RefusedCancelled",
        other => panic!("{other:?}"),
    }
}

/// What the protocol promises, from the history alone.
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
        let (mut row, mut effects) = (None, Vec::new());
        for (at, sent) in order.iter().enumerate() {
            let answer = carry_out(&mut row, *sent, &mut effects);
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
    let phase_two =
        |row: Option<&Row>, decision, cause| on_phase_two_with::<None>(row, Above, decision, cause);
    assert_eq!(
        phase_two(Option::None, Rollback, Delivered),
        PhaseTwoVerdict::Ended
    );
    assert_eq!(
        phase_two(Option::None, Commit, Delivered),
        PhaseTwoVerdict::Ended
    );
    assert_eq!(
        phase_two(Some(&row(Confirmed)), Commit, Delivered),
        run(Confirmed)
    );
    let late = phase_two(Some(&row(Confirmed)), Rollback, Answered);
    assert_eq!(late, park(ParkReason::RefusedConfirmed));
    assert_eq!(
        on_try_with::<None>(Some(&marker()), Above, &bound()),
        TryVerdict::Run
    );
    assert_eq!(
        on_try_with::<None>(Option::None, Passed, &bound()),
        TryVerdict::Run
    );
    assert!(may_delete_with::<None>(&row(Tried), Above));
    assert!(!may_ask_with::<None>(
        BranchKind::Fenced,
        &row(Tried),
        false
    ));
}
