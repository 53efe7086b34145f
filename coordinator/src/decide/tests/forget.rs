use std::collections::BTreeSet;

use unanimous_protocol::message::{
    AdminAnswer, AdminRefusal, AdminRequest, BranchResult, DecisionAnswer, Horizon, InDoubtAnswer,
    ParkReason,
};
use unanimous_protocol::{RollbackReason, Xid};

use super::bench::incarnation;
use super::*;
use crate::decide::rules::{All, Rules, mutants};
use crate::decide::{ALL_COUNTERS, HorizonScope, Record, Settings, Timer};

const NOT_RECORDED: DecisionAnswer = DecisionAnswer::RolledBack(RollbackReason::NotRecorded);

fn horizon(counter: u64, listed: &[u64]) -> Horizon {
    Horizon {
        counter,
        listed: listed.iter().copied().collect(),
    }
}

/// The horizon passes a committed transaction whose branch has not ended: what is its row told?
fn asks_after_purge<R: Rules>() -> InDoubtAnswer {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    let alias = bench.register(&xid, fenced("a:1", RES_A));
    bench.commit(&xid, &[alias], &[]);
    bench.horizon();
    bench.in_doubt(&xid, "a:1", RES_A)
}

#[test]
fn tc11_a_committed_transaction_is_forgotten_only_when_its_branches_have_ended() {
    assert_eq!(asks_after_purge::<All>(), InDoubtAnswer::Committed);
    let mutant = asks_after_purge::<mutants::ForgetsBeforeEnded>();
    assert_eq!(mutant, InDoubtAnswer::Forgotten);
}

/// The same with a branch that its participant gave up.
fn asks_after_giving_up<R: Rules>() -> InDoubtAnswer {
    let mut bench = Bench::<R>::new();
    bench.attach(RES_A);
    let xid = bench.begin();
    let alias = bench.register(&xid, fenced("a:1", RES_A));
    bench.commit(&xid, &[alias], &[]);
    let park = BranchResult::Park(ParkReason::GaveUp("no".into()));
    bench.result_from(u64::from(RES_A), &xid, alias, park);
    bench.horizon();
    bench.in_doubt(&xid, "a:1", RES_A)
}

#[test]
fn tc11_given_up_is_not_ended() {
    assert_eq!(asks_after_giving_up::<All>(), InDoubtAnswer::Committed);
    let mutant = asks_after_giving_up::<mutants::GivenUpCountsAsEnded>();
    assert_eq!(mutant, InDoubtAnswer::Forgotten);
}

/// The same with a rollback that was given up: does the operator still find it?
fn retries_a_rollback_given_up<R: Rules>() -> AdminAnswer {
    let mut bench = Bench::<R>::new();
    bench.attach(RES_A);
    let xid = bench.begin();
    let alias = bench.register(&xid, fenced("a:1", RES_A));
    bench.rollback(&xid);
    let park = BranchResult::Park(ParkReason::GaveUp("no".into()));
    bench.result_from(u64::from(RES_A), &xid, alias, park);
    bench.horizon();
    bench.horizon();
    bench.admin(AdminRequest::Retry(xid, "a:1".parse().unwrap()))
}

/// While it was merely repeated, the rollback of a lazy kind counted as ended.
#[test]
fn tc11_a_rollback_that_is_given_up_later_is_listed_as_well() {
    let mut bench = Bench::<All>::with(Settings {
        clean_ticks: 3,
        ..Settings::default()
    });
    bench.attach(RES_A);
    let xid = bench.begin();
    let alias = bench.register(&xid, fenced("a:1", RES_A));
    bench.rollback(&xid);
    bench.timer(Timer::Horizon);
    bench.timer(Timer::Horizon);
    let park = BranchResult::Park(ParkReason::GaveUp("no".into()));
    bench.result_from(u64::from(RES_A), &xid, alias, park);
    for _ in 0..3 {
        bench.horizon();
    }
    assert_eq!(bench.horizons.last().unwrap().1, horizon(1, &[1]));
    let retry = AdminRequest::Retry(xid.clone(), "a:1".parse().unwrap());
    assert_eq!(bench.admin(retry), AdminAnswer::Done(1));
    bench.end(RES_A, &xid, alias);
    for _ in 0..2 {
        bench.horizon();
    }
    assert_eq!(bench.horizons.last().unwrap().1, horizon(1, &[]));
}

