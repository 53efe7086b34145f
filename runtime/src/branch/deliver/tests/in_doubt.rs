//! Questions about tried rows.

use unanimous_protocol::Decision::{Commit, Rollback};
use unanimous_protocol::limits;
use unanimous_protocol::message::InDoubtAnswer;

use super::*;
use crate::branch::fakes::{Act, unavailable, until};
use crate::branch::fence::PhaseTwoStep;

impl Process {
    /// The asker and nobody else waits for the clock.
    async fn asker_waits(&self) {
        until("the asker waits", || self.clock.sleepers() == 1).await;
    }

    fn answers(&self, answers: &[InDoubtAnswer]) {
        self.coordinator
            .script()
            .answers
            .push_back(Ok(answers.to_vec()));
    }
}

#[tokio::test]
async fn rm6_nothing_is_asked_before_the_attachment_and_everything_at_it() {
    let mut process = Process::fenced();
    process.row(1, 0);
    process.row(2, 0);
    tokio::task::yield_now().await;
    assert!(process.questions.try_recv().is_err());
    process.attach();
    assert_eq!(process.asked().await, [1, 2]);
}

#[tokio::test]
async fn rm6_rows_tried_before_the_attachment_are_in_doubt_until_they_are_ended() {
    let mut process = Process::fenced();
    process.row(1, 0);
    process.row(2, 0);
    assert!(!process.deliveries.has_asked());
    process.coordinator.script().answers.extend([
        Err(unavailable()),
        Ok(vec![InDoubtAnswer::Forgotten, InDoubtAnswer::Wait]),
        Ok(vec![InDoubtAnswer::Forgotten, InDoubtAnswer::Wait]),
    ]);
    process.participant.then(Act::Fail("later"));
    process.attach();
    assert_eq!(process.asked().await, [1, 2]);
    process.asker_waits().await;
    assert!(!process.deliveries.has_asked(), "nobody answered");
    assert_eq!(process.deliveries.health().await.in_doubt, 2);

    process.clock.advance(limits::IN_DOUBT_INTERVAL);
    assert_eq!(process.asked().await, [1, 2]);
    process.asker_waits().await;
    assert!(!process.deliveries.has_asked(), "it is not given back yet");

    process.clock.advance(limits::IN_DOUBT_INTERVAL);
    assert_eq!(process.asked().await, [1, 2]);
    process.asker_waits().await;
    assert!(process.deliveries.has_asked());

    process.deliveries.detached();
    assert!(!process.deliveries.has_asked(), "it may start anew");
    process.attach();
    assert_eq!(process.asked().await, [1, 2]);
    process.asker_waits().await;
    assert!(process.deliveries.has_asked());
    assert!(Process::unfenced().deliveries.has_asked(), "it has no rows");
}

#[tokio::test]
async fn rm6_young_rows_are_in_doubt_only_until_they_are_asked_about() {
    let mut process = Process::fenced();
    let now_ms = i64::try_from(limits::IN_DOUBT_INTERVAL.as_millis()).unwrap();
    process.row(1, now_ms);
    process
        .coordinator
        .script()
        .answers
        .push_back(Err(unavailable()));
    process.attach();
    assert_eq!(process.asked().await, [1]);
    process.asker_waits().await;
    assert_eq!(process.deliveries.health().await.in_doubt, 1);
    process.clock.advance(limits::IN_DOUBT_INTERVAL);
    assert_eq!(process.asked().await, [1]);
    process.asker_waits().await;
    assert_eq!(process.deliveries.health().await.in_doubt, 0);
}

#[tokio::test]
async fn rm6_old_rows_are_asked_about_periodically_and_young_ones_are_not() {
    let mut process = Process::fenced();
    process.attach();
    process.asker_waits().await;
    process.row(1, 0);
    process.row(2, 1);
    process.clock.advance(limits::IN_DOUBT_INTERVAL);
    tokio::task::yield_now().await;
    process.asker_waits().await;
    assert!(
        process.questions.try_recv().is_err(),
        "no row is older than the age"
    );
    process
        .clock
        .advance(limits::IN_DOUBT_INTERVAL + Duration::from_millis(1));
    assert_eq!(process.asked().await, [1, 2]);
    process.asker_waits().await;
    process.clock.advance(limits::IN_DOUBT_INTERVAL);
    assert_eq!(process.asked().await, [1, 2], "asked again while it waits");
}

