use unanimous_protocol::message::{DecisionAnswer, InDoubtAnswer};
use unanimous_protocol::{RollbackReason, Xid};

use super::*;
use crate::decide::rules::{All, Rules, mutants};

const NOT_RECORDED: DecisionAnswer = DecisionAnswer::RolledBack(RollbackReason::NotRecorded);

fn in_doubt_of_open<R: Rules>() -> InDoubtAnswer {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    bench.register(&xid, fenced("a:1", RES_A));
    bench.in_doubt(&xid, "a:1", RES_A)
}

#[test]
fn tc13_a_participant_waits_while_open() {
    assert_eq!(in_doubt_of_open::<All>(), InDoubtAnswer::Wait);
    let mutant = in_doubt_of_open::<mutants::OpenIsRolledBackForParticipant>();
    assert_eq!(mutant, InDoubtAnswer::RolledBack);
}

fn outcome_of_open<R: Rules>() -> DecisionAnswer {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    let answer = bench.outcome(&xid).unwrap();
    assert_eq!(bench.commit(&xid, &[], &[]), DecisionAnswer::Committed);
    answer
}

#[test]
fn tc13_a_question_about_an_open_one_decides_nothing_and_says_open() {
    assert_eq!(outcome_of_open::<All>(), DecisionAnswer::Open);
    assert_eq!(
        outcome_of_open::<mutants::OpenIsRolledBackForManager>(),
        NOT_RECORDED
    );
}

#[test]
fn tc13_while_deciding_a_participant_waits() {
    let mut bench = Bench::<All>::new();
    let xid = bench.begin();
    let alias = bench.register(&xid, fenced("a:1", RES_A));
    bench.ask_commit(&xid, &[alias], &[]);
    assert_eq!(bench.in_doubt(&xid, "a:1", RES_A), InDoubtAnswer::Wait);
    bench.sync();
    assert_eq!(bench.in_doubt(&xid, "a:1", RES_A), InDoubtAnswer::Committed);
}

fn no_record<R: Rules>() -> InDoubtAnswer {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    bench.crash(|_| true);
    bench.in_doubt(&xid, "a:1", RES_A)
}

#[test]
fn tc13_no_record_above_the_horizon_is_rolled_back() {
    assert_eq!(no_record::<All>(), InDoubtAnswer::RolledBack);
    assert_eq!(no_record::<mutants::NoRecordIsWait>(), InDoubtAnswer::Wait);
}

/// An abandoned branch, and a twin database under the same call id, of a committed transaction.
fn in_doubt_of_others<R: Rules>() -> [InDoubtAnswer; 3] {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    let named = bench.register(&xid, fenced("a:1", RES_A));
    bench.register(&xid, fenced("b:1", RES_B));
    bench.commit(&xid, &[named], &["b:1"]);
    [("a:1", RES_A), ("b:1", RES_B), ("a:1", RES_B)]
        .map(|(id, name)| bench.in_doubt(&xid, id, name))
}

#[test]
fn tc13_a_participant_is_answered_by_branch() {
    use InDoubtAnswer::{Committed, RolledBack};
    assert_eq!(in_doubt_of_others::<All>()[..2], [Committed, RolledBack]);
    let mutant = in_doubt_of_others::<mutants::AnswersByTransaction>();
    assert_eq!(mutant[1], Committed);
}

#[test]
fn n5_another_database_under_the_same_name_is_another_resource() {
    assert_eq!(in_doubt_of_others::<All>()[2], InDoubtAnswer::RolledBack);
    let mutant = in_doubt_of_others::<mutants::AnswersByTransaction>();
    assert_eq!(mutant[2], InDoubtAnswer::Committed);
}

#[test]
fn tc13_a_finished_transaction_is_answered_by_branch_too() {
    let mut bench = Bench::<All>::new();
    bench.attach(RES_A);
    let xid = bench.begin();
    let named = bench.register(&xid, fenced("a:1", RES_A));
    bench.commit(&xid, &[named], &[]);
    bench.end(RES_A, &xid, named);
    for _ in 0..2 {
        assert_eq!(bench.in_doubt(&xid, "a:1", RES_A), InDoubtAnswer::Committed);
        assert_eq!(
            bench.in_doubt(&xid, "a:1", RES_B),
            InDoubtAnswer::RolledBack
        );
        assert_eq!(bench.rollback(&xid), DecisionAnswer::Committed);
        bench.crash(|_| true);
    }
}

fn outcome_once_dropped<R: Rules>() -> DecisionAnswer {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    bench.commit(&xid, &[], &[]);
    bench.horizon();
    for _ in 0..2 {
        bench.timer(crate::decide::Timer::Remember);
    }
    bench.outcome(&xid).unwrap()
}

#[test]
fn tc13_what_is_forgotten_is_never_told_as_rolled_back() {
    assert_eq!(outcome_once_dropped::<All>(), DecisionAnswer::Forgotten);
    assert_eq!(
        outcome_once_dropped::<mutants::ForgottenIsRolledBack>(),
        NOT_RECORDED
    );
}

fn outcome_of_unknown_incarnation<R: Rules>(xid: &str) -> DecisionAnswer {
    let mut bench = Bench::<R>::new();
    let xid: Xid = xid.parse().unwrap();
    bench.outcome(&xid).unwrap()
}

#[test]
fn n1_an_incarnation_that_is_not_in_the_list_proves_nothing() {
    // A number that was issued, with another random part: another log, or a lost file.
    let twin = "u1.1.00000000deadbeef.1";
    let foreign = outcome_of_unknown_incarnation::<All>(twin);
    assert_eq!(foreign, DecisionAnswer::Foreign);
    let mutant = outcome_of_unknown_incarnation::<mutants::UnknownIsRolledBack>(twin);
    assert_eq!(mutant, NOT_RECORDED);
}

#[test]
fn n1_a_counter_that_was_never_issued_is_foreign() {
    for text in [
        "u1.1.000000000000feee.1",
        "u1.1.000000000000feee.0",
        "dtm-42",
    ] {
        let answer = outcome_of_unknown_incarnation::<All>(text);
        assert_eq!(answer, DecisionAnswer::Foreign, "{text}");
    }
}

#[test]
fn n1_each_start_issues_xids_of_its_own() {
    let mut bench = Bench::<All>::new();
    let first = bench.begin();
    bench.crash(|_| true);
    let second = bench.begin();
    assert_eq!(first.to_string(), "u1.1.000000000000feee.1");
    assert_eq!(second.to_string(), "u1.2.000000000000feef.1");
    assert_eq!(
        bench.rollback(&first),
        NOT_RECORDED,
        "decided by presumption"
    );
}
