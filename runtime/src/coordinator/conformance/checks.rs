use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use unanimous_protocol::message::{
    AdminAnswer, AdminRequest, Begin, BranchResult, Commit, DecisionAnswer, InDoubtAnswer,
    InDoubtQuestion, JoinRefused, Joined, Register, Report, ReportRefused, Reported,
};
use unanimous_protocol::{
    BranchKind, CallId, DatabaseId, Decision, Digest, Resource, RollbackReason, Xid,
};

use super::super::{Capabilities, Coordinator};
use super::Check;
use super::handler::Participant;

type Tested = Arc<dyn Coordinator>;

macro_rules! checks {
    ($($name:ident: $needs:expr;)*) => {
        /// Every check, in the order in which they build on one another.
        pub(super) const ALL: &[Check] = &[$(Check {
            name: stringify!($name),
            needs: $needs,
            run: |coordinator| -> BoxFuture<'static, ()> { Box::pin($name(coordinator)) },
        }),*];
    };
}

checks! {
    every_begin_gives_an_xid_of_its_own: always;
    an_empty_transaction_commits_and_says_so_again: always;
    a_commit_after_a_rollback_is_told_rolled_back: always;
    a_rollback_after_a_commit_is_told_committed: always;
    a_commit_is_carried_on_though_its_caller_is_gone: always;
    an_open_transaction_is_told_open_and_is_not_decided: |can| can.keeps_outcomes;
    an_xid_that_was_never_issued_is_foreign: |can| can.keeps_outcomes;
    a_branch_that_joins_again_gets_the_same_alias: always;
    a_call_id_with_other_contents_is_refused: |can| can.checks_call_ids;
    no_branch_joins_after_the_decision: always;
    an_unseen_branch_rolls_the_commit_back: |can| can.compares_branches;
    an_abandoned_branch_is_cancelled_beside_a_commit: |can| can.compares_branches;
    a_commit_reaches_every_branch_until_it_has_ended: always;
    a_participant_that_panics_is_asked_again: always;
    a_rollback_reaches_a_branch_that_never_answered: always;
    an_unfenced_branch_gets_back_what_it_recorded_and_reported: always;
    the_first_report_stands: always;
    a_silent_participant_delays_nobody_else: always;
    an_instance_that_does_not_know_the_action_is_passed_over: always;
    a_row_in_doubt_is_answered_by_its_branch: |can| can.answers_in_doubt;
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape of every condition"
)]
fn always(_: &Capabilities) -> bool {
    true
}

/// A resource that no other check uses.
fn resource(name: &str) -> Resource {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let participant = must(format!("conformance-{name}-{number}").parse().ok());
    let mut identity = [0xc0; 16];
    identity[..8].copy_from_slice(&number.to_be_bytes());
    Resource {
        participant,
        database: Some(DatabaseId(identity)),
    }
}

/// What a check relies on to be itself.
fn must<T>(value: Option<T>) -> T {
    let Some(value) = value else {
        unreachable!("the checks use legal names")
    };
    value
}

async fn begin(on: &Tested) -> Xid {
    let name = must("conformance".parse().ok());
    let request = Begin {
        name,
        timeout: Duration::from_mins(5),
        trace: None,
    };
    let began = on.begin(request).await.expect("begin was not answered");
    began.expect("begin was refused").xid
}

fn registration(xid: &Xid, call: &str, resource: &Resource) -> Register {
    Register {
        xid: xid.clone(),
        call: must(call.parse().ok()),
        resource: resource.clone(),
        action: must("act".parse().ok()),
        kind: BranchKind::Fenced,
        digest: Digest([7; 32]),
        arguments: None,
        trace: None,
    }
}

async fn register(on: &Tested, register: Register) -> Result<Joined, JoinRefused> {
    on.register(register)
        .await
        .expect("register was not answered")
}

async fn join(on: &Tested, xid: &Xid, call: &str, resource: &Resource) -> Joined {
    register(on, registration(xid, call, resource))
        .await
        .expect("the branch was refused")
}

fn commit_of(xid: &Xid, joined: &[Joined], abandoned: &[&str]) -> Commit {
    Commit {
        xid: xid.clone(),
        succeeded: joined.iter().map(|joined| joined.alias).collect(),
        abandoned: abandoned
            .iter()
            .map(|call| must(call.parse::<CallId>().ok()))
            .collect(),
    }
}

async fn commit(on: &Tested, commit: Commit) -> DecisionAnswer {
    on.commit(commit).await.expect("commit was not answered")
}

async fn settled(on: &Tested, xid: &Xid) {
    loop {
        match on.admin(AdminRequest::Settled(xid.clone())).await {
            Ok(AdminAnswer::Settled(true)) => return,
            Ok(AdminAnswer::Settled(false)) => tokio::task::yield_now().await,
            other => panic!("settled? was answered {other:?}"),
        }
    }
}

