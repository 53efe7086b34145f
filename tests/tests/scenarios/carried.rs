//! Transactions carried to another service, whose caller or whose connection goes in the middle:
//! what the call reserved is confirmed with everything else or released, and no context is left.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::http::{Request, Response};
use futures_util::future::{BoxFuture, Either, select};
use shop_proto::v1::account_client::AccountClient;
use shop_proto::v1::account_server::{Account, AccountServer};
use shop_proto::v1::{DebitReply, DebitRequest};
use tokio::task::JoinSet;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tower_layer::Layer;
use tower_service::Service;
use unanimous::carry::{Carried, ClientLayer, ReqwestLayer, ServerLayer, strip_incoming};
use unanimous::{CallFailure, Completed, Error, GlobalTransaction, Outcome};

use crate::cancellation::{MANY, polled};
use crate::vault::{Failure, Fault, Gate, POLLS, Vault};
use crate::world::{Site, World, xid};

type Answered = Result<Response<String>, Infallible>;
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A service that takes one from its vault.
#[derive(Clone)]
struct Shop(Vault);

impl Service<Request<String>> for Shop {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Answered>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let vault = self.0.clone();
        Box::pin(async move {
            let taken = vault.take(request.body(), 1).await;
            let mut response = Response::new(String::new());
            if taken.is_err() {
                *response.status_mut() = axum::http::StatusCode::CONFLICT;
            }
            Ok(response)
        })
    }
}

#[tonic::async_trait]
impl Account for Shop {
    async fn debit(
        &self,
        request: tonic::Request<DebitRequest>,
    ) -> Result<tonic::Response<DebitReply>, tonic::Status> {
        let DebitRequest { user, amount } = request.into_inner();
        let taken = self.0.take(&user, amount).await;
        let reply = |_| tonic::Response::new(DebitReply { balance: 0 });
        taken
            .map(reply)
            .map_err(|error| tonic::Status::aborted(error.to_string()))
    }
}

/// A service whose connection is closed once an answer has been polled for so often.
#[derive(Clone)]
struct Cut<S> {
    inner: S,
    polls: usize,
}

impl<S> Service<Request<String>> for Cut<S>
where
    S: Service<Request<String>, Response = Response<String>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<String>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<String>, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let answer = polled(self.polls, self.inner.call(request));
        Box::pin(async move { Ok(answer.await.ok_or("the connection was closed")??) })
    }
}

fn request(label: &str, content: &str) -> Request<String> {
    Request::post("/take")
        .header("content-type", content)
        .body(label.to_owned())
        .expect("a request")
}

/// Takes from the first vault, then calls.
async fn with<T>(
    world: &World,
    label: &str,
    call: impl Future<Output = T>,
) -> Completed<T, Failure> {
    let body = async {
        let own = xid();
        world.vaults[0].take(label, 1).await?;
        let called = call.await;
        assert_eq!(xid(), own, "{label}");
        Ok(called)
    };
    let run = GlobalTransaction::named("carried").run(body);
    let ran = world.run(run).await.expect("it begins");
    world.settle().await;
    ran
}

/// Both vaults took the transaction's outcome; tells whether it committed.
async fn all_or_nothing<T>(world: &World, label: &str, ran: &Completed<T, Failure>) -> bool
where
    T: std::fmt::Debug,
{
    let committed = ran.outcome == Some(Outcome::Committed);
    let spent = i64::from(committed);
    let own = world.vaults[0].history(label).await;
    assert_eq!(own, [1, spent, 1 - spent], "{label}: {ran:?}");
    let [held, spent, released] = world.vaults[1].history(label).await;
    assert_eq!(held, spent + released, "{label}: {ran:?}");
    assert_eq!(spent, if committed { held } else { 0 }, "{label}: {ran:?}");
    committed
}

fn cause<T: std::fmt::Debug>(ran: &Completed<T, Failure>) -> CallFailure {
    let Some(Error::RollbackOnly { cause, .. }) = ran.failure() else {
        panic!("{ran:?}")
    };
    *cause
}

