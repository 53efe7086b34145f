//! Failures of a transaction as other protocols tell them.
//!
//! An unknown outcome is never told as unavailable: stock policies repeat that, and a repeat beside
//! an unknown outcome may do everything twice.

use crate::Error;

/// What an error of ours is to somebody outside.
enum Kind {
    /// It did not take effect, and the whole may be tried again.
    Aborted,
    /// It began nothing; come back later.
    Unavailable,
    /// It ran out of time and rolls back.
    TimedOut,
    /// The outcome is unknown.
    Unknown,
    /// Neither the caller nor a repeat can help.
    Internal,
}

fn kind(error: &Error) -> Kind {
    match error {
        Error::Unknown { .. } => Kind::Unknown,
        Error::TimedOut { .. } => Kind::TimedOut,
        Error::BeginRefused(_) | Error::ShuttingDown => Kind::Unavailable,
        error if error.is_retryable() => Kind::Aborted,
        _ => Kind::Internal,
    }
}

#[cfg(feature = "tower")]
impl Error {
    /// The HTTP status that tells this error to a client.
    ///
    /// | status | errors |
    /// |---|---|
    /// | 409 | it rolled back, or a call failed: whatever [`Error::is_retryable`] says may be repeated |
    /// | 503 | [`Error::BeginRefused`], [`Error::ShuttingDown`]: nothing was begun, come back later |
    /// | 504 | [`Error::TimedOut`]: it ran out of time and rolls back |
    /// | 500 | [`Error::Unknown`], whose outcome nobody may guess, and everything else: mistakes in the program, such as [`Error::NotInTransaction`] |
    #[must_use]
    pub fn http_status(&self) -> http::StatusCode {
        match kind(self) {
            Kind::Aborted => http::StatusCode::CONFLICT,
            Kind::Unavailable => http::StatusCode::SERVICE_UNAVAILABLE,
            Kind::TimedOut => http::StatusCode::GATEWAY_TIMEOUT,
            Kind::Unknown | Kind::Internal => http::StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// The metadata key under which a status names the transaction of an unknown outcome.
#[cfg(feature = "tonic")]
pub const XID_METADATA: &str = "unanimous-xid";

#[cfg(feature = "tonic")]
impl From<Error> for tonic::Status {
    /// `ABORTED` when the transaction rolled back; `UNKNOWN` with the xid in the metadata
    /// ([`XID_METADATA`]) when its outcome is unknown, never
    /// `UNAVAILABLE`, which stock policies repeat. [`Error::find_in`] finds the error again.
    fn from(error: Error) -> Self {
        let code = match kind(&error) {
            Kind::Aborted => tonic::Code::Aborted,
            Kind::Unavailable => tonic::Code::Unavailable,
            Kind::TimedOut => tonic::Code::DeadlineExceeded,
            Kind::Unknown => tonic::Code::Unknown,
            Kind::Internal => tonic::Code::Internal,
        };
        let mut status = Self::new(code, error.to_string());
        if let Error::Unknown { xid, .. } = &error
            && let Ok(xid) = xid.as_str().parse()
        {
            status.metadata_mut().insert(XID_METADATA, xid);
        }
        status.set_source(std::sync::Arc::new(error));
        status
    }
}
