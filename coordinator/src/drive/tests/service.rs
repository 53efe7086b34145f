use std::sync::atomic::{AtomicBool, Ordering};

use unanimous_protocol::message::{AttachRefused, BeginRefused};
use unanimous_protocol::{Decision, RollbackReason, limits};

use super::super::{OpenError, ServiceError, Settings, Status};
use super::*;
use crate::store::{Appended, Batch, Force, Listener, Loaded, MemoryStore, Store, StoreError};

#[tokio::test]
async fn tc3_a_transaction_rolls_back_at_its_deadline() {
    let rig = Rig::new().await;
    let began = rig
        .session
        .begin(begin(Duration::from_secs(5)))
        .await
        .unwrap();
    let xid = began.unwrap().xid;
    rig.pass(Duration::from_secs(4)).await;
    let outcome = rig.session.outcome(xid.clone()).await.unwrap();
    assert_eq!(outcome, DecisionAnswer::Open);
    rig.pass(Duration::from_secs(1)).await;
    assert_eq!(
        rig.commit(&xid, &[]).await,
        DecisionAnswer::RolledBack(RollbackReason::TimedOut)
    );
}

#[tokio::test]
async fn the_timer_task_fires_deadlines_by_itself() {
    let rig = Rig::new().await;
    let mut member = rig.attach("account").await;
    let began = rig
        .session
        .begin(begin(Duration::from_secs(5)))
        .await
        .unwrap();
    let xid = began.unwrap().xid;
    rig.fenced(&xid, "a:1", "account").await;
    rig.clock.advance(Duration::from_secs(6));
    let Some(Delivery::PhaseTwo(phase_two)) = member.deliveries.next().await else {
        panic!("the attachment ended");
    };
    assert_eq!(phase_two.decision, Decision::Rollback);
}

#[tokio::test]
async fn e4_a_failed_store_ends_the_service_and_answers_nobody() {
    let rig = Rig::new().await;
    let mut member = rig.attach("account").await;
    let (xid, other) = (rig.begin().await, rig.begin().await);
    rig.disk.hold();
    let waiting = rig.session.commit(commit(&xid, &[]));
    rig.disk.fail();
    let error = waiting.await.unwrap_err();
    assert!(matches!(error, ServiceError::StoreFailed(_)), "{error}");
    let error = rig.session.rollback(other).await.unwrap_err();
    assert!(matches!(error, ServiceError::StoreFailed(_)), "{error}");
    assert!(error.to_string().contains("restart"), "{error}");
    assert!(
        rig.session
            .begin(begin(Duration::from_secs(1)))
            .await
            .is_err()
    );
    assert!(member.deliveries.next().await.is_none(), "deliveries end");
    assert!(matches!(rig.coordinator.health().status, Status::Ended(_)));
    rig.coordinator.stop().await;
}

#[tokio::test]
async fn e4_a_start_whose_first_force_fails_is_refused() {
    let disk = MemoryDisk::new();
    let store = disk.open();
    disk.fail();
    let error = Coordinator::open(Options::over(store).seed(1))
        .await
        .unwrap_err();
    assert!(
        matches!(error, OpenError::Store(_) | OpenError::Service(_)),
        "{error}"
    );
}

#[tokio::test]
async fn a_full_store_begins_nothing_and_finishes_what_was_decided() {
    let disk = MemoryDisk::new();
    let rig = Rig::on(&disk, 1).await;
    let xid = rig.begin().await;
    let alias = rig.fenced(&xid, "a:1", "account").await;
    rig.commit(&xid, &[alias]).await;
    disk.set_full(true);
    let rig = rig.crash(0).await;
    assert!(matches!(rig.coordinator.health().status, Status::StoreFull));
    let refused = rig
        .session
        .begin(begin(Duration::from_secs(1)))
        .await
        .unwrap();
    assert_eq!(refused.unwrap_err(), BeginRefused::StoreFull);
    let mut member = rig.attach("account").await;
    assert_eq!(member.try_phase_two().unwrap().xid, xid);
    rig.pass(limits::HORIZON_INTERVAL).await;
    assert!(
        rig.session
            .begin(begin(Duration::from_secs(1)))
            .await
            .unwrap()
            .is_err()
    );
    disk.set_full(false);
    rig.pass(limits::HORIZON_INTERVAL).await;
    rig.begin().await;
    assert!(matches!(rig.coordinator.health().status, Status::Serving));
}

#[tokio::test]
async fn tc2_a_stop_drains_then_rolls_back_and_closes() {
    let rig = Rig::new().await;
    let (patient, late) = (rig.begin().await, rig.begin().await);
    let coordinator = rig.coordinator.clone();
    let stopping = tokio::spawn(async move { coordinator.stop().await });
    tokio::task::yield_now().await;
    let refused = rig
        .session
        .begin(begin(Duration::from_secs(1)))
        .await
        .unwrap();
    assert_eq!(refused.unwrap_err(), BeginRefused::Stopping);
    assert!(matches!(rig.coordinator.health().status, Status::Stopping));
    assert_eq!(rig.commit(&patient, &[]).await, DecisionAnswer::Committed);
    assert!(!stopping.is_finished(), "one is still open");
    rig.pass(limits::DRAIN).await;
    stopping.await.unwrap();
    let error = rig.session.outcome(late.clone()).await.unwrap_err();
    assert!(matches!(error, ServiceError::Stopped));

    let rig = Rig::on(&rig.disk, 2).await;
    let answers = [patient, late].map(|xid| rig.session.outcome(xid));
    let [patient, late] = answers;
    assert_eq!(patient.await.unwrap(), DecisionAnswer::Committed);
    assert_eq!(
        late.await.unwrap(),
        DecisionAnswer::RolledBack(RollbackReason::NotRecorded)
    );
}

