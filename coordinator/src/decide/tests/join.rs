use unanimous_protocol::message::{
    DecisionAnswer, JoinRefused, Joined, Report, ReportRefused, Reported,
};
use unanimous_protocol::{Alias, Decision, Xid};

use super::bench::call;
use super::*;
use crate::decide::rules::{All, Rules, mutants};
use crate::decide::{Event, Record, Reply, Settings, Timer};

#[test]
fn tc3_a_begin_is_not_on_record_and_has_one_timer() {
    let mut bench = Bench::<All>::new();
    let before = bench.log.len();
    let xid = bench.begin();
    assert_eq!(bench.log.len(), before);
    assert_eq!(bench.timers, [Timer::Deadline(xid.own().unwrap())]);
    bench.commit(&xid, &[], &[]);
    assert_eq!(bench.timers, [], "a decided transaction has no deadline");
}

#[test]
fn tc4_a_fenced_branch_is_answered_at_once_and_writes_nothing() {
    let mut bench = Bench::<All>::new();
    let xid = bench.begin();
    let before = bench.log.len();
    let request = bench.ask_register(&xid, fenced("a:1", RES_A), 0);
    let joined = Joined {
        alias: Alias(1),
        repeat: false,
    };
    assert_eq!(bench.joined(request), Some(Ok(joined)));
    assert_eq!(bench.log.len(), before);
}

/// Is an unfenced branch answered before its registration is durable?
fn answers_unfenced_early<R: Rules>() -> bool {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    let request = bench.ask_register(&xid, unfenced("a:1", RES_A), 0);
    bench.joined(request).is_some()
}

#[test]
fn tc4_an_unfenced_branch_is_answered_when_durable() {
    assert!(!answers_unfenced_early::<All>());
    assert!(answers_unfenced_early::<mutants::RegistersLazily>());
}

#[test]
fn tc4_an_unfenced_branch_is_answered_once_its_record_is_durable_and_only_if_still_open() {
    let mut bench = Bench::<All>::new();
    let xid = bench.begin();
    let first = bench.ask_register(&xid, unfenced("a:1", RES_A), 0);
    let repeat = bench.ask_register(&xid, unfenced("a:1", RES_A), 0);
    bench.sync();
    let alias = Alias(1);
    let joined = |repeat| Some(Ok(Joined { alias, repeat }));
    assert_eq!(bench.joined(first), joined(false));
    assert_eq!(bench.joined(repeat), joined(true));

    let late = bench.ask_register(&xid, unfenced("b:1", RES_A), 0);
    bench.timer(Timer::Deadline(xid.own().unwrap()));
    assert_eq!(bench.joined(late), Some(Err(JoinRefused::AlreadyDecided)));
    bench.sync();
}

/// A deadline beats the force of a registration: is the branch told to roll back?
fn tells_joining_branch<R: Rules>() -> bool {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    bench.attach(RES_A);
    bench.ask_register(&xid, unfenced("a:1", RES_A), 0);
    bench.timer(Timer::Deadline(xid.own().unwrap()));
    bench.sync();
    bench.deliveries(&xid) == [(call("a:1"), Decision::Rollback)]
}

#[test]
fn tc4_a_branch_joins_in_memory_at_once() {
    assert!(tells_joining_branch::<All>());
    assert!(!tells_joining_branch::<mutants::JoinsWhenDurable>());
}

fn registers_after_decision<R: Rules>() -> Result<Joined, JoinRefused> {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    // A branch that has not ended keeps the transaction in memory.
    let alias = bench.register(&xid, fenced("a:1", RES_A));
    bench.commit(&xid, &[alias], &[]);
    let request = bench.ask_register(&xid, fenced("late:1", RES_A), 0);
    bench.joined(request).unwrap()
}

#[test]
fn tc4_no_branch_joins_after_the_decision() {
    assert_eq!(
        registers_after_decision::<All>(),
        Err(JoinRefused::AlreadyDecided)
    );
    assert!(registers_after_decision::<mutants::RegistersAfterDecision>().is_ok());
}

#[test]
fn tc4_no_branch_joins_while_deciding_or_after_the_end() {
    let mut bench = Bench::<All>::new();
    let [deciding, finished, rolled_back] = [bench.begin(), bench.begin(), bench.begin()];
    bench.commit(&finished, &[], &[]);
    bench.rollback(&rolled_back);
    bench.ask_commit(&deciding, &[], &[]);
    for xid in [&deciding, &finished, &rolled_back] {
        let request = bench.ask_register(xid, fenced("a:1", RES_A), 0);
        let refused = bench.joined(request).unwrap();
        assert_eq!(refused, Err(JoinRefused::AlreadyDecided), "{xid}");
    }
}

