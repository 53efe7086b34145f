//! Asks a coordinator what an operator asks.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::lookup_host;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Endpoint;
use tonic::{Code, Request, client::Grpc};
use tonic_prost::ProstCodec;
use unanimous_protocol::limits;
use unanimous_protocol::message::{AdminAnswer, AdminRequest};
use unanimous_protocol::wire::v1;

use super::Failure;

/// How long a person waits for a coordinator that does not answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the coordinator at this address once.
pub(crate) async fn ask(url: &str, request: &AdminRequest) -> Result<AdminAnswer, Failure> {
    let address = resolve(url).await?;
    let away = |why: &dyn std::fmt::Display| -> Failure {
        format!(
            "the coordinator at {url} does not answer: {why}; is `unanimous serve` running there?"
        )
        .into()
    };
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?
        .connect_timeout(PATIENCE)
        .timeout(PATIENCE);
    let channel = endpoint
        .connect()
        .await
        .map_err(|error| away(&super::chain(&error)))?;
    let mut client = Grpc::new(channel).max_decoding_message_size(limits::FRAME_BYTES_MAX);
    client
        .ready()
        .await
        .map_err(|error| away(&super::chain(&error)))?;
    let path = PathAndQuery::from_static("/unanimous.v1.Coordinator/Admin");
    let codec = ProstCodec::<v1::AdminRequest, v1::AdminAnswer>::default();
    match client
        .unary(Request::new(request.into()), path, codec)
        .await
    {
        Ok(answer) => Ok(answer.into_inner().try_into()?),
        Err(status) if status.code() == Code::Unimplemented => {
            Err(format!("no coordinator is served at {url}").into())
        }
        Err(status) => {
            Err(format!("the coordinator at {url} refused: {}", status.message()).into())
        }
    }
}

/// The address that a coordinator's URL, or `HOST:PORT` alone, names.
async fn resolve(url: &str) -> Result<SocketAddr, Failure> {
    let host = url
        .strip_prefix("unanimous://")
        .unwrap_or(url)
        .trim_end_matches('/');
    let addresses = lookup_host(host).await;
    let mut addresses = addresses.map_err(|error| {
        format!("`{url}` names no coordinator: {error}; write unanimous://127.0.0.1:7070")
    })?;
    match addresses.next() {
        Some(address) if address.ip().is_loopback() => Ok(address),
        Some(_) => Err(format!(
            "`{url}` is not on this machine: connections to other machines need TLS and a credential, \
             and neither exists yet; run this command where the coordinator runs"
        )
        .into()),
        None => Err(format!("`{url}` has no address").into()),
    }
}
