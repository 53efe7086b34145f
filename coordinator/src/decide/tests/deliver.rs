use unanimous_protocol::message::{BranchResult, DecisionAnswer, ParkReason};
use unanimous_protocol::{Alias, Decision, Xid};

use super::bench::{attach_of, call};
use super::*;
use crate::decide::rules::{All, Rules, mutants};
use crate::decide::{Note, Record, SessionId, Settings, Timer};

/// A committed transaction with one fenced branch of resource A, to be delivered.
fn committed<R: Rules>(bench: &mut Bench<R>, text: &'static str) -> (Xid, Alias) {
    let xid = bench.begin();
    let alias = bench.register(&xid, fenced(text, RES_A));
    let answer = bench.commit(&xid, &[alias], &[]);
    assert_eq!(answer, DecisionAnswer::Committed);
    (xid, alias)
}

fn retry() -> BranchResult {
    BranchResult::Retry {
        error: "no money".into(),
        after: None,
    }
}

fn not_here() -> BranchResult {
    BranchResult::NotHere {
        error: "what is `debit`?".into(),
    }
}

fn retry_timer(xid: &Xid, alias: Alias) -> Timer {
    Timer::Retry(xid.own().unwrap(), alias)
}

#[test]
fn tc10_phase_two_repeats_until_ended() {
    let mut bench = Bench::<All>::new();
    bench.attach(RES_A);
    let (xid, alias) = committed(&mut bench, "a:1");
    for _ in 0..3 {
        bench.result_from(u64::from(RES_A), &xid, alias, retry());
        assert!(bench.timers.contains(&retry_timer(&xid, alias)));
        bench.timer(retry_timer(&xid, alias));
    }
    assert_eq!(bench.delivered.len(), 4);
    bench.end(RES_A, &xid, alias);
    bench.timer(retry_timer(&xid, alias));
    bench.detach(u64::from(RES_A));
    bench.attach(RES_A);
    assert_eq!(bench.delivered.len(), 4, "an ended branch is left alone");
    let own = xid.own().unwrap();
    assert!(
        bench
            .log
            .contains(&(Record::Ended { xid: own, alias }, false))
    );
}

fn deliveries_after_restart<R: Rules>() -> usize {
    let mut bench = Bench::<R>::new();
    committed(&mut bench, "a:1");
    bench.crash_losing_lazy();
    bench.attach(RES_A);
    bench.delivered.len()
}

#[test]
fn tc10_phase_two_goes_on_after_a_restart() {
    assert_eq!(deliveries_after_restart::<All>(), 1);
    assert_eq!(
        deliveries_after_restart::<mutants::NoPhaseTwoAfterRestart>(),
        0
    );
}

#[test]
fn tc10_only_what_is_recorded_as_ended_is_spared_after_a_restart() {
    let mut bench = Bench::<All>::new();
    bench.attach(RES_A);
    let (first, alias) = committed(&mut bench, "a:1");
    let (second, _) = committed(&mut bench, "a:1");
    bench.end(RES_A, &first, alias);
    bench.delivered.clear();
    bench.crash(|_| true);
    bench.attach(RES_A);
    assert_eq!(bench.deliveries(&first), []);
    assert_eq!(bench.deliveries(&second).len(), 1);
}

/// Another database says that it has ended the branch: is that the end of it?
fn ended_by_another<R: Rules>() -> bool {
    let mut bench = Bench::<R>::new();
    bench.attach(RES_A);
    bench.attach(RES_B);
    let (xid, alias) = committed(&mut bench, "a:1");
    bench.end(RES_B, &xid, alias);
    bench
        .notes
        .contains(&Note::Ended(xid.own().unwrap(), alias))
}

#[test]
fn tc10_only_a_session_attached_for_the_resource_ends_its_branch() {
    assert!(!ended_by_another::<All>());
    assert!(ended_by_another::<mutants::ResultFromAnyone>());
}

#[test]
fn tc10_what_was_under_way_at_a_lost_session_is_delivered_elsewhere() {
    let mut bench = Bench::<All>::new();
    bench.attach(RES_A);
    bench.attach_as(7, RES_A, &["debit"], attach_of(None));
    let (xid, _) = committed(&mut bench, "a:1");
    assert_eq!(
        bench.delivered[0].0,
        SessionId(u64::from(RES_A)),
        "who ran phase one"
    );
    bench.detach(u64::from(RES_A));
    assert_eq!(bench.delivered[1].0, SessionId(7));
    assert_eq!(bench.deliveries(&xid).len(), 2);
}

#[test]
fn tc10_an_overdue_answer_counts_as_lost() {
    let mut bench = Bench::<All>::new();
    bench.attach(RES_A);
    let (xid, alias) = committed(&mut bench, "a:1");
    bench.timer(Timer::Lost(xid.own().unwrap(), alias));
    assert_eq!(bench.deliveries(&xid).len(), 2);
    bench.end(RES_A, &xid, alias);
    bench.timer(Timer::Lost(xid.own().unwrap(), alias));
    assert_eq!(bench.deliveries(&xid).len(), 2);
}

