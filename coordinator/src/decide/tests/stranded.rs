use unanimous_protocol::message::{
    AdminAnswer, AdminRefusal, AdminRequest, BranchResult, ByOperator, DecisionAnswer,
    InDoubtAnswer, ParkReason, TransactionSummary,
};
use unanimous_protocol::{Alias, DatabaseId, Decision, GlobalState, Xid};

use super::bench::call;
use super::*;
use crate::decide::rules::{All, Rules, mutants};

const SESSION: u64 = RES_A as u64;

fn gave_up() -> BranchResult {
    BranchResult::Park(ParkReason::GaveUp("no".into()))
}

fn listed<R: Rules>(bench: &mut Bench<R>) -> Vec<TransactionSummary> {
    let (finished, limit) = (false, 10);
    match bench.admin(AdminRequest::List {
        finished,
        limit,
        after: None,
    }) {
        AdminAnswer::Transactions(found) => found,
        other => panic!("{other:?}"),
    }
}

fn settled<R: Rules>(bench: &mut Bench<R>, xid: &Xid) -> AdminAnswer {
    bench.admin(AdminRequest::Settled(xid.clone()))
}

fn retry(xid: &Xid) -> AdminRequest {
    AdminRequest::Retry(xid.clone(), call("a:1"))
}

/// Tries in A, rolls back, gives that up; then the coordinator starts again, with nothing left of
/// it, and is told of the row.
fn given_up_before_a_restart<R: Rules>() -> (Bench<R>, Xid) {
    let mut bench = Bench::<R>::new();
    bench.attach(RES_A);
    let xid = bench.begin();
    let alias = bench.register(&xid, fenced("a:1", RES_A));
    bench.rollback(&xid);
    bench.result_from(SESSION, &xid, alias, gave_up());
    bench.crash(|_| true);
    assert_eq!(bench.refusal(retry(&xid)), AdminRefusal::NoSuchTransaction);
    bench.delivered.clear();
    bench.attach(RES_A);
    assert_eq!(
        bench.given_up(&xid, "a:1", RES_A),
        InDoubtAnswer::RolledBack
    );
    (bench, xid)
}

/// The alias under which the row was delivered last.
fn delivered<R: Rules>(bench: &Bench<R>, by_operator: ByOperator) -> Alias {
    let (_, two) = bench.delivered.last().expect("it is delivered");
    assert_eq!(
        (two.decision, two.by_operator, two.action.as_str()),
        (Decision::Rollback, by_operator, "debit")
    );
    two.alias
}

#[test]
fn op2_a_row_given_up_is_listed_again_after_a_restart_and_retried() {
    let (mut bench, xid) = given_up_before_a_restart::<All>();
    // The row says itself that it is parked; no user code runs.
    let alias = delivered(&bench, ByOperator::No);
    bench.result_from(SESSION, &xid, alias, gave_up());
    let found = listed(&mut bench);
    assert_eq!((found.len(), found[0].state), (1, GlobalState::RolledBack));
    assert_eq!((found[0].waiting, found[0].parked), (1, 1));
    assert_eq!(bench.state.parked(), 1);
    assert_eq!(settled(&mut bench, &xid), AdminAnswer::Settled(false));
    // Told of again, it is not delivered again.
    let before = bench.delivered.len();
    bench.given_up(&xid, "a:1", RES_A);
    assert_eq!(bench.delivered.len(), before);
    assert_eq!(bench.admin(retry(&xid)), AdminAnswer::Done(1));
    let alias = delivered(&bench, ByOperator::Retry);
    bench.end(RES_A, &xid, alias);
    assert_eq!(listed(&mut bench), []);
    assert_eq!(settled(&mut bench, &xid), AdminAnswer::Settled(true));
    assert!(bench.log.iter().all(|(_, forced)| *forced), "memory only");
}

