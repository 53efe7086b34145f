use std::task::{Context as TaskContext, Poll};

use tower_layer::Layer;
use tower_service::Service;

use super::incoming;

/// A layer for the edge of the system: takes the headers that carry a transaction off every
/// request, so that nobody outside makes a service join a transaction. Put it outside of
/// [`ServerLayer`](super::ServerLayer).
#[must_use]
pub fn strip_incoming() -> StripIncoming {
    StripIncoming(())
}

/// What [`strip_incoming`] returns.
#[derive(Clone, Copy, Debug)]
pub struct StripIncoming(());

impl<S> Layer<S> for StripIncoming {
    type Service = Stripped<S>;

    fn layer(&self, inner: S) -> Stripped<S> {
        Stripped { inner }
    }
}

/// A service whose requests carry no transaction: what [`strip_incoming`] makes of it.
#[derive(Clone, Debug)]
pub struct Stripped<S> {
    inner: S,
}

impl<S, B> Service<http::Request<B>> for Stripped<S>
where
    S: Service<http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<B>) -> S::Future {
        incoming::strip(request.headers_mut());
        self.inner.call(request)
    }
}
