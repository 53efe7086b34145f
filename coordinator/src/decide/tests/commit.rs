use unanimous_protocol::message::{DecisionAnswer, InDoubtAnswer, JoinRefused};
use unanimous_protocol::{Alias, Decision, RollbackReason};

use super::bench::call;
use super::*;
use crate::decide::rules::{All, Rules, mutants};
use crate::decide::state::Entry;
use crate::decide::{Record, Timer};

const DIFFER: DecisionAnswer = DecisionAnswer::RolledBack(RollbackReason::BranchesDiffer);

/// The deadline passes while the commit record is forced: is the branch told to roll back?
fn rolls_back_what_is_being_committed<R: Rules>() -> bool {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    bench.attach(RES_A);
    let alias = bench.register(&xid, fenced("a:1", RES_A));
    let request = bench.ask_commit(&xid, &[alias], &[]);
    bench.timer(Timer::Deadline(xid.own().unwrap()));
    bench.sync();
    assert_eq!(bench.decision(request), Some(DecisionAnswer::Committed));
    bench
        .deliveries(&xid)
        .contains(&(call("a:1"), Decision::Rollback))
}

/// For ten minutes, and a few thousand a second: that would be gigabytes.
#[test]
fn what_has_ended_keeps_no_arguments() {
    let mut bench = Bench::<All>::new();
    bench.attach(RES_A);
    let xid = bench.begin();
    let alias = bench.register(&xid, unfenced("a:1", RES_A));
    bench.commit(&xid, &[alias], &[]);
    assert!(bench.delivered.last().unwrap().1.arguments.is_some());
    bench.end(RES_A, &xid, alias);
    let Some(Entry::Finished(confirmed)) = bench.state.entry(xid.own().unwrap()) else {
        panic!("it has not ended");
    };
    assert!(confirmed.iter().all(|branch| branch.arguments.is_none()));
    assert_eq!(bench.in_doubt(&xid, "a:1", RES_A), InDoubtAnswer::Committed);
}

#[test]
fn tc5_a_deadline_does_not_beat_a_commit_that_is_written() {
    assert!(!rolls_back_what_is_being_committed::<All>());
    assert!(rolls_back_what_is_being_committed::<
        mutants::DeadlineBeatsDeciding,
    >());
}

#[test]
fn tc5_the_first_of_commit_rollback_and_deadline_decides() {
    let mut bench = Bench::<All>::new();
    let [committed, rolled_back, timed_out] = [bench.begin(), bench.begin(), bench.begin()];
    assert_eq!(
        bench.commit(&committed, &[], &[]),
        DecisionAnswer::Committed
    );
    assert_eq!(bench.rollback(&committed), DecisionAnswer::Committed);
    let requested = DecisionAnswer::RolledBack(RollbackReason::Requested);
    assert_eq!(bench.rollback(&rolled_back), requested);
    assert_eq!(bench.commit(&rolled_back, &[], &[]), requested);
    bench.timer(Timer::Deadline(timed_out.own().unwrap()));
    let timed = DecisionAnswer::RolledBack(RollbackReason::TimedOut);
    assert_eq!(bench.commit(&timed_out, &[], &[]), timed);
    assert_eq!(bench.rollback(&timed_out), timed);
    let commits = bench
        .log
        .iter()
        .filter(|(record, _)| matches!(record, Record::Commit { .. }));
    assert_eq!(commits.count(), 1);
}

/// Two branches joined, the transaction manager saw one succeed: what is heard, and what is the
/// other told?
fn commits_with_unseen<R: Rules>() -> (DecisionAnswer, Vec<(&'static str, Decision)>) {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    bench.attach(RES_A);
    let seen = bench.register(&xid, fenced("seen:1", RES_A));
    bench.register(&xid, fenced("unseen:1", RES_A));
    let answer = bench.commit(&xid, &[seen], &[]);
    let decided = bench.deliveries(&xid).into_iter().map(|(id, decision)| {
        let name = if id == call("seen:1") {
            "seen"
        } else {
            "unseen"
        };
        (name, decision)
    });
    (answer, decided.collect())
}

#[test]
fn tc6_commit_is_refused_when_an_unseen_branch_joined() {
    let rolled_back = vec![("seen", Decision::Rollback), ("unseen", Decision::Rollback)];
    assert_eq!(commits_with_unseen::<All>(), (DIFFER, rolled_back));
}

#[test]
fn tc6_taking_the_names_without_comparing_loses_an_unseen_branch() {
    let (answer, told) = commits_with_unseen::<mutants::TakesNamed>();
    assert_eq!(answer, DecisionAnswer::Committed);
    assert!(told.contains(&("unseen", Decision::Rollback)));
}

#[test]
fn tc6_taking_all_joined_branches_confirms_one_that_nobody_saw() {
    let (answer, told) = commits_with_unseen::<mutants::ConfirmsAllJoined>();
    assert_eq!(answer, DecisionAnswer::Committed);
    assert!(told.contains(&("unseen", Decision::Commit)));
}

/// Indices of the branches named, further names, calls abandoned, and whether they fit.
type Case = (
    &'static [usize],
    &'static [Alias],
    &'static [&'static str],
    bool,
);