async fn every_begin_gives_an_xid_of_its_own(on: Tested) {
    let mut seen = BTreeSet::new();
    for _ in 0..100 {
        assert!(
            seen.insert(begin(&on).await),
            "an xid was issued twice (G8)"
        );
    }
}

async fn an_empty_transaction_commits_and_says_so_again(on: Tested) {
    let xid = begin(&on).await;
    for _ in 0..3 {
        let answer = commit(&on, commit_of(&xid, &[], &[])).await;
        assert_eq!(answer, DecisionAnswer::Committed);
    }
    if on.capabilities().keeps_outcomes {
        let answer = on.outcome(xid).await.expect("outcome was not answered");
        assert_eq!(answer, DecisionAnswer::Committed);
    }
}

async fn a_commit_after_a_rollback_is_told_rolled_back(on: Tested) {
    let xid = begin(&on).await;
    let answer = on
        .rollback(xid.clone())
        .await
        .expect("rollback was not answered");
    assert!(
        matches!(answer, DecisionAnswer::RolledBack(_)),
        "{answer:?}"
    );
    let answer = commit(&on, commit_of(&xid, &[], &[])).await;
    assert!(
        matches!(answer, DecisionAnswer::RolledBack(_)),
        "TC5: {answer:?}"
    );
}

async fn a_rollback_after_a_commit_is_told_committed(on: Tested) {
    let xid = begin(&on).await;
    assert_eq!(
        commit(&on, commit_of(&xid, &[], &[])).await,
        DecisionAnswer::Committed
    );
    let answer = on.rollback(xid).await.expect("rollback was not answered");
    assert_eq!(answer, DecisionAnswer::Committed, "TC5");
}

async fn a_commit_is_carried_on_though_its_caller_is_gone(on: Tested) {
    let xid = begin(&on).await;
    // Polled once and dropped.
    let _ = on.commit(commit_of(&xid, &[], &[])).now_or_never();
    let answer = on.rollback(xid).await.expect("rollback was not answered");
    assert_eq!(
        answer,
        DecisionAnswer::Committed,
        "commit is sent before its first await"
    );
}

async fn an_open_transaction_is_told_open_and_is_not_decided(on: Tested) {
    let xid = begin(&on).await;
    let answer = on
        .outcome(xid.clone())
        .await
        .expect("outcome was not answered");
    assert_eq!(answer, DecisionAnswer::Open);
    assert_eq!(
        commit(&on, commit_of(&xid, &[], &[])).await,
        DecisionAnswer::Committed
    );
}

async fn an_xid_that_was_never_issued_is_foreign(on: Tested) {
    let xid: Xid = must("u1.1.00000000deadbeef.1".parse().ok());
    let answer = on
        .outcome(xid.clone())
        .await
        .expect("outcome was not answered");
    assert_eq!(answer, DecisionAnswer::Foreign, "TC13");
    let refused = register(&on, registration(&xid, "a:1", &resource("foreign"))).await;
    assert_eq!(refused, Err(JoinRefused::Foreign));
}

async fn a_branch_that_joins_again_gets_the_same_alias(on: Tested) {
    let (xid, resource) = (begin(&on).await, resource("again"));
    let first = join(&on, &xid, "a:1", &resource).await;
    let second = join(&on, &xid, "a:1", &resource).await;
    assert_eq!(
        (first.alias, false, true),
        (second.alias, first.repeat, second.repeat),
        "G12"
    );
    let other = join(&on, &xid, "a:2", &resource).await;
    assert_ne!(first.alias, other.alias);
}

async fn a_call_id_with_other_contents_is_refused(on: Tested) {
    let (xid, here) = (begin(&on).await, resource("bound"));
    join(&on, &xid, "a:1", &here).await;
    let same = registration(&xid, "a:1", &here);
    let elsewhere = Register {
        resource: resource("bound"),
        ..same.clone()
    };
    let other_action = Register {
        action: must("other".parse().ok()),
        ..same.clone()
    };
    let other_arguments = Register {
        digest: Digest([8; 32]),
        ..same
    };
    for reused in [elsewhere, other_action, other_arguments] {
        assert_eq!(
            register(&on, reused).await,
            Err(JoinRefused::CallIdReused),
            "N4"
        );
    }
}

async fn no_branch_joins_after_the_decision(on: Tested) {
    for committed in [true, false] {
        let xid = begin(&on).await;
        if committed {
            commit(&on, commit_of(&xid, &[], &[])).await;
        } else {
            on.rollback(xid.clone())
                .await
                .expect("rollback was not answered");
        }
        let refused = register(&on, registration(&xid, "a:1", &resource("late"))).await;
        assert_eq!(refused, Err(JoinRefused::AlreadyDecided), "G5");
    }
}

