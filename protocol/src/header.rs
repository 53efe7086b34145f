//! The headers that carry a transaction between services, and their parsers.
//!
//! A request carries `unanimous-call: 1;xid=..;call=..;left=MS`, its answer
//! `unanimous-answer: 1;ok;names=..;x=..` or `1;mark;reason=..`. The first field is the version.
//! In values `;`, `=` and `%` are percent-encoded; the elements of a list are separated by commas,
//! which no alias and no call id holds.
//!
//! Parsing is strict: what this version does not know is refused with its name, because a header
//! that is half understood would lose names (TM1) or run a call under a wrong id (N3).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use crate::ids::{Alias, AliasError, CallId, CallIdError, Xid, XidError};
use crate::limits;

/// The header of a request that belongs to a transaction: a [`CallHeader`].
pub const CALL: &str = "unanimous-call";
/// The header of the answer to such a request: an [`AnswerHeader`].
pub const ANSWER: &str = "unanimous-answer";
/// The xid alone, in gRPC metadata, as Seata's clients send it. Read in any case.
pub const TX_XID: &str = "tx_xid";
/// The xid alone, in HTTP headers. Proxies may drop names with `_`: [`CALL`] counts alone.
pub const TX_XID_HTTP: &str = "TX_XID";

const VERSION: &str = "1";

/// What a request tells the service it calls.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct CallHeader {
    /// The transaction.
    pub xid: Xid,
    /// The call that the request is (N3); never the root.
    pub call: CallId,
    /// How much time the transaction has left; whole milliseconds on the wire.
    pub left: Duration,
}

/// What an answer tells the caller, whatever its business status (TM1).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum AnswerHeader {
    /// Nothing failed there or below.
    Ok {
        /// The branches of the succeeded calls there and below, the handler's own included; never
        /// one below an abandoned call.
        names: BTreeSet<Alias>,
        /// X: the calls abandoned there and below.
        abandoned: BTreeSet<CallId>,
    },
    /// Something failed: the transaction can only roll back, unless the call is tolerated.
    Mark {
        /// Why, for people.
        reason: MarkReason,
    },
}

/// Why an answer carries the mark: for people and logs, nothing is decided by it.
///
/// At most [`limits::MARK_REASON_BYTES_MAX`] bytes of printable ASCII.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct MarkReason(Arc<str>);

/// Why a text is no header.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// Another version wrote it.
    #[error(
        "this header has version `{0}`, but only version 1 is known here; upgrade this service first"
    )]
    Version(String),
    /// The second field of an answer is neither `ok` nor `mark`.
    #[error("an answer is `ok` or `mark`, not `{0}`")]
    Verdict(String),
    /// A field is not `name=value`.
    #[error("`{0}` is not a field: expected `name=value`")]
    Field(String),
    /// A field that this version does not know.
    #[error("the field `{0}` is unknown")]
    UnknownField(String),
    /// A field stands twice.
    #[error("the field `{0}` is given twice")]
    Repeated(&'static str),
    /// A field is missing.
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    /// A `%` is not followed by two hex digits, or the decoded bytes are no UTF-8.
    #[error("the value `{0}` is not percent-encoded text")]
    Encoding(String),
    /// The header is longer than the limit.
    #[error("an answer header has at most {max} bytes, this one has {0}", max = limits::ANSWER_HEADER_BYTES_MAX)]
    TooLong(usize),
    /// The xid is none.
    #[error("the field `xid`: {0}")]
    Xid(XidError),
    /// A call id is none.
    #[error("the field `{field}`: {error}")]
    Call {
        /// Where it stands.
        field: &'static str,
        /// What is wrong.
        error: CallIdError,
    },
    /// The id of a request's call is empty, which names the scope that began.
    #[error("the field `call` is empty: a request is never the scope that began")]
    RootCall,
    /// An abandoned call is the root, which would cover every branch.
    #[error("the field `x`: an abandoned call is never the scope that began")]
    RootAbandoned,
    /// The remaining time is no number of milliseconds.
    #[error("the field `left`: `{0}` is not a number of milliseconds")]
    Left(String),
    /// A name is no alias.
    #[error("the field `names`: {0}")]
    Alias(AliasError),
    /// The reason of a mark is too long or not printable.
    #[error("the field `reason`: expected at most {max} bytes of printable ASCII", max = limits::MARK_REASON_BYTES_MAX)]
    Reason,
}

