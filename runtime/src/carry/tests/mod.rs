//! The layers around services of this process, over a coordinator in memory.

#![allow(
    clippy::disallowed_methods,
    reason = "what a test starts belongs to no transaction"
)]

mod client;
#[cfg(feature = "reqwest")]
mod http;
mod server;
#[cfg(feature = "tonic")]
mod status;
mod trace;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use ::http::{HeaderMap, Request, Response};
use tower_layer::Layer as _;
use tower_service::Service;
use unanimous_protocol::header::{self, AnswerHeader};
use unanimous_protocol::ids::Target;
use unanimous_protocol::{Alias, CallId, Xid};

use super::*;
use crate::context::{CallKind, Scope, Transaction};
use crate::{Error, Runtime};

type Answered = Result<Response<String>, Infallible>;
type BoxAnswer = Pin<Box<dyn Future<Output = Answered> + Send>>;

/// A handler, and how often it was called.
#[derive(Clone)]
struct Handler {
    handle: Arc<dyn Fn(Request<()>) -> BoxAnswer + Send + Sync>,
    calls: Arc<AtomicUsize>,
}

impl Handler {
    fn new<F>(handle: impl Fn(Request<()>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Response<String>> + Send + 'static,
    {
        let handle = move |request| -> BoxAnswer {
            let answer = handle(request);
            Box::pin(async move { Ok(answer.await) })
        };
        Self {
            handle: Arc::new(handle),
            calls: Arc::default(),
        }
    }

    /// Answers at once, with this status and these headers.
    fn answering(status: u16, headers: &[(&'static str, &str)]) -> Self {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        Self::new(move |_| {
            let mut response = Response::builder().status(status);
            for (name, value) in &headers {
                response = response.header(*name, value);
            }
            std::future::ready(response.body(String::new()).unwrap())
        })
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Service<Request<()>> for Handler {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = BoxAnswer;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> BoxAnswer {
        self.calls.fetch_add(1, Ordering::SeqCst);
        (self.handle)(request)
    }
}

async fn runtime() -> Runtime {
    Runtime::builder()
        .coordinator("memory:")
        .build()
        .await
        .unwrap()
}

fn ok() -> Response<String> {
    Response::new(String::new())
}

fn xid() -> Xid {
    "u1.1.00000000000000ff.7".parse().unwrap()
}

/// The scope of a transaction with a minute left.
fn scope(runtime: &Runtime) -> Scope {
    let transaction = Transaction {
        runtime: runtime.clone(),
        xid: xid(),
        deadline: runtime.clock().now() + Duration::from_secs(60),
        trace: None,
        after: None,
    };
    Scope::root(transaction, CallId::root())
}

fn request(uri: &str, headers: &[(&'static str, &str)]) -> Request<()> {
    let mut request = Request::post(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

/// A call of this scope that succeeded as this branch.
fn branch(scope: &Scope, alias: u32) {
    let call = scope
        .open_call(&Target::new("account.debit"), CallKind::Call)
        .unwrap();
    call.joined();
    let abandoned = [].into();
    call.answered(AnswerHeader::Ok {
        names: [Alias(alias)].into(),
        abandoned,
    });
}

fn answer(headers: &HeaderMap) -> Option<AnswerHeader> {
    let value = headers.get(header::ANSWER)?;
    Some(value.to_str().unwrap().parse().unwrap())
}
