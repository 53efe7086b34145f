use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::incarnation::{Incarnation, decimal};
use crate::limits;

/// The id of a global transaction: opaque text of at most
/// [`limits::XID_BYTES_MAX`] bytes of printable ASCII without spaces.
///
/// Other coordinators choose texts of their own; the form of ours, which
/// [`Xid::own`] parses, is `u1.<number>.<16 hex digits>.<counter>`.
///
/// Cloning is cheap (a shared text).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Xid(Arc<str>);

/// The parts of an xid that a coordinator of ours issued.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct OwnXid {
    /// The coordinator start that issued it.
    pub incarnation: Incarnation,
    /// Counts the transactions of that incarnation, from 1.
    pub counter: u64,
}

/// Why a text is no xid.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum XidError {
    /// The text is empty.
    #[error("an xid must not be empty")]
    Empty,
    /// The text is longer than the limit.
    #[error("an xid has at most {max} bytes, this one has {0}", max = limits::XID_BYTES_MAX)]
    TooLong(usize),
    /// The text holds a character other than printable ASCII without space.
    #[error("an xid consists of printable ASCII without spaces; found {0:?}")]
    Character(char),
    /// The text starts like one of our own xids but is none.
    #[error(
        "`{0}` is not an xid of a unanimous coordinator: expected `u1.<number>.<16 hex digits>.<counter>`"
    )]
    NotOwn(String),
}

impl Xid {
    /// The text of the xid.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts of an xid of ours, or `None` for another coordinator's.
    #[must_use]
    pub fn own(&self) -> Option<OwnXid> {
        self.0.parse().ok()
    }
}

impl fmt::Display for Xid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Xid {
    type Err = XidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Err(XidError::Empty);
        }
        if text.len() > limits::XID_BYTES_MAX {
            return Err(XidError::TooLong(text.len()));
        }
        match text.chars().find(|c| !c.is_ascii_graphic()) {
            Some(c) => Err(XidError::Character(c)),
            None => Ok(Self(text.into())),
        }
    }
}

impl From<OwnXid> for Xid {
    fn from(own: OwnXid) -> Self {
        Self(own.to_string().into())
    }
}

impl Serialize for Xid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Xid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for OwnXid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "u1.{}.{}", self.incarnation, self.counter)
    }
}

impl FromStr for OwnXid {
    type Err = XidError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (incarnation, counter) = text.strip_prefix("u1.")?.rsplit_once('.')?;
            Some(Self {
                incarnation: incarnation.parse().ok()?,
                counter: decimal(counter)?,
            })
        };
        parse().ok_or_else(|| XidError::NotOwn(text.chars().take(limits::XID_BYTES_MAX).collect()))
    }
}
