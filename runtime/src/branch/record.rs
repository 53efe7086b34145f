//! Arguments, written field by field before anything is registered.
//!
//! A JSON object keyed by parameter name: no struct is generated, and a partner decodes only what
//! it takes, so a new parameter does not break branches in flight.

mod digest;
mod finite;

use std::any::type_name;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write as _};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use unanimous_protocol::message::Json;
use unanimous_protocol::{Digest, limits};

use super::run::NOTHING;

/// Values nest at most so deep: the parser of phase two follows no deeper.
const DEPTH_MAX: usize = 120;

thread_local! {
    /// Where arguments are written; kept for the next action on this thread.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// More is given back at once.
const SCRATCH_BYTES_MAX: usize = 4_096;

/// Writes the arguments of an action, one after the other.
///
/// A failure is kept and told by [`Recorded`]; what follows it is not written any more.
pub struct Recorder {
    json: Vec<u8>,
    /// Boxed: futures of actions hold the recorder.
    error: Option<Box<RecordError>>,
    /// The call is refused, as no transaction surrounds it: nothing is written. Runners read this
    /// field itself: lending the recorder would keep it in their futures.
    pub(crate) refused: bool,
}

/// The recorded arguments of one branch: a JSON object, at most
/// [`limits::ARGUMENTS_BYTES_MAX`] bytes long, or the error that recording them met.
///
/// Neither its `Debug` output nor any error shows a value: recorded arguments never reach a log.
#[derive(Clone)]
pub struct Recorded {
    json: Result<Json, RecordError>,
}

/// Why arguments cannot be recorded, or cannot be read back.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// They are longer than the limit.
    #[error(
        "with `{0}` they need more than {max} bytes; pass a reference to large data instead, such as its key",
        max = limits::ARGUMENTS_BYTES_MAX
    )]
    TooLarge(String),
    /// They nest too deeply to be read again.
    #[error("they nest deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// Serialisation failed.
    #[error("`{name}` cannot be serialised: {why}")]
    Serialize {
        /// The parameter.
        name: String,
        /// What its `Serialize` said.
        why: String,
    },
    /// No value was recorded under this name.
    #[error("nothing was recorded under this name")]
    Missing,
    /// What was recorded is no value of this type.
    #[error("what was recorded is not a `{0}`")]
    NotA(&'static str),
    /// What was recorded is no JSON object.
    #[error("what was recorded is not a JSON object")]
    NotAnObject,
    /// No transaction surrounds the call, so it is refused.
    #[error("nothing is recorded outside a transaction")]
    OutsideTransaction,
}

/// A type whose values can be read back in phase two: every `DeserializeOwned`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read back in phase two",
    label = "needs `serde::Deserialize`, and no lifetime",
    note = "derive it, with what records it: `#[derive(serde::Serialize, serde::Deserialize)]`; types \
            of another crate have it behind that crate's feature `serde`"
)]
pub trait Readable: DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> Readable for T {}

/// A type whose values can be recorded: every `Serialize`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be recorded for phase two",
    label = "needs `serde::Serialize`",
    note = "derive it, with what reads it back: `#[derive(serde::Serialize, serde::Deserialize)]`; \
            types of another crate have it behind that crate's feature `serde`",
    note = "or mark the parameter `#[skip]`: phase two goes without it then"
)]
pub trait Recordable: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> Recordable for T {}

impl Recorder {
    /// Starts with no arguments.
    #[must_use]
    pub fn new() -> Self {
        let mut json = scratch();
        json.push(b'{');
        Self {
            json,
            error: None,
            refused: false,
        }
    }

    /// Writes nothing: the call is refused, as no transaction surrounds it.
    pub(crate) fn refused() -> Self {
        Self {
            json: Vec::new(),
            error: None,
            refused: true,
        }
    }

    /// Records one argument under its name.
    #[inline]
    #[must_use]
    pub fn put<T: Recordable + ?Sized>(mut self, name: &str, value: &T) -> Self {
        if !self.refused {
            self.write(name, value);
        }
        self
    }

    fn write<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        if self.begin(name) {
            let from = self.json.len();
            let written = serde_json::to_writer(Bounded(&mut self.json), value);
            let written = written.and_then(|()| all_finite(value, &self.json[from..]));
            self.end(name, written);
        }
    }

    /// What was recorded.
    #[must_use]
    pub fn finish(mut self) -> Recorded {
        let refused = self.refused.then_some(RecordError::OutsideTransaction);
        if let Some(error) = self.error.take().map(|error| *error).or(refused) {
            return Recorded { json: Err(error) };
        }
        self.json.push(b'}');
        // The serialiser writes nothing but UTF-8.
        let json = std::str::from_utf8(&self.json)
            .map(Json::from)
            .map_err(|_| RecordError::NotAnObject);
        Recorded { json }
    }

    fn begin(&mut self, name: &str) -> bool {
        if self.error.is_some() {
            return false;
        }
        if self.json.len() > 1 {
            self.json.push(b',');
        }
        let written = write_name(&mut Bounded(&mut self.json), name);
        self.end(name, written);
        self.error.is_none()
    }

    fn end(&mut self, name: &str, written: serde_json::Result<()>) {
        let Err(error) = written else { return };
        self.error = Some(Box::new(if error.is_io() {
            RecordError::TooLarge(name.to_owned())
        } else {
            RecordError::Serialize {
                name: name.to_owned(),
                why: error.to_string(),
            }
        }));
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let json = std::mem::take(&mut self.json);
        if json.capacity() > 0 {
            keep_scratch(json);
        }
    }
}

