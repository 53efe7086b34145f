use std::error::Error as StdError;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::outgoing::{Client, Outgoing};
use crate::context::Scope;
use crate::{CallFailure, Error};

/// Carries the surrounding transaction in the requests of a client.
///
/// ```
/// use tower_layer::Layer as _;
/// use unanimous::carry::{Carried, ClientLayer};
/// # use axum::{body::Body, http::{Request, StatusCode}};
/// # use tower_service::Service as _;
/// # use unanimous::{Error, Runtime, carry::ServerLayer, global_transactional, xid};
/// # type Channel = axum::Router;
/// # #[global_transactional]
/// # async fn purchase(mut channel: Carried<Channel>) -> Result<StatusCode, Box<dyn std::error::Error + Send + Sync>> {
/// #     Ok(channel.call(Request::post("/orders").body(Body::empty())?).await?.status())
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// # let runtime = Runtime::builder().coordinator("memory:").build().await?;
/// # let order = async || if xid().is_some() { StatusCode::CREATED } else { StatusCode::OK };
/// # let channel = axum::Router::new()
/// #     .route("/orders", axum::routing::post(order))
/// #     .layer(ServerLayer::new(&runtime));
///
/// // `AccountClient::new(channel)` with this channel carries the transaction.
/// let channel: Carried<Channel> = ClientLayer::new().participants_only().layer(channel);
/// # assert_eq!(runtime.scope(purchase(channel)).await?, StatusCode::CREATED);
/// # Ok(())
/// # }
/// ```
///
/// Outside a transaction, and inside [`outside`](crate::outside), requests pass unchanged. Inside
/// one each request is a call: it is refused before it is sent once the transaction can only roll
/// back, it fails when its answer is lost, its future is dropped, or its answer says so, and the
/// branches that its answer names are part of what is committed.
#[derive(Clone, Debug, Default)]
pub struct ClientLayer {
    client: Client,
}

impl ClientLayer {
    /// A layer for clients of services that may or may not have a server layer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every service called through this layer has a server layer: a success without answer header
    /// is a failed call, not one without names.
    #[must_use]
    pub fn participants_only(self) -> Self {
        Self {
            client: self.client.participants_only(),
        }
    }
}

#[cfg(test)]
impl ClientLayer {
    /// How many targets were warned about.
    pub(super) fn warned(&self) -> usize {
        self.client.warned()
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = Carried<S>;

    fn layer(&self, inner: S) -> Carried<S> {
        Carried {
            inner,
            client: self.client.clone(),
        }
    }
}

/// A client whose requests carry the surrounding transaction: what [`ClientLayer`] makes of it.
#[derive(Clone, Debug)]
pub struct Carried<S> {
    inner: S,
    client: Client,
}

type BoxError = Box<dyn StdError + Send + Sync>;

impl<S, B, R> Service<http::Request<B>> for Carried<S>
where
    S: Service<http::Request<B>, Response = http::Response<R>>,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = CarriedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), BoxError>> {
        let ready = self.inner.poll_ready(cx).map_err(Into::into);
        if let Poll::Ready(Err(error)) = &ready
            && let Some(scope) = Scope::current()
        {
            // The request is never made, so nothing else would tell of it (TM1).
            scope.cannot_call(CallFailure::LostAnswer, error);
        }
        ready
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        match self
            .client
            .open(&head.method, head.uri.path(), &mut head.headers)
        {
            Ok(outgoing) => CarriedFuture {
                inner: Some(self.inner.call(http::Request::from_parts(head, body))),
                outgoing,
                refused: None,
            },
            Err(error) => CarriedFuture {
                inner: None,
                outgoing: None,
                refused: Some(error),
            },
        }
    }
}

pin_project! {
    /// The future of a [`Carried`] client's request. Dropping it before the answer fails the call.
    #[derive(Debug)]
    pub struct CarriedFuture<F> {
        #[pin]
        inner: Option<F>,
        outgoing: Option<Outgoing>,
        refused: Option<Error>,
    }
}

impl<F, R, E> Future for CarriedFuture<F>
where
    F: Future<Output = Result<http::Response<R>, E>>,
    E: Into<BoxError>,
{
    type Output = Result<http::Response<R>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(error) = this.refused.take() {
            return Poll::Ready(Err(refusal(error)));
        }
        // Polled after a refusal: a caller's mistake that must not become a panic of ours.
        let Some(inner) = this.inner.as_pin_mut() else {
            return Poll::Pending;
        };
        let answer = ready!(inner.poll(cx)).map_err(Into::into);
        if let Some(outgoing) = this.outgoing.take() {
            match &answer {
                Ok(response) => outgoing.answered(response.status(), response.headers()),
                Err(error) => outgoing.lost(error),
            }
        }
        Poll::Ready(answer)
    }
}

/// A tonic client finds its status in the error; [`Error::find_in`] finds ours in the status.
#[cfg(feature = "tonic")]
fn refusal(error: Error) -> BoxError {
    tonic::Status::from(error).into()
}

#[cfg(not(feature = "tonic"))]
fn refusal(error: Error) -> BoxError {
    error.into()
}
