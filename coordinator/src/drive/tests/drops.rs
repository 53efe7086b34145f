//! Every future of the driver, dropped at each of its polls: what was handed over is done, nothing
//! that was delivered is lost, and all of it can be asked for again.

use std::future::{Future, poll_fn};
use std::task::Poll;

use super::super::{Answer, ServiceError};
use super::*;
use crate::clock::{Clock, SystemClock};
use unanimous_protocol::message::{
    AdminAnswer, AdminRequest, InDoubtAnswer, InDoubtQuestion, Report, Reported,
};
use unanimous_protocol::{GlobalState, RollbackReason};

/// More polls than any future here needs.
const MANY: usize = 200;

/// What the future answers if it ends within so many polls; it is dropped otherwise.
async fn polled<F: Future>(mut left: usize, future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    let limited = poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    });
    limited.await
}

impl Rig {
    /// Asks with a disk that syncs only after the first poll, so that whatever waits for it is
    /// dropped half-way once; tells whether it was answered.
    async fn drop_after<T>(&self, polls: usize, ask: impl FnOnce() -> Answer<T>) -> bool {
        self.disk.hold();
        let mut answer = Some(Box::pin(ask()));
        let mut seen = false;
        for poll in 0..polls {
            if poll == 1 {
                self.disk.release();
            }
            if let Some(asked) = &mut answer
                && polled(1, asked).await.is_some()
            {
                seen = true;
                answer = None;
            }
        }
        drop(answer);
        self.disk.release();
        seen
    }

    async fn state(&self, xid: &Xid) -> GlobalState {
        let show = AdminRequest::Show(xid.clone());
        match self.coordinator.admin(show).await.unwrap() {
            AdminAnswer::Transaction(detail) => detail.summary.state,
            other => panic!("{other:?}"),
        }
    }
}

fn tried(xid: &Xid, tried: &str) -> Report {
    Report {
        xid: xid.clone(),
        call: "mailer.debit:1".parse().unwrap(),
        value: Reported {
            tried: Some(tried.into()),
            ..Reported::default()
        },
    }
}

/// All of them are handed over when they are asked, before any poll.
#[tokio::test]
async fn c4_whatever_a_session_asked_is_done_however_soon_its_answer_is_dropped() {
    let rig = Rig::new().await;
    let session = &rig.session;
    let mut waited = 0;
    for polls in 0..3 {
        let call = "mailer.debit:1";
        let mut answered = Vec::new();
        let begun = || session.begin(begin(Duration::from_mins(1)));
        answered.push(rig.drop_after(polls, begun).await);
        let xid = rig.begin().await;
        let joining = || register(&xid, call, "mailer", BranchKind::Unfenced);
        let joins = || session.register(joining());
        answered.push(rig.drop_after(polls, joins).await);
        let joined = session.register(joining()).await.unwrap().unwrap();
        assert!(joined.repeat, "it had joined");

        let reports = || session.report(tried(&xid, "1"));
        answered.push(rig.drop_after(polls, reports).await);
        let stands = session.report(tried(&xid, "2")).await.unwrap().unwrap();
        assert_eq!(stands.tried.as_deref(), Some("1"), "the first one stands");

        let question = || InDoubtQuestion {
            xid: xid.clone(),
            call: call.parse().unwrap(),
            resource: resource("mailer"),
            given_up: None,
        };
        let asks = || session.in_doubt(vec![question()]);
        answered.push(rig.drop_after(polls, asks).await);
        let told = session.in_doubt(vec![question()]).await.unwrap();
        assert_eq!(told, [InDoubtAnswer::Wait]);

        let commits = || session.commit(commit(&xid, &[joined.alias]));
        answered.push(rig.drop_after(polls, commits).await);
        let asks = || session.outcome(xid.clone());
        answered.push(rig.drop_after(polls, asks).await);
        // Nothing turns it into a rollback.
        let told = session.rollback(xid.clone()).await.unwrap();
        assert_eq!(told, DecisionAnswer::Committed);

        let other = rig.begin().await;
        let rolls_back = || session.rollback(other.clone());
        answered.push(rig.drop_after(polls, rolls_back).await);
        let told = rig.commit(&other, &[]).await;
        let requested = RollbackReason::Requested;
        assert_eq!(told, DecisionAnswer::RolledBack(requested));

        let by_hand = rig.begin().await;
        let request = || AdminRequest::RollBack(by_hand.clone());
        let asks = || rig.coordinator.admin(request());
        answered.push(rig.drop_after(polls, asks).await);
        assert_eq!(rig.state(&by_hand).await, GlobalState::RolledBack);

        assert!(polls > 0 || !answered.contains(&true));
        assert!(polls < 2 || !answered.contains(&false), "{answered:?}");
        waited += answered.iter().filter(|seen| polls == 1 && !*seen).count();
    }
    assert!(waited > 0, "nothing ever waited for the disk");
}

