//! What the log's records are as bytes: one prost message each, under a key of the store.
//!
//! A horizon with its remembered outcomes is spread over several rows, so that moving it writes
//! only what changed; reading puts them together again.

mod rows;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use prost::Message as _;
use unanimous_protocol::Incarnation;

use super::{Batch, Forget, Key, Loaded, Put, RecordKey, StoreError};
use crate::decide::{self, CHUNK_BITS, Chunk, HorizonRecord, HorizonScope, Record, Slot};

/// The kinds of rows about an incarnation, after its 16 bytes.
const START: u8 = 0;
const HORIZON: u8 = 1;
const CHUNK: u8 = 2;
const LOST: u8 = 3;
/// The kinds of facts.
const ACKED: u8 = 0;
const RESTORED: u8 = 1;
const WRITTEN_OFF: u8 = 2;
const BY_HAND: u8 = 3;

/// Why a row is no record: the checksum was right, so another program wrote it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a row of an unknown kind")]
pub struct Unreadable;

/// The batch that stores a record.
#[must_use]
pub fn encode(record: &Record) -> Batch {
    if let Record::Horizon(horizon) = record {
        return encode_horizon(horizon);
    }
    let put = Put {
        key: store_key(&record.key()),
        value: wire::encode(record),
    };
    Batch {
        forget: None,
        puts: vec![put],
    }
}

/// The records of a store, in the order of their keys.
pub fn decode(loaded: Loaded) -> Result<Vec<Record>, StoreError> {
    let path = loaded.path;
    decode_entries(loaded.entries).map_err(|Unreadable| unreadable(&path))
}

fn unreadable(path: &Path) -> StoreError {
    StoreError::Damaged {
        path: path.to_path_buf(),
        what: "it holds a row of an unknown kind".to_owned(),
    }
}

fn decode_entries(entries: Vec<(Key, Vec<u8>)>) -> Result<Vec<Record>, Unreadable> {
    let mut records = Vec::with_capacity(entries.len());
    let mut horizons: BTreeMap<Incarnation, HorizonRecord> = BTreeMap::new();
    let mut chunks: BTreeMap<Incarnation, Vec<Chunk>> = BTreeMap::new();
    for (key, value) in entries {
        match incarnation_row(&key) {
            Some((incarnation, HORIZON, _)) => {
                horizons.insert(incarnation, wire::decode_horizon(incarnation, &value)?);
            }
            Some((incarnation, CHUNK, rest)) => {
                let index = rest.try_into().map_err(|_| Unreadable)?;
                let index = u64::from_be_bytes(index);
                let words = wire::decode_words(&value)?;
                let chunks = chunks.entry(incarnation).or_default();
                chunks.push(Chunk { index, words });
            }
            _ => {
                let record = wire::decode(&value)?;
                // A row that strayed under another key is not what was written.
                if store_key(&record.key()) != key {
                    return Err(Unreadable);
                }
                records.push(record);
            }
        }
    }
    for (incarnation, chunks) in chunks {
        let horizon = horizons.get_mut(&incarnation).ok_or(Unreadable)?;
        horizon.bits = chunks;
    }
    let horizons = horizons.into_values();
    records.extend(horizons.map(|horizon| Record::Horizon(Box::new(horizon))));
    records.sort_by_cached_key(Record::key);
    Ok(records)
}

fn encode_horizon(horizon: &HorizonRecord) -> Batch {
    let incarnation = horizon.incarnation;
    let head = Put {
        key: row(incarnation, HORIZON, &[]),
        value: wire::horizon_row(horizon).encode_to_vec(),
    };
    let bits = horizon.bits.iter().map(|chunk| Put {
        key: row(incarnation, CHUNK, &chunk.index.to_be_bytes()),
        value: wire::words_row(&chunk.words).encode_to_vec(),
    });
    Batch {
        forget: Some(Forget {
            incarnation: incarnation.number,
            counter: horizon.horizon.counter,
            listed: horizon.horizon.listed.clone(),
            rows: outdated(horizon),
        }),
        puts: std::iter::once(head).chain(bits).collect(),
    }
}

/// Rows of bits that the record does away with: those below what is remembered, or all where it
/// brings all.
fn outdated(horizon: &HorizonRecord) -> Range<Vec<u8>> {
    let chunk = |index: u64| bytes(horizon.incarnation, CHUNK, &index.to_be_bytes());
    let end = match horizon.scope {
        HorizonScope::Moved => chunk(horizon.remembered_from / CHUNK_BITS),
        HorizonScope::Whole => bytes(horizon.incarnation, CHUNK + 1, &[]),
    };
    chunk(0)..end
}

fn row(incarnation: Incarnation, kind: u8, rest: &[u8]) -> Key {
    Key::Incarnation(bytes(incarnation, kind, rest))
}

fn bytes(incarnation: Incarnation, kind: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = incarnation.to_bytes().to_vec();
    bytes.push(kind);
    bytes.extend_from_slice(rest);
    bytes
}

fn incarnation_row(key: &Key) -> Option<(Incarnation, u8, &[u8])> {
    let Key::Incarnation(bytes) = key else {
        return None;
    };
    let (incarnation, rest) = bytes.split_first_chunk::<16>()?;
    let (kind, rest) = rest.split_first()?;
    Some((Incarnation::from_bytes(*incarnation), *kind, rest))
}

fn store_key(key: &decide::Key) -> Key {
    match key {
        decide::Key::Incarnation(incarnation) => row(*incarnation, START, &[]),
        decide::Key::Lost(incarnation) => row(*incarnation, LOST, &[]),
        decide::Key::Horizon(incarnation) => row(*incarnation, HORIZON, &[]),
        decide::Key::Transaction(xid, slot) => Key::Record(RecordKey {
            incarnation: xid.incarnation.number,
            counter: xid.counter,
            slot: slot_number(*slot),
        }),
        decide::Key::Acked(resource, incarnation) => resource_fact(ACKED, resource, *incarnation),
        decide::Key::ResourceRestored(resource, incarnation) => {
            resource_fact(RESTORED, resource, *incarnation)
        }
        decide::Key::WrittenOff(database) => fact(WRITTEN_OFF, &[&database.0]),
        decide::Key::DecidedByHand(xid) => fact(
            BY_HAND,
            &[&xid.incarnation.to_bytes(), &xid.counter.to_be_bytes()],
        ),
    }
}

fn slot_number(slot: Slot) -> u64 {
    match slot {
        Slot::Decision => 0,
        Slot::Branch(alias) => u64::from(alias.0) << 2 | 1,
        Slot::Progress(alias) => u64::from(alias.0) << 2 | 2,
    }
}

fn resource_fact(
    kind: u8,
    resource: &unanimous_protocol::Resource,
    incarnation: Incarnation,
) -> Key {
    let name = resource.participant.as_str().as_bytes();
    let incarnation = incarnation.to_bytes();
    match &resource.database {
        Some(database) => fact(kind, &[&incarnation, &[1], &database.0, name]),
        None => fact(kind, &[&incarnation, &[0], name]),
    }
}

fn fact(kind: u8, parts: &[&[u8]]) -> Key {
    let mut bytes = vec![kind];
    for part in parts {
        bytes.extend_from_slice(part);
    }
    Key::Fact(bytes)
}