async fn an_unseen_branch_rolls_the_commit_back(on: Tested) {
    let (xid, resource) = (begin(&on).await, resource("unseen"));
    let seen = join(&on, &xid, "a:1", &resource).await;
    join(&on, &xid, "a:2", &resource).await;
    let answer = commit(&on, commit_of(&xid, &[seen], &[])).await;
    assert_eq!(
        answer,
        DecisionAnswer::RolledBack(RollbackReason::BranchesDiffer),
        "TC6"
    );
}

async fn an_abandoned_branch_is_cancelled_beside_a_commit(on: Tested) {
    let resource = resource("abandoned");
    let mut participant = Participant::attach(&*on, &resource, &["act"]).await;
    let xid = begin(&on).await;
    let kept = join(&on, &xid, "a:1", &resource).await;
    join(&on, &xid, "~tolerate:1/a:1", &resource).await;
    let answer = commit(&on, commit_of(&xid, &[kept], &["~tolerate:1"])).await;
    assert_eq!(answer, DecisionAnswer::Committed);
    let mut told = BTreeSet::new();
    while told.len() < 2 {
        let delivery = participant.next().await;
        let decision = delivery.phase_two.decision;
        told.insert((delivery.phase_two.call.to_string(), decision));
        delivery.answer(BranchResult::Ended);
    }
    let expected = [
        ("a:1".to_owned(), Decision::Commit),
        ("~tolerate:1/a:1".to_owned(), Decision::Rollback),
    ];
    assert_eq!(told, BTreeSet::from(expected), "TC8");
    drop(participant.attachment);
}

async fn a_commit_reaches_every_branch_until_it_has_ended(on: Tested) {
    let resource = resource("commit");
    let mut participant = Participant::attach(&*on, &resource, &["act"]).await;
    let xid = begin(&on).await;
    let joined = join(&on, &xid, "a:1", &resource).await;
    assert_eq!(
        commit(&on, commit_of(&xid, &[joined], &[])).await,
        DecisionAnswer::Committed
    );
    for attempt in 0..3 {
        let delivery = participant.next().await;
        assert_eq!(delivery.phase_two.decision, Decision::Commit);
        let retry = BranchResult::Retry {
            error: "not yet".into(),
            after: None,
        };
        delivery.answer(if attempt == 2 {
            BranchResult::Ended
        } else {
            retry
        });
    }
    settled(&on, &xid).await;
    drop(participant.attachment);
}

async fn a_participant_that_panics_is_asked_again(on: Tested) {
    let resource = resource("panic");
    let mut participant = Participant::attach(&*on, &resource, &["act"]).await;
    let xid = begin(&on).await;
    let joined = join(&on, &xid, "a:1", &resource).await;
    commit(&on, commit_of(&xid, &[joined], &[])).await;
    participant.next().await.panic();
    participant.next().await.answer(BranchResult::Ended);
    settled(&on, &xid).await;
    drop(participant.attachment);
}

async fn a_rollback_reaches_a_branch_that_never_answered(on: Tested) {
    let resource = resource("rollback");
    let xid = begin(&on).await;
    join(&on, &xid, "a:1", &resource).await;
    on.rollback(xid.clone())
        .await
        .expect("rollback was not answered");
    // The participant comes only now.
    let mut participant = Participant::attach(&*on, &resource, &["act"]).await;
    let delivery = participant.next().await;
    assert_eq!(delivery.phase_two.decision, Decision::Rollback);
    delivery.answer(BranchResult::Ended);
    settled(&on, &xid).await;
    drop(participant.attachment);
}

