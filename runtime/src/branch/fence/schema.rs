//! The fence's three tables: their text, their version, and the identity of the database (N5).

use sqlx::{Executor as _, Row as _, SqliteConnection};
use unanimous_protocol::DatabaseId;

use super::FenceError;
use super::connection::database;

/// The version of the tables that this program reads and writes.
pub(crate) const VERSION: i64 = 1;

/// The statements that create the tables where they are missing. Each may be run again.
pub(crate) const SCHEMA: &str = "\
-- One row per branch. state: 1 tried, 2 confirmed, 3 cancelled.
-- digest is null only in markers, which a rollback leaves where no try was;
-- incarnation and counter are null for transactions of foreign coordinators.
CREATE TABLE IF NOT EXISTS unanimous_fence (
    xid         TEXT    NOT NULL,
    call_id     TEXT    NOT NULL,
    participant TEXT    NOT NULL,
    action      TEXT    NOT NULL,
    incarnation BLOB,
    counter     INTEGER,
    state       INTEGER NOT NULL,
    digest      BLOB,
    arguments   TEXT,
    answer      TEXT,
    names       TEXT,
    abandoned   TEXT,
    marked      INTEGER,
    kept        TEXT,
    parked      TEXT,
    trace       TEXT,
    created_ms  INTEGER NOT NULL,
    ended_ms    INTEGER,
    PRIMARY KEY (xid, call_id)
);
CREATE INDEX IF NOT EXISTS unanimous_fence_tried
    ON unanimous_fence (participant) WHERE state = 1;
CREATE INDEX IF NOT EXISTS unanimous_fence_ended
    ON unanimous_fence (incarnation, counter) WHERE state <> 1;
-- Per incarnation of a coordinator: every transaction at or below the counter is forgotten and its
-- ended rows may be deleted, except those listed.
CREATE TABLE IF NOT EXISTS unanimous_horizon (
    incarnation BLOB    NOT NULL PRIMARY KEY,
    counter     INTEGER NOT NULL,
    listed      TEXT    NOT NULL
);
-- Tells this database from every other one.
CREATE TABLE IF NOT EXISTS unanimous_database (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    identity BLOB    NOT NULL,
    schema   INTEGER NOT NULL
);
";

const TABLES: [&str; 3] = ["unanimous_database", "unanimous_fence", "unanimous_horizon"];

/// Draws random bytes.
pub(super) type Random = fn(&mut [u8]) -> Result<(), getrandom::Error>;

/// Makes sure that the tables stand in a version that is known here, and returns the identity of
/// the database, drawn when it is asked for the first time. Runs inside a transaction.
pub(super) async fn prepare(
    connection: &mut SqliteConnection,
    create_tables: bool,
    random: Random,
) -> Result<DatabaseId, FenceError> {
    let missing = missing_tables(connection).await?;
    if !missing.contains(&TABLES[0]) {
        // Before anything is created beside tables of another version.
        identity(connection).await?;
    }
    if !missing.is_empty() {
        if !create_tables {
            return Err(FenceError::Schema(format!(
                "the table {} of the fence is missing and `create_tables(false)` was set: run the statements of `unanimous::sqlite::SCHEMA` on this database first",
                missing.join(" and the table ")
            )));
        }
        connection
            .execute(sqlx::raw_sql(SCHEMA))
            .await
            .map_err(database)?;
    }
    if let Some(identity) = identity(connection).await? {
        return Ok(identity);
    }
    let mut drawn = [0; 16];
    random(&mut drawn).map_err(|error| {
        FenceError::Schema(format!(
            "no identity can be drawn for this database: {error}"
        ))
    })?;
    sqlx::query("INSERT INTO unanimous_database (one, identity, schema) VALUES (1, ?, ?)")
        .bind(&drawn[..])
        .bind(VERSION)
        .execute(connection)
        .await
        .map_err(database)?;
    Ok(DatabaseId(drawn))
}

async fn missing_tables(
    connection: &mut SqliteConnection,
) -> Result<Vec<&'static str>, FenceError> {
    let found: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'unanimous\\_%' ESCAPE '\\'",
    )
    .fetch_all(connection)
    .await
    .map_err(database)?;
    Ok(TABLES
        .into_iter()
        .filter(|table| found.iter().all(|name| name != table))
        .collect())
}

/// The identity, once it was drawn; refuses tables of another version.
async fn identity(connection: &mut SqliteConnection) -> Result<Option<DatabaseId>, FenceError> {
    let row = sqlx::query("SELECT schema, identity FROM unanimous_database")
        .fetch_optional(connection)
        .await
        .map_err(database)?;
    let Some(row) = row else { return Ok(None) };
    let version: i64 = row.try_get(0).map_err(database)?;
    if version != VERSION {
        let relation = if version > VERSION { "newer" } else { "older" };
        return Err(FenceError::Schema(format!(
            "the fence's tables in this database are of version {version}, {relation} than version {VERSION} of this program: run a program that knows them"
        )));
    }
    let identity: Vec<u8> = row.try_get(1).map_err(database)?;
    match <[u8; 16]>::try_from(identity) {
        Ok(identity) => Ok(Some(DatabaseId(identity))),
        Err(other) => Err(FenceError::Schema(format!(
            "the identity in the table unanimous_database has {} bytes instead of 16: restore the row from a backup",
            other.len()
        ))),
    }
}
