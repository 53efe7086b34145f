use unanimous_protocol::message::{
    AdminAnswer, AdminRefusal, AdminRequest, BranchResult, ByOperator, DecisionAnswer,
    InDoubtAnswer, ParkReason,
};
use unanimous_protocol::{
    Alias, BranchKind, BranchState, DatabaseId, Decision, GlobalState, OwnXid, RollbackReason, Xid,
};

use super::bench::{call, incarnation};
use super::*;
use crate::decide::rules::{All, Rules, mutants};
use crate::decide::{Note, Record};

fn committed(bench: &mut Bench<All>, branch: Branched) -> (Xid, Alias) {
    let xid = bench.begin();
    let alias = bench.register(&xid, branch);
    bench.commit(&xid, &[alias], &[]);
    (xid, alias)
}

/// An operator decides an open transaction to commit.
fn commits_open<R: Rules>() -> (AdminAnswer, Option<DecisionAnswer>) {
    let mut bench = Bench::<R>::new();
    let xid = bench.begin();
    let answer = bench.admin(AdminRequest::Decide(xid.clone(), Decision::Commit));
    (answer, bench.outcome(&xid))
}

#[test]
fn op1_an_operator_never_commits_an_open_transaction() {
    let refused = AdminAnswer::Refused(AdminRefusal::NotForeign);
    assert_eq!(commits_open::<All>(), (refused, Some(DecisionAnswer::Open)));
    let (_, mutant) = commits_open::<mutants::OperatorCommitsOpen>();
    assert_eq!(mutant, Some(DecisionAnswer::Committed));
}

#[test]
fn op1_an_operator_may_roll_an_open_transaction_back_and_no_other() {
    let mut bench = Bench::<All>::new();
    let open = bench.begin();
    bench.register(&open, fenced("a:1", RES_A));
    let answer = bench.admin(AdminRequest::RollBack(open.clone()));
    assert_eq!(answer, AdminAnswer::Done(1));
    let operator = DecisionAnswer::RolledBack(RollbackReason::Operator);
    assert_eq!(bench.commit(&open, &[Alias(1)], &[]), operator);
    let (done, _) = committed(&mut bench, fenced("a:1", RES_A));
    let refusal = bench.refusal(AdminRequest::RollBack(done));
    assert!(matches!(
        refusal,
        AdminRefusal::WrongState {
            state: GlobalState::Committed,
            ..
        }
    ));
}

#[test]
fn op2_giving_up_parks_and_a_question_still_gets_the_decision() {
    let mut bench = Bench::<All>::new();
    let (xid, _) = committed(&mut bench, fenced("a:1", RES_A));
    let give_up = AdminRequest::GiveUp(xid.clone(), call("a:1"), "lost cause".into());
    assert_eq!(bench.admin(give_up), AdminAnswer::Done(1));
    bench.attach(RES_A);
    assert_eq!(bench.deliveries(&xid), []);
    assert_eq!(bench.in_doubt(&xid, "a:1", RES_A), InDoubtAnswer::Committed);
    assert_eq!(
        bench.admin(AdminRequest::Settled(xid)),
        AdminAnswer::Settled(false)
    );
}

#[test]
fn op2_a_retry_delivers_a_parked_branch_and_says_so() {
    let mut bench = Bench::<All>::new();
    bench.attach(RES_A);
    let (xid, alias) = committed(&mut bench, fenced("a:1", RES_A));
    let parked = BranchResult::Park(ParkReason::GaveUp("no".into()));
    bench.result_from(u64::from(RES_A), &xid, alias, parked.clone());
    let retry = AdminRequest::Retry(xid.clone(), call("a:1"));
    assert_eq!(bench.admin(retry.clone()), AdminAnswer::Done(1));
    let (_, two) = bench.delivered.last().unwrap().clone();
    assert_eq!(two.by_operator, ByOperator::Retry);
    // Parked again, retried again over a restart, and ended.
    bench.result_from(u64::from(RES_A), &xid, alias, parked);
    bench.admin(retry.clone());
    bench.crash(|_| true);
    bench.attach(RES_A);
    let (_, two) = bench.delivered.last().unwrap().clone();
    assert_eq!(two.by_operator, ByOperator::No, "no longer parked");
    bench.end(RES_A, &xid, alias);
    assert_eq!(bench.refusal(retry), AdminRefusal::BranchEnded);
    assert_eq!(
        bench.admin(AdminRequest::Settled(xid)),
        AdminAnswer::Settled(true)
    );
}

