//! Between the generated messages and the plain ones.
//!
//! Into a generated message by `From<&Plain>`, which cannot fail; out of it by `TryFrom`, which
//! checks everything.

mod admin;
mod attach;
mod branch;
mod global;

#[cfg(test)]
mod strategies;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::{Problem, WireError, v1};
use crate::ids::Resource;
use crate::limits;
use crate::message::{Json, ParkReason, TraceContext};

/// Maps an enum to the generated one and back. The back way refuses `UNSPECIFIED` and whatever a
/// newer version added.
macro_rules! enumeration {
    ($wire:ty, $plain:ty, $to:ident, $from:ident { $($a:path => $b:path),* $(,)? }) => {
        pub(super) fn $to(plain: $plain) -> $wire {
            match plain { $($b => $a),* }
        }

        pub(super) fn $from(field: &'static str, value: i32) -> Result<$plain, WireError> {
            let unknown = || WireError::new(field, Problem::Unknown(value));
            match <$wire>::try_from(value).map_err(|_| unknown())? {
                $($a => Ok($b),)*
                _ => Err(unknown()),
            }
        }
    };
}
pub(super) use enumeration;

/// A text that has a type of its own, with limits of its own.
pub(super) fn parsed<T>(field: &'static str, text: &str) -> Result<T, WireError>
where
    T: FromStr<Err: Display>,
{
    text.parse().map_err(|error| WireError::wrong(field, error))
}

pub(super) fn present<T>(field: &'static str, value: Option<T>) -> Result<T, WireError> {
    value.ok_or_else(|| WireError::missing(field))
}

pub(super) fn at_most(field: &'static str, count: usize, max: usize) -> Result<(), WireError> {
    if count > max {
        return Err(WireError::new(field, Problem::TooMany { count, max }));
    }
    Ok(())
}

/// Bytes of a fixed length.
pub(super) fn exactly<const N: usize>(
    field: &'static str,
    bytes: &[u8],
) -> Result<[u8; N], WireError> {
    let wrong = Problem::Length {
        bytes: bytes.len(),
        expected: N,
    };
    bytes.try_into().map_err(|_| WireError::new(field, wrong))
}

/// A text of at most so many bytes.
pub(super) fn bounded(
    field: &'static str,
    text: String,
    max: usize,
) -> Result<Arc<str>, WireError> {
    let bytes = text.len();
    if bytes > max {
        return Err(WireError::new(field, Problem::TooLong { bytes, max }));
    }
    Ok(text.into())
}

/// A text for people.
pub(super) fn text(field: &'static str, text: String) -> Result<Arc<str>, WireError> {
    bounded(field, text, limits::TEXT_BYTES_MAX)
}

/// As much of a text for people as travels.
pub(super) fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(limits::TEXT_BYTES_MAX)].to_owned()
}

pub(super) fn recorded(field: &'static str, json: String) -> Result<Json, WireError> {
    bounded(field, json, limits::ARGUMENTS_BYTES_MAX)
}

pub(super) fn trace(trace: Option<String>) -> Result<Option<TraceContext>, WireError> {
    let bounded = trace.map(|text| bounded("trace", text, limits::TRACE_BYTES_MAX));
    Ok(bounded.transpose()?.map(TraceContext))
}

pub(super) fn trace_text(trace: Option<&TraceContext>) -> Option<String> {
    trace.map(|TraceContext(text)| text.to_string())
}

/// Whole milliseconds, rounded up: a wait is never cut short, and a short one is none no longer.
pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

pub(super) fn set<T: Ord, U>(
    field: &'static str,
    elements: Vec<U>,
    max: usize,
    element: impl FnMut(U) -> Result<T, WireError>,
) -> Result<BTreeSet<T>, WireError> {
    at_most(field, elements.len(), max)?;
    elements.into_iter().map(element).collect()
}

impl From<&Resource> for v1::Resource {
    fn from(resource: &Resource) -> Self {
        Self {
            participant: resource.participant.to_string(),
            database: resource.database.map(|database| database.0.to_vec()),
        }
    }
}

impl TryFrom<v1::Resource> for Resource {
    type Error = WireError;

    fn try_from(resource: v1::Resource) -> Result<Self, WireError> {
        let database = resource.database.map(|bytes| exactly("database", &bytes));
        Ok(Self {
            participant: parsed("participant", &resource.participant)?,
            database: database.transpose()?.map(crate::ids::DatabaseId),
        })
    }
}

impl From<&ParkReason> for v1::ParkReason {
    fn from(reason: &ParkReason) -> Self {
        use v1::park_reason::Reason;
        let reason = match reason {
            ParkReason::GaveUp(why) => Reason::GaveUp(cut(why)),
            ParkReason::Missing => Reason::Missing(v1::Empty {}),
            ParkReason::RefusedConfirmed => Reason::RefusedConfirmed(v1::Empty {}),
            ParkReason::RefusedCancelled => Reason::RefusedCancelled(v1::Empty {}),
            ParkReason::Undecodable(why) => Reason::Undecodable(cut(why)),
            ParkReason::ByOperator(why) => Reason::ByOperator(cut(why)),
            ParkReason::WrittenOff => Reason::WrittenOff(v1::Empty {}),
        };
        Self {
            reason: Some(reason),
        }
    }
}

impl TryFrom<v1::ParkReason> for ParkReason {
    type Error = WireError;

    fn try_from(reason: v1::ParkReason) -> Result<Self, WireError> {
        use v1::park_reason::Reason;
        Ok(match present("park", reason.reason)? {
            Reason::GaveUp(why) => Self::GaveUp(text("gave_up", why)?),
            Reason::Missing(_) => Self::Missing,
            Reason::RefusedConfirmed(_) => Self::RefusedConfirmed,
            Reason::RefusedCancelled(_) => Self::RefusedCancelled,
            Reason::Undecodable(why) => Self::Undecodable(text("undecodable", why)?),
            Reason::ByOperator(why) => Self::ByOperator(text("by_operator", why)?),
            Reason::WrittenOff(_) => Self::WrittenOff,
        })
    }
}
