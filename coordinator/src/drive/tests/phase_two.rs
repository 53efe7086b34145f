use unanimous_protocol::limits;
use unanimous_protocol::message::{BranchResult, ParkReason};

use super::people::show;
use super::*;

/// A committed transaction with one branch of `participant`.
async fn committed(rig: &Rig, participant: &str) -> Xid {
    let xid = rig.begin().await;
    let alias = rig.fenced(&xid, "a:1", participant).await;
    rig.commit(&xid, &[alias]).await;
    xid
}

#[tokio::test]
async fn tc10_a_phase_two_is_repeated_with_back_off_until_it_ends() {
    let rig = Rig::new().await;
    let mut member = rig.attach("account").await;
    committed(&rig, "account").await;
    let mut expected = limits::PHASE_TWO_RETRY_MIN;
    for _ in 0..12 {
        let phase_two = member.try_phase_two().unwrap();
        member.retry(&phase_two, "database is locked");
        rig.pass(expected * 49 / 100).await;
        assert!(
            member.try_phase_two().is_none(),
            "repeated before {:?}",
            expected / 2
        );
        rig.pass(expected * 102 / 100).await;
        expected = (expected * 2).min(limits::PHASE_TWO_RETRY_MAX);
    }
    let phase_two = member.try_phase_two().unwrap();
    member.answer(&phase_two, BranchResult::Ended);
    rig.pass(limits::PHASE_TWO_RETRY_MAX * 2).await;
    assert!(member.try_phase_two().is_none(), "delivered after it ended");
}

/// A version that knows the action is not there: an attachment makes the branch due at once, so
/// looking for one ten times a second would be for nothing, and there may be thousands.
#[tokio::test]
async fn what_nobody_can_perform_is_looked_after_with_back_off() {
    let rig = Rig::new().await;
    let session = rig.coordinator.session("account", "anonymous");
    let mut another_version = attach(&["account"], None);
    another_version.resources[0].actions = ["credit".parse().unwrap()].into();
    let attached = session.attach(another_version).await.unwrap().unwrap();
    let xid = committed(&rig, "account").await.own().unwrap();
    for _ in 0..600 {
        rig.pass(limits::PHASE_TWO_RETRY_MIN).await;
    }
    let tries = rig.coordinator.core.lock().people.tries(xid, Alias(1));
    assert!((4..=20).contains(&tries), "{tries}");
    drop(attached);
}

#[tokio::test]
async fn an_attachment_makes_the_deliveries_of_its_resource_due_at_once() {
    let rig = Rig::new().await;
    let mut member = rig.attach("account").await;
    committed(&rig, "account").await;
    let phase_two = member.try_phase_two().unwrap();
    member.retry(&phase_two, "database is locked");
    assert!(member.try_phase_two().is_none());
    drop(member);
    let mut member = rig.attach("account").await;
    assert!(member.try_phase_two().is_some(), "the clock stood still");
}

#[tokio::test]
async fn tc10_what_was_under_way_at_a_dropped_session_goes_to_another() {
    let rig = Rig::new().await;
    let mut first = rig.attach("account").await;
    let xid = committed(&rig, "account").await;
    assert_eq!(first.try_phase_two().unwrap().xid, xid);
    let mut second = rig.attach("account").await;
    assert!(second.try_phase_two().is_none(), "it is under way");
    drop(first);
    assert_eq!(second.try_phase_two().unwrap().xid, xid);
    assert_eq!(rig.coordinator.health().attached, 1);
}

#[tokio::test]
async fn dropped_deliveries_detach_and_a_second_attachment_replaces_the_first() {
    let rig = Rig::new().await;
    let mut member = rig.attach("account").await;
    let again = member
        .session
        .attach(attach(&["account"], None))
        .await
        .unwrap();
    let (_, deliveries) = again.unwrap();
    let replaced = std::mem::replace(&mut member.deliveries, deliveries);
    drop(replaced);
    assert_eq!(
        rig.coordinator.health().attached,
        1,
        "only the first has ended"
    );
    committed(&rig, "account").await;
    assert!(member.try_phase_two().is_some());
    drop(member.deliveries);
    assert_eq!(rig.coordinator.health().attached, 0);
}

#[tokio::test]
async fn tc10_a_delivery_that_is_never_answered_is_repeated() {
    let rig = Rig::new().await;
    let mut member = rig.attach("account").await;
    committed(&rig, "account").await;
    let lost = member.try_phase_two().unwrap();
    rig.pass(limits::PHASE_TWO_RETRY_MAX).await;
    assert!(member.try_phase_two().is_none(), "repeated too early");
    for _ in 0..20 {
        rig.pass(limits::HORIZON_INTERVAL).await;
    }
    assert_eq!(member.try_phase_two().unwrap().xid, lost.xid);
}

