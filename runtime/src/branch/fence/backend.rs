//! What a database must offer to hold a fence: a sealed trait, one implementation per database.
//!
//! It keeps the bounds `for<'c> &'c mut DB::Connection: Executor<'c>` out of every signature.

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use sqlx::error::BoxDynError;
use sqlx::{Database, Describe, Either, Execute, Executor, SqlStr, Sqlite, SqliteConnection};

/// A database that can hold a fence. Sealed: `sqlx::Sqlite` for now.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold a fence",
    label = "fences are kept in `sqlx::Sqlite`"
)]
pub trait FenceDatabase: Backend {}

impl FenceDatabase for Sqlite {}

/// The items of a stream of results.
pub(super) type Step<DB> =
    Result<Either<<DB as Database>::QueryResult, <DB as Database>::Row>, sqlx::Error>;

/// The machinery behind [`FenceDatabase`]; out of reach for other crates.
pub trait Backend: Database {
    /// Opens a local transaction that may write at once, so that its reads are locking reads.
    const BEGIN: &'static str;

    /// First keywords of the statements that begin, end or divide a transaction.
    const TRANSACTION_KEYWORDS: &'static [&'static str];

    /// First keywords of the statements that change nothing, whether read to their end or not.
    const READING_KEYWORDS: &'static [&'static str];

    /// Runs a query and streams what it yields.
    fn fetch_many(
        connection: &mut Self::Connection,
        query: Captured<Self>,
    ) -> BoxStream<'_, Step<Self>>;

    /// Runs a query until its first row.
    fn fetch_optional(
        connection: &mut Self::Connection,
        query: Captured<Self>,
    ) -> BoxFuture<'_, Result<Option<Self::Row>, sqlx::Error>>;

    /// Prepares a statement.
    fn prepare_with<'e>(
        connection: &'e mut Self::Connection,
        sql: SqlStr,
        parameters: &'e [Self::TypeInfo],
    ) -> BoxFuture<'e, Result<Self::Statement, sqlx::Error>>;

    /// Tells the types of a statement.
    fn describe(
        connection: &mut Self::Connection,
        sql: SqlStr,
    ) -> BoxFuture<'_, Result<Describe<Self>, sqlx::Error>>;
}

impl Backend for Sqlite {
    // RM3: insert-first and the locking read of the horizon need the write lock from the start.
    const BEGIN: &'static str = "BEGIN IMMEDIATE";

    const TRANSACTION_KEYWORDS: &'static [&'static str] =
        &["BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"];

    const READING_KEYWORDS: &'static [&'static str] = &["SELECT", "VALUES", "EXPLAIN"];

    fn fetch_many(
        connection: &mut SqliteConnection,
        query: Captured<Self>,
    ) -> BoxStream<'_, Step<Self>> {
        Executor::fetch_many(connection, query)
    }

    fn fetch_optional(
        connection: &mut SqliteConnection,
        query: Captured<Self>,
    ) -> BoxFuture<'_, Result<Option<Self::Row>, sqlx::Error>> {
        Executor::fetch_optional(connection, query)
    }

    fn prepare_with<'e>(
        connection: &'e mut SqliteConnection,
        sql: SqlStr,
        parameters: &'e [Self::TypeInfo],
    ) -> BoxFuture<'e, Result<Self::Statement, sqlx::Error>> {
        Executor::prepare_with(connection, sql, parameters)
    }

    fn describe(
        connection: &mut SqliteConnection,
        sql: SqlStr,
    ) -> BoxFuture<'_, Result<Describe<Self>, sqlx::Error>> {
        Executor::describe(connection, sql)
    }
}

/// A query taken apart, so that its text can be looked at before it runs.
pub struct Captured<DB: Database> {
    sql: SqlStr,
    arguments: Option<DB::Arguments>,
    statement: Option<DB::Statement>,
    persistent: bool,
}

impl<DB: Database> Captured<DB> {
    pub(super) fn take<'q, E: Execute<'q, DB>>(mut query: E) -> Result<Self, sqlx::Error> {
        let arguments = query.take_arguments().map_err(sqlx::Error::Encode)?;
        let statement = query.statement().cloned();
        let persistent = query.persistent();
        Ok(Self {
            sql: query.sql(),
            arguments,
            statement,
            persistent,
        })
    }

    pub(super) fn text(&self) -> &str {
        self.sql.as_str()
    }
}

impl<DB: Database> Execute<'_, DB> for Captured<DB> {
    fn sql(self) -> SqlStr {
        self.sql
    }

    fn statement(&self) -> Option<&DB::Statement> {
        self.statement.as_ref()
    }

    fn take_arguments(&mut self) -> Result<Option<DB::Arguments>, BoxDynError> {
        Ok(self.arguments.take())
    }

    fn persistent(&self) -> bool {
        self.persistent
    }
}

impl<DB: Database> std::fmt::Debug for Captured<DB> {
    /// Bound arguments never reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Captured")
            .field("sql", &self.text())
            .finish_non_exhaustive()
    }
}
