//! Asks a coordinator what an operator asks.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::lookup_host;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status, client::Grpc};
use tonic_prost::ProstCodec;
use unanimous_protocol::limits;
use unanimous_protocol::message::{AdminAnswer, AdminRequest};
use unanimous_protocol::wire::v1;

use super::Failure;

/// How long a person waits for a coordinator that does not answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the coordinator at this address once.
pub(crate) async fn ask(url: &str, request: &AdminRequest) -> Result<AdminAnswer, Failure> {
    let addresses = resolve(url).await?;
    ask_first(url, &addresses, request).await
}

/// Asks the first of these where a coordinator answers: something else may be listening at another.
async fn ask_first(
    url: &str,
    addresses: &[SocketAddr],
    request: &AdminRequest,
) -> Result<AdminAnswer, Failure> {
    let mut why = None;
    for address in addresses {
        match ask_at(*address, request).await? {
            Asked::Answered(answer) => {
                return answer.map_err(|status| {
                    format!("the coordinator at {url} refused: {}", status.message()).into()
                });
            }
            Asked::Away(found) => why = Some(found),
            Asked::NoCoordinator => {}
        }
    }
    Err(match why {
        None => format!("no coordinator is served at {url}").into(),
        Some(why) => format!(
            "the coordinator at {url} does not answer: {why}; is `unanimous serve` running there?"
        )
        .into(),
    })
}

/// What came of one address.
enum Asked {
    /// The request was carried out, or refused.
    Answered(Result<AdminAnswer, Status>),
    /// Nobody is there: the request was not sent.
    Away(String),
    /// Somebody else is there, who did nothing of it.
    NoCoordinator,
}

async fn ask_at(address: SocketAddr, request: &AdminRequest) -> Result<Asked, Failure> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?
        .connect_timeout(PATIENCE)
        .timeout(PATIENCE);
    let channel = match endpoint.connect().await {
        Ok(channel) => channel,
        Err(error) => return Ok(Asked::Away(super::chain(&error))),
    };
    let mut client = Grpc::new(channel).max_decoding_message_size(limits::FRAME_BYTES_MAX);
    if let Err(error) = client.ready().await {
        return Ok(Asked::Away(super::chain(&error)));
    }
    let path = PathAndQuery::from_static("/unanimous.v1.Coordinator/Admin");
    let codec = ProstCodec::<v1::AdminRequest, v1::AdminAnswer>::default();
    let answer = client
        .unary(Request::new(request.into()), path, codec)
        .await;
    Ok(match answer {
        Ok(answer) => Asked::Answered(Ok(answer.into_inner().try_into()?)),
        Err(status) if status.code() == Code::Unimplemented => Asked::NoCoordinator,
        Err(status) => Asked::Answered(Err(status)),
    })
}

/// The addresses on this machine that a coordinator's URL, or `HOST:PORT` alone, names.
async fn resolve(url: &str) -> Result<Vec<SocketAddr>, Failure> {
    let host = url
        .strip_prefix("unanimous://")
        .unwrap_or(url)
        .trim_end_matches('/');
    let addresses = lookup_host(host).await;
    let addresses = addresses.map_err(|error| {
        format!("`{url}` names no coordinator: {error}; write unanimous://127.0.0.1:7070")
    })?;
    let all: Vec<_> = addresses.collect();
    let here = all
        .iter()
        .copied()
        .filter(|address| address.ip().is_loopback());
    let here: Vec<_> = here.collect();
    match (here.is_empty(), all.is_empty()) {
        (false, _) => Ok(here),
        (true, true) => Err(format!("`{url}` has no address").into()),
        (true, false) => Err(format!(
            "`{url}` is not on this machine: connections to other machines need TLS and a credential, \
             and neither exists yet; run this command where the coordinator runs"
        )
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{Ready, ready};
    use std::task::{Context, Poll};

    use tokio::net::TcpListener;
    use tonic::body::Body;
    use tonic::codegen::{Service, http};
    use tonic::transport::Server;
    use tonic::transport::server::TcpIncoming;
    use unanimous_coordinator::serve::Listener;
    use unanimous_coordinator::{Coordinator, Options};

    use super::*;

    /// An address where nobody listens.
    async fn nobody() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    }

    fn list() -> AdminRequest {
        AdminRequest::List {
            finished: false,
            limit: 1,
            after: None,
        }
    }

    #[tokio::test]
    async fn every_address_of_a_name_is_tried_in_turn() {
        let coordinator = Coordinator::open(Options::memory()).await.unwrap();
        let listener = Listener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr();
        let served = listener.serve(coordinator, std::future::pending());
        let away = nobody().await;
        let (addresses, request) = ([away, there, away], list());
        let asked = ask_first("name", &addresses, &request);
        let answer = tokio::select! {
            _ = served => unreachable!("it serves until the test ends"),
            answer = asked => answer.unwrap(),
        };
        assert_eq!(answer, AdminAnswer::Transactions(Vec::new()));
        let error = ask_first("name", &[away], &list()).await.unwrap_err();
        assert!(
            error.to_string().contains("name does not answer"),
            "{error}"
        );
    }

    /// A gRPC server of other services.
    #[derive(Clone)]
    struct SomethingElse;

    impl Service<http::Request<Body>> for SomethingElse {
        type Response = http::Response<Body>;
        type Error = Infallible;
        type Future = Ready<Result<Self::Response, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: http::Request<Body>) -> Self::Future {
            ready(Ok(Status::unimplemented("not here").into_http()))
        }
    }

    #[tokio::test]
    async fn what_serves_something_else_is_passed_over() {
        let coordinator = Coordinator::open(Options::memory()).await.unwrap();
        let listener = Listener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr();
        let served = listener.serve(coordinator, std::future::pending());
        let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let elsewhere = other.local_addr().unwrap();
        let incoming = TcpIncoming::from(other);
        let other = Server::builder().serve_with_incoming(SomethingElse, incoming);
        let asked = async {
            let answer = ask_first("name", &[elsewhere, there], &list()).await;
            let error = ask_first("name", &[elsewhere], &list()).await.unwrap_err();
            assert_eq!(error.to_string(), "no coordinator is served at name");
            answer.unwrap()
        };
        let answer = tokio::select! {
            _ = served => unreachable!("it serves until the test ends"),
            _ = other => unreachable!("it serves until the test ends"),
            answer = asked => answer,
        };
        assert_eq!(answer, AdminAnswer::Transactions(Vec::new()));
    }
}
