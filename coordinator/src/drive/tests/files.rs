use unanimous_protocol::message::BranchResult;

use std::collections::BTreeMap;

use super::super::OpenError;
use super::*;
use crate::random::Random;
use crate::store::redb::sim::{Fault, SimMedia};
use crate::store::{RedbStore, StoreError};
use unanimous_protocol::LogId;

#[tokio::test]
async fn a_file_keeps_decisions_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let (committed, log) = {
        let coordinator = Coordinator::open(Options::redb(&path)).await.unwrap();
        let session = coordinator.session("shop", "anonymous");
        let began = session.begin(begin(Duration::from_mins(1))).await.unwrap();
        let xid = began.unwrap().xid;
        let joining = register(&xid, "a:1", "account", BranchKind::Fenced);
        let alias = session.register(joining).await.unwrap().unwrap().alias;
        let answer = session.commit(commit(&xid, &[alias])).await.unwrap();
        assert_eq!(answer, DecisionAnswer::Committed);
        let log = coordinator.health().log;
        coordinator.stop().await;
        (xid, log)
    };
    let coordinator = Coordinator::open(Options::redb(&path)).await.unwrap();
    assert_eq!(coordinator.health().log, log);
    let session = coordinator.session("account", "anonymous");
    let outcome = session.outcome(committed.clone()).await.unwrap();
    assert_eq!(outcome, DecisionAnswer::Committed);
    let (attached, mut deliveries) = session
        .attach(attach(&["account"], None))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(attached.incarnations.len(), 2);
    let Some(Delivery::PhaseTwo(phase_two)) = deliveries.next().await else {
        panic!("the attachment ended");
    };
    session.branch_result(phase_two.xid.clone(), phase_two.alias, BranchResult::Ended);
    // Dropped without a stop: what is queued is written all the same.
    drop((session, deliveries, coordinator));
    // The store's own thread may still be closing it.
    let again = Options::redb(&path).wait(Duration::from_secs(30));
    let coordinator = Coordinator::open(again).await.unwrap();
    let session = coordinator.session("account", "anonymous");
    let (_, mut deliveries) = session
        .attach(attach(&["account"], None))
        .await
        .unwrap()
        .unwrap();
    assert!(deliveries.try_next().is_none(), "the branch has ended");
}

#[tokio::test]
async fn l8_a_file_in_use_is_refused_and_can_be_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let first = Coordinator::open(Options::redb(&path)).await.unwrap();
    let error = Coordinator::open(Options::redb(&path)).await.unwrap_err();
    assert!(
        matches!(error, OpenError::Store(StoreError::InUse { .. })),
        "{error}"
    );
    assert!(error.to_string().contains("log.redb"), "{error}");

    let clock = ManualClock::new();
    let waiting = Options::redb(&path)
        .wait(Duration::from_secs(30))
        .clock(Arc::new(clock.clone()));
    let mut second = tokio::spawn(Coordinator::open(waiting));
    first.stop().await;
    let second = loop {
        clock.advance(Duration::from_millis(100));
        tokio::select! {
            second = &mut second => break second.unwrap().unwrap(),
            () = tokio::task::yield_now() => {}
        }
    };
    second.stop().await;
}

#[tokio::test]
async fn waiting_for_a_file_in_use_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let first = Coordinator::open(Options::redb(&path)).await.unwrap();
    let clock = ManualClock::new();
    let waiting = Options::redb(&path)
        .wait(Duration::from_millis(250))
        .clock(Arc::new(clock.clone()));
    let mut second = tokio::spawn(Coordinator::open(waiting));
    let error = loop {
        clock.advance(Duration::from_millis(50));
        tokio::select! {
            second = &mut second => break second.unwrap().unwrap_err(),
            () = tokio::task::yield_now() => {}
        }
    };
    assert!(
        matches!(error, OpenError::Store(StoreError::InUse { .. })),
        "{error}"
    );
    first.stop().await;
}

/// Runs some transactions on `media` until it fails; returns what was told about each.
async fn told(media: Arc<SimMedia>) -> BTreeMap<Xid, Option<DecisionAnswer>> {
    let mut told = BTreeMap::new();
    let Ok(store) = RedbStore::over(media, false, LogId([7; 16])) else {
        return told;
    };
    let Ok(coordinator) = Coordinator::open(Options::over(store).seed(5)).await else {
        return told;
    };
    let session = coordinator.session("shop", "anonymous");
    for _ in 0..4 {
        let Ok(Ok(began)) = session.begin(begin(Duration::from_mins(1))).await else {
            break;
        };
        told.insert(began.xid.clone(), None);
        let joining = register(&began.xid, "a:1", "account", BranchKind::Unfenced);
        let Ok(Ok(joined)) = session.register(joining).await else {
            break;
        };
        let Ok(answer) = session.commit(commit(&began.xid, &[joined.alias])).await else {
            break;
        };
        told.insert(began.xid, Some(answer));
    }
    coordinator.stop().await;
    told
}

#[tokio::test]
async fn g2_committed_is_told_only_of_what_survives_a_fault_at_any_operation() {
    let start = {
        let media = Arc::new(SimMedia::new());
        RedbStore::over(media.clone(), true, LogId([7; 16])).unwrap();
        media.bytes()
    };
    let healthy = Arc::new(SimMedia::with_bytes(&start));
    assert_eq!(told(healthy.clone()).await.len(), 4);
    let mut random = Random::seeded(3);
    let mut committed = 0;
    for at in 0..healthy.operations() {
        let media = Arc::new(SimMedia::with_bytes(&start));
        media.fail_at(at, Fault::Torn);
        let told = told(media.clone()).await;
        let left = media.after_power_loss(|| random.bits().is_multiple_of(2));
        let store = RedbStore::over(Arc::new(left), false, LogId([7; 16])).unwrap();
        let coordinator = Coordinator::open(Options::over(store).seed(6))
            .await
            .unwrap();
        let session = coordinator.session("shop", "anonymous");
        for (xid, told) in told {
            let outcome = session.outcome(xid.clone()).await.unwrap();
            if let Some(told) = told {
                assert_eq!(outcome, told, "{xid}, fault at operation {at}");
                committed += 1;
            }
        }
    }
    assert!(committed > 20, "only {committed} commits were told");
}
