//! What a start makes of files that are not as they were written.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use crate::random::Random;
use unanimous_protocol::LogId;

use super::rows::{META, META_FORMAT, seal};
use super::sim::SimMedia;
use super::{Media, RedbStore};
use crate::store::{Batch, Force, Forget, Key, Loaded, Put, RecordKey, Store, StoreError};

const LOG: LogId = LogId([7; 16]);
const PAGE: usize = 4096;

fn put(counter: u64, len: usize) -> Put {
    Put {
        key: record(1, counter),
        value: vec![u8::try_from(counter % 251).unwrap(); len],
    }
}

fn record(incarnation: u64, counter: u64) -> Key {
    Key::Record(RecordKey {
        incarnation,
        counter,
        slot: 0,
    })
}

fn incarnation(name: u8) -> Put {
    Put {
        key: Key::Incarnation(vec![name]),
        value: b"an incarnation".to_vec(),
    }
}

/// A store with some hundred records, so that its tree has branch pages.
fn write_records(store: &RedbStore, records: u64) {
    let mut puts = vec![incarnation(1)];
    puts.extend((1..=records).map(|counter| put(counter, 40)));
    let batch = Batch { puts, forget: None };
    store.append(batch, Force::Forced).unwrap();
    store.close().unwrap();
}

fn closed_store() -> Vec<u8> {
    let media = Arc::new(SimMedia::new());
    let store = RedbStore::over(media.clone(), true, LOG).unwrap();
    write_records(&store, 400);
    media.bytes()
}

fn load(bytes: &[u8]) -> (Result<Loaded, StoreError>, Arc<SimMedia>) {
    let media = Arc::new(SimMedia::with_bytes(bytes));
    let opened = RedbStore::over(media.clone(), false, LOG);
    let loaded = opened.and_then(|store| store.load());
    (loaded, media)
}

/// Opens a store with one bit flipped: it serves exactly what was written, or refuses with the
/// file's name and leaves the bytes as they were. Returns whether it was refused.
fn check_flip(healthy: &[u8], expected: &Loaded, bit: usize) -> bool {
    let mut bytes = healthy.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    let (loaded, media) = load(&bytes);
    match loaded {
        Ok(loaded) => {
            assert_eq!(&loaded, expected, "bit {bit}: other records are served");
            false
        }
        Err(error) => {
            assert!(error.to_string().contains("simulated.redb"), "{error}");
            assert_eq!(media.bytes(), bytes, "bit {bit}: the file was changed");
            true
        }
    }
}

#[test]
fn a_thousand_random_bit_flips_serve_the_same_records_or_refuse() {
    let healthy = closed_store();
    let expected = load(&healthy).0.unwrap();
    assert_eq!(expected.entries.len(), 401);
    let mut random = Random::seeded(20);
    let used: Vec<usize> = used_pages(&healthy, |_| true);
    let mut refused = 0;
    for round in 0..1_000 {
        let draw = usize::try_from(random.bits() >> 1).unwrap();
        // Half of them anywhere, half where something is written.
        let bit = if round % 2 == 0 {
            draw % (healthy.len() * 8)
        } else {
            used[draw % used.len()] * PAGE * 8 + (draw >> 20) % (PAGE * 8)
        };
        refused += usize::from(check_flip(&healthy, &expected, bit));
    }
    assert!(refused > 50, "only {refused} flips were noticed");
}

#[test]
fn bit_flips_in_branch_pages_serve_the_same_records_or_refuse() {
    let healthy = closed_store();
    let expected = load(&healthy).0.unwrap();
    // redb marks a branch page with 2 in its first byte.
    let branches = used_pages(&healthy, |page| page[0] == 2);
    assert!(!branches.is_empty(), "the tree has no branch page");
    let mut refused = 0;
    for page in branches {
        // The head of the page, where keys and children stand, bit by bit.
        for bit in 0..256 {
            refused += usize::from(check_flip(&healthy, &expected, page * PAGE * 8 + bit));
        }
    }
    assert!(refused > 50, "only {refused} flips were noticed");
}

