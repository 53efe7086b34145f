//! Tells a load balancer or an orchestrator whether this process can take part in transactions.

use futures_util::future::BoxFuture;
use http::{Response, StatusCode, header};

use super::{Health, Runtime};

impl Runtime {
    /// A readiness handler for axum: 200 while the participants are attached, 503 otherwise, with
    /// the numbers of [`Runtime::health`] as JSON. With the feature `tower`.
    ///
    /// The participants attach after [`RuntimeBuilder::build`](crate::RuntimeBuilder::build) has
    /// returned, a moment later where the coordinator is in the process: [`Runtime::ready`] waits.
    ///
    /// In a router: `.route("/ready", axum::routing::get(runtime.readiness()))`.
    pub fn readiness(
        &self,
    ) -> impl Fn() -> BoxFuture<'static, Response<String>> + Clone + Send + Sync + 'static {
        let runtime = self.clone();
        move || {
            let runtime = runtime.clone();
            Box::pin(async move { response(&runtime.health().await) })
        }
    }
}

fn response(health: &Health) -> Response<String> {
    let status = if health.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let body = serde_json::json!({
        "ready": health.is_ready(),
        "detached_because": health.detached_because,
        "parked": health.parked,
        "in_doubt": health.in_doubt,
        "open": health.open,
        "oldest_open_ms": health.oldest_open.map(|age| age.as_millis()),
    });
    let mut response = Response::new(body.to_string());
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
