//! The digest of recorded arguments: SHA-256 over the object with keys sorted at every level (N4).
//!
//! Most arguments are a few scalars, which [`Flat`] reads in one pass; the JSON parser reads
//! everything else, to the same digest.

mod flat;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use unanimous_protocol::Digest;

use self::flat::Flat;
use super::{DEPTH_MAX, RecordError};

/// The digest of the text of an object.
pub(super) fn of_object(object: &str) -> Result<Digest, RecordError> {
    match Flat::read(object) {
        Some(flat) => Ok(of_flat(&flat)),
        None => of_any(object),
    }
}

fn of_flat(flat: &Flat<'_>) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(b"{");
    for (name, value) in flat.sorted() {
        hash_name(name, &mut hasher);
        hasher.update(value);
    }
    hasher.update(b"}");
    Digest(hasher.finalize().into())
}

fn of_any(object: &str) -> Result<Digest, RecordError> {
    if !object.starts_with('{') {
        return Err(RecordError::NotAnObject);
    }
    let mut hasher = Sha256::new();
    hash_sorted(object, &mut hasher, 0)?;
    Ok(Digest(hasher.finalize().into()))
}

/// The length keeps the end of a name apart from the start of its value.
fn hash_name(name: &str, hasher: &mut Sha256) {
    hasher.update(name.len().to_be_bytes());
    hasher.update(name);
}

/// A value that was written by this very module, or is refused: scalars are hashed as they were
/// written, so that numbers beyond 64 bits stay different.
fn hash_sorted(text: &str, hasher: &mut Sha256, depth: usize) -> Result<(), RecordError> {
    if depth > DEPTH_MAX {
        return Err(RecordError::TooDeep);
    }
    match text.as_bytes().first() {
        Some(b'{') => {
            let mut fields: Fields<'_> = level(text)?;
            hasher.update(b"{");
            for (name, value) in fields.sorted() {
                hash_name(name, hasher);
                hash_sorted(value.get(), hasher, depth + 1)?;
            }
            hasher.update(b"}");
        }
        Some(b'[') => {
            let elements: Vec<&RawValue> = level(text)?;
            hasher.update(b"[");
            for element in elements {
                hash_sorted(element.get(), hasher, depth + 1)?;
                hasher.update(b",");
            }
            hasher.update(b"]");
        }
        _ => hasher.update(text),
    }
    Ok(())
}

type Field<'a> = (Cow<'a, str>, &'a RawValue);

/// The fields of one object: mostly few, which lie on the stack.
#[derive(Default)]
struct Fields<'a> {
    few: [Option<Field<'a>>; 8],
    more: Vec<Option<Field<'a>>>,
    count: usize,
}

impl<'a> Fields<'a> {
    fn push(&mut self, field: Field<'a>) {
        if let Some(free) = self.few.get_mut(self.count) {
            *free = Some(field);
        } else {
            let few = self
                .few
                .iter_mut()
                .filter_map(|field| field.take().map(Some));
            self.more.extend(few);
            self.more.push(Some(field));
        }
        self.count += 1;
    }

    /// By name; of fields of one name the last.
    fn sorted(&mut self) -> impl Iterator<Item = &Field<'a>> {
        let all = if self.more.is_empty() {
            &mut self.few[..self.count]
        } else {
            &mut self.more[..]
        };
        all.sort_by(|one, other| name(one.as_ref()).cmp(&name(other.as_ref())));
        let all = &*all;
        all.iter().enumerate().filter_map(move |(at, field)| {
            let next = all.get(at + 1).and_then(|next| name(next.as_ref()));
            field.as_ref().filter(|_| name(field.as_ref()) != next)
        })
    }
}

fn name<'a>(field: Option<&'a Field<'_>>) -> Option<&'a str> {
    field.map(|(name, _)| &**name)
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Fields::default();
                while let Some((Name(name), value)) = map.next_entry()? {
                    fields.push((name, value));
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// The name of a field, lent where nothing in it is escaped.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

fn level<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, RecordError> {
    // What lies within a level is well-formed where the level is.
    serde_json::from_str(text).map_err(|_| RecordError::NotAnObject)
}
