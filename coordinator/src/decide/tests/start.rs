use unanimous_protocol::message::DecisionAnswer;
use unanimous_protocol::{Decision, RollbackReason};

use super::*;
use crate::decide::rules::{All, Rules, mutants};
use crate::decide::{Event, Note, Record, Reply, Settings};

/// A request before the start is durable: is it answered?
fn answers_before_durable<R: Rules>() -> bool {
    let mut bench = Bench::<R>::cold(Settings::default());
    bench.start(false);
    bench.try_begin().is_some()
}

#[test]
fn tc1_nothing_is_answered_before_the_start_is_durable() {
    assert!(!answers_before_durable::<All>());
    assert!(answers_before_durable::<mutants::RecoveryDoesNotForce>());
}

#[test]
fn tc1_the_incarnation_is_forced_and_then_served() {
    let mut bench = Bench::<All>::cold(Settings::default());
    bench.start(false);
    assert!(matches!(
        bench.log[..],
        [(
            Record::Incarnation {
                restored: false,
                ..
            },
            true
        )]
    ));
    bench.sync();
    assert_eq!(bench.notes, [Note::Serving]);
    assert!(matches!(bench.try_begin(), Some(Reply::Began(Ok(_)))));
}

/// A timeout rolls back and is heard by one participant; the crash loses the lazy abort; the
/// transaction manager asks for the commit of what it saw succeed.
fn commit_after_lost_abort<R: Rules>() -> DecisionAnswer {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    let a = bench.register(&xid, fenced("a:1", RES_A));
    let b = bench.register(&xid, fenced("b:1", RES_B));
    bench.attach(RES_A);
    assert_eq!(
        bench.rollback(&xid),
        DecisionAnswer::RolledBack(RollbackReason::Requested)
    );
    assert_eq!(bench.deliveries(&xid).len(), 1);
    bench.crash(|record| !matches!(record, Record::Abort { .. }));
    bench.commit(&xid, &[a, b], &[])
}

#[test]
fn tc2_an_undecided_transaction_dies_with_its_incarnation() {
    let rolled_back = DecisionAnswer::RolledBack(RollbackReason::NotRecorded);
    assert_eq!(commit_after_lost_abort::<All>(), rolled_back);
    assert_eq!(
        commit_after_lost_abort::<mutants::OpenSurvivesRestart>(),
        DecisionAnswer::Committed
    );
}

#[test]
fn tc2_a_recorded_branch_of_an_undecided_transaction_is_rolled_back_after_a_restart() {
    let mut bench = Bench::<All>::new();
    let xid = bench.begin();
    let alias = bench.register(&xid, unfenced("a:1", RES_A));
    bench.crash_losing_lazy();
    assert_eq!(
        bench.outcome(&xid),
        Some(DecisionAnswer::RolledBack(RollbackReason::Stopped))
    );
    bench.attach(RES_A);
    let (_, two) = bench.delivered.last().unwrap();
    assert_eq!((two.alias, two.decision), (alias, Decision::Rollback));
    assert!(
        two.arguments.is_some(),
        "an unfenced branch needs its arguments"
    );
}

#[test]
fn tc2_a_stop_leaves_nothing_open() {
    let mut bench = Bench::<All>::new();
    let xid = bench.begin();
    bench.event(Event::Stop);
    assert!(matches!(bench.try_begin(), Some(Reply::Began(Err(_)))));
    assert!(!bench.notes.contains(&Note::Drained), "one is still open");
    bench.timer(crate::decide::Timer::Drain);
    assert!(bench.notes.contains(&Note::Drained));
    assert_eq!(
        bench.outcome(&xid),
        Some(DecisionAnswer::RolledBack(RollbackReason::Stopped))
    );
}

#[test]
fn tc2_a_stop_waits_for_what_is_being_decided() {
    let mut bench = Bench::<All>::new();
    let xid = bench.begin();
    let request = bench.ask_commit(&xid, &[], &[]);
    bench.event(Event::Stop);
    bench.timer(crate::decide::Timer::Drain);
    assert!(!bench.notes.contains(&Note::Drained));
    bench.sync();
    assert_eq!(bench.decision(request), Some(DecisionAnswer::Committed));
    assert!(bench.notes.contains(&Note::Drained));
}