#[test]
fn tc4_a_foreign_transaction_is_told_as_foreign() {
    let mut bench = Bench::<All>::new();
    let theirs = [
        "192.168.0.1:8091:42",
        "u1.9.000000000000feed.1",
        "u1.1.000000000000feee.7",
    ];
    for text in theirs {
        let xid: Xid = text.parse().unwrap();
        let request = bench.ask_register(&xid, fenced("a:1", RES_A), 0);
        assert_eq!(
            bench.joined(request),
            Some(Err(JoinRefused::Foreign)),
            "{text}"
        );
    }
}

#[test]
fn tc4_a_transaction_has_only_so_many_branches() {
    let mut bench = Bench::<All>::with(Settings {
        branches_max: 1,
        ..Settings::default()
    });
    let xid = bench.begin();
    bench.register(&xid, fenced("a:1", RES_A));
    let request = bench.ask_register(&xid, fenced("a:2", RES_A), 0);
    assert_eq!(
        bench.joined(request),
        Some(Err(JoinRefused::TooManyBranches))
    );
    let repeat = bench.ask_register(&xid, fenced("a:1", RES_A), 0);
    assert!(bench.joined(repeat).unwrap().is_ok());
}

/// A repeat of a call reaches another database, or carries other arguments.
fn repeats_differently<R: Rules>(resource: u8, digest: u8) -> Result<Joined, JoinRefused> {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    bench.register(&xid, fenced("a:1", RES_A));
    let request = bench.ask_register(&xid, fenced("a:1", resource), digest);
    bench.joined(request).unwrap()
}

#[test]
fn n4_a_call_id_is_bound_to_its_resource_and_arguments() {
    let same = Joined {
        alias: Alias(1),
        repeat: true,
    };
    assert_eq!(repeats_differently::<All>(RES_A, 0), Ok(same));
    for (resource, digest) in [(RES_B, 0), (RES_A, 1)] {
        let reused = Err(JoinRefused::CallIdReused);
        assert_eq!(repeats_differently::<All>(resource, digest), reused);
        let mutant = repeats_differently::<mutants::CallIdUnbound>(resource, digest);
        assert_eq!(mutant, Ok(same));
    }
}

/// A repeat reaches a version whose branches leave something else behind. Bound to what the first
/// one registered, an unfenced effect would have no record, and a failed try no cancel.
#[test]
fn n4_a_call_id_is_bound_to_the_kind_of_its_branch() {
    use unanimous_protocol::BranchKind::{AlwaysCancel, Fenced, Unfenced};

    for first in [Fenced, Unfenced, AlwaysCancel] {
        for then in [Fenced, Unfenced, AlwaysCancel] {
            let mut bench = Bench::<All>::new();
            let xid = bench.begin();
            bench.register(&xid, Branched("a:1", RES_A, first));
            let request = bench.ask_register(&xid, Branched("a:1", RES_A, then), 0);
            let joins = bench.joined(request).unwrap().is_ok();
            assert_eq!(joins, first == then, "{first:?}, then {then:?}");
        }
    }
}

fn report(bench: &mut Bench<All>, xid: &Xid, text: &str, tried: &str) -> Reply {
    let request = bench.request();
    bench.event(Event::Report {
        request,
        report: Report {
            xid: xid.clone(),
            call: call(text),
            value: Reported {
                tried: Some(tried.into()),
                ..Reported::default()
            },
        },
    });
    bench.reply(request).unwrap()
}

#[test]
fn the_first_report_stands_and_reaches_phase_two() {
    let mut bench = Bench::<All>::new();
    let xid = bench.begin();
    let alias = bench.register(&xid, unfenced("a:1", RES_A));
    let stands = |tried: &str| {
        Reply::Reported(Ok(Reported {
            tried: Some(tried.into()),
            ..Reported::default()
        }))
    };
    assert_eq!(report(&mut bench, &xid, "a:1", "1"), stands("1"));
    assert_eq!(report(&mut bench, &xid, "a:1", "2"), stands("1"));
    let refused = Reply::Reported(Err(ReportRefused::NotJoined));
    assert_eq!(report(&mut bench, &xid, "b:1", "1"), refused);

    assert_eq!(bench.commit(&xid, &[alias], &[]), DecisionAnswer::Committed);
    let refused = Reply::Reported(Err(ReportRefused::AlreadyDecided));
    assert_eq!(report(&mut bench, &xid, "a:1", "3"), refused);
    let survives = |record: &Record| !matches!(record, Record::Branch { .. });
    bench.crash(survives);
    bench.attach(RES_A);
    let (_, two) = bench.delivered.last().unwrap();
    assert_eq!(two.reported.clone().unwrap().tried.as_deref(), Some("1"));
}
