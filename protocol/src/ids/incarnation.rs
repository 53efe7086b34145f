use std::fmt;
use std::str::FromStr;

/// One start of a coordinator (N1): a number that its log counts up, and 64 random bits.
///
/// The number alone would repeat after a restored backup, a lost file, or beside a second embedded
/// coordinator; the random part makes a repeat as good as impossible.
///
/// Text form: `<number>.<16 hex digits>`, as it stands inside a [`Xid`](crate::Xid).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Incarnation {
    /// Counts the starts of one log, from 1.
    pub number: u64,
    /// Drawn anew at each start.
    pub random: u64,
}

/// Why a text is no incarnation.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not an incarnation: expected `<number>.<16 hex digits>`")]
pub struct IncarnationError(pub String);

impl Incarnation {
    /// The 16 bytes under which a database stores the incarnation: number, then random part, both
    /// big-endian, so that bytes order as incarnations do.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.number) << 64 | u128::from(self.random)).to_be_bytes()
    }

    /// The inverse of [`Incarnation::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let [number, random] = [0, 8].map(|at| {
            let mut half = [0; 8];
            half.copy_from_slice(&bytes[at..at + 8]);
            u64::from_be_bytes(half)
        });
        Self { number, random }
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:016x}", self.number, self.random)
    }
}

impl FromStr for Incarnation {
    type Err = IncarnationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parse = || {
            let (number, random) = text.split_once('.')?;
            Some(Self {
                number: decimal(number)?,
                random: hex_16(random)?,
            })
        };
        parse().ok_or_else(|| IncarnationError(text.chars().take(128).collect()))
    }
}

/// A decimal number in its one canonical spelling: no sign, no leading zero.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && digits {
        text.parse().ok()
    } else {
        None
    }
}

/// Exactly 16 lower-case hex digits.
fn hex_16(text: &str) -> Option<u64> {
    let digits = text
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if text.len() == 16 && digits {
        u64::from_str_radix(text, 16).ok()
    } else {
        None
    }
}