/// One database that is away for long must not make an announcement that no client takes (G7).
#[test]
fn tc11_no_more_is_listed_than_can_be_announced() {
    let mut bench = Bench::<All>::with(Settings {
        clean_ticks: 0,
        listed_max: 3,
        ..Settings::default()
    });
    let owe = |bench: &mut Bench<All>| {
        let xid = bench.begin();
        let alias = bench.register(&xid, fenced("a:1", RES_A));
        bench.commit(&xid, &[alias], &[]);
        (xid, alias)
    };
    let owed = [owe(&mut bench), owe(&mut bench)];
    bench.horizon();
    assert_eq!(bench.horizons.last().unwrap().1, horizon(2, &[1, 2]));
    // The next start counts what the first one lists.
    bench.crash(|_| true);
    owe(&mut bench);
    owe(&mut bench);
    bench.horizon();
    bench.horizon();
    let (told, last) = bench.horizons.last().unwrap();
    assert_eq!((*told, last), (incarnation(2), &horizon(1, &[1])));
    bench.attach(RES_A);
    for (xid, alias) in &owed {
        bench.end(RES_A, xid, *alias);
    }
    bench.horizon();
    bench.horizon();
    let (told, last) = bench.horizons.last().unwrap();
    assert_eq!((*told, last), (incarnation(2), &horizon(2, &[1, 2])));
}

#[test]
fn tc11_a_rollback_that_was_given_up_is_listed_until_it_has_ended() {
    let all = retries_a_rollback_given_up::<All>();
    assert_eq!(all, AdminAnswer::Done(1));
    let mutant = retries_a_rollback_given_up::<mutants::GivenUpCountsAsEnded>();
    let forgotten = AdminAnswer::Refused(AdminRefusal::NoSuchTransaction);
    assert_eq!(mutant, forgotten);
}

/// Is an unfenced branch of a rolled-back transaction still told to cancel after the purge?
fn cancels_unfenced_after_purge<R: Rules>() -> usize {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    bench.register(&xid, unfenced("a:1", RES_A));
    bench.rollback(&xid);
    bench.horizon();
    bench.attach(RES_A);
    bench.deliveries(&xid).len()
}

#[test]
fn tc11_a_rolled_back_one_is_forgotten_only_when_its_forced_kinds_have_ended() {
    assert_eq!(cancels_unfenced_after_purge::<All>(), 1);
    let mutant = cancels_unfenced_after_purge::<mutants::ForgetsAbortBeforeUnfencedEnded>();
    assert_eq!(mutant, 0);
}

#[test]
fn tc11_what_has_not_ended_is_listed_with_the_horizon_and_leaves_the_list_later() {
    let mut bench = Bench::<All>::new();
    bench.attach(RES_A);
    let xids: Vec<Xid> = (0..3).map(|_| bench.begin()).collect();
    let alias = bench.register(&xids[1], fenced("a:1", RES_A));
    bench.commit(&xids[0], &[], &[]);
    bench.commit(&xids[1], &[alias], &[]);
    bench.rollback(&xids[2]);
    bench.horizon();
    let own = incarnation(1);
    assert!(bench.horizons.contains(&(own, horizon(3, &[2]))));
    assert_eq!(bench.outcome(&xids[0]), Some(DecisionAnswer::Committed));
    assert_eq!(
        bench.in_doubt(&xids[1], "a:1", RES_A),
        InDoubtAnswer::Committed
    );
    assert_eq!(
        bench.in_doubt(&xids[2], "a:1", RES_A),
        InDoubtAnswer::Forgotten
    );
    bench.end(RES_A, &xids[1], alias);
    bench.horizon();
    assert!(bench.horizons.contains(&(own, horizon(3, &[]))));
    assert_eq!(bench.outcome(&xids[1]), Some(DecisionAnswer::Committed));
}

/// Does the horizon pass an open transaction, which then commits?
fn passes_open<R: Rules>() -> bool {
    let mut bench = Bench::<R>::new();
    let open = bench.begin();
    let done = bench.begin();
    bench.commit(&done, &[], &[]);
    bench.horizon();
    bench.commit(&open, &[], &[]) != DecisionAnswer::Committed
}