#[test]
fn tc6_names_and_abandoned_calls_must_cover_exactly_what_joined() {
    const UNKNOWN: Alias = Alias(9);
    let cases: [Case; 8] = [
        (&[0, 1, 2], &[], &[], true),
        (&[0], &[], &["b:1"], true),
        (&[0, 1], &[], &["b:1/c:1"], true),
        (&[0, 1, 2], &[], &["other:1"], true),
        (&[0, 1], &[], &[], false),
        (&[0, 1, 2], &[UNKNOWN], &[], false),
        // Named and abandoned at once: S and below(X) must not meet.
        (&[0, 1, 2], &[], &["b:1"], false),
        (&[0, 2], &[], &["b:1/c:1"], false),
    ];
    for (named, more, abandoned, fits) in cases {
        let mut bench = Bench::<All>::new();
        let xid = bench.begin();
        let joined = ["a:1", "b:1", "b:1/c:1"].map(|id| bench.register(&xid, fenced(id, RES_A)));
        let named = named.iter().map(|index| joined[*index]);
        let named: Vec<_> = named.chain(more.iter().copied()).collect();
        let answer = bench.commit(&xid, &named, abandoned);
        let expected = if fits {
            DecisionAnswer::Committed
        } else {
            DIFFER
        };
        assert_eq!(answer, expected, "{named:?} {abandoned:?}");
    }
}

#[test]
fn tc6_a_branch_that_is_still_joining_is_not_covered_by_names() {
    let mut bench = Bench::<All>::new();
    let xid = bench.begin();
    let joining = bench.ask_register(&xid, unfenced("a:1", RES_A), 0);
    let request = bench.ask_commit(&xid, &[], &[]);
    assert_eq!(bench.decision(request), Some(DIFFER));
    assert_eq!(
        bench.joined(joining),
        Some(Err(JoinRefused::AlreadyDecided))
    );
}

/// The crash loses every lazy registration: are all branches of S confirmed afterwards?
fn confirms_after_losing_lazy<R: Rules>() -> usize {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    let a = bench.register(&xid, fenced("a:1", RES_A));
    let b = bench.register(&xid, fenced("b:1", RES_A));
    assert_eq!(bench.commit(&xid, &[a, b], &[]), DecisionAnswer::Committed);
    bench.crash_losing_lazy();
    bench.attach(RES_A);
    bench.deliveries(&xid).len()
}

#[test]
fn tc6_the_commit_record_is_self_contained() {
    assert_eq!(confirms_after_losing_lazy::<All>(), 2);
    assert_eq!(
        confirms_after_losing_lazy::<mutants::CommitWithoutList>(),
        0
    );
}

/// Is anybody told before the record is durable? The manager, a participant.
fn told_while_deciding<R: Rules>() -> (bool, bool) {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    bench.attach(RES_A);
    let alias = bench.register(&xid, fenced("a:1", RES_A));
    let first = bench.ask_commit(&xid, &[alias], &[]);
    let repeat = bench.ask_commit(&xid, &[alias], &[]);
    let asked = bench.outcome(&xid);
    let manager = [bench.decision(first), bench.decision(repeat), asked];
    (
        manager.iter().any(Option::is_some),
        !bench.delivered.is_empty(),
    )
}

#[test]
fn tc7_nobody_is_told_anything_while_deciding() {
    assert_eq!(told_while_deciding::<All>(), (false, false));
    assert_eq!(
        told_while_deciding::<mutants::CommitNotForced>(),
        (true, true)
    );
    let early = told_while_deciding::<mutants::TellsParticipantWhileDeciding>();
    assert_eq!(early, (false, true));
}

#[test]
fn tc7_a_commit_waits_once_also_an_empty_one() {
    for count in 0..4 {
        let mut bench = Bench::<All>::new();
        let xid = bench.begin();
        let before = bench.forced();
        let calls = ["a:1", "a:2", "a:3"];
        let names = calls.iter().take(count);
        let names = names.map(|id| bench.register(&xid, fenced(id, RES_A)));
        let names: Vec<_> = names.collect();
        assert_eq!(bench.commit(&xid, &names, &[]), DecisionAnswer::Committed);
        assert_eq!(bench.forced() - before, 1, "{count} branches");
    }
}

#[test]
fn tc8_once_durable_the_named_are_confirmed_and_the_abandoned_rolled_back() {
    let mut bench = Bench::<All>::new();
    let xid = bench.begin();
    bench.attach(RES_A);
    bench.attach(RES_B);
    let named = bench.register(&xid, fenced("a:1", RES_A));
    bench.register(&xid, fenced("b:1", RES_B));
    let request = bench.ask_commit(&xid, &[named], &["b:1"]);
    assert_eq!((bench.decision(request), bench.delivered.len()), (None, 0));
    bench.sync();
    assert_eq!(bench.decision(request), Some(DecisionAnswer::Committed));
    assert_eq!(
        bench.deliveries(&xid),
        [
            (call("a:1"), Decision::Commit),
            (call("b:1"), Decision::Rollback)
        ]
    );
}

#[test]
fn tc9_a_rollback_is_told_and_delivered_at_once_and_forces_nothing() {
    let mut bench = Bench::<All>::new();
    bench.attach(RES_A);
    let fence = bench.begin();
    bench.register(&fence, fenced("a:1", RES_A));
    let bare = bench.begin();
    bench.register(&bare, unfenced("a:1", RES_A));
    let before = (bench.forced(), bench.log.len());
    for xid in [&fence, &bare] {
        let request = bench.request();
        let asked = xid.clone();
        bench.event(crate::decide::Event::Rollback {
            request,
            xid: asked,
        });
        let requested = DecisionAnswer::RolledBack(RollbackReason::Requested);
        assert_eq!(bench.decision(request), Some(requested));
        assert_eq!(bench.deliveries(xid), [(call("a:1"), Decision::Rollback)]);
    }
    assert_eq!(bench.forced(), before.0);
    let written: Vec<_> = bench.log[before.1..].iter().collect();
    assert!(
        matches!(written[..], [(Record::Abort { .. }, false)]),
        "only where branches are on record: {written:?}"
    );
}
