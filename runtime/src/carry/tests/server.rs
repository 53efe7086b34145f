use std::sync::Mutex;

use super::*;
use crate::clock::{Clock as _, ManualClock};
use crate::global::calls::Ending;

const CALL: &str = "1;xid=u1.1.00000000000000ff.7;call=POST._orders:1;left=60000";
const GRPC: (&str, &str) = ("content-type", "application/grpc");

async fn serve(handler: &Handler, request: Request<()>) -> Response<String> {
    let runtime = runtime().await;
    ServerLayer::new(&runtime)
        .layer(handler.clone())
        .call(request)
        .await
        .unwrap()
}

/// The answer of a handler that does this in its scope and then answers this status.
async fn answered_after(
    act: impl Fn(&Scope) + Send + Sync + 'static,
    status: u16,
) -> Option<AnswerHeader> {
    let handler = Handler::new(move |_| {
        act(&Scope::current().unwrap());
        std::future::ready(
            Response::builder()
                .status(status)
                .body(String::new())
                .unwrap(),
        )
    });
    answer(
        serve(&handler, request("/orders", &[("unanimous-call", CALL)]))
            .await
            .headers(),
    )
}

fn names(aliases: &[u32]) -> Option<AnswerHeader> {
    let names = aliases.iter().copied().map(Alias).collect();
    Some(AnswerHeader::Ok {
        names,
        abandoned: [].into(),
    })
}

