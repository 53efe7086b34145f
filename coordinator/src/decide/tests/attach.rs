use std::sync::Arc;

use unanimous_protocol::message::{
    Attach, AttachRefused, AttachResource, BranchResult, DecisionAnswer, InDoubtAnswer,
};
use unanimous_protocol::{Incarnation, Resource, RollbackReason, Xid};

use super::bench::{attach_of, incarnation, resource};
use super::*;
use crate::decide::rules::{All, Rules, mutants};
use crate::decide::{Event, Note, Record, Reply, RequestId, SessionId, Timer};

const LATER: Incarnation = Incarnation {
    number: 9,
    random: 9,
};

/// A client of this very log has met an incarnation that the log lacks.
fn attach_from_the_future<R: Rules>() -> (Option<Reply>, Option<Reply>) {
    let mut bench = Bench::<R>::new();
    let attached = bench.attach_as(1, RES_A, &["debit"], attach_of(Some(LATER)));
    (attached, bench.try_begin())
}

#[test]
fn tc14_who_is_shown_a_later_incarnation_of_its_log_stops() {
    let (attached, begun) = attach_from_the_future::<All>();
    let newest = LATER;
    let refused = AttachRefused::Replaced { newest };
    assert_eq!(attached, Some(Reply::Attached(Err(refused))));
    assert_eq!(begun, Some(Reply::Replaced { newest }));
    let (attached, begun) = attach_from_the_future::<mutants::ReplacedLogServes>();
    assert!(matches!(attached, Some(Reply::Attached(Ok(_)))));
    assert!(matches!(begun, Some(Reply::Began(Ok(_)))));
}

#[test]
fn tc14_an_incarnation_of_another_log_is_none_of_our_business() {
    let mut bench = Bench::<All>::new();
    let mut attach = attach_of(Some(LATER));
    attach.known_log = Some(unanimous_protocol::LogId([1; 16]));
    let attached = bench.attach_as(1, RES_A, &["debit"], attach);
    assert!(matches!(attached, Some(Reply::Attached(Ok(_)))));
    let known = attach_of(Some(incarnation(1)));
    let attached = bench.attach_as(1, RES_A, &["debit"], known);
    assert!(matches!(attached, Some(Reply::Attached(Ok(_)))));
}

/// One database has met the last incarnation that the restore lost, another one only an earlier one;
/// the second comes when the restore is over.
#[test]
fn tc14_what_a_declared_restore_lost_earlier_is_known_as_lost_as_well() {
    let mut bench = Bench::<All>::new();
    bench.start(true);
    bench.sync();
    let attach = |bench: &mut Bench<All>, number| {
        let newest = Some(incarnation(number));
        let answer = bench.attach_as(number, RES_A, &["debit"], attach_of(newest));
        matches!(answer, Some(Reply::Attached(Ok(_))))
    };
    assert!(attach(&mut bench, 10));
    // The driver numbers the next start above it.
    bench.crash_numbered(11);
    for number in [10, 9, 11] {
        assert!(attach(&mut bench, number), "{number}");
    }
    let of_lost = "u1.9.000000000000fef6.1".parse().unwrap();
    assert_eq!(
        bench.in_doubt(&of_lost, "a:1", RES_A),
        InDoubtAnswer::Foreign
    );
    // Another copy brought back since is found out all the same.
    assert!(!attach(&mut bench, 12));
}

#[test]
fn tc14_a_declared_restore_goes_on_and_remembers_what_was_lost() {
    let mut bench = Bench::<All>::new();
    bench.start(true);
    bench.sync();
    let attached = bench.attach_as(1, RES_A, &["debit"], attach_of(Some(LATER)));
    assert!(matches!(attached, Some(Reply::Attached(Ok(_)))));
    bench.crash(|_| true);
    let attached = bench.attach_as(1, RES_A, &["debit"], attach_of(Some(LATER)));
    assert!(matches!(attached, Some(Reply::Attached(Ok(_)))));
    let theirs: Xid = "u1.9.0000000000000009.1".parse().unwrap();
    assert_eq!(bench.outcome(&theirs), Some(DecisionAnswer::Foreign));
}

/// After a declared restore: a transaction of the copy without a record.
fn outcome_after_restore<R: Rules>() -> DecisionAnswer {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    bench.start(true);
    bench.sync();
    bench.outcome(&xid).unwrap()
}

#[test]
fn n1_after_a_declared_restore_no_record_proves_nothing() {
    assert_eq!(outcome_after_restore::<All>(), DecisionAnswer::Foreign);
    assert_eq!(
        outcome_after_restore::<mutants::RestoredIsRolledBack>(),
        DecisionAnswer::RolledBack(RollbackReason::NotRecorded)
    );
}