#[tokio::test]
async fn rm6_what_was_heard_since_the_attachment_is_not_asked_about() {
    let mut process = Process::fenced();
    process.row(1, 0);
    process.row(2, 0);
    process.attach();
    assert_eq!(process.asked().await, [1, 2]);
    process.asker_waits().await;
    process.participant.then(Act::Fail("later"));
    process.deliver(Commit).await;
    process.clock.advance(limits::IN_DOUBT_INTERVAL + SECOND);
    assert_eq!(process.asked().await, [2]);
    process.asker_waits().await;
    // Another attachment may be to another start of the coordinator, which has not told it.
    process.attach();
    assert_eq!(process.asked().await, [1, 2]);
}

/// A rolled-back transaction of lazy kinds is forgotten although a branch has not ended (TC12): the
/// coordinator delivers nothing of it any more.
#[tokio::test]
async fn rm6_what_was_heard_and_is_forgotten_since_is_asked_about() {
    let mut process = Process::fenced();
    process.attach();
    process.asker_waits().await;
    (1..=2).for_each(|counter| process.row(counter, 0));
    process.participant.then(Act::Fail("later"));
    process.deliver(Rollback).await;
    process.clock.advance(limits::IN_DOUBT_INTERVAL + SECOND);
    assert_eq!(process.asked().await, [2]);
    process.asker_waits().await;
    // Of another start, and not passed.
    for (number, counter) in [(2, 9), (1, 0)] {
        let horizon = horizon(counter);
        process
            .deliveries
            .horizon(incarnation(number), horizon)
            .await;
    }
    process.clock.advance(limits::IN_DOUBT_INTERVAL);
    assert_eq!(process.asked().await, [2]);
    process.asker_waits().await;
    process.log.take();
    process.deliveries.horizon(incarnation(1), horizon(1)).await;
    process.answers(&[InDoubtAnswer::Forgotten, InDoubtAnswer::Wait]);
    process.clock.advance(limits::IN_DOUBT_INTERVAL);
    assert_eq!(process.asked().await, [1, 2]);
    process.asker_waits().await;
    let log = process.log.take();
    let ended = log.contains(&"local commit of rollback".to_owned());
    assert!(ended, "{log:?}");
}

#[tokio::test]
async fn rm6_a_question_that_was_not_answered_is_asked_again() {
    let mut process = Process::fenced();
    process.row(1, 1_000_000);
    process
        .coordinator
        .script()
        .answers
        .push_back(Err(unavailable()));
    process.attach();
    assert_eq!(process.asked().await, [1]);
    // An answer that cannot be told apart counts for nothing.
    process.answers(&[InDoubtAnswer::Committed, InDoubtAnswer::Committed]);
    process.asker_waits().await;
    process.clock.advance(limits::IN_DOUBT_INTERVAL);
    assert_eq!(
        process.asked().await,
        [1],
        "young, but never answered since the attachment"
    );
    process.asker_waits().await;
    process.clock.advance(limits::IN_DOUBT_INTERVAL);
    assert_eq!(process.asked().await, [1]);
    process.asker_waits().await;
    assert!(process.log.take().is_empty());
    process.clock.advance(limits::IN_DOUBT_INTERVAL);
    process.asker_waits().await;
    assert!(
        process.questions.try_recv().is_err(),
        "answered, and too young"
    );
}

#[tokio::test]
async fn rm6_many_rows_are_asked_about_in_bounded_questions() {
    let mut process = Process::fenced();
    let rows = limits::IN_DOUBT_BATCH_MAX as u64 + 1;
    (10_000..10_000 + rows).for_each(|counter| process.row(counter, 0));
    process.attach();
    assert_eq!(process.asked().await.len(), limits::IN_DOUBT_BATCH_MAX);
    assert_eq!(process.asked().await, [10_000 + rows - 1]);
}