#[tokio::test]
async fn rm1_malformed_headers_are_refused_before_any_effect() {
    let other = "1;xid=u1.1.00000000000000ff.8;call=a:1;left=1";
    let cases: [(&[(&'static str, &str)], &str); 9] = [
        (
            &[("unanimous-call", "")],
            "`unanimous-call`: this header has version ``",
        ),
        (
            &[("unanimous-call", "2;xid=a;call=a:1;left=1")],
            "version `2`",
        ),
        (
            &[("unanimous-call", "1;xid=a;call=a;left=1")],
            "`a` is not a component",
        ),
        (
            &[("unanimous-call", "1;xid=a;call=a:1")],
            "the field `left` is missing",
        ),
        (
            &[("unanimous-call", "1;xid=a;call=;left=1")],
            "the field `call` is empty",
        ),
        (
            &[("unanimous-call", CALL), ("unanimous-call", other)],
            "more than once",
        ),
        (
            &[("unanimous-call", CALL), ("tx_xid", "another")],
            "`tx_xid` names another, but",
        ),
        (
            &[("TX_XID", "u1.1.00000000000000ff.7")],
            "but `unanimous-call` is missing",
        ),
        (
            &[("unanimous-call", CALL), ("Tx_Xid", "has space")],
            "printable ASCII without spaces",
        ),
    ];
    let handler = Handler::answering(200, &[]);
    for (headers, message) in cases {
        let response = serve(&handler, request("/orders", headers)).await;
        assert_eq!(response.status(), 400, "{message}");
        let told = response.headers()[REFUSAL].to_str().unwrap();
        assert!(told.contains(message), "{told}");
        assert_eq!(
            answer(response.headers()),
            Some(AnswerHeader::mark("malformed-header"))
        );

        let grpc: Vec<_> = headers.iter().copied().chain([GRPC]).collect();
        let response = serve(&handler, request("/shop.Orders/Create", &grpc)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["grpc-status"], "3");
        let told = response.headers()["grpc-message"].to_str().unwrap();
        assert!(told.contains(message), "{told}");
        assert_eq!(
            answer(response.headers()),
            Some(AnswerHeader::mark("malformed-header"))
        );
    }
    assert_eq!(handler.calls(), 0);
}

#[tokio::test]
async fn a_request_without_time_left_is_refused() {
    let none_left = "1;xid=u1.1.00000000000000ff.7;call=POST._orders:1;left=0";
    let handler = Handler::answering(200, &[]);
    let response = serve(&handler, request("/", &[("unanimous-call", none_left)])).await;
    assert_eq!(response.status(), 504);
    assert_eq!(
        answer(response.headers()),
        Some(AnswerHeader::mark("no-time-left"))
    );
    let response = serve(
        &handler,
        request("/", &[("unanimous-call", none_left), GRPC]),
    )
    .await;
    assert_eq!(response.headers()["grpc-status"], "4");
    assert_eq!(
        answer(response.headers()),
        Some(AnswerHeader::mark("no-time-left"))
    );
    assert_eq!(handler.calls(), 0);
}

#[tokio::test]
async fn a_request_without_transaction_runs_in_none_and_is_answered_without_header() {
    let outside = runtime().await;
    let handler = Handler::new(|_| async {
        assert!(Scope::current().is_none());
        ok()
    });
    // Even where the service is called inside a transaction, its own requests decide.
    let response = scope(&outside)
        .enter(serve(&handler, request("/", &[])))
        .await;
    assert_eq!(answer(response.headers()), None);
    assert_eq!(handler.calls(), 1);
}

#[tokio::test]
async fn a_handler_runs_in_the_scope_that_its_request_carries() {
    let seen = Arc::new(Mutex::new(None));
    let see = Arc::clone(&seen);
    let handler = Handler::new(move |_| {
        let scope = Scope::current().unwrap();
        let child = scope.open_call(&Target::new("b"), CallKind::Block).unwrap();
        let trace = scope.trace().map(|trace| trace.0.to_string());
        *see.lock().unwrap() = Some((scope.xid().clone(), child.id().to_string(), trace));
        child.close(Ending::Ok);
        std::future::ready(ok())
    });
    // A proxy that drops names with `_` has been in between, one that doubles headers as well.
    let headers = [
        ("unanimous-call", CALL),
        ("unanimous-call", CALL),
        ("traceparent", trace::TRACE),
    ];
    let response = serve(&handler, request("/orders", &headers)).await;
    assert_eq!(answer(response.headers()), names(&[]));
    let (xid, child, trace) = seen.lock().unwrap().take().unwrap();
    assert_eq!(xid, super::xid());
    assert_eq!(child, "POST._orders:1/b:1");
    assert_eq!(trace.as_deref(), Some(trace::TRACE));
}

#[tokio::test]
async fn tm1_an_answer_names_the_branches_of_succeeded_calls() {
    let two = |scope: &Scope| {
        branch(scope, 1);
        branch(scope, 36);
    };
    assert_eq!(answered_after(two, 200).await, names(&[1, 36]));
    assert_eq!(answered_after(|_| {}, 200).await, names(&[]));
}

#[tokio::test]
async fn tm1_a_failed_call_below_is_the_mark_whatever_the_status() {
    let fail = |scope: &Scope| {
        branch(scope, 1);
        let call = scope.open_call(&Target::new("b"), CallKind::Call).unwrap();
        call.failed(crate::CallFailure::Failed, None);
    };
    for status in [200, 500] {
        let answer = answered_after(fail, status).await.unwrap();
        assert!(answer.is_mark(), "{answer}");
    }
}

#[tokio::test]
async fn tm1_an_error_status_is_the_mark_only_after_something_joined() {
    for status in [400, 404, 500] {
        let answer = answered_after(|scope| branch(scope, 1), status)
            .await
            .unwrap();
        assert!(answer.is_mark(), "{answer}");
        assert_eq!(answered_after(|_| {}, status).await, names(&[]));
    }
    assert_eq!(
        answered_after(|scope| branch(scope, 1), 399).await,
        names(&[1])
    );
}

#[tokio::test]
async fn tm1_a_grpc_status_in_the_response_head_counts_as_error() {
    for (status, is_mark) in [("0", false), ("5", true), ("13", true)] {
        let handler = Handler::new(move |_| {
            branch(&Scope::current().unwrap(), 1);
            let response = Response::builder().header("grpc-status", status);
            std::future::ready(response.body(String::new()).unwrap())
        });
        let response = serve(
            &handler,
            request("/a.B/C", &[("unanimous-call", CALL), GRPC]),
        )
        .await;
        assert_eq!(
            answer(response.headers()).unwrap().is_mark(),
            is_mark,
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_joined_scope_that_ended_by_its_commit_on_lifts_the_mark_of_the_status() {
    let matched = |scope: &Scope| {
        let call = scope
            .open_call(&Target::new("purchase"), CallKind::Block)
            .unwrap();
        branch(call.scope(), 1);
        call.close(Ending::CommitOn);
    };
    assert_eq!(answered_after(matched, 409).await, names(&[1]));
    let then_another = move |scope: &Scope| {
        matched(scope);
        branch(scope, 2);
    };
    assert!(answered_after(then_another, 409).await.unwrap().is_mark());
}

#[tokio::test]
async fn a_handlers_own_answer_header_is_replaced() {
    let handler = Handler::answering(200, &[(header::ANSWER, "1;ok;names=9;x=")]);
    let response = serve(&handler, request("/", &[("unanimous-call", CALL)])).await;
    assert_eq!(response.headers().get_all(header::ANSWER).iter().count(), 1);
    assert_eq!(answer(response.headers()), names(&[]));
}

/// Tells in which transaction it was dropped.
struct DroppedIn(Arc<Mutex<Option<Xid>>>);

impl Drop for DroppedIn {
    fn drop(&mut self) {
        *self.0.lock().unwrap() = crate::xid();
    }
}

#[tokio::test]
async fn a_handler_whose_time_runs_out_is_dropped_in_its_context_and_answered_with_the_mark() {
    let clock = ManualClock::new();
    let builder = Runtime::builder()
        .coordinator("memory:")
        .clock(Arc::new(clock.clone()));
    let runtime = builder.build().await.unwrap();
    let dropped = Arc::new(Mutex::new(None));
    let witness = Arc::clone(&dropped);
    let handler = Handler::new(move |_| {
        let held = DroppedIn(Arc::clone(&witness));
        async move {
            let _held = held;
            std::future::pending().await
        }
    });
    let mut service = ServerLayer::new(&runtime).layer(handler.clone());
    let mut response = Box::pin(service.call(request("/", &[("unanimous-call", CALL)])));
    let early = futures_util::FutureExt::now_or_never(response.as_mut());
    assert!(early.is_none());
    clock.advance(Duration::from_millis(59_999));
    assert!(futures_util::FutureExt::now_or_never(response.as_mut()).is_none());
    assert_eq!(handler.calls(), 1);
    clock.advance(Duration::from_millis(1));
    let response = response.await.unwrap();
    assert_eq!(response.status(), 504);
    assert_eq!(
        answer(response.headers()),
        Some(AnswerHeader::mark("no-time-left"))
    );
    assert_eq!(*dropped.lock().unwrap(), Some(xid()));
    assert_eq!(clock.now(), Duration::from_secs(60));
}

#[tokio::test]
async fn a_handler_that_panics_sends_no_answer() {
    let handler = Handler::new(|_| async { panic!("told to") });
    let served =
        tokio::spawn(
            async move { serve(&handler, request("/", &[("unanimous-call", CALL)])).await },
        );
    assert!(served.await.unwrap_err().is_panic());
    assert!(Scope::current().is_none());
}

#[tokio::test]
async fn a_successful_handler_awaits_the_tasks_that_it_spawned_before_its_head() {
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let gone = Arc::new(Mutex::new(Some(gone)));
    let handler = Handler::new(move |_| {
        let gone = gone.lock().unwrap().take().unwrap();
        drop(crate::spawn(async move {
            drop(gone.await);
            branch(&Scope::current().unwrap(), 3);
        }));
        std::future::ready(ok())
    });
    let runtime = runtime().await;
    let mut service = ServerLayer::new(&runtime).layer(handler);
    let mut response = Box::pin(service.call(request("/", &[("unanimous-call", CALL)])));
    assert!(futures_util::FutureExt::now_or_never(response.as_mut()).is_none());
    go.send(()).unwrap();
    assert_eq!(answer(response.await.unwrap().headers()), names(&[3]));
}

#[tokio::test]
async fn the_edge_takes_transactions_off() {
    let runtime = runtime().await;
    let handler = Handler::new(|request: Request<()>| async move {
        assert!(Scope::current().is_none());
        assert!(request.headers().is_empty());
        ok()
    });
    let mut service = strip_incoming().layer(ServerLayer::new(&runtime).layer(handler));
    let headers = [("unanimous-call", "nonsense"), ("TX_XID", "nonsense")];
    let response = service.call(request("/", &headers)).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(answer(response.headers()), None);
}

/// As happens with a nested router. The outer one heard of nothing that the inner one did.
#[tokio::test]
async fn tm1_two_layers_around_one_handler_answer_as_one() {
    let runtime = runtime().await;
    let layer = ServerLayer::new(&runtime);
    for fails in [false, true] {
        let handler = Handler::new(move |_| {
            let scope = Scope::current().unwrap();
            branch(&scope, 4);
            if fails {
                let target = Target::new("mail.queue");
                drop(scope.open_call(&target, CallKind::Call));
            }
            async { ok() }
        });
        let request = request("/orders", &[("unanimous-call", CALL)]);
        let mut twice = layer.layer(layer.layer(handler));
        let answered = answer(twice.call(request).await.unwrap().headers());
        if fails {
            assert_eq!(answered, Some(AnswerHeader::mark("dropped")));
        } else {
            assert_eq!(answered, names(&[4]));
        }
    }
}

/// A call that a handler makes within its own process is another one, and answered by itself.
#[tokio::test]
async fn a_call_into_the_same_process_has_a_scope_of_its_own() {
    let runtime = runtime().await;
    let layer = ServerLayer::new(&runtime);
    let inner = layer.layer(Handler::new(|_| {
        branch(&Scope::current().unwrap(), 5);
        async { ok() }
    }));
    let handler = Handler::new(move |_| {
        let mut client = ClientLayer::new().layer(inner.clone());
        async move {
            let answered = client.call(request("/mails", &[])).await.unwrap();
            assert_eq!(answer(answered.headers()), names(&[5]));
            branch(&Scope::current().unwrap(), 4);
            ok()
        }
    });
    let request = request("/orders", &[("unanimous-call", CALL)]);
    let answered = layer.layer(handler).call(request).await.unwrap();
    assert_eq!(answer(answered.headers()), names(&[4, 5]));
}
