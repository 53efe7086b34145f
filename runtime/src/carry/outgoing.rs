//! A request that leaves this process: its headers, and how its answer is judged (TM1, TM5).

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use unanimous_protocol::header::{self, AnswerHeader, CallHeader};
use unanimous_protocol::ids::Target;

use crate::context::{CallKind, OpenCall, Scope};
use crate::{CallFailure, Error};

/// How many targets without a layer are remembered, so that each is warned about once.
const WARNED_MAX: usize = 1_000;

/// What all requests of one client share.
#[derive(Clone, Debug, Default)]
pub(super) struct Client {
    participants_only: bool,
    warned: Arc<Mutex<BTreeSet<Target>>>,
}

/// One request under way. Dropped without an answer, its call has failed.
#[derive(Debug)]
pub(super) struct Outgoing {
    client: Client,
    call: OpenCall,
    target: Target,
}

impl Client {
    pub(super) fn participants_only(mut self) -> Self {
        self.participants_only = true;
        self
    }

    /// Opens the call that a request is, and writes its headers. None outside a transaction.
    ///
    /// # Errors
    ///
    /// `RollbackOnly` after a failure, `TimedOut` without time left, and the limits of a call id:
    /// the request must not be sent.
    pub(super) fn open(
        &self,
        method: &Method,
        path: &str,
        headers: &mut HeaderMap,
    ) -> Result<Option<Outgoing>, Error> {
        let Some(scope) = Scope::current() else {
            return Ok(None);
        };
        let target = target(method, path, is_grpc(headers));
        let left = scope.remaining().ok_or_else(|| Error::TimedOut {
            xid: scope.xid().clone(),
        })?;
        let call = scope.open_call(&target, CallKind::Call)?;
        let xid = scope.xid().clone();
        tracing::debug!(%xid, call = %call.id(), "call");
        let xid_value = value(xid.as_str());
        let carried = CallHeader {
            xid,
            call: call.id().clone(),
            left,
        };
        headers.insert(
            HeaderName::from_static(header::CALL),
            value(&carried.to_string()),
        );
        headers.insert(HeaderName::from_static(header::TX_XID), xid_value);
        if let Some(trace) = scope.trace()
            && !headers.contains_key(TRACEPARENT)
        {
            headers.insert(TRACEPARENT, value(&trace.0));
        }
        Ok(Some(Outgoing {
            client: self.clone(),
            call,
            target,
        }))
    }

    #[cfg(test)]
    pub(super) fn warned(&self) -> usize {
        self.warned.lock().unwrap().len()
    }

    fn warn_once(&self, target: &Target) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.len() < WARNED_MAX && warned.insert(target.clone()) {
            tracing::warn!(
                %target,
                "answered without `{}`: there is no unanimous layer, so nothing that joined there is \
                 named, and the transaction rolls back if anything did; add the server layer, or \
                 wrap third parties in `unanimous::outside`",
                header::ANSWER
            );
        }
    }
}

/// The header that W3C trace context travels in.
pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

impl Outgoing {
    /// The head of the answer came.
    pub(super) fn answered(self, status: StatusCode, headers: &HeaderMap) {
        let mut values = headers.get_all(header::ANSWER).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => self.judge_header(value),
            (Some(_), Some(_)) => self.unreadable("it stands there twice"),
            (None, _) => self.judge_status(status, headers),
        }
    }

    /// The answer will never come.
    pub(super) fn lost(self, why: impl fmt::Display) {
        self.call
            .failed(CallFailure::LostAnswer, Some(why.to_string().into()));
    }

    fn judge_header(self, value: &HeaderValue) {
        let parsed = value
            .to_str()
            .map_err(|error| error.to_string())
            .and_then(|text| {
                text.parse::<AnswerHeader>()
                    .map_err(|error| error.to_string())
            });
        match parsed {
            Ok(answer) => self.call.answered_elsewhere(answer),
            Err(why) => self.unreadable(why),
        }
    }

    /// What an unreadable header named is lost, and with it the answer.
    fn unreadable(self, why: impl fmt::Display) {
        let why = format!("the header `{}` of {}: {why}", header::ANSWER, self.target);
        tracing::warn!(%why, "unreadable answer");
        self.call.failed(CallFailure::LostAnswer, Some(why.into()));
    }

    /// No header: there is no layer, so the status alone tells (TM1).
    fn judge_status(self, status: StatusCode, headers: &HeaderMap) {
        if let Some(error) = error_status(status, headers) {
            let why = format!("{} answered {error}", self.target);
            self.call.failed(CallFailure::Failed, Some(why.into()));
        } else if self.client.participants_only {
            let why = format!("{} answered without `{}`", self.target, header::ANSWER);
            self.call.failed(CallFailure::Failed, Some(why.into()));
        } else {
            self.client.warn_once(&self.target);
            self.call.unanswered_success();
        }
    }
}

/// The error that a response head tells, if it tells one.
pub(super) fn error_status(status: StatusCode, headers: &HeaderMap) -> Option<String> {
    if status.as_u16() >= 400 {
        return Some(format!("HTTP {}", status.as_u16()));
    }
    let code = headers.get("grpc-status")?;
    (code.as_bytes() != b"0").then(|| format!("grpc-status {}", code.to_str().unwrap_or("?")))
}

pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

/// `pkg.Service.Method`, or `METHOD.path` without host and query.
fn target(method: &Method, path: &str, is_grpc: bool) -> Target {
    if is_grpc {
        Target::new(&path.trim_start_matches('/').replace('/', "."))
    } else {
        Target::new(&format!("{method}.{path}"))
    }
}

/// What our headers print is printable ASCII; anything else would be a bug of theirs, and an empty
/// value is refused by the other side.
pub(super) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