/// The text of one value; nothing is allocated for that of the unit value.
pub(crate) fn text_of<T: Serialize>(value: &T) -> serde_json::Result<Cow<'static, str>> {
    let mut json = scratch();
    let written = serde_json::to_writer(&mut json, value);
    let written = written.and_then(|()| readable(value, &json));
    let text = if json == NOTHING.as_bytes() {
        Cow::Borrowed(NOTHING)
    } else {
        // The serialiser writes nothing but UTF-8.
        Cow::Owned(String::from_utf8_lossy(&json).into_owned())
    };
    keep_scratch(json);
    written.map(|()| text)
}

/// Fails for what cannot be read back, or not as what it was. Arguments are looked at by parts:
/// their depth is that of the whole.
pub(super) fn readable<T: Serialize + ?Sized>(value: &T, json: &[u8]) -> serde_json::Result<()> {
    if depth(json) > DEPTH_MAX {
        let error = RecordError::TooDeep.to_string();
        return Err(serde::ser::Error::custom(error));
    }
    all_finite(value, json)
}

/// JSON has `null` for a number that is not finite.
fn all_finite<T: Serialize + ?Sized>(value: &T, json: &[u8]) -> serde_json::Result<()> {
    let null = NOTHING.as_bytes();
    if json.windows(null.len()).any(|part| part == null) {
        finite::check(value)
    } else {
        Ok(())
    }
}

/// How deep arrays and objects nest in a text that was just written.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Most names are identifiers, which JSON writes as they are.
fn write_name(json: &mut Bounded<'_>, name: &str) -> serde_json::Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !name.bytes().all(plain) {
        serde_json::to_writer(&mut *json, name)?;
        return json.write_all(b":").map_err(serde_json::Error::io);
    }
    let parts: [&[u8]; 3] = [b"\"", name.as_bytes(), b"\":"];
    let written = parts.into_iter().try_for_each(|part| json.write_all(part));
    written.map_err(serde_json::Error::io)
}

fn scratch() -> Vec<u8> {
    SCRATCH.try_with(Cell::take).unwrap_or_default()
}

fn keep_scratch(mut json: Vec<u8>) {
    if json.capacity() <= SCRATCH_BYTES_MAX {
        json.clear();
        // A thread that is ending keeps nothing.
        let _ = SCRATCH.try_with(|scratch| scratch.set(json));
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("bytes", &self.json.len())
            .finish_non_exhaustive()
    }
}

impl Recorded {
    /// Arguments as they were recorded elsewhere.
    #[must_use]
    pub fn from_json(json: Json) -> Self {
        Self { json: Ok(json) }
    }

    /// The JSON object.
    ///
    /// # Errors
    ///
    /// The first error that recording met.
    pub fn json(&self) -> Result<&Json, RecordError> {
        self.json.as_ref().map_err(Clone::clone)
    }

    /// The value recorded under `name`.
    ///
    /// # Errors
    ///
    /// When nothing, or no `T`, stands there. The error never shows the value.
    pub fn read<T: DeserializeOwned>(&self, name: &str) -> Result<T, RecordError> {
        let value = self.field(name)?;
        serde_json::from_str(value.get()).map_err(|_| RecordError::NotA(type_name::<T>()))
    }

    /// SHA-256 over the object with keys sorted at every level: a repeat that records its
    /// maps in another order is the same call.
    ///
    /// # Errors
    ///
    /// As [`Recorded::json`]; also when the values nest too deeply.
    pub fn digest(&self) -> Result<Digest, RecordError> {
        digest::of_object(self.json()?.trim())
    }

    fn field(&self, name: &str) -> Result<&RawValue, RecordError> {
        let mut fields: BTreeMap<String, &RawValue> =
            serde_json::from_str(self.json()?).map_err(|_| RecordError::NotAnObject)?;
        fields.remove(name).ok_or(RecordError::Missing)
    }
}

impl fmt::Debug for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.json {
            Ok(json) => f
                .debug_struct("Recorded")
                .field("bytes", &json.len())
                .finish_non_exhaustive(),
            Err(error) => f.debug_tuple("Recorded").field(error).finish(),
        }
    }
}

/// Refuses to grow beyond the limit, so that a huge value is not even written in memory.
struct Bounded<'a>(&'a mut Vec<u8>);

impl io::Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // One byte is left for the closing brace.
        if self.0.len() + bytes.len() >= limits::ARGUMENTS_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
