use std::sync::Mutex;

use super::*;
use crate::CallFailure;
use crate::clock::ManualClock;
use crate::context::Entered;
use crate::global::calls::Ending;

/// What a service answers.
type Headers = &'static [(&'static str, &'static str)];

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// One request inside the scope.
fn send(
    layer: &ClientLayer,
    service: &Handler,
    scope: &Scope,
    request: Request<()>,
) -> Entered<impl Future<Output = Result<Response<String>, BoxError>> + use<>> {
    let mut carried = layer.layer(service.clone());
    scope.enter(async move { carried.call(request).await })
}

/// How the first failed call of the scope failed.
fn failure(scope: &Scope) -> Option<CallFailure> {
    match scope.rollback_only()? {
        Error::RollbackOnly { cause, .. } => Some(cause),
        other => panic!("{other}"),
    }
}

/// Answers with the call header that it was sent.
fn echo() -> (Handler, Arc<Mutex<Vec<HeaderMap>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let see = Arc::clone(&seen);
    let handler = Handler::new(move |request: Request<()>| {
        see.lock().unwrap().push(request.headers().clone());
        let response = Response::builder().header(header::ANSWER, "1;ok;names=;x=");
        std::future::ready(response.body(String::new()).unwrap())
    });
    (handler, seen)
}

#[tokio::test]
async fn n3_requests_carry_the_transaction_under_ids_made_of_their_targets() {
    let runtime = runtime().await;
    let scope = scope(&runtime);
    let (handler, seen) = echo();
    let layer = ClientLayer::new();
    let grpc = ("content-type", "application/grpc+proto");
    let requests = [
        request("http://a.test:80/shop.Account/Debit", &[grpc]),
        request("http://b.test:81/shop.Account/Debit", &[grpc]),
        request("http://a.test/orders?user=u1", &[]),
    ];
    for request in requests {
        send(&layer, &handler, &scope, request).await.unwrap();
    }
    let seen = seen.lock().unwrap();
    let orders = format!("{}:1", Target::new("POST./orders"));
    let expected = [
        "shop.Account.Debit:1",
        "shop.Account.Debit:2",
        orders.as_str(),
    ];
    for (headers, call) in seen.iter().zip(expected) {
        let carried = headers[header::CALL].to_str().unwrap();
        let carried: header::CallHeader = carried.parse().unwrap();
        assert_eq!(carried.xid, xid());
        assert_eq!(carried.call.as_str(), call);
        assert!(carried.left <= Duration::from_secs(60) && carried.left > Duration::from_secs(50));
        assert_eq!(headers[header::TX_XID], xid().as_str());
    }
    assert_eq!(seen.len(), 3);
}

#[tokio::test]
async fn outside_a_transaction_requests_pass_unchanged() {
    let (handler, seen) = echo();
    let mut carried = ClientLayer::new().layer(handler);
    carried.call(request("http://a.test/", &[])).await.unwrap();
    let runtime = runtime().await;
    scope(&runtime)
        .enter(crate::outside(async {
            carried.call(request("http://a.test/", &[])).await
        }))
        .await
        .unwrap();
    assert!(seen.lock().unwrap().iter().all(HeaderMap::is_empty));
}

#[tokio::test]
async fn tm1_answers_are_judged_by_header_and_else_by_status() {
    const ANSWER: &str = header::ANSWER;
    let cases: [(u16, Headers, Option<CallFailure>); 11] = [
        (200, &[(ANSWER, "1;ok;names=1;x=")], None),
        (500, &[(ANSWER, "1;ok;names=;x=")], None),
        (
            200,
            &[(ANSWER, "1;ok;names=;x="), ("grpc-status", "5")],
            None,
        ),
        (
            200,
            &[(ANSWER, "1;mark;reason=failed")],
            Some(CallFailure::Marked),
        ),
        (200, &[], None),
        (302, &[], None),
        (404, &[], Some(CallFailure::Failed)),
        (200, &[("grpc-status", "13")], Some(CallFailure::Failed)),
        (200, &[("grpc-status", "0")], None),
        (
            200,
            &[(ANSWER, "1;ok;names=?;x=")],
            Some(CallFailure::LostAnswer),
        ),
        (
            200,
            &[(ANSWER, "1;ok;names=1;x="), (ANSWER, "1;ok;names=2;x=")],
            Some(CallFailure::LostAnswer),
        ),
    ];
    let runtime = runtime().await;
    for (status, headers, expected) in cases {
        let scope = scope(&runtime);
        let handler = Handler::answering(status, headers);
        let request = request("http://a.test/", &[]);
        send(&ClientLayer::new(), &handler, &scope, request)
            .await
            .unwrap();
        assert_eq!(failure(&scope), expected, "{status} {headers:?}");
    }
}