#[test]
fn an_attachment_makes_deliveries_due_at_once() {
    let mut bench = Bench::<All>::new();
    bench.attach(RES_A);
    let (xid, alias) = committed(&mut bench, "a:1");
    bench.result_from(u64::from(RES_A), &xid, alias, retry());
    bench.attach_as(7, RES_A, &["debit"], attach_of(None));
    assert_eq!(bench.deliveries(&xid).len(), 2);
    bench.timer(retry_timer(&xid, alias));
    assert_eq!(
        bench.deliveries(&xid).len(),
        2,
        "the timer is of no use any more"
    );
}

#[test]
fn g7_a_resource_that_never_answers_delays_no_other() {
    let mut bench = Bench::<All>::with(Settings {
        deliveries_max: 2,
        ..Settings::default()
    });
    bench.attach(RES_A);
    let (first, alias) = committed(&mut bench, "a:1");
    for _ in 0..5 {
        committed(&mut bench, "a:1");
    }
    assert_eq!(bench.delivered.len(), 2, "so many at a time");
    bench.attach(RES_B);
    let healthy = bench.begin();
    let b = bench.register(&healthy, fenced("b:1", RES_B));
    bench.commit(&healthy, &[b], &[]);
    assert_eq!(bench.deliveries(&healthy).len(), 1);
    bench.end(RES_A, &first, alias);
    assert_eq!(bench.delivered.len(), 4, "one ended, the next is delivered");
}

#[test]
fn g7_a_branch_that_fails_leaves_its_turn_to_the_next() {
    let mut bench = Bench::<All>::with(Settings {
        deliveries_max: 1,
        ..Settings::default()
    });
    bench.attach(RES_A);
    let (first, alias) = committed(&mut bench, "a:1");
    let (second, _) = committed(&mut bench, "a:1");
    assert_eq!(bench.deliveries(&second), []);
    bench.result_from(u64::from(RES_A), &first, alias, retry());
    assert_eq!(bench.deliveries(&second), [(call("a:1"), Decision::Commit)]);
}

#[test]
fn an_instance_that_does_not_know_the_action_is_passed_over() {
    let mut bench = Bench::<All>::new();
    bench.attach_as(6, RES_A, &["credit"], attach_of(None));
    bench.attach_as(7, RES_A, &["debit"], attach_of(None));
    let (xid, alias) = committed(&mut bench, "a:1");
    assert_eq!(bench.delivered[0].0, SessionId(7));
    bench.attach_as(8, RES_A, &["debit"], attach_of(None));
    bench.result_from(7, &xid, alias, not_here());
    assert_eq!(bench.delivered[1].0, SessionId(8), "the next instance");
    bench.result_from(8, &xid, alias, not_here());
    assert_eq!(bench.delivered.len(), 2, "nobody is left: back off");
    bench.timer(retry_timer(&xid, alias));
    assert_eq!(bench.delivered.len(), 3, "asked again");
}

#[test]
fn a_branch_that_nobody_can_decode_parks_after_undecodable_after() {
    let mut bench = Bench::<All>::new();
    bench.attach(RES_A);
    let (xid, alias) = committed(&mut bench, "a:1");
    let own = xid.own().unwrap();
    let overdue = Timer::Undecodable(own, alias);
    bench.result_from(u64::from(RES_A), &xid, alias, not_here());
    assert!(bench.timers.contains(&overdue));
    bench.timer(overdue);
    let why = ParkReason::Undecodable("what is `debit`?".into());
    assert!(bench.notes.contains(&Note::Parked(own, alias, why)));
    bench.timer(retry_timer(&xid, alias));
    assert_eq!(bench.deliveries(&xid).len(), 1);
}

#[test]
fn a_branch_that_somebody_decoded_does_not_park() {
    let mut bench = Bench::<All>::new();
    bench.attach(RES_A);
    let (xid, alias) = committed(&mut bench, "a:1");
    let overdue = Timer::Undecodable(xid.own().unwrap(), alias);
    bench.result_from(u64::from(RES_A), &xid, alias, not_here());
    bench.timer(retry_timer(&xid, alias));
    bench.result_from(u64::from(RES_A), &xid, alias, retry());
    assert!(!bench.timers.contains(&overdue));
    bench.timer(overdue);
    bench.timer(retry_timer(&xid, alias));
    assert_eq!(bench.deliveries(&xid).len(), 3);
}

#[test]
fn a_parked_branch_stays_parked_over_a_restart() {
    let mut bench = Bench::<All>::new();
    bench.attach(RES_A);
    let (xid, alias) = committed(&mut bench, "a:1");
    let park = BranchResult::Park(ParkReason::Missing);
    bench.result_from(u64::from(RES_A), &xid, alias, park);
    bench.attach(RES_A);
    assert_eq!(bench.deliveries(&xid).len(), 1);
    bench.crash(|_| true);
    bench.attach(RES_A);
    assert_eq!(bench.deliveries(&xid).len(), 1);
    assert_eq!(bench.state.parked(), 1);
}