#[test]
fn tc11_the_horizon_does_not_pass_an_open_transaction() {
    assert!(!passes_open::<All>());
    assert!(passes_open::<mutants::HorizonPassesOpen>());
}

fn tells_horizon_early<R: Rules>() -> bool {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    bench.commit(&xid, &[], &[]);
    bench.timer(Timer::Horizon);
    bench.horizons.iter().any(|(_, told)| told.counter > 0)
}

#[test]
fn tc11_the_horizon_is_told_once_it_is_durable() {
    assert!(!tells_horizon_early::<All>());
    assert!(tells_horizon_early::<mutants::HorizonToldEarly>());
}

#[test]
fn tc11_who_attaches_is_told_the_durable_horizon_and_everybody_at_each_tick() {
    let mut bench = Bench::<All>::new();
    let xid = bench.begin();
    bench.commit(&xid, &[], &[]);
    bench.timer(Timer::Horizon);
    assert_eq!(bench.attach(RES_A).incarnations[0].horizon, horizon(0, &[]));
    bench.sync();
    assert_eq!(bench.attach(RES_A).incarnations[0].horizon, horizon(1, &[]));
    bench.horizons.clear();
    bench.timer(Timer::Horizon);
    assert_eq!(bench.horizons, [(incarnation(1), horizon(1, &[]))]);
}

#[test]
fn tc11_an_ended_transaction_is_kept_for_clean_after_anew_after_a_start() {
    let mut bench = Bench::<All>::with(Settings {
        clean_ticks: 2,
        ..Settings::default()
    });
    let xid = bench.begin();
    bench.timer(Timer::Horizon);
    bench.timer(Timer::Horizon);
    bench.commit(&xid, &[], &[]);
    let moved = |bench: &Bench<All>| {
        let mut records = bench.log.iter();
        records.any(|(record, _)| matches!(record, Record::Horizon(_)))
    };
    bench.timer(Timer::Horizon);
    bench.timer(Timer::Horizon);
    bench.sync();
    assert!(!moved(&bench));
    bench.crash(|_| true);
    bench.timer(Timer::Horizon);
    bench.timer(Timer::Horizon);
    assert!(!moved(&bench), "uptime counts from the start");
    bench.timer(Timer::Horizon);
    assert!(moved(&bench));
}

#[test]
fn tc11_a_forgotten_outcome_is_remembered_by_its_bit_over_a_restart() {
    let mut bench = Bench::<All>::new();
    let [committed, rolled_back] = [bench.begin(), bench.begin()];
    bench.commit(&committed, &[], &[]);
    bench.rollback(&rolled_back);
    for _ in 0..2 {
        bench.horizon();
        assert_eq!(bench.outcome(&committed), Some(DecisionAnswer::Committed));
        assert_eq!(bench.outcome(&rolled_back), Some(NOT_RECORDED));
        assert_eq!(bench.rollback(&committed), DecisionAnswer::Committed);
        bench.crash(|_| true);
    }
}

/// The log loses everything after the first record of a horizon.
fn outcome_after_torn_horizon<R: Rules>() -> DecisionAnswer {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    bench.commit(&xid, &[], &[]);
    bench.horizon();
    let torn = bench
        .log
        .iter()
        .position(|(record, _)| matches!(record, Record::Horizon(_)));
    bench.log.truncate(torn.unwrap() + 1);
    bench.crash(|_| true);
    bench.outcome(&xid).unwrap()
}

#[test]
fn tc11_the_bit_is_in_the_record_that_forgets() {
    assert_eq!(
        outcome_after_torn_horizon::<All>(),
        DecisionAnswer::Committed
    );
    let mutant = outcome_after_torn_horizon::<mutants::BitInLaterRecord>();
    assert_eq!(mutant, NOT_RECORDED);
}

/// A listed transaction ends and leaves the list.
fn outcome_after_leaving_list<R: Rules>() -> DecisionAnswer {
    let mut bench = Bench::<R>::new();
    bench.attach(RES_A);
    let xid = bench.begin();
    let alias = bench.register(&xid, fenced("a:1", RES_A));
    bench.commit(&xid, &[alias], &[]);
    bench.horizon();
    bench.end(RES_A, &xid, alias);
    bench.horizon();
    bench.outcome(&xid).unwrap()
}