#[tokio::test]
async fn a_stop_with_nothing_open_ends_at_once_and_may_be_repeated() {
    let rig = Rig::new().await;
    let xid = rig.begin().await;
    rig.commit(&xid, &[]).await;
    tokio::join!(rig.coordinator.stop(), rig.coordinator.stop());
    rig.coordinator.stop().await;
}

#[tokio::test]
async fn tc14_a_replaced_log_refuses_every_request() {
    let rig = Rig::new().await;
    let backup = rig.disk.backup();
    let rig = rig.crash(0).await;
    let newest = rig.coordinator.health().incarnation;

    let old = Rig::on(&backup, 3).await;
    let xid = old.begin().await;
    let mut attached = old.attach("storage").await;
    let mut presented = attach(&["account"], Some(newest));
    presented.known_log = Some(old.coordinator.health().log);
    let refused = old.session.attach(presented).await;
    let told = refused.unwrap().err();
    assert_eq!(told, Some(AttachRefused::Replaced { newest }));
    let error = old.session.commit(commit(&xid, &[])).await.unwrap_err();
    assert!(matches!(error, ServiceError::Replaced { .. }), "{error}");
    assert!(error.to_string().contains("restored"), "{error}");
    assert!(
        old.session
            .begin(begin(Duration::from_secs(1)))
            .await
            .is_err()
    );
    assert!(attached.deliveries.next().await.is_none());
}

#[tokio::test]
async fn a_declared_restore_goes_on_and_calls_what_it_does_not_know_foreign() {
    let rig = Rig::new().await;
    let backup = rig.disk.backup();
    let xid = rig.begin().await;
    rig.commit(&xid, &[]).await;
    let store = backup.open();
    let options = Options::over(store).seed(9).restored(true);
    let coordinator = Coordinator::open(options).await.unwrap();
    let session = coordinator.session("shop", "anonymous");
    assert_eq!(session.outcome(xid).await.unwrap(), DecisionAnswer::Foreign);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_at_once_each_hear_their_own_answers() {
    let coordinator = Coordinator::open(Options::memory().seed(1)).await.unwrap();
    let clients = (0..8).map(|_| {
        let session = coordinator.session("shop", "anonymous");
        tokio::spawn(async move {
            let mut xids = Vec::new();
            for round in 0..200 {
                let began = session.begin(begin(Duration::from_mins(1))).await.unwrap();
                let xid = began.unwrap().xid;
                let answer = if round % 2 == 0 {
                    session.commit(commit(&xid, &[])).await
                } else {
                    session.rollback(xid.clone()).await
                };
                let committed = answer.unwrap() == DecisionAnswer::Committed;
                assert_eq!(committed, round % 2 == 0);
                xids.push(xid);
            }
            xids
        })
    });
    let mut all = BTreeSet::new();
    for client in clients.collect::<Vec<_>>() {
        all.extend(client.await.unwrap());
    }
    assert_eq!(all.len(), 1_600, "g8: no xid twice");
    assert_eq!(coordinator.health().undecided, 0);
}

/// Panics when it is told to, as only a bug would.
#[derive(Debug)]
struct Panics {
    inner: MemoryStore,
    armed: Arc<AtomicBool>,
}

impl Store for Panics {
    fn load(&self) -> Result<Loaded, StoreError> {
        self.inner.load()
    }

    fn listen(&self, listener: Arc<dyn Listener>) {
        self.inner.listen(listener);
    }

    fn append(&self, batch: Batch, force: Force) -> Result<Appended, StoreError> {
        assert!(!self.armed.load(Ordering::SeqCst), "a test made it panic");
        self.inner.append(batch, force)
    }

    fn close(&self) -> Result<(), StoreError> {
        self.inner.close()
    }
}

#[tokio::test]
async fn a_panic_inside_ends_the_service_and_whoever_waits_hears_of_it() {
    let (disk, armed) = (MemoryDisk::new(), Arc::new(AtomicBool::new(false)));
    let store = Panics {
        inner: disk.open(),
        armed: Arc::clone(&armed),
    };
    let coordinator = Coordinator::open(Options::over(store)).await.unwrap();
    let session = coordinator.session("shop", "anonymous");
    let mut xids = Vec::new();
    for _ in 0..2 {
        let began = session.begin(begin(Duration::from_mins(1))).await;
        xids.push(began.unwrap().unwrap().xid);
    }
    disk.hold();
    let waiting = session.commit(commit(&xids[0], &[]));
    armed.store(true, Ordering::SeqCst);
    let other = session.clone();
    let second = commit(&xids[1], &[]);
    let panicked = std::thread::spawn(move || drop(other.commit(second))).join();
    assert!(panicked.is_err());
    assert!(matches!(
        coordinator.health().status,
        Status::Ended(ServiceError::Bug(_))
    ));
    let told = waiting.await;
    assert!(matches!(told, Err(ServiceError::Bug(_))), "{told:?}");
}

#[tokio::test]
async fn a_horizon_that_moves_without_pause_leaves_time_for_the_rest() {
    let settings = Settings {
        horizon_interval: Duration::ZERO,
        ..Settings::default()
    };
    let clock = ManualClock::new();
    let options = Options::memory()
        .clock(Arc::new(clock.clone()))
        .settings(settings);
    let coordinator = Coordinator::open(options).await.unwrap();
    clock.advance(Duration::from_secs(1));
    coordinator.fire_due().await;
    assert!(matches!(coordinator.health().status, Status::Serving));
}