impl MarkReason {
    /// The answer header would have been longer than it may be: never cut, a cut list of names
    /// would commit less than succeeded.
    pub const TOO_LARGE: &'static str = "too-large";

    /// The reason `text`: other characters than printable ASCII become `_`, and it is cut at the
    /// limit.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let plain = |c: char| if is_plain(c) { c } else { '_' };
        let text: String = text
            .chars()
            .map(plain)
            .take(limits::MARK_REASON_BYTES_MAX)
            .collect();
        Self(text.into())
    }

    /// The text of the reason.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MarkReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AnswerHeader {
    /// An answer without any name: nothing joined there.
    #[must_use]
    pub fn nothing() -> Self {
        Self::Ok {
            names: BTreeSet::new(),
            abandoned: BTreeSet::new(),
        }
    }

    /// The mark, with its reason.
    #[must_use]
    pub fn mark(reason: &str) -> Self {
        Self::Mark {
            reason: MarkReason::new(reason),
        }
    }

    /// The same answer with one more name: a successful action's own. A mark names nothing.
    #[must_use]
    pub fn with_name(mut self, alias: Alias) -> Self {
        if let Self::Ok { names, .. } = &mut self {
            names.insert(alias);
        }
        self
    }

    /// Whether this is the mark.
    #[must_use]
    pub fn is_mark(&self) -> bool {
        matches!(self, Self::Mark { .. })
    }

    /// Its text without regard to its length.
    fn whole(&self) -> String {
        match self {
            Self::Ok { names, abandoned } => {
                format!(
                    "{VERSION};ok;names={};x={}",
                    listed(names),
                    listed(abandoned)
                )
            }
            Self::Mark { reason } => format!("{VERSION};mark;reason={}", encoded(&reason.0)),
        }
    }
}

impl fmt::Display for CallHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let xid = encoded(self.xid.as_str());
        let call = encoded(self.call.as_str());
        let left = u64::try_from(self.left.as_millis()).unwrap_or(u64::MAX);
        write!(f, "{VERSION};xid={xid};call={call};left={left}")
    }
}

impl fmt::Display for AnswerHeader {
    /// What would exceed [`limits::ANSWER_HEADER_BYTES_MAX`] is printed as the mark.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.whole();
        if whole.len() <= limits::ANSWER_HEADER_BYTES_MAX {
            return f.write_str(&whole);
        }
        f.write_str(&Self::mark(MarkReason::TOO_LARGE).whole())
    }
}

impl FromStr for CallHeader {
    type Err = HeaderError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fields = after_version(text)?;
        let [xid, call, left] = fields_named(["xid", "call", "left"], fields)?;
        let xid = xid.parse().map_err(HeaderError::Xid)?;
        let call = call_id("call", &call)?;
        if call.is_root() {
            return Err(HeaderError::RootCall);
        }
        Ok(Self {
            xid,
            call,
            left: milliseconds(&left)?,
        })
    }
}

impl FromStr for AnswerHeader {
    type Err = HeaderError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > limits::ANSWER_HEADER_BYTES_MAX {
            return Err(HeaderError::TooLong(text.len()));
        }
        let rest = after_version(text)?;
        match rest.split_once(';').unwrap_or((rest, "")) {
            ("ok", fields) => {
                let [names, abandoned] = fields_named(["names", "x"], fields)?;
                let names = elements(&names).map(|name| name.parse().map_err(HeaderError::Alias));
                let abandoned = elements(&abandoned).map(abandoned_call);
                Ok(Self::Ok {
                    names: names.collect::<Result<_, _>>()?,
                    abandoned: abandoned.collect::<Result<_, _>>()?,
                })
            }
            ("mark", fields) => {
                let [reason] = fields_named(["reason"], fields)?;
                if reason.len() > limits::MARK_REASON_BYTES_MAX || !reason.chars().all(is_plain) {
                    return Err(HeaderError::Reason);
                }
                Ok(Self::Mark {
                    reason: MarkReason(reason.into()),
                })
            }
            (verdict, _) => Err(HeaderError::Verdict(shown(verdict))),
        }
    }
}

/// The fields after the version. A client that sends two versions at once does not exist.
fn after_version(text: &str) -> Result<&str, HeaderError> {
    match text.split_once(';').unwrap_or((text, "")) {
        (VERSION, rest) => Ok(rest),
        (version, _) => Err(HeaderError::Version(shown(version))),
    }
}

