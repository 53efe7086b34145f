//! The local horizon and cleaning (RM8): ended rows go only once the coordinator has announced
//! that it forgot their transactions, and that announcement is stored with the first deletion, so
//! that a late try finds out.

use std::collections::BTreeMap;

use sqlx::{Row as _, Sqlite, SqlitePool};
use unanimous_protocol::message::Horizon;
use unanimous_protocol::{Incarnation, RowState, limits};

use super::connection::{FenceTx, database};
use super::row::{parse_set, print_set};
use super::{FenceError, table};

/// The local horizon of one incarnation.
pub(super) async fn load(
    tx: &mut FenceTx<Sqlite>,
    incarnation: Incarnation,
) -> Result<Horizon, FenceError> {
    let row: Option<(i64, String)> =
        sqlx::query_as("SELECT counter, listed FROM unanimous_horizon WHERE incarnation = ?")
            .bind(&incarnation.to_bytes()[..])
            .fetch_optional(&mut *tx)
            .await
            .map_err(database)?;
    row.map_or_else(
        || Ok(Horizon::default()),
        |(counter, listed)| read(counter, &listed),
    )
}

/// Merges the announced horizon into the stored one and stores it; returns what holds now.
pub(super) async fn store(
    tx: &mut FenceTx<Sqlite>,
    incarnation: Incarnation,
    announced: &Horizon,
) -> Result<Horizon, FenceError> {
    let stored = load(tx, incarnation).await?;
    let horizon = table::merge_horizons(&stored, announced);
    if horizon == stored {
        return Ok(stored);
    }
    sqlx::query(
        "INSERT INTO unanimous_horizon (incarnation, counter, listed) VALUES (?, ?, ?)
         ON CONFLICT (incarnation) DO UPDATE SET counter = excluded.counter, listed = excluded.listed",
    )
    .bind(&incarnation.to_bytes()[..])
    .bind(column(horizon.counter))
    .bind(print_set(&horizon.listed))
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    Ok(horizon)
}

/// Deletes ended rows that the horizon covers, at most one batch; returns how many went.
pub(super) async fn delete_batch(
    tx: &mut FenceTx<Sqlite>,
    incarnation: Incarnation,
    horizon: &Horizon,
) -> Result<usize, FenceError> {
    // Counters are digits: the text is a JSON array.
    let listed = format!("[{}]", print_set(&horizon.listed));
    let deleted = sqlx::query(
        "DELETE FROM unanimous_fence WHERE rowid IN (
             SELECT rowid FROM unanimous_fence
             WHERE incarnation = ? AND counter <= ? AND state <> 1
               AND counter NOT IN (SELECT value FROM json_each(?))
             LIMIT ?)",
    )
    .bind(&incarnation.to_bytes()[..])
    .bind(column(horizon.counter))
    .bind(listed)
    .bind(i64::try_from(limits::CLEAN_BATCH_MAX).unwrap_or(i64::MAX))
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    Ok(usize::try_from(deleted.rows_affected()).unwrap_or(usize::MAX))
}

/// Every local horizon.
pub(super) async fn all(pool: &SqlitePool) -> Result<BTreeMap<Incarnation, Horizon>, FenceError> {
    let rows = sqlx::query("SELECT incarnation, counter, listed FROM unanimous_horizon")
        .fetch_all(pool)
        .await
        .map_err(database)?;
    rows.iter()
        .map(|row| {
            let incarnation = incarnation(row.try_get(0).map_err(database)?)?;
            let counter = row.try_get(1).map_err(database)?;
            let listed: &str = row.try_get(2).map_err(database)?;
            Ok((incarnation, read(counter, listed)?))
        })
        .collect()
}

/// The newest incarnation that a row or a horizon names.
pub(super) async fn newest(pool: &SqlitePool) -> Result<Option<Incarnation>, FenceError> {
    // Two halves, so that each is answered from its index; bytes order as incarnations do.
    debug_assert_eq!(
        RowState::Tried.number(),
        1,
        "the number that the indexes name"
    );
    let newest: Option<Vec<u8>> = sqlx::query_scalar(
        "SELECT max(newest) FROM (
             SELECT max(incarnation) AS newest FROM unanimous_fence WHERE state = 1
             UNION ALL SELECT max(incarnation) FROM unanimous_fence WHERE state <> 1
             UNION ALL SELECT max(incarnation) FROM unanimous_horizon)",
    )
    .fetch_one(pool)
    .await
    .map_err(database)?;
    newest.map(incarnation).transpose()
}

fn read(counter: i64, listed: &str) -> Result<Horizon, FenceError> {
    let counter = u64::try_from(counter).map_err(|_| damaged(format!("counter {counter}")))?;
    let listed = parse_set(Some(listed)).map_err(damaged)?;
    Ok(Horizon { counter, listed })
}

fn incarnation(bytes: Vec<u8>) -> Result<Incarnation, FenceError> {
    let bytes = <[u8; 16]>::try_from(bytes)
        .map_err(|other| damaged(format!("an incarnation of {} bytes", other.len())))?;
    Ok(Incarnation::from_bytes(bytes))
}

fn damaged(why: String) -> FenceError {
    FenceError::Schema(format!(
        "the fence's tables hold what nobody wrote there: {why}"
    ))
}

/// No stored counter is larger than this.
fn column(counter: u64) -> i64 {
    i64::try_from(counter).unwrap_or(i64::MAX)
}