async fn an_unfenced_branch_gets_back_what_it_recorded_and_reported(on: Tested) {
    let resource = Resource {
        database: None,
        ..resource("unfenced")
    };
    let mut participant = Participant::attach(&*on, &resource, &["act"]).await;
    let xid = begin(&on).await;
    let registration = Register {
        kind: BranchKind::Unfenced,
        arguments: Some(r#"{"n":1}"#.into()),
        ..registration(&xid, "a:1", &resource)
    };
    let joined = register(&on, registration)
        .await
        .expect("the branch was refused");
    let value = Reported {
        tried: Some("42".into()),
        kept: [].into(),
    };
    let report = Report {
        xid: xid.clone(),
        call: must("a:1".parse().ok()),
        value: value.clone(),
    };
    let stands = on.report(report).await.expect("report was not answered");
    assert_eq!(stands, Ok(value.clone()));
    assert_eq!(
        commit(&on, commit_of(&xid, &[joined], &[])).await,
        DecisionAnswer::Committed
    );
    let delivery = participant.next().await;
    assert_eq!(delivery.phase_two.arguments.as_deref(), Some(r#"{"n":1}"#));
    assert_eq!(delivery.phase_two.reported, Some(value));
    delivery.answer(BranchResult::Ended);
    settled(&on, &xid).await;
    drop(participant.attachment);
}

async fn the_first_report_stands(on: Tested) {
    let resource = Resource {
        database: None,
        ..resource("report")
    };
    let xid = begin(&on).await;
    let registration = Register {
        kind: BranchKind::Unfenced,
        ..registration(&xid, "a:1", &resource)
    };
    register(&on, registration)
        .await
        .expect("the branch was refused");
    let value = |tried: &str| Reported {
        tried: Some(tried.into()),
        kept: [].into(),
    };
    let report = |tried: &str| {
        let call = must("a:1".parse().ok());
        on.report(Report {
            xid: xid.clone(),
            call,
            value: value(tried),
        })
    };
    assert_eq!(
        report("1").await.expect("report was not answered"),
        Ok(value("1"))
    );
    assert_eq!(
        report("2").await.expect("report was not answered"),
        Ok(value("1"))
    );
    on.rollback(xid.clone())
        .await
        .expect("rollback was not answered");
    let late = report("3").await.expect("report was not answered");
    assert_eq!(late, Err(ReportRefused::AlreadyDecided));
}

async fn a_silent_participant_delays_nobody_else(on: Tested) {
    let (silent, healthy) = (resource("silent"), resource("healthy"));
    let mut asleep = Participant::attach(&*on, &silent, &["act"]).await;
    let mut awake = Participant::attach(&*on, &healthy, &["act"]).await;
    let xid = begin(&on).await;
    let joined = [
        join(&on, &xid, "a:1", &silent).await,
        join(&on, &xid, "b:1", &healthy).await,
    ];
    assert_eq!(
        commit(&on, commit_of(&xid, &joined, &[])).await,
        DecisionAnswer::Committed
    );
    // G7: the other branch arrives although this one is never answered.
    let unanswered = asleep.next().await;
    awake.next().await.answer(BranchResult::Ended);
    unanswered.answer(BranchResult::Ended);
    settled(&on, &xid).await;
    drop((asleep.attachment, awake.attachment));
}

async fn an_instance_that_does_not_know_the_action_is_passed_over(on: Tested) {
    let resource = resource("versions");
    let old = Participant::attach(&*on, &resource, &["another"]).await;
    let mut new = Participant::attach(&*on, &resource, &["act"]).await;
    let xid = begin(&on).await;
    let joined = join(&on, &xid, "a:1", &resource).await;
    assert_eq!(
        commit(&on, commit_of(&xid, &[joined], &[])).await,
        DecisionAnswer::Committed
    );
    new.next().await.answer(BranchResult::Ended);
    settled(&on, &xid).await;
    drop((old.attachment, new.attachment));
}

async fn a_row_in_doubt_is_answered_by_its_branch(on: Tested) {
    let resource = resource("doubt");
    let ask = async |xid: &Xid, call: &str, resource: &Resource| {
        let call = must(call.parse().ok());
        let question = InDoubtQuestion {
            xid: xid.clone(),
            call,
            resource: resource.clone(),
            given_up: None,
        };
        let answers = on
            .in_doubt(vec![question])
            .await
            .expect("in doubt was not answered");
        assert_eq!(answers.len(), 1, "one answer for each question");
        answers[0]
    };
    let xid = begin(&on).await;
    let kept = join(&on, &xid, "a:1", &resource).await;
    join(&on, &xid, "~tolerate:1/a:1", &resource).await;
    assert_eq!(ask(&xid, "a:1", &resource).await, InDoubtAnswer::Wait);
    commit(&on, commit_of(&xid, &[kept], &["~tolerate:1"])).await;
    assert_eq!(ask(&xid, "a:1", &resource).await, InDoubtAnswer::Committed);
    assert_eq!(
        ask(&xid, "~tolerate:1/a:1", &resource).await,
        InDoubtAnswer::RolledBack
    );
    // A branch that never joined, and one of another database under the same name (N5).
    assert_eq!(ask(&xid, "c:1", &resource).await, InDoubtAnswer::RolledBack);
    let twin = Resource {
        database: Some(DatabaseId([0xdd; 16])),
        ..resource.clone()
    };
    assert_eq!(ask(&xid, "a:1", &twin).await, InDoubtAnswer::RolledBack);
    let foreign: Xid = must("u1.1.00000000deadbeef.1".parse().ok());
    assert_eq!(
        ask(&foreign, "a:1", &resource).await,
        InDoubtAnswer::Foreign
    );
}
