//! What is presented, what is cleaned, what people are told.

use unanimous_protocol::message::AttachRefused;

use super::*;
use crate::branch::fakes::{database_error, until};

#[tokio::test]
async fn rm10_an_attachment_presents_identity_horizons_and_the_newest_incarnation() {
    let process = Process::fenced();
    {
        let mut script = process.fence.script();
        script.horizons.insert(incarnation(2), horizon(40));
        script.newest = Some(incarnation(4));
    }
    let attach = process.deliveries.attach().await;
    assert_eq!(
        (&*attach.application, &*attach.principal),
        ("test", "anonymous")
    );
    assert_eq!(
        (attach.known_log, attach.newest),
        (None, Some(incarnation(4)))
    );
    let [resource] = &attach.resources[..] else {
        panic!("{attach:?}")
    };
    assert_eq!(resource.resource.to_string(), format!("bank@{DATABASE}"));
    assert_eq!(
        resource
            .actions
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["debit"]
    );
    assert_eq!(*resource.horizons, [(incarnation(2), 40)].into());
    // A later start of the same coordinator is met by attaching to it.
    process.deliveries.attached(attached(vec![(4, 0), (6, 0)]));
    let attach = process.deliveries.attach().await;
    assert_eq!(
        (attach.known_log, attach.newest),
        (Some(LogId([3; 16])), Some(incarnation(6)))
    );
}

/// Rows that another coordinator left, or one whose log was lost, say nothing about this one: told
/// as an incarnation of this very log, they would stop its service for everybody (TC14).
#[tokio::test]
async fn rm10_what_a_database_names_of_another_log_is_not_told_as_a_start_of_this_one() {
    let process = Process::fenced();
    let names = |number| process.fence.script().newest = Some(incarnation(number));
    let presented = async || {
        let attach = process.deliveries.attach().await;
        (attach.known_log, attach.newest)
    };
    names(9);
    process.deliveries.attach().await;
    process.deliveries.attached(attached(vec![(1, 0)]));
    let this = Some(LogId([3; 16]));
    assert_eq!(presented().await, (this, Some(incarnation(1))));
    process.deliveries.attached(attached(vec![(1, 0), (2, 0)]));
    assert_eq!(presented().await, (this, Some(incarnation(2))));
    // Named since: another process has met it, and this log lacks it.
    names(10);
    assert_eq!(presented().await, (this, Some(incarnation(10))));
    // A coordinator whose log was lost begins anew.
    let other = Attached {
        log: LogId([4; 16]),
        ..attached(vec![(1, 0)])
    };
    process.deliveries.attached(other);
    let other = Some(LogId([4; 16]));
    assert_eq!(presented().await, (other, Some(incarnation(1))));
}

/// Before it was attached to this log, a database says nothing about it either.
#[tokio::test]
async fn rm10_a_database_that_was_left_out_names_no_start_before_it_is_attached() {
    let process = Process::fenced();
    process.fence.script().reads.push_back(database_error());
    process.fence.script().newest = Some(incarnation(9));
    process.deliveries.attach().await;
    process.deliveries.attached(attached(vec![(1, 0)]));
    let newest = async || process.deliveries.attach().await.newest;
    assert_eq!(newest().await, Some(incarnation(1)));
    process.deliveries.attached(attached(vec![(1, 0)]));
    assert_eq!(newest().await, Some(incarnation(1)));
}

/// Presenting what it said earlier would look like a restored database: another replica may have
/// cleaned it meanwhile.
#[tokio::test]
async fn rm10_a_database_that_cannot_be_read_is_left_out_until_it_can() {
    let mut process = Process::fenced();
    let read = |counter| {
        let mut script = process.fence.script();
        script.horizons.insert(incarnation(2), horizon(counter));
    };
    read(40);
    assert_eq!(process.deliveries.attach().await.resources.len(), 1);
    process.row(1, 0);
    let fails = || process.fence.script().reads.push_back(database_error());
    fails();
    let attach = process.deliveries.attach().await;
    assert!(attach.resources.is_empty(), "{attach:?}");
    process.deliveries.attached(attached(vec![(2, 45)]));
    let waits = tokio::time::timeout(SECOND / 20, process.deliveries.ready());
    assert!(waits.await.is_err(), "not all are attached");
    // Before it is compared nothing is asked for it, and it is not cleaned.
    assert!(
        process
            .deliveries
            .horizon(incarnation(2), horizon(45))
            .await
    );
    assert!(process.questions.try_recv().is_err());
    assert!(process.log.take().is_empty());
    // It fails once more, is cleaned by another replica, and then reads.
    fails();
    read(50);
    let changed = tokio::runtime::Handle::current().spawn(process.deliveries.changed());
    until("it reads", || {
        process.clock.advance(SECOND);
        changed.is_finished()
    })
    .await;
    changed.await.unwrap();
    assert!(process.fence.script().reads.is_empty(), "it failed before");
    let attach = process.deliveries.attach().await;
    assert_eq!(*attach.resources[0].horizons, [(incarnation(2), 50)].into());
    process.deliveries.attached(attached(vec![(2, 50)]));
    process.deliveries.ready().await;
    assert_eq!(process.asked().await, [1]);
}