#[test]
fn op2_without_its_listing_nobody_could_retry_the_row() {
    let (mut bench, xid) = given_up_before_a_restart::<mutants::StrandedStaysUnlisted>();
    assert_eq!(bench.refusal(retry(&xid)), AdminRefusal::NoSuchTransaction);
}

#[test]
fn op3_a_row_given_up_may_be_resolved_by_hand_after_a_restart() {
    let (mut bench, xid) = given_up_before_a_restart::<All>();
    let alias = delivered(&bench, ByOperator::No);
    bench.result_from(SESSION, &xid, alias, gave_up());
    let resolve = AdminRequest::Resolve(xid.clone(), call("a:1"));
    assert_eq!(bench.admin(resolve), AdminAnswer::Done(1));
    let alias = delivered(&bench, ByOperator::Resolve);
    bench.end(RES_A, &xid, alias);
    assert_eq!(listed(&mut bench), []);
}

#[test]
fn op4_a_written_off_database_keeps_its_stranded_rows_listed() {
    let (mut bench, xid) = given_up_before_a_restart::<All>();
    let write_off = AdminRequest::WriteOff(DatabaseId([RES_A; 16]));
    assert_eq!(bench.admin(write_off), AdminAnswer::Done(1));
    let found = listed(&mut bench);
    assert_eq!((&found[0].xid, found[0].parked), (&xid, 1));
}

#[test]
fn op2_what_is_told_too_late_ends_by_itself() {
    let (mut bench, xid) = given_up_before_a_restart::<All>();
    let alias = delivered(&bench, ByOperator::No);
    bench.end(RES_A, &xid, alias);
    assert_eq!(listed(&mut bench), []);
    assert_eq!(bench.refusal(retry(&xid)), AdminRefusal::NoSuchTransaction);
}

#[test]
fn op2_a_branch_that_is_known_or_undecided_or_foreign_is_not_delivered_for_being_told_of() {
    let mut bench = Bench::<All>::new();
    bench.attach(RES_A);
    let open = bench.begin();
    bench.register(&open, fenced("a:1", RES_A));
    assert_eq!(bench.given_up(&open, "a:1", RES_A), InDoubtAnswer::Wait);
    let parked = bench.begin();
    let alias = bench.register(&parked, fenced("a:1", RES_A));
    bench.commit(&parked, &[alias], &[]);
    bench.result_from(SESSION, &parked, alias, gave_up());
    let foreign: Xid = "u1.7.0000000000000007.1".parse().unwrap();
    let before = (bench.state.clone(), bench.delivered.len());
    assert_eq!(
        bench.given_up(&parked, "a:1", RES_A),
        InDoubtAnswer::Committed
    );
    assert_eq!(
        bench.given_up(&foreign, "a:1", RES_A),
        InDoubtAnswer::Foreign
    );
    assert_eq!((bench.state.clone(), bench.delivered.len()), before);
}

/// A row of a forgotten committed transaction, which it was no part of.
#[test]
fn tc11_a_stranded_row_is_no_part_of_any_answer_and_moves_no_horizon() {
    let mut bench = Bench::<All>::new();
    bench.attach(RES_A);
    let xid = bench.begin();
    bench.commit(&xid, &[], &[]);
    bench.horizon();
    let before = bench.log.clone();
    assert_eq!(bench.given_up(&xid, "a:1", RES_A), InDoubtAnswer::Forgotten);
    let alias = delivered(&bench, ByOperator::No);
    bench.result_from(SESSION, &xid, alias, gave_up());
    bench.horizon();
    assert_eq!(bench.outcome(&xid), Some(DecisionAnswer::Committed));
    assert_eq!(bench.in_doubt(&xid, "b:1", RES_B), InDoubtAnswer::Forgotten);
    assert_eq!(bench.log, before);
    assert_eq!(listed(&mut bench).len(), 1);
    assert_eq!(bench.admin(retry(&xid)), AdminAnswer::Done(1));
}
