//! SQLite databases as participants' databases.
//!
//! A fenced participant keeps one row per branch in its own database, in the same local
//! transaction as its business statements. For that promise to hold, the database must keep what it
//! commits: open it with [`durable`], or set the same options yourself.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let file = folder.path().join("account.db");
//! let pool = unanimous::sqlite::durable(file).await?;
//! # pool.close().await;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

use std::path::Path;

use sqlx::SqlitePool;

use crate::branch::fence::{self, FenceError};

/// The statements that create the fence's tables, for services that may not do so themselves:
/// build their runtime with `create_tables(false)` and run this text in a migration. Each
/// statement may be run again.
///
/// Recorded arguments stand in the table `unanimous_fence` in clear until its row is cleaned,
/// minutes after the transaction has ended.
pub const SCHEMA: &str = fence::schema::SCHEMA;

/// Opens a pool on the file, creating it where it is missing, whose connections keep what they
/// commit: `journal_mode = WAL`, `synchronous = FULL`, foreign keys enforced.
///
/// A fence asks every other pool before each local transaction whether it keeps its commits, and
/// refuses it otherwise: SQLite's own defaults (a rollback journal, `synchronous = FULL`) may lose
/// the last commit with the power.
///
/// Keep a participant's tables in this file itself: SQLite commits databases that were added with
/// `ATTACH` one after the other, so that a loss of power may part them from the fence's rows.
///
/// # Errors
///
/// [`FenceError::Open`] if the file cannot be opened, [`FenceError::NotDurable`] if it is no file
/// or its file system offers no write-ahead log.
pub async fn durable(path: impl AsRef<Path>) -> Result<SqlitePool, FenceError> {
    fence::open_durable(path.as_ref()).await
}