/// The decoded values of exactly these fields, which may come in any order.
fn fields_named<const N: usize>(
    names: [&'static str; N],
    text: &str,
) -> Result<[String; N], HeaderError> {
    let mut values = [const { None }; N];
    for field in text.split(';').filter(|field| !field.is_empty()) {
        let (name, value) = field
            .split_once('=')
            .ok_or_else(|| HeaderError::Field(shown(field)))?;
        let known = names
            .iter()
            .zip(&mut values)
            .find(|(known, _)| **known == name);
        let (name, place) = known.ok_or_else(|| HeaderError::UnknownField(shown(name)))?;
        if place.replace(decoded(value)?).is_some() {
            return Err(HeaderError::Repeated(name));
        }
    }
    if let Some(at) = values.iter().position(Option::is_none) {
        return Err(HeaderError::Missing(names[at]));
    }
    Ok(values.map(Option::unwrap_or_default))
}

fn call_id(field: &'static str, text: &str) -> Result<CallId, HeaderError> {
    text.parse()
        .map_err(|error| HeaderError::Call { field, error })
}

fn abandoned_call(text: &str) -> Result<CallId, HeaderError> {
    let call = call_id("x", text)?;
    if call.is_root() {
        Err(HeaderError::RootAbandoned)
    } else {
        Ok(call)
    }
}

fn milliseconds(text: &str) -> Result<Duration, HeaderError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if digits { text.parse().ok() } else { None };
    number
        .map(Duration::from_millis)
        .ok_or_else(|| HeaderError::Left(shown(text)))
}

fn listed<T: fmt::Display>(elements: &BTreeSet<T>) -> String {
    let texts: Vec<String> = elements
        .iter()
        .map(|one| encoded(&one.to_string()))
        .collect();
    texts.join(",")
}

/// The elements of a list; an empty text is an empty list, and an element is never empty.
fn elements(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').filter(move |_| !list.is_empty())
}

fn is_plain(c: char) -> bool {
    c == ' ' || c.is_ascii_graphic()
}

fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            ';' => text.push_str("%3B"),
            '=' => text.push_str("%3D"),
            '%' => text.push_str("%25"),
            c => text.push(c),
        }
    }
    text
}

fn decoded(value: &str) -> Result<String, HeaderError> {
    let wrong = || HeaderError::Encoding(shown(value));
    let mut parts = value.split('%');
    // A split yields at least one part.
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).ok_or_else(wrong)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