#[tokio::test]
async fn g7_a_dead_participant_delays_nobody_else() {
    let rig = Rig::new().await;
    let mut dead = rig.attach("dead").await;
    let mut healthy = rig.attach("healthy").await;
    for _ in 0..1_000 {
        let xid = rig.begin().await;
        let branches = [
            rig.fenced(&xid, "a:1", "dead").await,
            rig.fenced(&xid, "b:1", "healthy").await,
        ];
        rig.commit(&xid, &branches).await;
        let phase_two = healthy.try_phase_two().expect("delivered at once");
        assert_eq!(phase_two.xid, xid);
        healthy.answer(&phase_two, BranchResult::Ended);
    }
    let mut under_way = 0;
    while dead.try_phase_two().is_some() {
        under_way += 1;
    }
    assert_eq!(
        under_way,
        limits::DELIVERIES_MAX,
        "g10: deliveries under way are bounded"
    );
}

#[tokio::test]
async fn not_here_tries_another_instance_and_parks_after_a_while() {
    let rig = Rig::new().await;
    let mut members = [rig.attach("account").await, rig.attach("account").await];
    let xid = committed(&rig, "account").await;
    let not_here = || BranchResult::NotHere {
        error: "no such action".into(),
    };
    let mut asked = 0;
    for _ in 0..2 {
        for member in &mut members {
            if let Some(phase_two) = member.try_phase_two() {
                asked += 1;
                member.answer(&phase_two, not_here());
            }
        }
    }
    assert_eq!(asked, 2, "both instances are asked at once");
    let mut waited = Duration::ZERO;
    while waited <= limits::UNDECODABLE_AFTER {
        // Instances answer at once: small steps let them.
        let step = Duration::from_secs(1);
        rig.pass(step).await;
        waited += step;
        for member in &mut members {
            while let Some(phase_two) = member.try_phase_two() {
                member.answer(&phase_two, not_here());
            }
        }
    }
    let detail = show(&rig, &xid).await;
    assert!(
        matches!(&detail.branches[0].parked, Some(ParkReason::Undecodable(_))),
        "{:?}",
        detail.branches[0]
    );
}

#[tokio::test]
async fn a_parked_branch_waits_for_the_operator() {
    use unanimous_protocol::message::{AdminAnswer, AdminRequest, ByOperator};
    let rig = Rig::new().await;
    let mut member = rig.attach("account").await;
    let xid = committed(&rig, "account").await;
    let phase_two = member.try_phase_two().unwrap();
    member.answer(&phase_two, BranchResult::Park(ParkReason::Missing));
    rig.pass(limits::PHASE_TWO_RETRY_MAX * 10).await;
    assert!(member.try_phase_two().is_none(), "repeated although parked");
    let retry = AdminRequest::Retry(xid, "a:1".parse().unwrap());
    assert_eq!(
        rig.coordinator.admin(retry).await.unwrap(),
        AdminAnswer::Done(1)
    );
    let phase_two = member.try_phase_two().unwrap();
    assert_eq!(phase_two.by_operator, ByOperator::Retry);
}

#[tokio::test]
async fn tc11_the_horizon_is_announced_once_its_transactions_are_old() {
    let rig = Rig::new().await;
    let mut member = rig.attach("account").await;
    committed(&rig, "account").await;
    let phase_two = member.try_phase_two().unwrap();
    member.answer(&phase_two, BranchResult::Ended);
    let mut announced = None;
    let mut waited = Duration::ZERO;
    while announced.is_none() && waited < limits::CLEAN_AFTER * 2 {
        rig.pass(limits::HORIZON_INTERVAL).await;
        waited += limits::HORIZON_INTERVAL;
        rig.disk.sync();
        while let Some(delivery) = member.deliveries.try_next() {
            if let Delivery::Horizon(incarnation, horizon) = delivery {
                announced = (horizon.counter == 1).then_some((incarnation, waited));
            }
        }
    }
    let (incarnation, waited) = announced.expect("no horizon was announced");
    assert!(waited >= limits::CLEAN_AFTER, "announced after {waited:?}");
    assert_eq!(incarnation, rig.coordinator.health().incarnation);
    let rig = rig.crash(0).await;
    let xid = unanimous_protocol::OwnXid {
        incarnation,
        counter: 1,
    };
    let outcome = rig.session.outcome(xid.into()).await.unwrap();
    assert_eq!(outcome, DecisionAnswer::Committed, "its bit is remembered");
}
