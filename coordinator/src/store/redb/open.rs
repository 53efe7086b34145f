use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use redb::{
    Database, DatabaseError, Durability, ReadableDatabase as _, ReadableTable as _, StorageError,
    TableError,
};
use unanimous_protocol::LogId;

use super::held::Held;
use super::media::{Media, is_full};
use super::rows::{
    FACTS, FORMAT, INCARNATIONS, META, META_FORMAT, META_LOG, RECORDS, RowError, parse_record_key,
    seal, unseal,
};
use crate::store::{Key, Loaded, StoreError};

/// The first bytes of every redb file.
const MAGIC: [u8; 9] = *b"redb\x1A\x0A\xA9\x0D\x0A";
/// Live transactions fit; redb's default of 1 GiB would be a surprise in an embedding process.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

/// An opened and verified store.
pub(super) struct Opened {
    pub(super) database: Database,
    /// What the database writes to.
    pub(super) held: Held,
    pub(super) loaded: Loaded,
    pub(super) full: bool,
}

/// What is wrong with a file.
enum Refusal {
    Damaged(String),
    Foreign(String),
    Newer(u32),
    Io(std::io::Error),
}

pub(super) fn open(
    media: &Arc<dyn Media>,
    is_new: bool,
    new_log: LogId,
) -> Result<Opened, StoreError> {
    let path = || media.path().to_path_buf();
    let refused = |refusal| match refusal {
        Refusal::Damaged(what) => StoreError::Damaged { path: path(), what },
        Refusal::Foreign(what) => StoreError::Foreign { path: path(), what },
        Refusal::Newer(found) => StoreError::Newer {
            path: path(),
            found,
        },
        Refusal::Io(error) => StoreError::io(media.path(), &error),
    };
    let failed = |error: std::io::Error| StoreError::io(media.path(), &error);
    if !is_new {
        check_magic(&**media).map_err(refused)?;
    }
    let held = Held::new(Arc::clone(media)).map_err(failed)?;
    // A damaged file makes the engine panic at times; nothing outlives the closure then but what
    // was held in memory.
    let verified = catch_unwind(AssertUnwindSafe(|| {
        if is_new {
            create(&held, new_log)
        } else {
            verify(&held)
        }
    }));
    let (database, loaded) = verified
        .unwrap_or_else(|_| Err(Refusal::Damaged("the engine panicked over it".to_owned())))
        .map_err(refused)?;

    let full = !media.make_reserve().map_err(failed)?;
    if full {
        media.release_reserve().map_err(failed)?;
    }
    held.release().map_err(failed)?;
    media.publish().map_err(failed)?;
    Ok(Opened {
        database,
        held,
        loaded,
        full,
    })
}

fn check_magic(media: &dyn Media) -> Result<(), Refusal> {
    let len = media.len().map_err(Refusal::Io)?;
    if len == 0 {
        return Err(Refusal::Foreign(
            "it is empty; remove it if a new log may start".to_owned(),
        ));
    }
    let mut first = [0; MAGIC.len()];
    let there = usize::try_from(len).unwrap_or(usize::MAX).min(first.len());
    media.read(0, &mut first[..there]).map_err(Refusal::Io)?;
    if first == MAGIC {
        Ok(())
    } else {
        Err(Refusal::Foreign("its first bytes are others".to_owned()))
    }
}

fn engine(held: &Held) -> Result<Database, DatabaseError> {
    Database::builder()
        .set_cache_size(CACHE_BYTES)
        .create_with_backend(held.clone())
}

fn create(held: &Held, log: LogId) -> Result<(Database, Loaded), Refusal> {
    let database = engine(held).map_err(engine_refusal)?;
    let write = || -> Result<(), redb::Error> {
        let mut transaction = database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        {
            let mut meta = transaction.open_table(META)?;
            for (key, value) in [(META_FORMAT, &FORMAT.to_le_bytes()[..]), (META_LOG, &log.0)] {
                let mut row = Vec::new();
                seal("meta", key.as_bytes(), value, &mut row);
                meta.insert(key, &row[..])?;
            }
            transaction.open_table(INCARNATIONS)?;
            transaction.open_table(RECORDS)?;
            transaction.open_table(FACTS)?;
        }
        transaction.commit()?;
        Ok(())
    };
    write().map_err(|error| Refusal::Io(std::io::Error::other(error.to_string())))?;
    let loaded = Loaded {
        path: held.path().to_path_buf(),
        log,
        entries: Vec::new(),
    };
    Ok((database, loaded))
}