/// Matrix 30: the caller drops its request, which was opened when it was made.
#[tokio::test]
async fn matrix_30_a_carried_request_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let world = World::start(&site).await;
    let served = ServerLayer::new(&world.runtime).layer(Shop(world.vaults[1].clone()));
    let mut client = ClientLayer::new().layer(served);
    for content in ["application/json", "application/grpc"] {
        for polls in 0..MANY {
            let label = format!("{content} after {polls}");
            let call = async {
                let answer = client.call(request(&label, content));
                polled(polls, answer).await.is_some()
            };
            let ran = with(&world, &label, call).await;
            let ended = *ran.body.as_ref().expect("it swallows everything");
            assert_eq!(all_or_nothing(&world, &label, &ran).await, ended, "{label}");
            if ended {
                assert!(polls > POLLS, "it has {polls} polls only");
                break;
            }
            assert_eq!(cause(&ran), CallFailure::Dropped, "{label}");
        }
    }
    world.end().await;
}

/// Matrix 30: the connection is closed in the middle, which drops the handler.
#[tokio::test]
async fn matrix_30_a_served_request_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let world = World::start(&site).await;
    let inner = ServerLayer::new(&world.runtime).layer(Shop(world.vaults[1].clone()));
    for content in ["application/json", "application/grpc"] {
        for polls in 0..MANY {
            let label = format!("{content} after {polls}");
            let inner = inner.clone();
            let mut client: Carried<_> = ClientLayer::new().layer(Cut { inner, polls });
            let call = async { client.call(request(&label, content)).await.is_ok() };
            let ran = with(&world, &label, call).await;
            let ended = *ran.body.as_ref().expect("it swallows everything");
            assert_eq!(all_or_nothing(&world, &label, &ran).await, ended, "{label}");
            if ended {
                assert!(polls > POLLS, "it has {polls} polls only");
                break;
            }
            assert_eq!(cause(&ran), CallFailure::LostAnswer, "{label}");
        }
    }
    world.end().await;
}

/// A request from outside, whose headers are taken off, joins nothing wherever it is dropped.
#[tokio::test]
async fn a_request_from_outside_may_be_dropped_at_any_poll() {
    struct Looks;
    impl Service<Request<String>> for Looks {
        type Response = Response<String>;
        type Error = Infallible;
        type Future = BoxFuture<'static, Answered>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<String>) -> Self::Future {
            Box::pin(async {
                for _ in 0..POLLS {
                    assert_eq!(unanimous::xid(), None, "it is in no transaction");
                    tokio::task::yield_now().await;
                }
                Ok(Response::new(String::new()))
            })
        }
    }
    let site = Site::new();
    let world = World::start(&site).await;
    let served = ServerLayer::new(&world.runtime).layer(Looks);
    let mut stripped = strip_incoming().layer(served);
    for polls in 0..=POLLS + 1 {
        let foreign = "1;xid=u1.1.00000000000000aa.1;call=stock.queue:1;left=5000";
        let mut request = request("b", "application/json");
        let value = foreign.parse().expect("a header");
        request.headers_mut().insert("unanimous-call", value);
        let ended = polled(polls, stripped.call(request)).await;
        assert_eq!(ended.is_some(), polls > POLLS);
        world.is_clean().await;
    }
    world.end().await;
}

/// A service at an address of its own, until this is dropped.
struct Listening {
    address: String,
    _serving: JoinSet<()>,
}