#[test]
fn tc11_what_leaves_the_list_leaves_it_with_its_bit() {
    assert_eq!(
        outcome_after_leaving_list::<All>(),
        DecisionAnswer::Committed
    );
    let mutant = outcome_after_leaving_list::<mutants::LeavesListWithoutBit>();
    assert_eq!(mutant, NOT_RECORDED);
}

/// Of two horizon records the first is lost, which alone held the bit.
fn outcome_after_losing_first_horizon<R: Rules>() -> DecisionAnswer {
    let mut bench = Bench::<R>::new();
    let first = bench.begin();
    bench.commit(&first, &[], &[]);
    bench.horizon();
    for _ in 0..40_000 {
        // Far enough for a chunk of its own.
        let xid = bench.begin();
        bench.rollback(&xid);
    }
    let last = bench.begin();
    bench.commit(&last, &[], &[]);
    bench.horizon();
    bench.crash(|record| !matches!(record, Record::Horizon(moved) if moved.number == 1));
    bench.outcome(&first).unwrap()
}

#[test]
fn tc11_a_horizon_record_is_void_after_any_but_the_one_it_follows() {
    let kept = outcome_after_losing_first_horizon::<All>();
    assert_eq!(kept, DecisionAnswer::Committed);
    let mutant = outcome_after_losing_first_horizon::<mutants::HorizonUnchained>();
    assert_eq!(mutant, NOT_RECORDED);
}

#[test]
fn tc11_a_store_may_give_back_what_it_merged() {
    let mut bench = Bench::<All>::new();
    let first = bench.begin();
    bench.commit(&first, &[], &[]);
    bench.horizon();
    let second = bench.begin();
    bench.commit(&second, &[], &[]);
    bench.horizon();
    let mut merged = None;
    bench.log.retain(|(record, _)| match record {
        Record::Horizon(moved) => {
            merged = Some(moved.clone());
            false
        }
        Record::Commit { .. } => false,
        _ => true,
    });
    let mut merged = merged.unwrap();
    merged.scope = HorizonScope::Whole;
    bench.log.push((Record::Horizon(merged), false));
    bench.crash(|_| true);
    for xid in [&first, &second] {
        assert_eq!(bench.outcome(xid), Some(DecisionAnswer::Committed));
    }
}

/// What does an abandoned branch of a forgotten committed transaction hear?
fn abandoned_after_purge<R: Rules>() -> InDoubtAnswer {
    let mut bench = Bench::<R>::new();
    bench.attach(RES_A);
    let xid = bench.begin();
    let named = bench.register(&xid, fenced("a:1", RES_A));
    bench.register(&xid, fenced("b:1", RES_B));
    bench.commit(&xid, &[named], &["b:1"]);
    bench.end(RES_A, &xid, named);
    bench.horizon();
    bench.in_doubt(&xid, "b:1", RES_B)
}

#[test]
fn tc11_a_bit_never_answers_a_participant() {
    assert_eq!(abandoned_after_purge::<All>(), InDoubtAnswer::Forgotten);
    let mutant = abandoned_after_purge::<mutants::BitsAnswerParticipants>();
    assert_eq!(mutant, InDoubtAnswer::Committed);
}

/// A finished transaction above the horizon.
fn outcome_above_horizon<R: Rules>() -> DecisionAnswer {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    bench.commit(&xid, &[], &[]);
    bench.outcome(&xid).unwrap()
}

#[test]
fn tc11_a_finished_one_above_the_horizon_is_kept() {
    assert_eq!(outcome_above_horizon::<All>(), DecisionAnswer::Committed);
    let mutant = outcome_above_horizon::<mutants::CommittedDroppedAboveHorizon>();
    assert_eq!(mutant, NOT_RECORDED);
}

#[test]
fn tc11_what_is_remembered_no_longer_is_told_as_forgotten() {
    let mut bench = Bench::<All>::new();
    let old = bench.begin();
    bench.commit(&old, &[], &[]);
    bench.horizon();
    bench.timer(Timer::Remember);
    assert_eq!(bench.outcome(&old), Some(DecisionAnswer::Committed));
    let young = bench.begin();
    bench.commit(&young, &[], &[]);
    bench.horizon();
    bench.timer(Timer::Remember);
    for _ in 0..2 {
        assert_eq!(bench.outcome(&old), Some(DecisionAnswer::Forgotten));
        assert_eq!(bench.outcome(&young), Some(DecisionAnswer::Committed));
        bench.crash(|_| true);
    }
}