#[tokio::test]
async fn rm10_a_database_that_cannot_be_read_leaves_no_other_participant_out() {
    let log = Log::default();
    let (broken, healthy) = (FakeFence::new(1, &log), FakeFence::new(2, &log));
    let provided = |name, fence: &Arc<FakeFence>| {
        let participant = Arc::new(FakeParticipant {
            name,
            fence: Some(Arc::clone(fence)),
            log: log.clone(),
            acts: Mutex::default(),
        });
        Provided::new(participant as Arc<dyn Participant>, Some(DATABASE)).unwrap()
    };
    let provided = vec![provided("broken", &broken), provided("healthy", &healthy)];
    let (coordinator, _questions) = FakeCoordinator::new(&log);
    let (deliveries, _served) = Deliveries::new(
        "test".into(),
        Registry::new(provided).unwrap(),
        coordinator as _,
        Arc::new(ManualClock::new()),
        Events::new(None),
    );
    broken.script().reads.push_back(database_error());
    let presented = deliveries.attach().await.resources;
    let names = presented
        .iter()
        .map(|one| one.resource.participant.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["healthy"]);
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_left_out_too() {
    let process = Process::fenced();
    process.fence.script().hangs = true;
    let attach = tokio::runtime::Handle::current().spawn(process.deliveries.attach());
    until("it waits", || process.clock.sleepers() == 1).await;
    assert!(!attach.is_finished());
    process
        .clock
        .advance(unanimous_protocol::limits::RECONNECT_MAX);
    assert!(attach.await.unwrap().resources.is_empty());
}

#[tokio::test]
async fn rm8_the_horizon_is_acknowledged_only_once_it_is_stored() {
    let process = Process::fenced();
    assert!(process.deliveries.horizon(incarnation(1), horizon(9)).await);
    assert_eq!(process.log.take(), ["clean 1 up to 9"]);
    process
        .fence
        .script()
        .cleans
        .push_back(Err(database_error()));
    assert!(!process.deliveries.horizon(incarnation(1), horizon(9)).await);
}

#[tokio::test]
async fn rm8_an_attachment_catches_up_with_the_horizons_that_are_not_stored_yet() {
    let process = Process::fenced();
    process
        .fence
        .script()
        .horizons
        .insert(incarnation(2), horizon(40));
    process
        .deliveries
        .attached(attached(vec![(1, 9), (2, 40), (3, 0)]));
    until("cleaned", || process.clock.sleepers() == 1).await;
    until("caught up", || process.log.take() == ["clean 1 up to 9"]).await;
    process.deliveries.attached(attached(vec![(2, 41)]));
    until("caught up again", || {
        process.log.take() == ["clean 2 up to 41"]
    })
    .await;
}

#[tokio::test]
async fn health_tells_the_attachment_and_what_waits() {
    let process = Process::fenced();
    process.row(1, 0);
    process.row(2, 500);
    process.clock.advance(SECOND * 10);
    let health = process.deliveries.health().await;
    assert!(!health.attached);
    assert_eq!((health.parked, health.in_doubt), (2, 1));
    assert_eq!(health.resources[0].oldest_open, Some(SECOND * 10));
    process.clock.step_wall(-20_000);
    let health = process.deliveries.health().await;
    assert_eq!(
        (health.in_doubt, health.resources[0].oldest_open),
        (0, Some(Duration::ZERO))
    );
    process.attach();
    process.deliveries.ready().await;
    // The asker and the cleaner have read what they wanted.
    until("they wait", || process.clock.sleepers() == 1).await;
    process.fence.script().reads.push_back(database_error());
    let health = process.deliveries.health().await;
    assert!(health.attached);
    let error = health.resources[0].error.as_deref();
    assert_eq!(error, Some("the fence's database failed: disk on fire"));
    process.deliveries.detached();
    assert!(!process.deliveries.health().await.attached);
}

#[tokio::test]
async fn a_refused_attachment_is_told_unless_the_coordinator_only_stops() {
    let process = Process::fenced();
    process.deliveries.refused(AttachRefused::Stopping);
    assert!(process.events().is_empty());
    process.deliveries.refused(AttachRefused::Replaced {
        newest: incarnation(3),
    });
    assert!(matches!(&process.events()[..], [Event::Refused { .. }]));
    let because = process.deliveries.health().await.detached_because.unwrap();
    assert!(because.contains("--restored"), "{because}");
}

#[tokio::test]
async fn a_refusal_that_stays_the_same_is_told_once() {
    let process = Process::fenced();
    let refuse = |why: &str| {
        process
            .deliveries
            .refused(AttachRefused::NotTaken { why: why.into() });
        process.events().len()
    };
    assert_eq!(refuse("the field `resources` has 1001 elements"), 1);
    assert_eq!(refuse("the field `resources` has 1001 elements"), 0);
    assert_eq!(refuse("it speaks version 1"), 1);
    let because = process.deliveries.health().await.detached_because;
    assert_eq!(because.as_deref(), Some("it speaks version 1"));
    process.attach();
    assert_eq!(refuse("it speaks version 1"), 1);
}