#[test]
fn op2_what_does_not_fit_is_refused_and_changes_nothing() {
    let mut bench = Bench::<All>::new();
    let open = bench.begin();
    bench.register(&open, fenced("a:1", RES_A));
    let (done, _) = committed(&mut bench, fenced("a:1", RES_A));
    let foreign: Xid = "u1.7.0000000000000007.1".parse().unwrap();
    let before = bench.state.clone();
    let asked = [
        (
            AdminRequest::Retry(foreign, call("a:1")),
            AdminRefusal::NoSuchTransaction,
        ),
        (
            AdminRequest::Retry(done, call("b:1")),
            AdminRefusal::NoSuchBranch,
        ),
    ];
    for (request, refusal) in asked {
        assert_eq!(bench.refusal(request), refusal);
    }
    let refusal = bench.refusal(AdminRequest::GiveUp(open, call("a:1"), "".into()));
    let state = GlobalState::Open;
    assert!(matches!(refusal, AdminRefusal::WrongState { state: found, .. } if found == state));
    assert_eq!(bench.state, before);
}

#[test]
fn op3_resolved_by_hand_is_carried_out_at_the_participant() {
    for kind in [BranchKind::Fenced, BranchKind::AlwaysCancel] {
        resolves_at_the_participant(Branched("a:1", RES_A, kind));
    }
}

fn resolves_at_the_participant(branch: Branched) {
    let mut bench = Bench::<All>::new();
    let (xid, alias) = committed(&mut bench, branch);
    bench.admin(AdminRequest::GiveUp(
        xid.clone(),
        call("a:1"),
        "by hand".into(),
    ));
    let resolve = AdminRequest::Resolve(xid.clone(), call("a:1"));
    assert_eq!(bench.admin(resolve), AdminAnswer::Done(1));
    assert_eq!(
        bench.admin(AdminRequest::Settled(xid.clone())),
        AdminAnswer::Settled(false)
    );
    bench.attach(RES_A);
    for _ in 0..2 {
        let (_, two) = bench.delivered.last().unwrap().clone();
        assert_eq!(two.by_operator, ByOperator::Resolve, "until it has ended");
        bench.detach(u64::from(RES_A));
        bench.attach(RES_A);
    }
    bench.end(RES_A, &xid, alias);
    assert_eq!(
        bench.admin(AdminRequest::Settled(xid)),
        AdminAnswer::Settled(true)
    );
}

#[test]
fn op3_an_unfenced_branch_ends_by_a_forced_record() {
    let mut bench = Bench::<All>::new();
    let (xid, alias) = committed(&mut bench, unfenced("a:1", RES_A));
    let resolve = AdminRequest::Resolve(xid.clone(), call("a:1"));
    assert_eq!(bench.admin(resolve), AdminAnswer::Done(1));
    let own = xid.own().unwrap();
    let last = bench.log.last().unwrap();
    assert_eq!(*last, (Record::Ended { xid: own, alias }, true));
    bench.crash_losing_lazy();
    bench.attach(RES_A);
    assert_eq!(bench.deliveries(&xid), []);
}

#[test]
fn op4_a_database_written_off_is_listed_with_the_horizon_for_ever() {
    let mut bench = Bench::<All>::new();
    let (xid, alias) = committed(&mut bench, fenced("a:1", RES_A));
    let (healthy, _) = committed(&mut bench, fenced("a:1", RES_B));
    let write_off = AdminRequest::WriteOff(DatabaseId([RES_A; 16]));
    assert_eq!(bench.admin(write_off), AdminAnswer::Done(1));
    let own = xid.own().unwrap();
    let parked = Note::Parked(own, alias, ParkReason::WrittenOff);
    assert!(bench.notes.contains(&parked));
    let (late, _) = committed(&mut bench, fenced("a:1", RES_A));
    for _ in 0..2 {
        bench.horizon();
        let own = bench.attach(RES_B);
        let horizon = &own.incarnations[0].horizon;
        assert!(horizon.counter >= 3 && horizon.listed.is_superset(&[1, 3].into()));
        assert_eq!(own.incarnations[0].incarnation, incarnation(1));
        bench.attach(RES_A);
        assert_eq!(
            [bench.deliveries(&xid).len(), bench.deliveries(&late).len()],
            [0, 0]
        );
        assert_eq!(bench.in_doubt(&xid, "a:1", RES_A), InDoubtAnswer::Committed);
        bench.crash(|_| true);
    }
    assert!(
        !bench.deliveries(&healthy).is_empty(),
        "another database goes on"
    );
}

