use unanimous_protocol::message::{AdminAnswer, AdminRequest};
use unanimous_protocol::{GlobalState, RollbackReason};

use super::proxy::Proxy;
use super::*;

/// Completes when the coordinator has decided the transaction.
async fn decided(core: &Core, xid: &Xid) -> GlobalState {
    loop {
        match core.admin(AdminRequest::Show(xid.clone())).await.unwrap() {
            AdminAnswer::Transaction(detail) if detail.summary.state != GlobalState::Open => {
                return detail.summary.state;
            }
            _ => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test]
async fn a_transaction_begins_and_commits_over_one_connection() {
    let core = core().await;
    let served = Served::start(&core).await;
    let proxy = Proxy::start(served.address).await;
    let client = client(&Told::at(proxy.address));
    let xid = begun(&client).await;
    assert_eq!(
        client.outcome(xid.clone()).await.unwrap(),
        DecisionAnswer::Open
    );
    assert_eq!(
        client.commit(empty_commit(&xid)).await.unwrap(),
        DecisionAnswer::Committed
    );
    assert_eq!(
        client.rollback(xid).await.unwrap(),
        DecisionAnswer::Committed
    );
    let list = AdminRequest::List {
        finished: true,
        limit: usize::MAX,
        after: None,
    };
    assert!(matches!(
        client.admin(list).await.unwrap(),
        AdminAnswer::Transactions(_)
    ));
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn a_client_follows_its_coordinator_to_another_port() {
    let core = core().await;
    let first = Served::start(&core).await;
    let proxy = Proxy::start(first.address).await;
    let resolver = Told::at(proxy.address);
    let client = client(&resolver);
    let xid = begun(&client).await;

    let second = Served::start(&core).await;
    resolver.now_at(second.address);
    drop((first, proxy));
    assert_eq!(
        client.commit(empty_commit(&xid)).await.unwrap(),
        DecisionAnswer::Committed
    );
}

#[tokio::test]
async fn tm2_a_commit_whose_answer_was_lost_is_asked_again_and_told_the_same() {
    let core = core().await;
    let served = Served::start(&core).await;
    let proxy = Proxy::start(served.address).await;
    let client = client(&Told::at(proxy.address));
    let xid = begun(&client).await;

    proxy.hold();
    let commit = client.commit(empty_commit(&xid));
    assert_ne!(decided(&core, &xid).await, GlobalState::RolledBack);
    proxy.cut();
    assert_eq!(commit.await.unwrap(), DecisionAnswer::Committed);
    proxy.made(2).await;
}

#[tokio::test]
async fn g12_a_registration_whose_answer_was_lost_is_one_branch() {
    let core = core().await;
    let served = Served::start(&core).await;
    let proxy = Proxy::start(served.address).await;
    let client = client(&Told::at(proxy.address));
    let xid = begun(&client).await;

    proxy.hold();
    let joined = tokio::spawn(client.register(branch(&xid, "account")));
    let branches = || async {
        match core.admin(AdminRequest::Show(xid.clone())).await.unwrap() {
            AdminAnswer::Transaction(detail) => detail.branches.len(),
            other => panic!("{other:?}"),
        }
    };
    while branches().await == 0 {
        tokio::task::yield_now().await;
    }
    proxy.cut();
    let joined = joined.await.unwrap().unwrap().unwrap();
    assert!(joined.repeat);
    assert_eq!(branches().await, 1);
}

#[tokio::test]
async fn a_dropped_commit_is_carried_on() {
    let core = core().await;
    let served = Served::start(&core).await;
    let proxy = Proxy::start(served.address).await;
    let client = client(&Told::at(proxy.address));
    let xid = begun(&client).await;

    drop(client.commit(empty_commit(&xid)));
    assert_ne!(decided(&core, &xid).await, GlobalState::RolledBack);
    // Its answer comes before that of what is asked later.
    assert_eq!(
        client.outcome(xid).await.unwrap(),
        DecisionAnswer::Committed
    );
    assert_eq!(client.shared.table.len(), 0);
}

#[tokio::test]
async fn many_requests_share_one_stream() {
    let core = core().await;
    let served = Served::start(&core).await;
    let proxy = Proxy::start(served.address).await;
    let client = Arc::new(client(&Told::at(proxy.address)));
    // More than there is room for at once.
    let tasks: Vec<_> = (0..2 * limits::STREAM_QUEUE_MAX)
        .map(|n| {
            let client = Arc::clone(&client);
            tokio::spawn(async move {
                let xid = begun(&client).await;
                let answer = if n % 2 == 0 {
                    client.commit(empty_commit(&xid)).await
                } else {
                    client.rollback(xid).await
                };
                answer.unwrap()
            })
        })
        .collect();
    for (n, task) in tasks.into_iter().enumerate() {
        let expected = match n % 2 {
            0 => DecisionAnswer::Committed,
            _ => DecisionAnswer::RolledBack(RollbackReason::Requested),
        };
        assert_eq!(task.await.unwrap(), expected);
    }
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn a_coordinator_that_stops_answers_what_is_open_first() {
    let core = core().await;
    let listener = Listener::bind("127.0.0.1:0").await.unwrap();
    let resolver = Told::at(listener.local_addr());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = listener.serve(core.clone(), async move { drop(stopped.await) });
    let serving = tokio::spawn(serving);
    let client = client(&resolver);
    let xid = begun(&client).await;
    stop.send(()).unwrap();
    // Begins are refused from some moment on; what is open may still be decided.
    while client.begin(begin()).await.unwrap().is_ok_and(|_| true) {}
    assert_eq!(
        client.commit(empty_commit(&xid)).await.unwrap(),
        DecisionAnswer::Committed
    );
    serving.await.unwrap().unwrap();
}
