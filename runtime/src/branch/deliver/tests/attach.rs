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
    assert_eq!(resource.horizons, [(incarnation(2), 40)].into());
    // A later start of the same coordinator is met by attaching to it.
    process.deliveries.attached(attached(vec![(4, 0), (6, 0)]));
    let attach = process.deliveries.attach().await;
    assert_eq!(
        (attach.known_log, attach.newest),
        (Some(LogId([3; 16])), Some(incarnation(6)))
    );
}

#[tokio::test]
async fn rm10_a_database_that_was_never_read_is_waited_for_and_later_taken_from_memory() {
    let process = Process::fenced();
    process
        .fence
        .script()
        .horizons
        .insert(incarnation(2), horizon(40));
    process.fence.script().reads.push_back(database_error());
    let attach = tokio::runtime::Handle::current().spawn(process.deliveries.attach());
    until("it waits", || process.clock.sleepers() == 1).await;
    assert!(!attach.is_finished());
    process.clock.advance(SECOND);
    let first = attach.await.unwrap();
    assert_eq!(first.resources[0].horizons, [(incarnation(2), 40)].into());
    process.fence.script().reads.push_back(database_error());
    assert_eq!(process.deliveries.attach().await, first);
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