fn used_pages(bytes: &[u8], wanted: impl Fn(&[u8]) -> bool) -> Vec<usize> {
    let pages = bytes.chunks(PAGE).enumerate();
    pages
        .filter(|(_, page)| page.iter().any(|byte| *byte != 0) && wanted(page))
        .map(|(index, _)| index)
        .collect()
}

#[test]
fn a_file_cut_anywhere_is_refused_and_left_as_it_was() {
    let healthy = closed_store();
    for len in [
        1,
        8,
        9,
        64,
        320,
        PAGE,
        3 * PAGE,
        healthy.len() / 2,
        healthy.len() - 1,
    ] {
        let (loaded, media) = load(&healthy[..len]);
        let error = loaded.unwrap_err().to_string();
        assert!(error.contains("simulated.redb"), "{error}");
        assert_eq!(media.bytes(), &healthy[..len], "cut at {len}");
    }
}

#[test]
fn opening_and_closing_changes_no_record() {
    let mut bytes = closed_store();
    let expected = load(&bytes).0.unwrap();
    for _ in 0..3 {
        let (loaded, media) = load(&bytes);
        assert_eq!(loaded.unwrap(), expected);
        bytes = media.bytes();
    }
}

/// Bad files on a real disk: what is there, and what the message must say.
#[test]
fn foreign_files_are_refused_with_their_name_and_left_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let table: [(&str, Vec<u8>, &str); 4] = [
        ("empty", Vec::new(), "it is empty"),
        (
            "text",
            b"not a database at all".to_vec(),
            "its first bytes are others",
        ),
        (
            "sqlite",
            b"SQLite format 3\0".repeat(400),
            "its first bytes are others",
        ),
        (
            "other.redb",
            redb_of_another_program(folder.path()),
            "without the table `meta`",
        ),
    ];
    for (name, bytes, says) in table {
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        let error = RedbStore::open(&path, LOG).unwrap_err();
        assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(name) && text.contains(says), "{text}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name} was changed");
        let reserve = folder.path().join(format!("{name}.reserve"));
        assert!(!reserve.exists(), "a reserve beside a refused file");
    }
}

fn redb_of_another_program(folder: &Path) -> Vec<u8> {
    let path = folder.join("made.redb");
    let database = redb::Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let table = redb::TableDefinition::<u64, u64>::new("numbers");
    transaction.open_table(table).unwrap().insert(1, 1).unwrap();
    transaction.commit().unwrap();
    drop(database);
    std::fs::read(path).unwrap()
}

#[test]
fn a_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = RedbStore::open(folder.path(), LOG).unwrap_err();
    assert!(error.to_string().contains(folder.path().to_str().unwrap()));
}