impl Listening {
    /// By axum.
    async fn http(world: &World) -> Self {
        let vault = world.vaults[1].clone();
        let take = async move |label: String| {
            let taken = vault.clone().take(&label, 1).await;
            taken.map(drop).map_err(|error| {
                let text = error.to_string();
                (axum::http::StatusCode::CONFLICT, text)
            })
        };
        let routes = axum::Router::new()
            .route("/take", axum::routing::post(take))
            .layer(ServerLayer::new(&world.runtime));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, routes).await.expect("it serves") });
        Self {
            address: format!("http://{address}"),
            _serving: serving,
        }
    }

    /// By tonic.
    fn grpc(world: &World) -> Self {
        let any = "127.0.0.1:0".parse().expect("an address");
        let incoming = TcpIncoming::bind(any).expect("a free port");
        let address = incoming.local_addr().expect("an address");
        let shop = AccountServer::new(Shop(world.vaults[1].clone()));
        let server = Server::builder().layer(ServerLayer::new(&world.runtime));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let routes = server.clone().add_service(shop);
            let served = routes.serve_with_incoming(incoming).await;
            served.expect("it serves");
        });
        Self {
            address: format!("http://{address}"),
            _serving: serving,
        }
    }

    /// One request by reqwest.
    async fn post(&self, label: &str) -> bool {
        let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new());
        let client = client.with(ReqwestLayer::new().participants_only()).build();
        let request = client.post(format!("{}/take", self.address));
        let answer = request.body(label.to_owned()).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// One request by tonic.
    async fn debit(&self, label: &str) -> bool {
        let endpoint = Endpoint::from_shared(self.address.clone());
        let channel: Channel = endpoint.expect("an address").connect_lazy();
        let carry = ClientLayer::new().participants_only();
        let mut client = AccountClient::new(carry.layer(channel));
        let (user, amount) = (label.to_owned(), 1);
        client.debit(DebitRequest { user, amount }).await.is_ok()
    }
}

/// Matrix 30: over real connections, which a dropped request closes or resets.
#[tokio::test]
async fn matrix_30_a_request_over_the_network_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let world = World::start(&site).await;
    let (http, grpc) = (Listening::http(&world).await, Listening::grpc(&world));
    for by in ["reqwest", "tonic"] {
        for polls in 0..MANY {
            let label = format!("{by} after {polls}");
            let call = async {
                if by == "reqwest" {
                    polled(polls, http.post(&label)).await
                } else {
                    polled(polls, grpc.debit(&label)).await
                }
            };
            let ran = with(&world, &label, call).await;
            let ended = *ran.body.as_ref().expect("it swallows everything");
            let committed = all_or_nothing(&world, &label, &ran).await;
            let [held, ..] = world.vaults[1].history(&label).await;
            if ended.is_some() {
                assert_eq!((ended, held), (Some(true), 1), "{label}");
                assert!(committed, "{label}: {ran:?}");
                break;
            }
            // Dropped before it was a call, it is none.
            assert!(!committed || held == 0, "{label}: {ran:?}");
            assert!(polls < MANY - 1, "{by} never ends");
        }
    }
    world.end().await;
}

/// Matrix 30: the request is dropped while its handler is in the middle of phase one, at the other
/// end of a real connection. The handler goes with it, or nobody could write any more.
#[tokio::test]
async fn matrix_30_a_handler_goes_with_the_connection_of_its_caller() {
    let site = Site::new();
    let world = World::start(&site).await;
    let (http, grpc) = (Listening::http(&world).await, Listening::grpc(&world));
    for by in ["reqwest", "tonic"] {
        let gate = Gate::new();
        world.vaults[1].script.tries.then(Fault::Stop(gate.clone()));
        let call = async {
            let request = async {
                if by == "reqwest" {
                    http.post(by).await
                } else {
                    grpc.debit(by).await
                }
            };
            let reached = Box::pin(gate.reached());
            matches!(select(Box::pin(request), reached).await, Either::Right(_))
        };
        // It settles, so the handler's local transaction is gone.
        let ran = with(&world, by, call).await;
        assert!(*ran.body.as_ref().expect("it swallows everything"), "{by}");
        assert!(!all_or_nothing(&world, by, &ran).await, "{by}");
        assert_eq!(cause(&ran), CallFailure::Dropped, "{by}");
        assert_eq!(world.vaults[1].history(by).await, [0, 0, 0], "{by}");
    }

    world.end().await;
}