#[test]
fn n1_a_restore_stays_declared_and_recorded_commits_stay_known() {
    let mut bench = Bench::<All>::new();
    let committed = bench.begin();
    let unknown = bench.begin();
    bench.commit(&committed, &[], &[]);
    bench.start(true);
    bench.sync();
    let young = bench.begin();
    for _ in 0..2 {
        assert_eq!(bench.outcome(&committed), Some(DecisionAnswer::Committed));
        assert_eq!(bench.outcome(&unknown), Some(DecisionAnswer::Foreign));
        assert_eq!(
            bench.in_doubt(&unknown, "a:1", RES_A),
            InDoubtAnswer::Foreign
        );
        bench.crash(|_| true);
    }
    let presumed = DecisionAnswer::RolledBack(RollbackReason::NotRecorded);
    assert_eq!(
        bench.outcome(&young),
        Some(presumed),
        "begun after the restore"
    );
}

fn horizon_of_restored<R: Rules>() -> u64 {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    bench.commit(&xid, &[], &[]);
    bench.start(true);
    bench.sync();
    bench.horizon();
    bench.attach(RES_A).incarnations[0].horizon.counter
}

#[test]
fn tc11_the_horizon_of_a_restored_incarnation_stays() {
    assert_eq!(horizon_of_restored::<All>(), 0);
    assert_ne!(horizon_of_restored::<mutants::RestoredHorizonMoves>(), 0);
}

/// A participant's database that cleaned up to `cleaned`.
fn presenting(cleaned: u64) -> Attach {
    let mut attach = attach_of(None);
    attach.resources.push(AttachResource {
        resource: resource(RES_A),
        actions: ["debit".parse().unwrap()].into(),
        horizons: Arc::new([(incarnation(1), cleaned)].into()),
    });
    attach
}

fn ask_to_attach(bench: &mut Bench<All>, session: u64, attach: Attach) -> RequestId {
    let request = bench.request();
    bench.event(Event::Attach {
        request,
        session: SessionId(session),
        attach: Box::new(attach),
    });
    request
}

fn present(bench: &mut Bench<All>, cleaned: u64) {
    let request = ask_to_attach(bench, 1, presenting(cleaned));
    if bench.reply(request).is_none() {
        bench.sync();
    }
    assert!(matches!(bench.reply(request), Some(Reply::Attached(Ok(_)))));
}

/// A transaction that is committed, ended, forgotten and cleaned at its participant.
fn cleaned(bench: &mut Bench<All>) -> Xid {
    present(bench, 0);
    let xid = bench.begin();
    let alias = bench.register(&xid, fenced("a:1", RES_A));
    bench.commit(&xid, &[alias], &[]);
    bench.result_from(1, &xid, alias, BranchResult::Ended);
    bench.horizon();
    bench.event(Event::HorizonAcked {
        resource: resource(RES_A),
        incarnation: incarnation(1),
        counter: 1,
    });
    for _ in 0..3 {
        bench.timer(Timer::Horizon);
    }
    bench.sync();
    xid
}

/// Whoever hears the horizons before that cleans up to them, and shows nothing of the restore when
/// it attaches to the next start: its old row would be cancelled, though the caller heard
/// "committed".
#[test]
fn rm10_a_restored_database_hears_no_horizon_before_its_restore_is_on_record() {
    let mut bench = Bench::<All>::new();
    let xid = cleaned(&mut bench);
    let durable = bench.log.len();
    let first = ask_to_attach(&mut bench, 1, presenting(0));
    let second = ask_to_attach(&mut bench, 2, presenting(0));
    assert_eq!((bench.reply(first), bench.reply(second)), (None, None));
    bench.sync();
    for request in [first, second] {
        assert!(matches!(bench.reply(request), Some(Reply::Attached(Ok(_)))));
    }
    // Now it has cleaned up to the horizon, and power is lost.
    bench.crash_losing_lazy_after(durable);
    present(&mut bench, 1);
    assert_eq!(bench.in_doubt(&xid, "a:1", RES_A), InDoubtAnswer::Foreign);
    let third = ask_to_attach(&mut bench, 3, presenting(1));
    assert!(bench.reply(third).is_some(), "nothing is left to wait for");
}

#[test]
fn tc14_nobody_attaches_before_what_a_restore_lost_is_on_record() {
    let mut bench = Bench::<All>::new();
    bench.start(true);
    bench.sync();
    let request = ask_to_attach(&mut bench, 1, attach_of(Some(LATER)));
    assert_eq!(bench.reply(request), None);
    bench.sync();
    assert!(matches!(bench.reply(request), Some(Reply::Attached(Ok(_)))));
    bench.crash_losing_lazy();
    let again = bench.attach_as(1, RES_A, &["debit"], attach_of(Some(LATER)));
    assert!(matches!(again, Some(Reply::Attached(Ok(_)))), "{again:?}");
}

