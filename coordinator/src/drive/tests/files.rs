use unanimous_protocol::message::BranchResult;

use super::super::OpenError;
use super::*;
use crate::store::StoreError;

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
    let coordinator = Coordinator::open(Options::redb(&path)).await.unwrap();
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