/// As much of outside text as an error repeats.
fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(text: &str) -> CallId {
        text.parse().unwrap()
    }

    #[test]
    fn a_request_is_printed_as_the_wire_has_it() {
        let header = CallHeader {
            xid: "u1.3.00000000000000ff.7".parse().unwrap(),
            call: call("POST._orders:1/account.debit:2"),
            left: Duration::from_micros(1_500_900),
        };
        let text = "1;xid=u1.3.00000000000000ff.7;call=POST._orders:1/account.debit:2;left=1500";
        assert_eq!(header.to_string(), text);
        let parsed: CallHeader = text.parse().unwrap();
        assert_eq!(
            parsed,
            CallHeader {
                left: Duration::from_millis(1_500),
                ..header
            }
        );
    }

    #[test]
    fn an_answer_is_printed_as_the_wire_has_it() {
        let answer = AnswerHeader::Ok {
            names: [Alias(1), Alias(35), Alias(36)].into(),
            abandoned: [call("~tolerate:1"), call("a:1/~tolerate:2")].into(),
        };
        let text = "1;ok;names=1,z,10;x=a:1/~tolerate:2,~tolerate:1";
        assert_eq!(answer.to_string(), text);
        assert_eq!(text.parse(), Ok(answer));
        assert_eq!(AnswerHeader::nothing().to_string(), "1;ok;names=;x=");
        assert_eq!(
            AnswerHeader::mark("failed").to_string(),
            "1;mark;reason=failed"
        );
    }

    #[test]
    fn foreign_xids_keep_the_signs_that_separate_fields() {
        let xid: Xid = "10.0.0.1:8091;a=%3B".parse().unwrap();
        let header = CallHeader {
            xid,
            call: call("a:1"),
            left: Duration::ZERO,
        };
        assert_eq!(
            header.to_string(),
            "1;xid=10.0.0.1:8091%3Ba%3D%253B;call=a:1;left=0"
        );
        assert_eq!(header.to_string().parse(), Ok(header));
    }

    #[test]
    fn tm1_an_answer_that_is_too_large_becomes_the_mark_and_is_never_cut() {
        let path = |n: u32| call(&format!("{}:{n}", vec!["t".repeat(48); 10].join(":1/")));
        let answer = |count| AnswerHeader::Ok {
            names: (0..1_000).map(Alias).collect(),
            abandoned: (1..=count).map(path).collect(),
        };
        let fits = answer(5).to_string();
        assert!(fits.starts_with("1;ok;") && fits.len() <= limits::ANSWER_HEADER_BYTES_MAX);
        assert_eq!(fits.parse(), Ok(answer(5)));
        assert_eq!(answer(7).to_string(), "1;mark;reason=too-large");
        let long = answer(7).whole();
        assert_eq!(
            long.parse::<AnswerHeader>(),
            Err(HeaderError::TooLong(long.len()))
        );
    }

    #[test]
    fn a_reason_is_made_printable_and_cut() {
        let reason = MarkReason::new(&format!("zu groß\n{}", "x".repeat(100)));
        assert!(reason.as_str().starts_with("zu gro__xx"));
        assert_eq!(reason.as_str().len(), limits::MARK_REASON_BYTES_MAX);
    }

    #[test]
    fn malformed_requests_are_refused_with_what_is_wrong() {
        let cases = [
            ("", "this header has version ``, but only version 1"),
            ("2;xid=a;call=a:1;left=1", "version `2`"),
            ("1", "the field `xid` is missing"),
            ("1;xid=a;call=a:1", "the field `left` is missing"),
            (
                "1;xid=a;call=a:1;left=1;left=2",
                "the field `left` is given twice",
            ),
            (
                "1;xid=a;call=a:1;left=1;colour=red",
                "the field `colour` is unknown",
            ),
            (
                "1;xid;call=a:1;left=1",
                "`xid` is not a field: expected `name=value`",
            ),
            (
                "1;xid=;call=a:1;left=1",
                "the field `xid`: an xid must not be empty",
            ),
            (
                "1;xid=a%2;call=a:1;left=1",
                "the value `a%2` is not percent-encoded",
            ),
            ("1;xid=a%+1;call=a:1;left=1", "is not percent-encoded"),
            ("1;xid=a%FF;call=a:1;left=1", "is not percent-encoded"),
            (
                "1;xid=a%20b;call=a:1;left=1",
                "printable ASCII without spaces; found ' '",
            ),
            ("1;xid=a;call=;left=1", "never the scope that began"),
            (
                "1;xid=a;call=b;left=1",
                "the field `call`: `b` is not a component",
            ),
            ("1;xid=a;call=b:0;left=1", "`b:0` is not a component"),
            (
                "1;xid=a;call=a:1;left=-1",
                "the field `left`: `-1` is not a number",
            ),
            (
                "1;xid=a;call=a:1;left=",
                "the field `left`: `` is not a number",
            ),
            (
                "1;xid=a;call=a:1;left=99999999999999999999",
                "is not a number of milliseconds",
            ),
        ];
        for (text, message) in cases {
            let error = text.parse::<CallHeader>().expect_err(text).to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn malformed_answers_are_refused_with_what_is_wrong() {
        let cases = [
            ("ok", "version `ok`"),
            ("1", "an answer is `ok` or `mark`, not ``"),
            ("1;maybe;names=;x=", "not `maybe`"),
            ("1;ok;names=1", "the field `x` is missing"),
            ("1;ok;names=1;x=;reason=a", "the field `reason` is unknown"),
            ("1;ok;names=1,;x=", "the field `names`: `` is not the alias"),
            ("1;ok;names=A;x=", "`A` is not the alias"),
            ("1;ok;names=1;x=a", "the field `x`: `a` is not a component"),
            (
                "1;ok;names=1;x=a:1,",
                "an abandoned call is never the scope that began",
            ),
            ("1;mark", "the field `reason` is missing"),
            ("1;mark;reason=gr%C3%B6%C3%9Fer", "printable ASCII"),
        ];
        for (text, message) in cases {
            let error = text.parse::<AnswerHeader>().expect_err(text).to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
        let long = format!("1;mark;reason={}", "x".repeat(65));
        assert_eq!(long.parse::<AnswerHeader>(), Err(HeaderError::Reason));
    }
}
