//! A request that arrives: what it carries, and how it is refused before any effect.

use std::fmt::Write as _;
use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use unanimous_protocol::header::{self, AnswerHeader, CallHeader};
use unanimous_protocol::message::TraceContext;
use unanimous_protocol::{CallId, Xid, limits};

use super::outgoing::{TRACEPARENT, is_grpc, value};
use crate::context::{Scope, Transaction};
use crate::runtime::Runtime;

/// The header that tells an HTTP client, for people, why the layer refused its request. A gRPC
/// client finds the same text in its status.
pub const REFUSAL: &str = "unanimous-refusal";

/// Why a request is refused; the handler has not run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    /// A header is malformed.
    Malformed(String),
    /// It arrived without any time left, or its time ran out.
    NoTimeLeft,
}

/// The transaction that a request carries, if it carries one.
pub(super) fn carried(headers: &HeaderMap) -> Result<Option<CallHeader>, Refusal> {
    let call = single(headers, header::CALL)?;
    let xid = single(headers, header::TX_XID)?;
    let xid = xid.map(str::parse::<Xid>).transpose();
    let xid = xid.map_err(|error| malformed(header::TX_XID, error))?;
    let call = call.map(str::parse::<CallHeader>).transpose();
    let call = call.map_err(|error| malformed(header::CALL, error))?;
    match (call, xid) {
        (Some(call), Some(xid)) if call.xid != xid => Err(Refusal::Malformed(format!(
            "`{}` names {xid}, but `{}` names {}",
            header::TX_XID,
            header::CALL,
            call.xid
        ))),
        (None, Some(xid)) => Err(Refusal::Malformed(format!(
            "`{}` names {xid}, but `{}` is missing: a proxy or a client without the client layer is \
             in between, and what joins here would be lost to the caller",
            header::TX_XID,
            header::CALL
        ))),
        (call, _) => Ok(call),
    }
}

/// The one value of a header. The same value twice is one: some proxies do that.
fn single<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    let mut found: Option<&HeaderValue> = None;
    for value in headers.get_all(name) {
        if found.is_some_and(|found| found != value) {
            return Err(malformed(
                name,
                "it is there more than once, with different values",
            ));
        }
        found = Some(value);
    }
    let text = found.map(HeaderValue::to_str).transpose();
    text.map_err(|_| malformed(name, "it is not printable ASCII"))
}

fn malformed(name: &str, why: impl std::fmt::Display) -> Refusal {
    Refusal::Malformed(format!("`{name}`: {why}"))
}

/// The scope of a handler.
pub(super) fn scope(
    runtime: &Runtime,
    call: CallHeader,
    headers: &HeaderMap,
) -> Result<Scope, Refusal> {
    if call.left.is_zero() {
        return Err(Refusal::NoTimeLeft);
    }
    let left: Duration = call.left.min(limits::TIMEOUT_MAX);
    let transaction = Transaction {
        runtime: runtime.clone(),
        xid: call.xid,
        deadline: runtime.clock().now().saturating_add(left),
        trace: trace(headers),
        after: None,
    };
    let id: CallId = call.call;
    Ok(Scope::root(transaction, id))
}

/// The caller's trace, also of a request that carries no transaction. One that is malformed, too
/// long or there twice is left out, as W3C wants it: nothing depends on it.
pub(super) fn trace(headers: &HeaderMap) -> Option<TraceContext> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    TraceContext::of_traceparent(value.to_str().ok()?)
}

impl Refusal {
    /// The response that refuses, always with the mark.
    pub(super) fn response<B: Default>(&self, is_grpc: bool) -> Response<B> {
        let (reason, status, code, why) = match self {
            Self::Malformed(why) => (
                "malformed-header",
                StatusCode::BAD_REQUEST,
                "3",
                why.as_str(),
            ),
            Self::NoTimeLeft => {
                let why = "the transaction has no time left";
                ("no-time-left", StatusCode::GATEWAY_TIMEOUT, "4", why)
            }
        };
        let mut response = Response::new(B::default());
        let headers = response.headers_mut();
        if is_grpc {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
            headers.insert(
                HeaderName::from_static("grpc-status"),
                HeaderValue::from_static(code),
            );
            headers.insert(
                HeaderName::from_static("grpc-message"),
                value(&percent_encoded(why)),
            );
        } else {
            headers.insert(
                HeaderName::from_static(REFUSAL),
                value(&percent_encoded(why)),
            );
            *response.status_mut() = status;
        }
        answer(&mut response, &AnswerHeader::mark(reason));
        response
    }
}

/// Puts the answer header into a response, in place of whatever a handler put there.
pub(super) fn answer<B>(response: &mut Response<B>, answer: &AnswerHeader) {
    let name = HeaderName::from_static(header::ANSWER);
    response
        .headers_mut()
        .insert(name, value(&answer.to_string()));
}

/// Takes off every header that carries a transaction.
pub(super) fn strip(headers: &mut HeaderMap) {
    headers.remove(header::CALL);
    headers.remove(header::TX_XID);
}

/// Whether a request expects its status in gRPC's way.
pub(super) fn expects_grpc(headers: &HeaderMap) -> bool {
    is_grpc(headers)
}

/// As gRPC encodes messages: what is not printable ASCII, and `%`.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | 0..0x20 | 0x7f.. => {
                // Writing to a string cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
            plain => encoded.push(char::from(plain)),
        }
    }
    encoded
}
