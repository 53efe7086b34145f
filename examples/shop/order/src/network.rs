//! A network that misbehaves when the launcher says so. It lies *inside* the layer that carries
//! the transaction, so what it repeats or delays keeps its call id.

use std::convert::Infallible;
use std::future::poll_fn;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Collected, Full};
use shop_service::{Pause, Pauses};
use tonic::Status;
use tonic::body::Body;
use tonic::transport::{Channel, Error};
use tower_service::Service;

/// A channel; to be wrapped in the layer that carries the transaction.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    channel: Channel,
    pauses: Pauses,
}

impl Network {
    pub(crate) fn new(channel: Channel, pauses: Pauses) -> Self {
        Self { channel, pauses }
    }
}

type Answer = Result<Response<Body>, Error>;

impl Service<Request<Body>> for Network {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The channel that said it was ready is the one to use.
        let fresh = self.channel.clone();
        let mut channel = mem::replace(&mut self.channel, fresh);
        if let Some(pause) = self.pauses.reach("deliver-twice") {
            Box::pin(deliver_twice(channel, request, pause))
        } else if let Some(pause) = self.pauses.reach("deliver-late") {
            Box::pin(deliver_late(channel, request, pause))
        } else {
            Box::pin(channel.call(request))
        }
    }
}

/// Loses the first answer and sends the same request again.
async fn deliver_twice(mut channel: Channel, request: Request<Body>, pause: Pause) -> Answer {
    let [first, second] = copies(request).await;
    let lost = channel.call(first).await?;
    poll_fn(|cx| channel.poll_ready(cx)).await?;
    let answer = channel.call(second).await?;
    let (lost, kept) = (header(lost.headers()), header(answer.headers()));
    pause.tell(format!("first answer `{lost}`, second answer `{kept}`"));
    Ok(answer)
}

/// Says at once that the request could not be delivered, and delivers it when released.
async fn deliver_late(mut channel: Channel, request: Request<Body>, mut pause: Pause) -> Answer {
    let [_, copy] = copies(request).await;
    // A task of the network's own: the caller and its transaction may be gone by then.
    tokio::spawn(async move {
        pause.released().await;
        pause.tell(match channel.call(copy).await {
            Ok(answer) => match Status::from_header_map(answer.headers()) {
                Some(status) => format!("{:?}: {}", status.code(), status.message()),
                None => "accepted".to_owned(),
            },
            Err(error) => error.to_string(),
        });
    });
    Ok(Status::unavailable("the network did not deliver the request").into_http())
}

/// What the layer of the called service answered: the branches that succeeded there, or the mark.
fn header(headers: &HeaderMap) -> &str {
    headers
        .get("unanimous-answer")
        .and_then(|value| value.to_str().ok())
        .unwrap_or("none")
}

async fn copies(request: Request<Body>) -> [Request<Body>; 2] {
    let (head, body) = request.into_parts();
    // The body of a request in memory: reading it cannot fail.
    let bytes = body
        .collect()
        .await
        .map(Collected::to_bytes)
        .unwrap_or_default();
    [(); 2].map(|()| {
        let body = Full::new(bytes.clone()).map_err(|never: Infallible| match never {});
        Request::from_parts(head.clone(), Body::new(body))
    })
}
