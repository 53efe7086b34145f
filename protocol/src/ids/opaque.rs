use std::fmt;
use std::str::FromStr;

/// Why a text is no identity of fixed length.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is not {what}: expected {digits} lower-case hex digits")]
pub struct HexError {
    what: &'static str,
    digits: usize,
    text: String,
}

macro_rules! opaque {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(pub [u8; $bytes]);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl FromStr for $name {
            type Err = HexError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let mut bytes = [0; $bytes];
                if hex(text, &mut bytes) {
                    Ok(Self(bytes))
                } else {
                    let text = text.chars().take(2 * $bytes).collect();
                    Err(HexError { what: $what, digits: 2 * $bytes, text })
                }
            }
        }
    };
}

opaque! {
    /// The identity of a participant's database (N5): random, kept in the fence's tables.
    DatabaseId, 16, "a database identity"
}
opaque! {
    /// The identity of a coordinator's log (N1): tells a restored log from another coordinator.
    /// No answer rests on it.
    LogId, 16, "a log id"
}
opaque! {
    /// SHA-256 over the recorded arguments of an action (N4).
    Digest, 32, "a digest"
}

/// Fills `bytes` from exactly that many pairs of lower-case hex digits.
fn hex(text: &str, bytes: &mut [u8]) -> bool {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if text.len() != 2 * bytes.len() {
        return false;
    }
    text.as_bytes()
        .chunks_exact(2)
        .zip(bytes)
        .all(|(pair, byte)| match (digit(pair[0]), digit(pair[1])) {
            (Some(high), Some(low)) => {
                *byte = high << 4 | low;
                true
            }
            _ => false,
        })
}