#[tokio::test]
async fn tm1_the_names_of_an_answer_are_those_of_the_scope() {
    let runtime = runtime().await;
    let scope = scope(&runtime);
    let handler = Handler::answering(200, &[(header::ANSWER, "1;ok;names=1,z;x=a:1/~tolerate:1")]);
    send(
        &ClientLayer::new(),
        &handler,
        &scope,
        request("http://a.test/", &[]),
    )
    .await
    .unwrap();
    let answer = scope.end(Ending::Ok);
    assert_eq!(answer.to_string(), "1;ok;names=1,z;x=a:1/~tolerate:1");
}

#[tokio::test]
async fn tm5_a_success_without_header_gives_no_names_and_is_warned_of_once() {
    let runtime = runtime().await;
    let scope = scope(&runtime);
    let layer = ClientLayer::new();
    let handler = Handler::answering(200, &[]);
    for path in ["/a", "/a", "/b"] {
        let request = request(&format!("http://a.test{path}"), &[]);
        send(&layer, &handler, &scope, request).await.unwrap();
    }
    assert_eq!(layer.warned(), 2);
    assert_eq!(scope.end(Ending::Ok), AnswerHeader::nothing());
    // It counts as joined: an error of the whole is the mark.
    assert!(scope.end(Ending::Err).is_mark());
}

#[tokio::test]
async fn where_all_are_participants_a_missing_header_is_a_failure() {
    let runtime = runtime().await;
    let scope = scope(&runtime);
    let layer = ClientLayer::new().participants_only();
    let handler = Handler::answering(200, &[]);
    send(&layer, &handler, &scope, request("http://a.test/", &[]))
        .await
        .unwrap();
    assert_eq!(failure(&scope), Some(CallFailure::Failed));
}

#[tokio::test]
async fn tm1_a_dropped_request_and_a_lost_answer_are_failures() {
    let runtime = runtime().await;
    let dropped = scope(&runtime);
    let handler = Handler::new(|_| std::future::pending());
    let mut sent = Box::pin(send(
        &ClientLayer::new(),
        &handler,
        &dropped,
        request("http://a.test/", &[]),
    ));
    assert!(futures_util::FutureExt::now_or_never(sent.as_mut()).is_none());
    assert_eq!(failure(&dropped), None);
    drop(sent);
    assert_eq!(failure(&dropped), Some(CallFailure::Dropped));

    let lost = scope(&runtime);
    let mut carried = ClientLayer::new().layer(Broken);
    let sent = async { carried.call(request("http://a.test/", &[])).await };
    let error = lost.enter(sent).await.unwrap_err();
    assert_eq!(error.to_string(), "connection reset");
    assert_eq!(failure(&lost), Some(CallFailure::LostAnswer));
}

/// A service whose answers get lost.
struct Broken;

impl Service<Request<()>> for Broken {
    type Response = Response<String>;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Response<String>, BoxError>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        std::future::ready(Err("connection reset".into()))
    }
}

