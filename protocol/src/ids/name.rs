use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::limits;

/// Why a text is no name of a participant, an action or a transaction.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty.
    #[error("a name must not be empty")]
    Empty,
    /// The text is longer than the limit.
    #[error("a name has at most {max} bytes, this one has {0}", max = limits::NAME_BYTES_MAX)]
    TooLong(usize),
    /// The text holds a control character.
    #[error("a name must not contain control characters; found {0:?}")]
    Character(char),
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// At most [`limits::NAME_BYTES_MAX`] bytes, no control characters. Cloning is cheap.
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text of the name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                checked(text).map(Self)
            }
        }
    };
}

name! {
    /// The name of a participant; with a database identity it names a resource (N5).
    ParticipantName
}
name! {
    /// The name of an action of a participant.
    ActionName
}
name! {
    /// The name of a global transaction, for people.
    TransactionName
}

fn checked(text: &str) -> Result<Arc<str>, NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > limits::NAME_BYTES_MAX {
        return Err(NameError::TooLong(text.len()));
    }
    match text.chars().find(|c| c.is_control()) {
        Some(c) => Err(NameError::Character(c)),
        None => Ok(text.into()),
    }
}
