//! A database for one test.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions as _, SqlSafeStr, SqlitePool};

/// How many connections a pool has: enough for every phase that overlaps another.
const CONNECTIONS: u32 = 4;

/// A database in memory after these statements, of its own for every call, that lives as long as
/// the pool. Unlike a plain `sqlite::memory:` it has several connections and survives that one of
/// them is closed, as happens when a phase is dropped.
///
/// # Errors
///
/// When SQLite refuses the statements.
pub async fn database(statements: impl SqlSafeStr) -> Result<SqlitePool, sqlx::Error> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let options = SqliteConnectOptions::new()
        .filename(format!("/unanimous-test-{number}"))
        .vfs("memdb")
        .create_if_missing(true);
    // The database is gone with its last connection: this one stays as long as the pool.
    let mut keeper = options.connect().await?;
    sqlx::raw_sql(statements).execute(&mut keeper).await?;
    let keeper = Arc::new(Mutex::new(keeper));
    SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .after_connect(move |_, _| {
            let _kept = &keeper;
            Box::pin(std::future::ready(Ok(())))
        })
        .connect_with(options)
        .await
}
