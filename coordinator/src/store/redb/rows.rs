//! The tables, and how one value lies in them: `format, bytes, crc32`.

use redb::TableDefinition;

use crate::store::RecordKey;

/// The format of the store as a whole; a newer one is refused.
pub(in crate::store) const FORMAT: u32 = 1;
/// The format of one value.
const ROW_FORMAT: u8 = 1;

/// What the store is: its format and the identity of the log.
pub(super) const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
/// The starts of a coordinator on this log, with their horizons and remembered outcomes.
pub(super) const INCARNATIONS: TableDefinition<'_, &[u8], &[u8]> =
    TableDefinition::new("incarnations");
/// What no horizon touches.
pub(super) const FACTS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("facts");
/// The records of transactions by (incarnation number, counter, slot), all big-endian: in order.
pub(super) const RECORDS: TableDefinition<'_, &[u8; RECORD_KEY_BYTES], &[u8]> =
    TableDefinition::new("records");
pub(super) const RECORD_KEY_BYTES: usize = 24;

pub(super) const META_FORMAT: &str = "format";
pub(super) const META_LOG: &str = "log";

/// Why a row cannot be read.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum RowError {
    /// Not what was written.
    Damaged,
    /// Written by a newer version.
    Newer(u32),
}

pub(super) fn record_key(key: RecordKey) -> [u8; RECORD_KEY_BYTES] {
    let mut bytes = [0; RECORD_KEY_BYTES];
    bytes[..8].copy_from_slice(&key.incarnation.to_be_bytes());
    bytes[8..16].copy_from_slice(&key.counter.to_be_bytes());
    bytes[16..].copy_from_slice(&key.slot.to_be_bytes());
    bytes
}

pub(super) fn parse_record_key(bytes: &[u8; RECORD_KEY_BYTES]) -> RecordKey {
    let u64_at = |at: usize| {
        let mut part = [0; 8];
        part.copy_from_slice(&bytes[at..at + 8]);
        u64::from_be_bytes(part)
    };
    RecordKey {
        incarnation: u64_at(0),
        counter: u64_at(8),
        slot: u64_at(16),
    }
}

/// Writes the row of `key` in `table` into `row`.
pub(super) fn seal(table: &str, key: &[u8], value: &[u8], row: &mut Vec<u8>) {
    row.clear();
    row.push(ROW_FORMAT);
    row.extend_from_slice(value);
    let checksum = checksum(table, key, row);
    row.extend_from_slice(&checksum.to_le_bytes());
}

/// The value in a row, if it is what was written under this key.
pub(super) fn unseal<'a>(table: &str, key: &[u8], row: &'a [u8]) -> Result<&'a [u8], RowError> {
    let (sealed, stored) = row.split_last_chunk::<4>().ok_or(RowError::Damaged)?;
    if checksum(table, key, sealed) != u32::from_le_bytes(*stored) {
        return Err(RowError::Damaged);
    }
    match sealed.split_first() {
        Some((&ROW_FORMAT, value)) => Ok(value),
        Some((&newer, _)) => Err(RowError::Newer(newer.into())),
        None => Err(RowError::Damaged),
    }
}

/// Over table, key and value: a row that strayed under another key does not pass.
fn checksum(table: &str, key: &[u8], sealed: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(table.as_bytes());
    hasher.update(key);
    hasher.update(sealed);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_row_reads_only_under_its_own_key_and_table() {
        let mut row = Vec::new();
        seal("records", b"key", b"value", &mut row);
        assert_eq!(unseal("records", b"key", &row), Ok(&b"value"[..]));
        assert_eq!(unseal("records", b"kez", &row), Err(RowError::Damaged));
        assert_eq!(unseal("meta", b"key", &row), Err(RowError::Damaged));
    }

    #[test]
    fn a_row_of_a_newer_format_says_so() {
        let mut row = vec![ROW_FORMAT + 1, b'x'];
        let sum = checksum("records", b"key", &row);
        row.extend_from_slice(&sum.to_le_bytes());
        assert_eq!(unseal("records", b"key", &row), Err(RowError::Newer(2)));
    }

    proptest! {
        #[test]
        fn unsealing_anything_never_panics(row in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = unseal("records", b"key", &row);
        }

        #[test]
        fn record_keys_order_as_their_bytes(
            a: (u64, u64, u64), b: (u64, u64, u64),
        ) {
            let [a, b] = [a, b].map(|(incarnation, counter, slot)| RecordKey {
                incarnation, counter, slot,
            });
            prop_assert_eq!(parse_record_key(&record_key(a)), a);
            prop_assert_eq!(record_key(a).cmp(&record_key(b)), a.cmp(&b));
        }
    }
}