#[tokio::test]
async fn after_a_failure_and_without_time_nothing_is_sent() {
    let clock = ManualClock::new();
    let builder = Runtime::builder()
        .coordinator("memory:")
        .clock(Arc::new(clock.clone()));
    let runtime = builder.build().await.unwrap();
    let handler = Handler::answering(500, &[]);
    let layer = ClientLayer::new();
    let failed = scope(&runtime);
    send(&layer, &handler, &failed, request("http://a.test/", &[]))
        .await
        .unwrap();
    let refused = send(&layer, &handler, &failed, request("http://a.test/", &[])).await;
    let error = refused.unwrap_err();
    assert!(
        matches!(Error::find_in(&*error), Some(Error::RollbackOnly { .. })),
        "{error}"
    );
    assert_eq!(handler.calls(), 1);

    let late = scope(&runtime);
    clock.advance(Duration::from_secs(60));
    let error = send(&layer, &handler, &late, request("http://a.test/", &[]))
        .await
        .unwrap_err();
    assert!(
        matches!(Error::find_in(&*error), Some(Error::TimedOut { .. })),
        "{error}"
    );
    assert_eq!(handler.calls(), 1);
}

#[tokio::test]
async fn a_call_through_both_layers_commits_the_branch_that_joined_below() {
    use unanimous_protocol::message::Register;
    use unanimous_protocol::{BranchKind, Digest, Outcome, Resource};

    let runtime = runtime().await;
    // What an action does: registers and answers the record of its call.
    let join = |_| async {
        let scope = Scope::current().unwrap();
        let call = scope
            .open_call(&Target::new("account.debit"), CallKind::Call)
            .unwrap();
        let register = Register {
            xid: scope.xid().clone(),
            call: call.id().clone(),
            resource: Resource {
                participant: "account".parse().unwrap(),
                database: None,
            },
            action: "debit".parse().unwrap(),
            kind: BranchKind::Unfenced,
            digest: Digest([0; 32]),
            arguments: None,
            trace: None,
        };
        call.joined();
        let joined = scope
            .runtime()
            .coordinator()
            .register(register)
            .await
            .unwrap()
            .unwrap();
        let names = [joined.alias].into();
        call.answered(AnswerHeader::Ok {
            names,
            abandoned: [].into(),
        });
        ok()
    };
    let service = ServerLayer::new(&runtime).layer(Handler::new(join));
    let client = ClientLayer::new().participants_only().layer(service);
    let twice = async |first: u16| {
        let mut client = client.clone();
        crate::GlobalTransaction::named("purchase")
            .runtime(&runtime)
            .run(async move {
                for _ in 0..2 {
                    client.call(request("http://a.test/debit", &[])).await?;
                }
                if first == 200 {
                    Ok(())
                } else {
                    Err(BoxError::from("changed my mind"))
                }
            })
            .await
            .unwrap()
    };
    assert_eq!(twice(200).await.outcome, Some(Outcome::Committed));
    assert!(matches!(
        twice(500).await.outcome,
        Some(Outcome::RolledBack { .. })
    ));
}

/// A client that cannot be reached, before any request is made.
#[derive(Clone)]
struct NeverReady;

impl Service<Request<()>> for NeverReady {
    type Response = Response<String>;
    type Error = BoxError;
    type Future = std::future::Ready<Result<Response<String>, BoxError>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Err("the connection is closed".into()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        panic!("it is not ready")
    }
}

/// Otherwise the transaction would commit without it where the error is swallowed.
#[tokio::test]
async fn tm1_a_client_that_is_not_ready_fails_the_call_that_it_keeps_from_being_made() {
    let runtime = runtime().await;
    let scope = scope(&runtime);
    let mut carried = ClientLayer::new().layer(NeverReady);
    let ready = std::future::poll_fn(|cx| carried.poll_ready(cx));
    let error = scope.enter(ready).await.unwrap_err();
    assert_eq!(error.to_string(), "the connection is closed");
    // It may be repeated, as any call whose answer did not come.
    assert_eq!(failure(&scope), Some(CallFailure::LostAnswer));
    // Outside a transaction it is the client's own affair.
    let ready = std::future::poll_fn(|cx| carried.poll_ready(cx));
    assert!(ready.await.is_err());
}