#[test]
fn a_damaged_file_on_disk_is_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let mut bytes = closed_store();
    for leaf in used_pages(&bytes, |page| page[0] == 1) {
        bytes[leaf * PAGE + 100] ^= 4;
    }
    std::fs::write(&path, &bytes).unwrap();
    let error = RedbStore::open(&path, LOG).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("log.redb"));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_store_of_a_newer_format_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    RedbStore::open(&path, LOG).unwrap().close().unwrap();
    {
        let database = redb::Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        let mut row = Vec::new();
        seal(
            "meta",
            META_FORMAT.as_bytes(),
            &2_u32.to_le_bytes(),
            &mut row,
        );
        let mut meta = transaction.open_table(META).unwrap();
        meta.insert(META_FORMAT, &row[..]).unwrap();
        drop(meta);
        transaction.commit().unwrap();
    }
    let before = std::fs::read(&path).unwrap();
    let error = RedbStore::open(&path, LOG).unwrap_err();
    assert!(
        matches!(error, StoreError::Newer { found: 2, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("log.redb"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_value_whose_own_checksum_is_wrong_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let store = RedbStore::open(&path, LOG).unwrap();
    write_records(&store, 3);
    {
        let database = redb::Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        let mut records = transaction.open_table(super::rows::RECORDS).unwrap();
        let key = super::rows::record_key(RecordKey {
            incarnation: 1,
            counter: 2,
            slot: 0,
        });
        records.insert(&key, &b"\x01stray value"[..]).unwrap();
        drop(records);
        transaction.commit().unwrap();
    }
    let error = RedbStore::open(&path, LOG).unwrap_err().to_string();
    assert!(
        error.contains("record 1.2.0") && error.contains("log.redb"),
        "{error}"
    );
}

#[test]
fn two_opens_of_one_store_are_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    let first = RedbStore::open(&path, LOG).unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = RedbStore::open(&path, LOG).unwrap_err();
    assert!(error.is_in_use(), "{error}");
    assert!(error.to_string().contains("log.redb"));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    first.close().unwrap();
    drop(first);
    let mut again = RedbStore::open(&path, LogId([9; 16])).unwrap();
    assert_eq!(again.load().unwrap().log, LOG, "the log keeps its identity");
    again = {
        drop(again);
        RedbStore::open(&path, LOG).unwrap()
    };
    drop(again);
}

#[test]
fn a_crash_during_creation_leaves_no_half_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.redb");
    std::fs::write(folder.path().join("log.redb.new"), b"half a store").unwrap();
    let store = RedbStore::open(&path, LOG).unwrap();
    assert_eq!(store.load().unwrap().entries, []);
    assert!(path.exists() && !folder.path().join("log.redb.new").exists());
}

#[test]
fn l6_a_reserve_stands_beside_an_open_store_and_a_short_one_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let (path, reserve) = (
        folder.path().join("log.redb"),
        folder.path().join("log.redb.reserve"),
    );
    drop(RedbStore::open(&path, LOG).unwrap());
    let whole = std::fs::read(&reserve).unwrap().len();
    assert!(whole >= 1024 * 1024, "only {whole} bytes are set aside");
    std::fs::write(&reserve, b"short").unwrap();
    let store = RedbStore::open(&path, LOG).unwrap();
    assert_eq!(std::fs::read(&reserve).unwrap().len(), whole);
    assert!(!store.is_full() && !folder.path().join("log.redb.probe").exists());
}

#[test]
fn a_horizon_deletes_what_it_covers_and_keeps_what_it_lists() {
    let media = Arc::new(SimMedia::new());
    let store = RedbStore::over(media.clone(), true, LOG).unwrap();
    let rows = [1, 2, 3].map(incarnation);
    let batch = Batch {
        puts: (1..=9).map(|counter| put(counter, 4)).chain(rows).collect(),
        forget: None,
    };
    store.append(batch, Force::Lazy).unwrap();
    let batch = Batch {
        forget: Some(Forget {
            incarnation: 1,
            counter: 6,
            listed: BTreeSet::from([2, 5]),
            rows: vec![2]..vec![3],
        }),
        puts: vec![Put {
            key: record(2, 1),
            value: Vec::new(),
        }],
    };
    store.append(batch, Force::Forced).unwrap();
    store.close().unwrap();
    let loaded = load(&media.bytes()).0.unwrap();
    let kept: Vec<_> = loaded.entries.into_iter().map(|(key, _)| key).collect();
    let records = [(1, 2), (1, 5), (1, 7), (1, 8), (1, 9), (2, 1)].map(|(i, c)| record(i, c));
    let expected: Vec<_> = [vec![1], vec![3]]
        .map(Key::Incarnation)
        .into_iter()
        .chain(records)
        .collect();
    assert_eq!(kept, expected);
}

#[test]
fn the_length_of_an_unwritten_medium_is_zero() {
    assert!(SimMedia::new().is_empty().unwrap());
}