#[test]
fn rm10_the_forgotten_rows_of_a_restored_database_wait_for_the_operator() {
    let mut bench = Bench::<All>::new();
    present(&mut bench, 0);
    let xid = bench.begin();
    let alias = bench.register(&xid, fenced("a:1", RES_A));
    bench.commit(&xid, &[alias], &[]);
    bench.result_from(1, &xid, alias, BranchResult::Ended);
    bench.horizon();
    let acked = |counter| Event::HorizonAcked {
        resource: resource(RES_A),
        incarnation: incarnation(1),
        counter,
    };
    bench.event(acked(1));
    // Another instance had read its horizons before this one cleaned.
    present(&mut bench, 0);
    bench.timer(Timer::Horizon);
    bench.timer(Timer::Horizon);
    present(&mut bench, 1);
    assert_eq!(bench.in_doubt(&xid, "a:1", RES_A), InDoubtAnswer::Forgotten);

    // The database is replaced by a copy from before the cleaning: its row is tried again.
    present(&mut bench, 0);
    let restored = Note::ResourceRestored(resource(RES_A));
    assert!(bench.notes.contains(&restored));
    bench.sync();
    for _ in 0..2 {
        assert_eq!(bench.in_doubt(&xid, "a:1", RES_A), InDoubtAnswer::Foreign);
        bench.crash(|_| true);
        present(&mut bench, 1);
    }
    let noted = bench.notes.iter().filter(|note| **note == restored);
    assert_eq!(noted.count(), 1);
}

#[test]
fn rm10_only_a_horizon_that_was_told_is_acknowledged() {
    let mut bench = Bench::<All>::new();
    present(&mut bench, 0);
    bench.event(Event::HorizonAcked {
        resource: resource(RES_A),
        incarnation: incarnation(1),
        counter: 5,
    });
    for _ in 0..3 {
        bench.timer(Timer::Horizon);
    }
    let acked = |(record, _): &(Record, bool)| matches!(record, Record::Acked { .. });
    assert!(!bench.log.iter().any(acked));
}

/// It cleans nothing and so presents nothing, though its process acknowledges every horizon.
#[test]
fn rm10_a_participant_without_a_database_is_never_found_restored() {
    let mut bench = Bench::<All>::new();
    let without = Resource {
        database: None,
        ..resource(RES_A)
    };
    let mut attach = attach_of(None);
    attach.resources.push(AttachResource {
        resource: without.clone(),
        actions: ["debit".parse().unwrap()].into(),
        horizons: Arc::default(),
    });
    let present = |bench: &mut Bench<All>| {
        let request = bench.request();
        bench.event(Event::Attach {
            request,
            session: SessionId(1),
            attach: Box::new(attach.clone()),
        });
    };
    present(&mut bench);
    let xid = bench.begin();
    bench.commit(&xid, &[], &[]);
    bench.horizon();
    bench.event(Event::HorizonAcked {
        resource: without.clone(),
        incarnation: incarnation(1),
        counter: 1,
    });
    bench.timer(Timer::Horizon);
    bench.timer(Timer::Horizon);
    bench.timer(Timer::Horizon);
    present(&mut bench);
    assert!(!bench.notes.contains(&Note::ResourceRestored(without)));
}

#[test]
fn databases_that_come_and_go_take_no_room() {
    let mut bench = Bench::<All>::new();
    let xid = cleaned(&mut bench);
    let kept = bench.state.resources.len();
    for name in 0..100 {
        bench.attach_as(100, 100 + name, &["debit"], attach_of(None));
        bench.detach(100);
    }
    assert_eq!(bench.state.resources.len(), kept);
    // What a database has acknowledged is remembered, whether anybody is there or not (RM10).
    bench.detach(1);
    present(&mut bench, 0);
    assert!(
        bench
            .notes
            .contains(&Note::ResourceRestored(resource(RES_A)))
    );
    assert_eq!(bench.in_doubt(&xid, "a:1", RES_A), InDoubtAnswer::Foreign);
    // And so is what waits for somebody.
    let waiting = bench.begin();
    let alias = bench.register(&waiting, fenced("a:2", RES_B));
    bench.commit(&waiting, &[alias], &[]);
    bench.attach_as(100, RES_B, &["other"], attach_of(None));
    bench.detach(100);
    bench.attach(RES_B);
    assert_eq!(bench.deliveries(&waiting).len(), 1);
}
