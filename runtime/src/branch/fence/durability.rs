//! Whether a database keeps what it commits (E3), and what is known about each pool.
//!
//! A local commit that is lost after it was answered comes back as a tried row whose transaction
//! the coordinator has forgotten, and is cancelled although everybody else confirmed. So a
//! connection that may lose commits never runs a fenced transaction.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Row as _, SqliteConnection, SqlitePool};

use super::FenceError;
use super::connection::{acquire, database};
use super::turn::Turns;

/// Both pragmas and the file behind them, in one query.
const SETTINGS: &str = "SELECT
    (SELECT journal_mode FROM pragma_journal_mode),
    (SELECT synchronous FROM pragma_synchronous),
    (SELECT file FROM pragma_database_list WHERE name = 'main')";

/// SQLite's numbers for `PRAGMA synchronous`.
const FULL: i64 = 2;
const EXTRA: i64 = 3;

/// Opens a pool whose connections keep what they commit, creating the file where it is missing.
pub(crate) async fn open_durable(path: &Path) -> Result<SqlitePool, FenceError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let opened = SqlitePoolOptions::new().connect_with(options).await;
    let pool = opened.map_err(|source| FenceError::Open {
        path: path.to_path_buf(),
        source: Box::new(source),
    })?;
    // Some file systems cannot do what was asked, and SQLite then says so only when asked.
    check(&mut *acquire(&pool).await?).await?;
    known(&pool).trust(Trust::Durable);
    Ok(pool)
}

/// Asks the connection, unless its pool is known to be durable or may be volatile.
pub(super) async fn check_unless_trusted(
    pool: &SqlitePool,
    connection: &mut SqliteConnection,
) -> Result<(), FenceError> {
    if known(pool).trust.is_some() {
        Ok(())
    } else {
        check(connection).await
    }
}

/// Whether the pool's database is a file that stays when the process ends.
pub(super) fn outlives_process(pool: &SqlitePool) -> bool {
    let options = pool.connect_options();
    let name = options.get_filename();
    // Only the URL tells the flag, and not every file name makes one.
    let url = options.as_ref().clone().filename("/").to_url_lossy();
    let in_memory = url
        .query_pairs()
        .any(|(key, value)| key == "mode" && value == "memory");
    !in_memory && !name.as_os_str().is_empty() && name != Path::new(":memory:")
}

/// Accepts whatever the pool is, from now on.
pub(super) fn accept_volatile(pool: &SqlitePool) {
    known(pool).trust(Trust::Volatile);
}

/// Whether the pool keeps what it commits, asked even where it was accepted as volatile.
pub(super) async fn check_pool(pool: &SqlitePool) -> Result<(), FenceError> {
    if known(pool).trust == Some(Trust::Durable) {
        return Ok(());
    }
    check(&mut *acquire(pool).await?).await
}

/// Refuses a connection that may lose what it commits.
async fn check(connection: &mut SqliteConnection) -> Result<(), FenceError> {
    let row = sqlx::query(SETTINGS)
        .fetch_one(connection)
        .await
        .map_err(database)?;
    let journal_mode: String = row.try_get(0).map_err(database)?;
    let synchronous: i64 = row.try_get(1).map_err(database)?;
    let file: Option<String> = row.try_get(2).map_err(database)?;
    match weakness(
        &journal_mode,
        synchronous,
        file.as_deref().unwrap_or_default(),
    ) {
        None => Ok(()),
        Some(why) => Err(FenceError::NotDurable(why)),
    }
}

/// Why such a database may lose what it commits, and what to write instead.
fn weakness(journal_mode: &str, synchronous: i64, file: &str) -> Option<String> {
    if file.is_empty() {
        return Some(
            "an in-memory or temporary database does not keep its commits, so it cannot hold a fence: open a file with `unanimous::sqlite::durable(\"FILE\").await?`"
                .to_owned(),
        );
    }
    let enough = match journal_mode {
        "wal" => synchronous >= FULL,
        "delete" | "truncate" | "persist" => synchronous >= EXTRA,
        _ => false,
    };
    if enough {
        return None;
    }
    let level = match synchronous {
        0 => "OFF",
        1 => "NORMAL",
        FULL => "FULL",
        _ => "EXTRA",
    };
    Some(format!(
        "{file} may lose what it commits (journal_mode = {journal_mode}, synchronous = {level}): open it with `unanimous::sqlite::durable({file:?}).await?`, or add `.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full)` to its connect options"
    ))
}

/// What is known about a pool. Pools are told apart by their shared options: clones share them.
struct KnownPool {
    /// Keeps the address from being used again.
    options: Weak<SqliteConnectOptions>,
    trust: Option<Trust>,
    turns: Turns,
}

/// Why the connections of a pool are not asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Trust {
    /// `open_durable` made it.
    Durable,
    /// The runtime said that it may lose what it commits.
    Volatile,
}

static POOLS: Mutex<Vec<KnownPool>> = Mutex::new(Vec::new());

/// The key of a pool: clones have the same.
pub(super) fn pool_key(pool: &SqlitePool) -> usize {
    Arc::as_ptr(&pool.connect_options()).addr()
}

/// The queue in which fenced transactions of this pool wait for the one write lock.
pub(super) fn turns(pool: &SqlitePool) -> Turns {
    known(pool).turns
}

struct Known {
    options: Arc<SqliteConnectOptions>,
    trust: Option<Trust>,
    turns: Turns,
}

fn known(pool: &SqlitePool) -> Known {
    let options = pool.connect_options();
    // Nothing in here can panic half-way.
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    let found = pools
        .iter()
        .find(|known| known.options.as_ptr() == Arc::as_ptr(&options));
    if let Some(found) = found {
        return Known {
            options,
            trust: found.trust,
            turns: found.turns.clone(),
        };
    }
    pools.retain(|known| known.options.strong_count() > 0);
    let turns = Turns::default();
    pools.push(KnownPool {
        options: Arc::downgrade(&options),
        trust: None,
        turns: turns.clone(),
    });
    Known {
        options,
        trust: None,
        turns,
    }
}

impl Known {
    fn trust(self, trust: Trust) {
        let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
        let options = Arc::as_ptr(&self.options);
        for known in pools
            .iter_mut()
            .filter(|known| known.options.as_ptr() == options)
        {
            if known.trust != Some(Trust::Durable) {
                known.trust = Some(trust);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e3_only_settings_that_keep_commits_pass() {
        let cases = [
            ("wal", 0, false),
            ("wal", 1, false),
            ("wal", 2, true),
            ("wal", 3, true),
            ("delete", 2, false),
            ("delete", 3, true),
            ("truncate", 2, false),
            ("truncate", 3, true),
            ("persist", 2, false),
            ("persist", 3, true),
            ("memory", 3, false),
            ("off", 3, false),
            ("unheard-of", 3, false),
        ];
        for (journal_mode, synchronous, passes) in cases {
            let weakness = weakness(journal_mode, synchronous, "/a.db");
            assert_eq!(
                weakness.is_none(),
                passes,
                "{journal_mode} {synchronous}: {weakness:?}"
            );
        }
        assert!(weakness("wal", 3, "").is_some());
    }
}
