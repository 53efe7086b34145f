use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::limits;

/// The id of a call (N3): a path of components `target:ordinal`, joined by `/`.
///
/// Every call in a scope gets `parent/target:ordinal`, the ordinal counting the calls of that
/// target in that scope, so a repeated parent repeats its children's ids: a business call that is
/// delivered twice registers one branch (G12). The root, the scope that began, is the empty path.
///
/// At most [`limits::CALL_ID_BYTES_MAX`] bytes and [`limits::CALL_ID_LEVELS_MAX`] levels.
/// Cloning is cheap.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CallId(Arc<str>);

/// What a call is aimed at: one component of a call id less its ordinal.
///
/// Characters outside `[A-Za-z0-9._~-]` become `_`. A text that was changed or is longer than
/// [`limits::CALL_TARGET_BYTES_MAX`] bytes is cut and gets 8 hex digits of its SHA-256, so that
/// different targets stay different.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Target(Arc<str>);

/// The number of a call among the calls of its target in its scope, from 1.
pub type Ordinal = u32;

/// Why a text is no call id, or a call id cannot be continued.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CallIdError {
    /// The path would be longer than the limit.
    #[error("a call id has at most {max} bytes, this one would have {0}; nest fewer calls or shorten keys", max = limits::CALL_ID_BYTES_MAX)]
    TooLong(usize),
    /// The path would be deeper than the limit.
    #[error(
        "a call id has at most {} levels; nest fewer calls",
        limits::CALL_ID_LEVELS_MAX
    )]
    TooDeep,
    /// A component is not `target:ordinal`.
    #[error("`{0}` is not a component of a call id: expected `target:ordinal`")]
    Component(String),
}

impl CallId {
    /// The scope that began the transaction.
    #[must_use]
    pub fn root() -> Self {
        Self("".into())
    }

    /// Whether this is the scope that began.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The text of the path; empty for the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of the `ordinal`th call of `target` in the scope of this call.
    ///
    /// # Errors
    ///
    /// When the path would exceed its limits; callers refuse the call before any effect.
    pub fn child(&self, target: &Target, ordinal: Ordinal) -> Result<Self, CallIdError> {
        let mut path = Path::new();
        let separator = if self.is_root() { "" } else { "/" };
        let mut digits = itoa::Buffer::new();
        let ordinal = digits.format(ordinal);
        for part in [&self.0, separator, &target.0, ":", ordinal] {
            path.push(part);
        }
        // A path that is too long says how long it would be.
        let text = path.text().ok_or(CallIdError::TooLong(path.length))?;
        within_limits(text)?;
        Ok(Self(text.into()))
    }

    /// Whether `other` equals this call or lies below it (TC6, `below`).
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match other.0.strip_prefix(&*self.0) {
            Some(rest) => self.is_root() || rest.is_empty() || rest.starts_with('/'),
            None => false,
        }
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for CallId {
    type Err = CallIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        within_limits(text)?;
        for component in text.split('/') {
            check_component(component)?;
        }
        Ok(Self(text.into()))
    }
}

/// A path that is being written, on the stack: an id is made for every call, and allocates once.
struct Path {
    bytes: [u8; limits::CALL_ID_BYTES_MAX],
    /// Of the whole path, also where it does not fit.
    length: usize,
}

impl Path {
    fn new() -> Self {
        Self {
            bytes: [0; limits::CALL_ID_BYTES_MAX],
            length: 0,
        }
    }

    fn push(&mut self, part: &str) {
        let end = self.length + part.len();
        if let Some(room) = self.bytes.get_mut(self.length..end) {
            room.copy_from_slice(part.as_bytes());
        }
        self.length = end;
    }

    /// None if it did not fit.
    fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes.get(..self.length)?).ok()
    }
}

fn within_limits(path: &str) -> Result<(), CallIdError> {
    if path.len() > limits::CALL_ID_BYTES_MAX {
        return Err(CallIdError::TooLong(path.len()));
    }
    let separators: usize = path.bytes().map(|byte| usize::from(byte == b'/')).sum();
    if separators >= limits::CALL_ID_LEVELS_MAX {
        return Err(CallIdError::TooDeep);
    }
    Ok(())
}

fn check_component(component: &str) -> Result<(), CallIdError> {
    let legal = component.split_once(':').is_some_and(|(target, ordinal)| {
        let target = !target.is_empty() && target.bytes().all(is_target_byte);
        let ordinal = !ordinal.starts_with('0')
            && ordinal.bytes().all(|byte| byte.is_ascii_digit())
            && ordinal.parse::<Ordinal>().is_ok();
        target && ordinal
    });
    if legal {
        Ok(())
    } else {
        Err(CallIdError::Component(component.chars().take(64).collect()))
    }
}

fn is_target_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~' | b'-')
}

impl Target {
    /// The target that `text` names.
    #[must_use]
    pub fn new(text: &str) -> Self {
        if is_plain(text) {
            return Self(text.into());
        }
        let hash = Sha256::digest(text.as_bytes());
        let room = limits::CALL_TARGET_BYTES_MAX - 9;
        let mut target: String = text
            .chars()
            .map(|c| {
                if c.is_ascii() && is_target_byte(c as u8) {
                    c
                } else {
                    '_'
                }
            })
            .take(room)
            .collect();
        target.push('-');
        for byte in hash.iter().take(4) {
            // Writing to a string cannot fail.
            let _ = write!(target, "{byte:02x}");
        }
        Self(target.into())
    }

    /// The text of the target.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a text is a target as it is.
fn is_plain(text: &str) -> bool {
    let plain = !text.is_empty() && text.bytes().all(is_target_byte);
    plain && text.len() <= limits::CALL_TARGET_BYTES_MAX
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
