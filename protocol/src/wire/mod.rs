//! The messages as they travel between a client process and a coordinator.
//!
//! * [`v1`]: what is generated from `proto/unanimous/v1/coordinator.proto`;
//! * [`frame`]: the frames of the stream, as plain types;
//! * [`convert`]: between the generated types and the plain ones of [`message`](crate::message).
//!
//! Decoding checks every count and every length against [`limits`](crate::limits), refuses what is
//! missing or unknown, and never takes it for a default: what one side does not understand must
//! not be carried out as something else.

use std::fmt;

pub mod convert;
pub mod frame;

pub use frame::{FailureKind, FromClient, FromServer, ServerAnswer, ServerRequest};

/// The newest version of the stream's protocol that this crate speaks. A coordinator takes clients
/// of all versions before it too; a client needs a coordinator at least as new.
///
/// * 1: the first;
/// * 2: local horizons are presented for each database; an attachment is refused with a text.
pub const VERSION: u32 = 2;

/// The generated messages.
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    reason = "generated; the definition explains them"
)]
pub mod v1 {
    include!("generated/unanimous.v1.rs");
}

/// Why a message from another process is refused. Nothing of it was carried out.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the field `{field}` {problem}")]
pub struct WireError {
    field: &'static str,
    problem: Problem,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Problem {
    Length { bytes: usize, expected: usize },
    Missing,
    TooLong { bytes: usize, max: usize },
    TooMany { count: usize, max: usize },
    Unknown(i32),
    Wrong(String),
}

impl WireError {
    fn new(field: &'static str, problem: Problem) -> Self {
        Self { field, problem }
    }

    pub(crate) fn missing(field: &'static str) -> Self {
        Self::new(field, Problem::Missing)
    }

    pub(crate) fn wrong(field: &'static str, why: impl fmt::Display) -> Self {
        Self::new(field, Problem::Wrong(why.to_string()))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { bytes, expected } => {
                write!(f, "has {bytes} bytes, expected {expected}")
            }
            Self::Missing => f.write_str("is missing, or was written by a newer version"),
            Self::TooLong { bytes, max } => write!(f, "has {bytes} bytes, at most {max} are taken"),
            Self::TooMany { count, max } => {
                write!(f, "has {count} elements, at most {max} are taken")
            }
            Self::Unknown(value) => {
                write!(f, "has the value {value}, which this version does not know")
            }
            Self::Wrong(why) => write!(f, "is refused: {why}"),
        }
    }
}

/// Users' values never reach a log.
macro_rules! leave_out {
    ($($message:ident: $($shown:ident),*;)*) => {$(
        impl fmt::Debug for v1::$message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($message))
                    $(.field(stringify!($shown), &self.$shown))*
                    .finish_non_exhaustive()
            }
        }
    )*};
}

leave_out! {
    PhaseTwo: xid, call, resource, action, decision;
    Register: xid, call, resource, action, kind;
    Reported: ;
}