#[tokio::test]
async fn answers_are_carried_out_as_answers() {
    let process = Process::fenced();
    (1..=5).for_each(|counter| process.row(counter, 0));
    process.answers(&[
        InDoubtAnswer::Wait,
        InDoubtAnswer::Committed,
        InDoubtAnswer::RolledBack,
        InDoubtAnswer::Forgotten,
        InDoubtAnswer::Foreign,
    ]);
    process.attach();
    process.asker_waits().await;
    let log = process.log.take();
    let begun = |what: &str| log.iter().any(|line| line == what);
    assert!(begun("begin commit of 2 (Answered)"), "{log:?}");
    assert!(begun("begin rollback of 3 (Answered)"), "{log:?}");
    assert!(begun("begin rollback of 4 (Answered)"), "{log:?}");
    assert_eq!(
        log.iter().filter(|line| line.starts_with("begin")).count(),
        3,
        "{log:?}"
    );
    match &process.events()[..] {
        [Event::Foreign { xid, .. }] => assert_eq!(*xid, key(5).xid),
        events => panic!("{events:?}"),
    }
}

#[tokio::test]
async fn a_foreign_row_raises_one_alarm_per_attachment() {
    let process = Process::fenced();
    process.row(1, 0);
    for _ in 0..3 {
        process.answers(&[InDoubtAnswer::Foreign]);
    }
    process.attach();
    process.asker_waits().await;
    process.clock.advance(limits::IN_DOUBT_INTERVAL + SECOND);
    until("asked twice", || {
        process.coordinator.script().answers.len() == 1
    })
    .await;
    process.asker_waits().await;
    assert_eq!(process.events().len(), 1);
    process.attach();
    until("asked at the next attachment", || {
        process.coordinator.script().answers.is_empty()
    })
    .await;
    process.asker_waits().await;
    assert_eq!(process.events().len(), 1);
}

#[tokio::test]
async fn rm7_an_answer_that_meets_a_row_that_is_not_tried_calls_nobody() {
    let process = Process::fenced();
    process.row(1, 0);
    process
        .fence
        .script()
        .begins
        .push_back(Ok(PhaseTwoStep::Ignored));
    process.answers(&[InDoubtAnswer::RolledBack]);
    process.attach();
    process.asker_waits().await;
    assert_eq!(process.log.take(), ["begin rollback of 1 (Answered)"]);
}

#[tokio::test]
async fn rm6_a_branch_under_way_is_neither_asked_about_nor_run_a_second_time() {
    let mut process = Process::fenced();
    process.row(1, 0);
    process.participant.then(Act::Hang);
    let delivery = process.deliveries.phase_two(process.delivery(Commit));
    let hanging = tokio::runtime::Handle::current().spawn(delivery);
    until("it hangs", || process.log.take().len() == 2).await;
    process.attach();
    process.asker_waits().await;
    assert!(process.questions.try_recv().is_err());
    hanging.abort();
}

#[tokio::test]
async fn a_failed_answer_is_asked_for_again() {
    let mut process = Process::fenced();
    process.row(1, 0);
    process.participant.then(Act::Fail("database busy"));
    process.answers(&[InDoubtAnswer::Committed]);
    process.answers(&[InDoubtAnswer::Committed]);
    process.attach();
    assert_eq!(process.asked().await, [1]);
    process.asker_waits().await;
    assert_eq!(process.log.take().last().unwrap(), "local rollback");
    process.clock.advance(limits::IN_DOUBT_INTERVAL + SECOND);
    assert_eq!(process.asked().await, [1]);
    until("confirmed", || {
        process
            .log
            .take()
            .contains(&"local commit of commit".to_owned())
    })
    .await;
}

/// A parked row asks nothing, but the coordinator may no longer know of it.
#[tokio::test]
async fn op2_rows_given_up_are_told_of_at_each_attachment_and_periodically() {
    let mut process = Process::fenced();
    let given_up = InDoubtRow {
        key: key(7),
        action: "debit".parse().unwrap(),
        created_ms: i64::MAX,
    };
    process.fence.script().given_up.push(given_up);
    for _ in 0..2 {
        // Whatever is answered, the row is left as it is.
        process.answers(&[InDoubtAnswer::RolledBack]);
        process.attach();
        for _ in 0..2 {
            let told = process.questions.recv().await.unwrap();
            assert_eq!(told.len(), 1);
            assert_eq!(told[0].xid, key(7).xid);
            assert_eq!(told[0].given_up, Some("debit".parse().unwrap()));
            process.asker_waits().await;
            process.answers(&[InDoubtAnswer::RolledBack]);
            process.clock.advance(limits::IN_DOUBT_INTERVAL);
        }
        assert!(process.questions.recv().await.is_some());
        process.asker_waits().await;
    }
    assert!(process.log.take().is_empty(), "no phase two began");
}
