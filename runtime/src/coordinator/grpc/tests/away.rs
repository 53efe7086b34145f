use futures_util::FutureExt as _;
use unanimous_protocol::RollbackReason;

use super::proxy::Proxy;
use super::*;
use crate::Runtime;
use crate::clock::ManualClock;

/// A port at which nobody listens.
async fn nobody() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

fn impatient(resolver: &Told, clock: &ManualClock) -> GrpcCoordinator {
    GrpcCoordinator::builder("unanimous://test:1", Arc::new(resolver.clone()))
        .clock(Arc::new(clock.clone()))
        .patience(Duration::from_secs(3))
        .open()
}

/// Lets time pass until the answer is there; tells how much.
async fn pass<T>(
    clock: &ManualClock,
    answer: Answer<T>,
) -> (Duration, Result<T, CoordinatorError>) {
    let before = clock.now();
    let step = async {
        loop {
            clock.advance(Duration::from_millis(100));
            let waited = clock.now().saturating_sub(before);
            assert!(waited < Duration::from_secs(60), "it is never given up");
            // Every task that could run has run before time goes on.
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        }
    };
    tokio::select! {
        biased;
        answer = answer => (clock.now().saturating_sub(before), answer),
        () = step => unreachable!("it never ends"),
    }
}

#[tokio::test]
async fn while_nobody_answers_requests_wait_and_then_say_why() {
    let (clock, resolver) = (ManualClock::new(), Told::at(nobody().await));
    let client = impatient(&resolver, &clock);
    let xid: Xid = "u1.1.0000000000000000.1".parse().unwrap();
    let (waited, answer) = pass(&clock, client.outcome(xid.clone())).await;
    let error = answer.unwrap_err();
    assert!(
        matches!(error, CoordinatorError::Unavailable { .. }),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("unanimous://test:1 cannot be reached"),
        "{error}"
    );
    assert!(error.to_string().contains("refused"), "{error}");
    assert!((3_000..3_300).contains(&waited.as_millis()), "{waited:?}");

    let short = Begin {
        timeout: Duration::from_secs(1),
        ..begin()
    };
    let (waited, answer) = pass(&clock, client.begin(short)).await;
    assert!(matches!(answer, Err(CoordinatorError::Unavailable { .. })));
    assert!((1_000..1_300).contains(&waited.as_millis()), "{waited:?}");

    let (_, answer) = pass(&clock, client.admin(AdminRequest::Settled(xid))).await;
    assert!(matches!(answer, Err(CoordinatorError::Unavailable { .. })));
}

#[tokio::test]
async fn a_request_that_waited_is_answered_once_there_is_a_coordinator() {
    let resolver = Told::at(nobody().await);
    let client = client(&resolver);
    let begun = tokio::spawn(client.begin(begin()));
    let core = core().await;
    let served = Served::start(&core).await;
    resolver.now_at(served.address);
    assert!(begun.await.unwrap().unwrap().is_ok());
}

#[tokio::test]
async fn a_request_that_its_caller_gave_up_is_forgotten() {
    let (clock, resolver) = (ManualClock::new(), Told::at(nobody().await));
    let client = impatient(&resolver, &clock);
    let xid: Xid = "u1.1.0000000000000000.1".parse().unwrap();
    let asked = client.outcome(xid.clone());
    let mut asked = Box::pin(asked);
    assert!(asked.as_mut().now_or_never().is_none());
    assert_eq!(client.shared.table.len(), 1);
    drop(asked);
    let (_, answer) = pass(&clock, client.outcome(xid)).await;
    assert!(answer.is_err());
    assert_eq!(client.shared.table.len(), 0);
}

/// A coordinator that is there and does not answer: every request is given up, whatever its caller
/// waits for, and the stream is none the worse for it.
#[tokio::test]
async fn what_is_not_answered_on_a_live_stream_is_given_up() {
    let core = core().await;
    let served = Served::start(&core).await;
    let proxy = Proxy::start(served.address).await;
    let clock = ManualClock::new();
    let client = impatient(&Told::at(proxy.address), &clock);
    let xid = begun(&client).await;
    proxy.hold();
    given_up(&clock, client.outcome(xid.clone())).await;
    given_up(&clock, client.register(branch(&xid, "account"))).await;
    given_up(&clock, client.in_doubt(vec![question(&xid)])).await;
    given_up(&clock, client.commit(empty_commit(&xid))).await;
    let settled = AdminRequest::Settled(xid.clone());
    given_up(&clock, client.admin(settled)).await;
    // Sooner than what was asked before.
    let long = client.outcome(xid.clone());
    let mut long = Box::pin(long);
    assert!(long.as_mut().now_or_never().is_none());
    let short = Begin {
        timeout: Duration::from_secs(1),
        ..begin()
    };
    let (waited, answer) = pass(&clock, client.begin(short)).await;
    assert!(matches!(answer, Err(CoordinatorError::Unavailable { .. })));
    assert!((1_000..1_300).contains(&waited.as_millis()), "{waited:?}");
    drop(long);
    proxy.release();
    // Late answers are ignored. The branch joined, so the commit without it was refused.
    assert_eq!(
        client.outcome(xid).await.unwrap(),
        DecisionAnswer::RolledBack(RollbackReason::BranchesDiffer)
    );
    assert_eq!(client.shared.table.len(), 0);
    assert_eq!(proxy.connections(), 1);
}

/// The request is given up after the client's patience, and says why.
async fn given_up<T>(clock: &ManualClock, answer: Answer<T>) {
    let (waited, answer) = pass(clock, answer).await;
    let error = answer.err().expect("nobody answers");
    assert!(
        matches!(&error, CoordinatorError::Unavailable { why, .. } if &**why == "it does not answer"),
        "{error}"
    );
    assert!((3_000..3_300).contains(&waited.as_millis()), "{waited:?}");
}

fn question(xid: &Xid) -> InDoubtQuestion {
    InDoubtQuestion {
        xid: xid.clone(),
        call: "account.debit:1".parse().unwrap(),
        resource: resource("account"),
        given_up: None,
    }
}

/// A wait that names its limit keeps it.
#[tokio::test]
async fn whoever_waits_for_a_silent_coordinator_waits_as_long_as_was_said() {
    let core = core().await;
    let served = Served::start(&core).await;
    let proxy = Proxy::start(served.address).await;
    let clock = ManualClock::new();
    let client = Arc::new(impatient(&Told::at(proxy.address), &clock));
    let xid = begun(&client).await;
    let runtime = Runtime::builder()
        .clock(Arc::new(clock.clone()))
        .coordinator_value(client);
    let runtime = runtime.build().await.unwrap();
    proxy.hold();
    let within = Duration::from_secs(1);
    for quiet in [false, true] {
        let (runtime, xid) = (runtime.clone(), xid.clone());
        let (waited, seen) = pass(
            &clock,
            Box::pin(async move {
                Ok(if quiet {
                    runtime.quiet(within).await
                } else {
                    runtime.settled(&xid, within).await
                })
            }),
        )
        .await;
        assert!(!seen.unwrap());
        assert!((1_000..1_300).contains(&waited.as_millis()), "{waited:?}");
    }
}
