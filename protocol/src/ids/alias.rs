use std::fmt;
use std::str::FromStr;

/// The coordinator's short number for a branch (N4), unique within its transaction.
///
/// It travels in S and in answer headers, in base 36. It is never a key of anything that must
/// survive: a fence row is keyed by xid and call id.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Alias(pub u32);

/// Why a text is no alias.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is not the alias of a branch: expected 1 to 7 digits of base 36")]
pub struct AliasError(pub String);

/// 36^7 exceeds a `u32`: seven digits hold every alias.
const DIGITS_MAX: usize = 7;

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [b'0'; DIGITS_MAX];
        let mut rest = self.0;
        let mut at = DIGITS_MAX;
        loop {
            at -= 1;
            // The remainder is below 36.
            digits[at] = b"0123456789abcdefghijklmnopqrstuvwxyz"[(rest % 36) as usize];
            rest /= 36;
            if rest == 0 {
                break;
            }
        }
        f.write_str(std::str::from_utf8(&digits[at..]).unwrap_or_default())
    }
}

impl FromStr for Alias {
    type Err = AliasError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let canonical = text == "0" || !text.starts_with('0');
        let digits = text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z'));
        let fits = (1..=DIGITS_MAX).contains(&text.len());
        let parsed = (canonical && digits && fits).then(|| u32::from_str_radix(text, 36));
        match parsed {
            Some(Ok(number)) => Ok(Self(number)),
            _ => Err(AliasError(text.chars().take(32).collect())),
        }
    }
}
