//! Every request to a coordinator, dropped at each of its polls: it was done or it was not, and can
//! be made again; nothing of it is left.

use std::future::poll_fn;
use std::task::Poll;

use unanimous_protocol::CallId;
use unanimous_protocol::message::{AdminAnswer, Reported};

use super::proxy::Proxy;
use super::*;

/// More polls than any request needs.
const MANY: usize = 100;

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

/// An unfenced branch: of those alone the coordinator keeps what phase one returned.
fn mail(xid: &Xid) -> Register {
    Register {
        kind: BranchKind::Unfenced,
        arguments: Some("{}".into()),
        ..branch(xid, "mailer")
    }
}

fn value(xid: &Xid, tried: &str) -> Report {
    Report {
        xid: xid.clone(),
        call: mail(xid).call,
        value: Reported {
            tried: Some(tried.into()),
            ..Reported::default()
        },
    }
}

async fn known(coordinator: &dyn Coordinator, xid: &Xid) -> Vec<CallId> {
    match coordinator.admin(AdminRequest::Show(xid.clone())).await {
        Ok(AdminAnswer::Transaction(detail)) => {
            let branches = detail.branches.into_iter();
            branches.map(|branch| branch.call).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// One transaction that commits and one that rolls back, each request of which is dropped after so
/// many polls and made again; tells how many of them were dropped half-way, and whether all ended.
async fn dropped_after(polls: usize, coordinator: &dyn Coordinator) -> (usize, bool) {
    let mut ended = Vec::new();
    let begun = polled(polls, coordinator.begin(begin())).await;
    ended.push(begun.is_some());
    let xid = coordinator.begin(begin()).await.unwrap().unwrap().xid;

    let joined = polled(polls, coordinator.register(mail(&xid))).await;
    let again = coordinator.register(mail(&xid)).await.unwrap().unwrap();
    if let Some(joined) = &joined {
        let joined = joined.as_ref().unwrap().as_ref().unwrap();
        assert_eq!((joined.alias, again.repeat), (again.alias, true));
    }
    ended.push(joined.is_some());
    assert_eq!(known(coordinator, &xid).await.len(), 1, "{polls}");

    let first = polled(polls, coordinator.report(value(&xid, "1"))).await;
    let second = coordinator.report(value(&xid, "2")).await;
    // The first one stands, where it arrived.
    let stands = second.unwrap().expect("it is open").tried.unwrap();
    assert!(
        &*stands == "1" || first.is_none() && &*stands == "2",
        "{polls}"
    );
    ended.push(first.is_some());

    let question = InDoubtQuestion {
        xid: xid.clone(),
        call: "mailer.debit:1".parse().unwrap(),
        resource: resource("mailer"),
        given_up: None,
    };
    let asked = polled(polls, coordinator.in_doubt(vec![question])).await;
    ended.push(asked.is_some());
    ended.push(
        polled(polls, coordinator.outcome(xid.clone()))
            .await
            .is_some(),
    );
    let show = AdminRequest::Show(xid.clone());
    ended.push(polled(polls, coordinator.admin(show)).await.is_some());

    let commit = Commit {
        succeeded: [again.alias].into(),
        ..empty_commit(&xid)
    };
    let told = polled(polls, coordinator.commit(commit.clone())).await;
    ended.push(told.is_some());
    let told = coordinator.commit(commit).await.unwrap();
    assert_eq!(told, DecisionAnswer::Committed, "{polls}");

    let other = coordinator.begin(begin()).await.unwrap().unwrap().xid;
    let told = polled(polls, coordinator.rollback(other.clone())).await;
    let after = coordinator.commit(empty_commit(&other)).await.unwrap();
    match (&told, &after) {
        (_, DecisionAnswer::RolledBack(_)) | (None, DecisionAnswer::Committed) => {}
        told => panic!("{polls}: {told:?}"),
    }
    assert_eq!(coordinator.outcome(other).await.unwrap(), after);
    ended.push(told.is_some());

    let half_way = ended.iter().filter(|ended| polls > 0 && !*ended).count();
    (half_way, ended.into_iter().all(|ended| ended))
}

/// Until nothing is dropped any more; tells how many requests were dropped half-way.
async fn at_every_poll(coordinator: &dyn Coordinator) -> usize {
    let mut dropped = 0;
    for polls in 0..MANY {
        let (half_way, all_ended) = dropped_after(polls, coordinator).await;
        dropped += half_way;
        if all_ended {
            return dropped;
        }
    }
    panic!("some request never ends");
}

#[tokio::test]
async fn c4_each_request_over_the_wire_may_be_dropped_at_any_poll() {
    let core = core().await;
    let served = Served::start(&core).await;
    let proxy = Proxy::start(served.address).await;
    let client = client(&Told::at(proxy.address));
    // Each is polled once before the connection's task can answer it.
    assert!(at_every_poll(&client).await >= 8);
    assert_eq!(client.shared.table.len(), 0);
    assert_eq!(proxy.connections(), 1, "no drop costs the stream");
}

#[cfg(feature = "embedded")]
#[tokio::test]
async fn c4_each_request_to_an_embedded_coordinator_may_be_dropped_at_any_poll() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let url = format!("embedded:{}", folder.path().join("log.redb").display());
    for url in ["memory:", &url] {
        let url = crate::runtime::Url::parse(url).unwrap();
        let host = crate::coordinator::Host {
            application: "test".into(),
            clock: Arc::clone(&clock),
            drain: limits::DRAIN,
        };
        let coordinator = crate::coordinator::open(url, &host).await;
        let coordinator = coordinator.unwrap();
        at_every_poll(&*coordinator).await;
    }
}

/// Dropped anywhere, the coordinator can be served again and answers what was asked.
#[tokio::test]
async fn c4_a_coordinator_that_is_served_may_be_dropped_at_any_poll_and_served_again() {
    for polls in 1..MANY {
        let core = core().await;
        let listener = Listener::bind("127.0.0.1:0").await.unwrap();
        let resolver = Told::at(listener.local_addr());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = listener.serve(core.clone(), async move { drop(stopped.await) });
        let client = client(&resolver);
        let asking = async move {
            let xid = begun(&client).await;
            let told = client.commit(empty_commit(&xid)).await.unwrap();
            assert_eq!(told, DecisionAnswer::Committed);
            drop(stop);
        };
        let asking = tokio::spawn(asking);
        let ended = polled(polls, serving).await;
        if let Some(served) = &ended {
            assert!(served.is_ok(), "{served:?}");
        }
        let again = Served::start(&core).await;
        resolver.now_at(again.address);
        asking.await.unwrap();
        // Half done, or not begun: it is done now.
        core.stop().await;
        if ended.is_some() {
            return;
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn a_listener_and_a_name_may_be_dropped_at_any_poll() {
    let dns = Dns::new("localhost", 7070).unwrap();
    let mut dropped = [None; 2];
    for polls in 0..MANY {
        if polled(polls, Listener::bind("localhost:0")).await.is_some() {
            dropped[0].get_or_insert(polls);
        }
        if polled(polls, dns.resolve()).await.is_some() {
            dropped[1].get_or_insert(polls);
        }
        if dropped.iter().all(Option::is_some) {
            return;
        }
    }
    panic!("one never ends: {dropped:?}");
}