/// A begin that nobody heard of ends at its deadline.
#[tokio::test]
async fn a_begin_whose_answer_is_dropped_leaves_an_empty_transaction_that_times_out() {
    let rig = Rig::new().await;
    drop(rig.session.begin(begin(Duration::from_mins(1))));
    assert_eq!(rig.coordinator.health().undecided, 1);
    rig.pass(Duration::from_mins(2)).await;
    assert_eq!(rig.coordinator.health().undecided, 0);
}

/// Dropped before it is heard, an attachment is none: what it would have been delivered goes to
/// the next one.
#[tokio::test]
async fn c4_an_attachment_may_be_dropped_at_any_poll() {
    let rig = Rig::new().await;
    for polls in 0..MANY {
        let xid = rig.begin().await;
        let alias = rig.fenced(&xid, "a:1", "account").await;
        rig.commit(&xid, &[alias]).await;
        let session = rig.coordinator.session("account", "anonymous");
        let attached = polled(polls, session.attach(attach(&["account"], None))).await;
        let ended = attached.is_some();
        assert_eq!(rig.coordinator.health().attached, usize::from(ended));
        drop(attached);
        assert_eq!(rig.coordinator.health().attached, 0, "after {polls}");
        let mut member = rig.attach("account").await;
        let phase_two = member.try_phase_two().expect("it is delivered");
        assert_eq!(phase_two.xid, xid);
        member.answer(&phase_two, BranchResult::Ended);
        if ended {
            return;
        }
    }
    panic!("it never ends");
}

/// Waiting for a delivery takes none away.
#[tokio::test]
async fn c4_waiting_for_a_delivery_may_be_dropped_at_any_poll() {
    let rig = Rig::new().await;
    let mut member = rig.attach("account").await;
    for nth in 0..20 {
        assert!(polled(1, member.deliveries.next()).await.is_none());
        let xid = rig.begin().await;
        let alias = rig.fenced(&xid, "a:1", "account").await;
        rig.commit(&xid, &[alias]).await;
        assert!(polled(0, member.deliveries.next()).await.is_none());
        let delivered = polled(1, member.deliveries.next()).await.flatten();
        let Some(Delivery::PhaseTwo(phase_two)) = delivered else {
            panic!("{nth}: {delivered:?}");
        };
        assert_eq!(phase_two.xid, xid);
        member.answer(&phase_two, BranchResult::Ended);
    }
}

/// A start that is dropped lets go of the file, and what was decided before it stands.
#[tokio::test]
async fn c4_a_start_may_be_dropped_at_any_poll_and_lets_go_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let open = || Options::redb(&path).wait(Duration::from_secs(600));
    let mut committed: Option<Xid> = None;
    let (mut polls, mut half_way) = (0, 0);
    for _ in 0..MANY {
        let Some(opened) = polled(polls, Coordinator::open(open())).await else {
            half_way += usize::from(polls > 0);
            polls += 1;
            continue;
        };
        let coordinator = opened.unwrap();
        let session = coordinator.session("shop", "anonymous");
        if let Some(before) = &committed {
            let told = session.outcome(before.clone()).await.unwrap();
            assert_eq!(told, DecisionAnswer::Committed);
        }
        let began = session.begin(begin(Duration::from_mins(1))).await.unwrap();
        let xid = began.unwrap().xid;
        let joining = register(&xid, "a:1", "account", BranchKind::Fenced);
        let alias = session.register(joining).await.unwrap().unwrap().alias;
        let told = session.commit(commit(&xid, &[alias])).await.unwrap();
        assert_eq!(told, DecisionAnswer::Committed);
        drop(session);
        coordinator.stop().await;
        if half_way > 0 && committed.is_some() {
            return;
        }
        // Its threads were faster than the polls, or there was no file at first: once more.
        (committed, polls) = (Some(xid), 0);
    }
    panic!("it is never dropped half-way, or never starts");
}