#[test]
fn op5_a_foreign_xid_is_decided_by_hand_once_and_forced() {
    let mut bench = Bench::<All>::new();
    let mine = bench.begin();
    let unknown = bench.begin();
    bench.commit(&mine, &[], &[]);
    bench.start(true);
    bench.sync();
    let decide = |xid: &Xid, decision| AdminRequest::Decide(xid.clone(), decision);
    let not_foreign = bench.refusal(decide(&mine, Decision::Rollback));
    assert_eq!(not_foreign, AdminRefusal::NotForeign);
    let before = bench.forced();
    let answer = bench.admin(decide(&unknown, Decision::Commit));
    assert_eq!((answer, bench.forced()), (AdminAnswer::Done(0), before + 1));
    let again = bench.admin(decide(&unknown, Decision::Commit));
    assert_eq!((again, bench.forced()), (AdminAnswer::Done(0), before + 1));
    let other = bench.refusal(decide(&unknown, Decision::Rollback));
    assert!(matches!(other, AdminRefusal::WrongState { .. }));
    for _ in 0..2 {
        assert_eq!(bench.outcome(&unknown), Some(DecisionAnswer::Committed));
        assert_eq!(
            bench.in_doubt(&unknown, "a:1", RES_A),
            InDoubtAnswer::Committed
        );
        bench.crash_losing_lazy();
    }
}

/// Decided now, it would hold for whoever begins under that xid, once this start is part of a
/// restored copy.
#[test]
fn op5_what_no_start_has_issued_is_not_decided_by_hand() {
    let mut bench = Bench::<All>::new();
    let last = bench.begin();
    let counter = last.own().unwrap().counter;
    let nth = |counter| {
        Xid::from(OwnXid {
            counter,
            ..last.own().unwrap()
        })
    };
    let decide = |xid: &Xid| AdminRequest::Decide(xid.clone(), Decision::Commit);
    let before = bench.log.len();
    for never in [nth(0), nth(counter + 1)] {
        assert_eq!(bench.outcome(&never), Some(DecisionAnswer::Foreign));
        assert_eq!(bench.refusal(decide(&never)), AdminRefusal::NeverIssued);
    }
    assert_eq!(bench.log.len(), before);
    // It is issued meanwhile, rolled back without a record, and part of a copy brought back.
    let issued = bench.begin();
    assert_eq!(issued, nth(counter + 1));
    bench.rollback(&issued);
    bench.start(true);
    bench.sync();
    assert_eq!(bench.outcome(&issued), Some(DecisionAnswer::Foreign));
}

#[test]
fn op5_a_decision_by_hand_is_no_answer_before_it_is_durable() {
    let mut bench = Bench::<All>::new();
    let lost: Xid = "u1.7.0000000000000007.1".parse().unwrap();
    let request = bench.request();
    bench.event(crate::decide::Event::Admin {
        request,
        admin: AdminRequest::Decide(lost.clone(), Decision::Rollback),
    });
    assert_eq!(bench.reply(request), None);
    assert_eq!(bench.outcome(&lost), Some(DecisionAnswer::Foreign));
    bench.sync();
    let by_hand = DecisionAnswer::RolledBack(RollbackReason::Operator);
    assert_eq!(bench.outcome(&lost), Some(by_hand));
}

#[test]
fn a_list_says_why_a_branch_waits() {
    let mut bench = Bench::<All>::new();
    let (xid, alias) = committed(&mut bench, fenced("a:1", RES_A));
    let list = AdminRequest::List {
        finished: false,
        limit: 10,
        after: None,
    };
    let AdminAnswer::Transactions(lines) = bench.admin(list) else {
        panic!("no list");
    };
    let line = &lines[0];
    assert_eq!((&line.xid, line.state), (&xid, GlobalState::Committed));
    assert_eq!((line.branches, line.waiting, line.parked), (1, 1, 0));
    let why = line.why.clone().unwrap();
    assert!(
        why.contains("no instance of account") && why.contains("attached"),
        "{why}"
    );

    bench.attach(RES_A);
    let parked = BranchResult::Park(ParkReason::Missing);
    bench.result_from(u64::from(RES_A), &xid, alias, parked);
    let AdminAnswer::Transaction(detail) = bench.admin(AdminRequest::Show(xid)) else {
        panic!("not shown");
    };
    let branch = &detail.branches[0];
    assert_eq!(branch.state, BranchState::Parked);
    assert_eq!(branch.decision, Some(Decision::Commit));
    assert_eq!(branch.parked, Some(ParkReason::Missing));
}

#[test]
fn a_long_list_is_told_page_by_page() {
    let mut bench = Bench::<All>::new();
    let xids: Vec<Xid> = (0..5).map(|_| bench.begin()).collect();
    // One that is finished is on no page.
    bench.commit(&xids[1], &[], &[]);
    let mut page = |after: Option<&Xid>| {
        let list = AdminRequest::List {
            finished: false,
            limit: 2,
            after: after.cloned(),
        };
        match bench.admin(list) {
            AdminAnswer::Transactions(found) => {
                let found = found.into_iter().map(|line| line.xid);
                found.collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(page(None), [xids[0].clone(), xids[2].clone()]);
    assert_eq!(page(Some(&xids[2])), [xids[3].clone(), xids[4].clone()]);
    assert_eq!(page(Some(&xids[4])), []);
}