#[test]
fn tc11_remembered_outcomes_are_bounded() {
    let mut bench = Bench::<All>::with(Settings {
        clean_ticks: 0,
        remembered_max: crate::decide::CHUNK_BITS,
        ..Settings::default()
    });
    let first = bench.begin();
    bench.commit(&first, &[], &[]);
    for _ in 0..40_000 {
        let xid = bench.begin();
        bench.rollback(&xid);
    }
    let last = bench.begin();
    bench.commit(&last, &[], &[]);
    bench.horizon();
    assert_eq!(bench.outcome(&first), Some(DecisionAnswer::Forgotten));
    assert_eq!(bench.outcome(&last), Some(DecisionAnswer::Committed));
}

#[test]
fn tc12_a_rolled_back_transaction_with_lazy_branches_is_forgotten_before_they_end() {
    let mut bench = Bench::<All>::new();
    let xid = bench.begin();
    bench.register(&xid, fenced("a:1", RES_A));
    bench.rollback(&xid);
    assert_eq!(
        bench.in_doubt(&xid, "a:1", RES_A),
        InDoubtAnswer::RolledBack
    );
    bench.horizon();
    assert_eq!(bench.in_doubt(&xid, "a:1", RES_A), InDoubtAnswer::Forgotten);
    bench.attach(RES_A);
    assert_eq!(bench.deliveries(&xid), [], "nothing is left to deliver");
    assert_eq!(bench.rollback(&xid), NOT_RECORDED);
}

#[test]
fn tc12_nothing_is_written_for_it_so_a_start_says_the_same() {
    let mut bench = Bench::<All>::new();
    let before = bench.log.len();
    let xid = bench.begin();
    bench.register(&xid, fenced("a:1", RES_A));
    bench.rollback(&xid);
    assert_eq!(bench.log.len(), before);
    bench.crash(|_| true);
    assert_eq!(bench.outcome(&xid), Some(NOT_RECORDED));
    assert_eq!(
        bench.in_doubt(&xid, "a:1", RES_A),
        InDoubtAnswer::RolledBack
    );
}

#[test]
fn n6_the_horizon_is_kept_for_each_incarnation_and_tells_purged_from_never_decided() {
    let mut bench = Bench::<All>::new();
    let old = bench.begin();
    bench.commit(&old, &[], &[]);
    bench.horizon();
    bench.crash(|_| true);
    let young = bench.begin();
    assert_eq!(bench.in_doubt(&old, "a:1", RES_A), InDoubtAnswer::Forgotten);
    assert_eq!(bench.in_doubt(&young, "a:1", RES_A), InDoubtAnswer::Wait);
    let lost: Xid = "u1.1.000000000000feee.2".parse().unwrap();
    assert_eq!(
        bench.in_doubt(&lost, "a:1", RES_A),
        InDoubtAnswer::RolledBack
    );
    let attached = bench.attach(RES_A);
    let horizons = attached
        .incarnations
        .iter()
        .map(|info| info.horizon.counter);
    assert_eq!(horizons.collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn n6_the_horizon_of_an_ended_incarnation_passes_every_counter() {
    let mut bench = Bench::<All>::new();
    let unrecorded = bench.begin();
    bench.crash(|_| true);
    assert_eq!(
        bench.in_doubt(&unrecorded, "a:1", RES_A),
        InDoubtAnswer::RolledBack
    );
    bench.horizon();
    assert!(
        bench
            .horizons
            .contains(&(incarnation(1), horizon(ALL_COUNTERS, &[]))),
        "so its markers can be cleaned"
    );
    assert_eq!(
        bench.in_doubt(&unrecorded, "a:1", RES_A),
        InDoubtAnswer::Forgotten
    );
    assert_eq!(bench.outcome(&unrecorded), Some(NOT_RECORDED));
    let listed: BTreeSet<u64> = BTreeSet::new();
    assert_eq!(bench.attach(RES_A).incarnations[0].horizon.listed, listed);
}