/// Opens, lets redb repair what an unclean end left, and verifies every page and every value.
fn verify(held: &Held) -> Result<(Database, Loaded), Refusal> {
    let mut database = engine(held).map_err(engine_refusal)?;
    match database.check_integrity() {
        Ok(true) => {}
        Ok(false) => return Err(Refusal::Damaged("its checksums do not match".to_owned())),
        Err(error) => return Err(engine_refusal(error)),
    }
    let loaded = read_all(&database, held.path())?;
    Ok((database, loaded))
}

fn engine_refusal(error: DatabaseError) -> Refusal {
    match error {
        DatabaseError::Storage(StorageError::Io(error)) if is_full(&error) => Refusal::Io(error),
        DatabaseError::UpgradeRequired(version) => Refusal::Foreign(format!(
            "it is a redb file of the old file format {version}"
        )),
        other => Refusal::Damaged(other.to_string()),
    }
}

fn storage(error: impl Into<redb::Error>) -> Refusal {
    Refusal::Damaged(error.into().to_string())
}

fn table(error: TableError) -> Refusal {
    match error {
        TableError::TableDoesNotExist(name) => {
            Refusal::Foreign(format!("it is a redb file without the table `{name}`"))
        }
        TableError::TableTypeMismatch { table, .. } => Refusal::Foreign(format!(
            "it is a redb file whose table `{table}` has other types"
        )),
        other => storage(other),
    }
}

fn value(
    name: &str,
    key: &[u8],
    row: &[u8],
    told: impl FnOnce() -> String,
) -> Result<Vec<u8>, Refusal> {
    match unseal(name, key, row) {
        Ok(value) => Ok(value.to_vec()),
        Err(RowError::Newer(found)) => Err(Refusal::Newer(found)),
        Err(RowError::Damaged) => Err(Refusal::Damaged(format!(
            "the checksum of {} does not match",
            told()
        ))),
    }
}

fn read_all(database: &Database, path: &Path) -> Result<Loaded, Refusal> {
    let read = database.begin_read().map_err(storage)?;
    let meta = read.open_table(META).map_err(table)?;
    let entry = |key: &'static str| -> Result<Vec<u8>, Refusal> {
        let row = meta.get(key).map_err(storage)?;
        let row = row.ok_or_else(|| {
            Refusal::Foreign(format!("it is a redb file without the entry `{key}`"))
        })?;
        value("meta", key.as_bytes(), row.value(), || {
            format!("the entry `{key}`")
        })
    };
    check_format(&entry(META_FORMAT)?)?;
    let log = entry(META_LOG)?;
    let log = <[u8; 16]>::try_from(log)
        .map_err(|_| Refusal::Damaged("its log id has another length".to_owned()))?;

    let mut entries = Vec::new();
    for (name, definition) in [("incarnations", INCARNATIONS), ("facts", FACTS)] {
        let rows = read.open_table(definition).map_err(table)?;
        for entry in rows.iter().map_err(storage)? {
            let (key, row) = entry.map_err(storage)?;
            let bytes = value(name, key.value(), row.value(), || {
                format!("an entry of `{name}`")
            })?;
            let key = key.value().to_vec();
            let key = match name {
                "facts" => Key::Fact(key),
                _ => Key::Incarnation(key),
            };
            entries.push((key, bytes));
        }
    }
    let records = read.open_table(RECORDS).map_err(table)?;
    for entry in records.iter().map_err(storage)? {
        let (key, row) = entry.map_err(storage)?;
        let at = parse_record_key(key.value());
        let bytes = value("records", key.value(), row.value(), || {
            format!("record {}.{}.{}", at.incarnation, at.counter, at.slot)
        })?;
        entries.push((Key::Record(at), bytes));
    }
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(Loaded {
        path: path.to_path_buf(),
        log: LogId(log),
        entries,
    })
}

fn check_format(bytes: &[u8]) -> Result<(), Refusal> {
    let format = <[u8; 4]>::try_from(bytes).map(u32::from_le_bytes);
    match format {
        Ok(FORMAT) => Ok(()),
        Ok(newer) if newer > FORMAT => Err(Refusal::Newer(newer)),
        _ => Err(Refusal::Damaged(
            "its format has no known number".to_owned(),
        )),
    }
}
