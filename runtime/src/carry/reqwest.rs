use std::fmt;
use std::pin::Pin;

use ::reqwest::{Request, Response};
use reqwest_middleware::{Error as MiddlewareError, Middleware, Next};

use super::outgoing::Client;
use crate::Error;

/// Carries the surrounding transaction in the requests of a reqwest client.
///
/// ```
/// use unanimous::carry::ReqwestLayer;
///
/// let client = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
///     .with(ReqwestLayer::new())
///     .build();
/// # drop(client);
/// ```
///
/// The [module](crate::carry) shows it in a whole service; `reqwest` is of the version 0.13 and
/// `reqwest-middleware` 0.5, whose own features, such as `json`, you choose. What it does is what the tower client layer does. It goes before any middleware that repeats
/// requests, so that repeats share one call id.
#[derive(Clone, Debug, Default)]
pub struct ReqwestLayer {
    client: Client,
}

impl ReqwestLayer {
    /// A middleware for clients of services that may or may not have a server layer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every service called through it has a server layer: a success without answer header is a
    /// failed call, not one without names.
    #[must_use]
    pub fn participants_only(self) -> Self {
        Self {
            client: self.client.participants_only(),
        }
    }

    async fn send(
        &self,
        mut request: Request,
        extensions: &mut http::Extensions,
        next: Next<'_>,
    ) -> Result<Response, MiddlewareError> {
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let outgoing = self
            .client
            .open(&method, &path, request.headers_mut())
            .map_err(|error| MiddlewareError::middleware(Refused(error)))?;
        let answer = next.run(request, extensions).await;
        if let Some(outgoing) = outgoing {
            match &answer {
                Ok(response) => outgoing.answered(response.status(), response.headers()),
                Err(error) => outgoing.lost(error),
            }
        }
        answer
    }
}

impl Middleware for ReqwestLayer {
    fn handle<'a, 'b, 'c, 'async_trait>(
        &'a self,
        request: Request,
        extensions: &'b mut http::Extensions,
        next: Next<'c>,
    ) -> Pin<Box<dyn Future<Output = Result<Response, MiddlewareError>> + Send + 'async_trait>>
    where
        'a: 'async_trait,
        'b: 'async_trait,
        'c: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(self.send(request, extensions, next))
    }
}

/// Keeps our error where [`Error::find_in`] finds it: the middleware's error is transparent and
/// shows its content's source only.
#[derive(Debug)]
struct Refused(Error);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request was not sent")
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
