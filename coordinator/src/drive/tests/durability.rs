use unanimous_protocol::message::{BranchResult, DecisionAnswer};
use unanimous_protocol::{BranchKind, Decision, RollbackReason};

use super::*;

#[tokio::test]
async fn tc7_an_empty_commit_waits_for_the_log_exactly_once() {
    let rig = Rig::new().await;
    let start = rig.counters.forced();
    assert_eq!(start, 1, "tc1: the incarnation is forced");
    let xid = rig.begin().await;
    assert_eq!(rig.commit(&xid, &[]).await, DecisionAnswer::Committed);
    assert_eq!(rig.counters.forced() - start, 1);
}

#[tokio::test]
async fn tc7_a_commit_with_three_fenced_branches_waits_for_the_log_exactly_once() {
    let rig = Rig::new().await;
    let mut member = rig.attach("account").await;
    let start = rig.counters.forced();
    let xid = rig.begin().await;
    let mut aliases = Vec::new();
    for call in ["a:1", "b:1", "c:1"] {
        aliases.push(rig.fenced(&xid, call, "account").await);
    }
    assert_eq!(
        rig.counters.forced(),
        start,
        "registrations of fenced branches are lazy"
    );
    assert_eq!(rig.commit(&xid, &aliases).await, DecisionAnswer::Committed);
    for _ in 0..3 {
        let phase_two = member.try_phase_two().unwrap();
        assert_eq!(phase_two.decision, Decision::Commit);
        member.answer(&phase_two, BranchResult::Ended);
    }
    assert_eq!(rig.counters.forced() - start, 1, "results are lazy");
}

#[tokio::test]
async fn tc9_a_rolled_back_transaction_never_waits_for_the_log() {
    let rig = Rig::new().await;
    let mut member = rig.attach("account").await;
    let start = rig.counters.forced();
    let xid = rig.begin().await;
    rig.fenced(&xid, "a:1", "account").await;
    let answer = rig.session.rollback(xid).await.unwrap();
    assert_eq!(
        answer,
        DecisionAnswer::RolledBack(RollbackReason::Requested)
    );
    let phase_two = member.try_phase_two().unwrap();
    assert_eq!(phase_two.decision, Decision::Rollback);
    member.answer(&phase_two, BranchResult::Ended);
    assert_eq!(rig.counters.forced(), start);
}

#[tokio::test]
async fn tc4_an_unfenced_registration_is_answered_once_durable() {
    let rig = Rig::new().await;
    let xid = rig.begin().await;
    rig.disk.hold();
    let joining = register(&xid, "a:1", "account", BranchKind::Unfenced);
    let joined = tokio::spawn(rig.session.register(joining));
    tokio::task::yield_now().await;
    assert!(!joined.is_finished(), "answered before it is durable");
    rig.disk.sync();
    joined.await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn tc7_nobody_is_told_of_a_commit_before_it_is_durable() {
    let rig = Rig::new().await;
    let mut member = rig.attach("account").await;
    let xid = rig.begin().await;
    let alias = rig.fenced(&xid, "a:1", "account").await;
    rig.disk.hold();
    let committed = tokio::spawn(rig.session.commit(commit(&xid, &[alias])));
    let asked = tokio::spawn(rig.session.outcome(xid.clone()));
    tokio::task::yield_now().await;
    assert!(
        !committed.is_finished() && !asked.is_finished(),
        "told while deciding"
    );
    assert!(member.try_phase_two().is_none(), "delivered while deciding");
    rig.disk.sync();
    assert_eq!(committed.await.unwrap().unwrap(), DecisionAnswer::Committed);
    assert_eq!(asked.await.unwrap().unwrap(), DecisionAnswer::Committed);
    assert_eq!(member.try_phase_two().unwrap().decision, Decision::Commit);
}

#[tokio::test]
async fn tc7_a_commit_lost_in_a_crash_was_told_to_nobody_and_rolls_back() {
    let rig = Rig::new().await;
    let xid = rig.begin().await;
    rig.disk.hold();
    let answer = rig.session.commit(commit(&xid, &[]));
    let rig = rig.crash(0).await;
    assert!(answer.await.is_err(), "an answer without a durable record");
    let outcome = rig.session.outcome(xid).await.unwrap();
    assert_eq!(
        outcome,
        DecisionAnswer::RolledBack(RollbackReason::NotRecorded)
    );
}

#[tokio::test]
async fn tc10_a_commit_that_survived_a_crash_is_delivered_again() {
    let rig = Rig::new().await;
    let xid = rig.begin().await;
    let alias = rig.fenced(&xid, "a:1", "account").await;
    rig.disk.hold();
    let answer = rig.session.commit(commit(&xid, &[alias]));
    let unsynced = rig.disk.unsynced();
    let rig = rig.crash(unsynced).await;
    drop(answer);
    let outcome = rig.session.outcome(xid.clone()).await.unwrap();
    assert_eq!(outcome, DecisionAnswer::Committed);
    let mut member = rig.attach("account").await;
    let phase_two = member.try_phase_two().unwrap();
    assert_eq!(
        (phase_two.xid.clone(), phase_two.decision),
        (xid, Decision::Commit)
    );
}

#[tokio::test]
async fn tc2_an_open_transaction_dies_with_its_incarnation() {
    let rig = Rig::new().await;
    let xid = rig.begin().await;
    let alias = rig.fenced(&xid, "a:1", "account").await;
    let rig = rig.crash(usize::MAX).await;
    let answer = rig.commit(&xid, &[alias]).await;
    assert_eq!(
        answer,
        DecisionAnswer::RolledBack(RollbackReason::NotRecorded)
    );
}

#[tokio::test]
async fn n1_each_start_has_an_incarnation_of_its_own() {
    let rig = Rig::new().await;
    let first = rig.begin().await.own().unwrap().incarnation;
    assert_eq!(rig.coordinator.health().incarnation, first);
    let rig = rig.crash(0).await;
    let second = rig.begin().await.own().unwrap().incarnation;
    assert_eq!((first.number, second.number), (1, 2));
    assert_ne!(first.random, second.random);
}

#[tokio::test]
async fn a_commit_whose_answer_is_dropped_unpolled_is_decided_all_the_same() {
    let rig = Rig::new().await;
    let xid = rig.begin().await;
    drop(rig.session.commit(commit(&xid, &[])));
    let outcome = rig.session.outcome(xid).await.unwrap();
    assert_eq!(outcome, DecisionAnswer::Committed);
}