/// Half done, a stop is finished by the next call, and the file is closed then.
#[tokio::test]
async fn c4_a_stop_may_be_dropped_at_any_poll_and_is_finished_by_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let clock = ManualClock::new();
    let (mut polls, mut half_way) = (0, false);
    for _ in 0..MANY {
        let options = Options::redb(&path).clock(Arc::new(clock.clone()));
        let coordinator = Coordinator::open(options).await.expect("it was closed");
        let session = coordinator.session("shop", "anonymous");
        let began = session.begin(begin(Duration::from_mins(1))).await.unwrap();
        let xid = began.unwrap().xid;
        let early = polled(polls.min(1), coordinator.stop()).await;
        assert!(early.is_none(), "it waits for what is open");
        if polls > 0 {
            let refused = session.begin(begin(Duration::from_mins(1))).await;
            refused.unwrap().expect_err("it begins nothing more");
        }
        // What is open may still be decided.
        let told = session.commit(commit(&xid, &[])).await.unwrap();
        assert_eq!(told, DecisionAnswer::Committed);
        let ended = polled(polls, coordinator.stop()).await.is_some();
        coordinator.stop().await;
        drop(session);
        if ended && half_way {
            return;
        }
        half_way |= !ended && polls > 0;
        polls = if ended { 0 } else { polls + 1 };
    }
    panic!("it is never dropped half-way, or never ends");
}

/// Timers that are due fire once, however often firing them is dropped.
#[tokio::test]
async fn c4_firing_timers_may_be_dropped_at_any_poll() {
    for polls in 0..MANY {
        let rig = Rig::new().await;
        let xid = rig.begin().await;
        rig.clock.advance(Duration::from_mins(2));
        let ended = polled(polls, rig.coordinator.fire_due()).await.is_some();
        rig.coordinator.fire_due().await;
        let told = rig.session.outcome(xid).await.unwrap();
        let late = RollbackReason::TimedOut;
        assert_eq!(told, DecisionAnswer::RolledBack(late));
        if ended {
            return;
        }
    }
    panic!("it never ends");
}

/// A dropped sleeper is none.
#[tokio::test]
async fn a_sleep_may_be_dropped_at_any_poll() {
    let manual = ManualClock::new();
    let clocks: [Arc<dyn Clock>; 2] = [Arc::new(manual.clone()), Arc::new(SystemClock::new())];
    for clock in clocks {
        for at in [Duration::from_hours(1), Duration::MAX] {
            assert!(polled(0, clock.sleep_until(at)).await.is_none());
            assert!(polled(1, clock.sleep_until(at)).await.is_none());
        }
        clock.sleep_until(Duration::ZERO).await;
    }
    manual.advance(Duration::from_hours(2));
}

#[tokio::test]
async fn e4_waiting_for_the_end_may_be_dropped_at_any_poll_and_tells_why() {
    let rig = Rig::new().await;
    for polls in 0..2 {
        assert!(polled(polls, rig.coordinator.ended()).await.is_none());
    }
    rig.disk.fail();
    let failed = rig.coordinator.ended().await;
    assert!(matches!(failed, ServiceError::StoreFailed(_)), "{failed}");
    let rig = Rig::new().await;
    rig.coordinator.stop().await;
    let stopped = rig.coordinator.ended().await;
    assert!(matches!(stopped, ServiceError::Stopped), "{stopped}");
}
