//! The local transaction as the user's functions see it: [`FenceTx`], an sqlx executor that the
//! fence opens and closes.
//!
//! A fence row and the business statements must share one local transaction (T5), so nobody else
//! may end it. Three things guard that:
//!
//! * statements that begin, end or divide a transaction are refused by their first keyword;
//! * a savepoint under the whole: it can only be released in the transaction that set it, so an
//!   end that got past (an `ON CONFLICT ROLLBACK`, a `COMMIT` on [`FenceTx::connection`]) is
//!   noticed before the next statement, at the latest when the row is closed;
//! * a connection whose state is not certain is closed; it never returns to the pool (C4).

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::TryFutureExt as _;
use futures_util::future::{self, BoxFuture, FutureExt as _};
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _, TryStreamExt as _};
use sqlx::pool::PoolConnection;
use sqlx::{Describe, Either, Execute, Executor, Pool, SqlStr};
use sqlx_core::transaction::TransactionManager;

use super::FenceError;
use super::backend::{Captured, FenceDatabase, Step};
use super::statement;
use super::turn::Turn;

const SET_SAVEPOINT: &str = "SAVEPOINT unanimous_fence";
const RELEASE_SAVEPOINT: &str = "RELEASE unanimous_fence";
/// Fails where the savepoint is gone with its transaction.
const CHECK_SAVEPOINT: &str = "RELEASE unanimous_fence; SAVEPOINT unanimous_fence";

/// The local transaction of one phase of a fenced branch: the fence row and the statements of the
/// action, committed together or not at all.
///
/// `&mut *tx` is an [`sqlx::Executor`]: `query`, `query_as`, `query_scalar`, the checked macros,
/// `raw_sql`, streams and prepared statements run on it unchanged. [`FenceTx::connection`] serves
/// functions that take the database's own connection. The framework begins and ends it: BEGIN,
/// COMMIT, ROLLBACK, SAVEPOINT and their like are refused.
///
/// A statement whose future is dropped before it answered may or may not have run. The transaction
/// then refuses further statements and is rolled back; a `SELECT` may be dropped at any time.
pub struct FenceTx<DB: FenceDatabase> {
    connection: PoolConnection<DB>,
    watch: Watch,
    /// Held until the transaction has ended: fenced transactions of one pool take turns.
    #[expect(dead_code, reason = "held, not read")]
    turn: Turn,
}

impl<DB: FenceDatabase> FenceTx<DB> {
    /// The connection itself, for functions that take it.
    ///
    /// Nested transactions on it become savepoints, as always. Nothing here can refuse a `COMMIT`
    /// that is written out as SQL: it makes the action fail with
    /// [`Error::FenceEndedEarly`](crate::Error::FenceEndedEarly), and what it committed stays.
    pub fn connection(&mut self) -> &mut DB::Connection {
        self.watch.handed_out = true;
        self.watch.doubtful = true;
        &mut self.connection
    }

    /// Opens the local transaction on a connection of the pool, once `turn` has come.
    ///
    /// Dropped at any moment it leaves no transaction open: one whose begin was not received is
    /// rolled back by the driver itself.
    pub(super) async fn open(
        mut connection: PoolConnection<DB>,
        turn: Turn,
    ) -> Result<Self, FenceError> {
        let begin = SqlStr::from_static(DB::BEGIN);
        DB::TransactionManager::begin(&mut connection, Some(begin))
            .await
            .map_err(locked)?;
        let watch = Watch::default();
        let mut tx = Self {
            connection,
            watch,
            turn,
        };
        tx.watch.unsure = true;
        tx.run_raw(SET_SAVEPOINT).await.map_err(database)?;
        tx.watch.unsure = false;
        Ok(tx)
    }

    /// Commits, if this is still the transaction that was opened and every statement answered.
    pub(super) async fn commit(mut self) -> Result<(), FenceError> {
        if let Some(refusal) = self.refusal() {
            return Err(refusal);
        }
        self.watch.unsure = true;
        if self.run_raw(RELEASE_SAVEPOINT).await.is_err() {
            return Err(FenceError::EndedEarly);
        }
        // A nested transaction that was leaked would be all that this commit ends.
        if DB::TransactionManager::get_transaction_depth(&self.connection) != 1 {
            return Err(FenceError::EndedEarly);
        }
        DB::TransactionManager::commit(&mut self.connection)
            .await
            .map_err(database)?;
        self.watch.ended = true;
        Ok(())
    }

    /// Why it cannot be committed, as far as is known without asking.
    pub(super) fn refusal(&self) -> Option<FenceError> {
        let watch = &self.watch;
        if watch.ended_early {
            Some(FenceError::EndedEarly)
        } else if watch.dropped {
            Some(FenceError::StatementDropped)
        } else {
            None
        }
    }

    /// Closes the connection.
    pub(super) fn close(mut self) {
        self.watch.unsure = true;
    }

    /// Rolls back and waits until it is done. Only for transactions that no user has seen.
    pub(super) async fn rollback(mut self) -> Result<(), FenceError> {
        self.watch.unsure = true;
        DB::TransactionManager::rollback(&mut self.connection)
            .await
            .map_err(database)?;
        self.watch.ended = true;
        Ok(())
    }
}

impl<DB: FenceDatabase> fmt::Debug for FenceTx<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FenceTx")
            .field("watch", &self.watch)
            .finish_non_exhaustive()
    }
}

/// What is known about the state of the connection.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent observations")]
struct Watch {
    /// It was committed or rolled back by the fence; nothing is left to undo.
    ended: bool,
    /// A begin, commit or rollback is under way: its answer is not known.
    unsure: bool,
    /// A statement was dropped before it answered.
    dropped: bool,
    /// A statement failed, which may have rolled everything back, or the raw connection was handed
    /// out, since the database was last asked whether this is still the same transaction.
    doubtful: bool,
    /// The transaction was ended by someone else.
    ended_early: bool,
    /// The raw connection was handed out at any time.
    handed_out: bool,
}

impl Watch {
    fn is_unsure(&self) -> bool {
        self.unsure || self.dropped || self.doubtful || self.ended_early || self.handed_out
    }

    fn refusal(&self) -> Option<sqlx::Error> {
        let why = if self.ended_early {
            "the local transaction of this action has ended: a failed statement rolled it back, or it was ended on `tx.connection()`; return an error from the action"
        } else if self.dropped {
            "a statement of this local transaction was dropped before it answered, so it is not known whether it ran; return an error from the action"
        } else {
            return None;
        };
        Some(sqlx::Error::InvalidArgument(why.to_owned()))
    }
}

impl<DB: FenceDatabase> Drop for FenceTx<DB> {
    fn drop(&mut self) {
        if self.watch.ended {
            return;
        }
        if self.watch.is_unsure() {
            // Closing rolls back whatever is open.
            self.connection.close_on_drop();
        } else {
            // Queued before anything that the connection's next user may send.
            DB::TransactionManager::start_rollback(&mut self.connection);
        }
    }
}

impl<DB: FenceDatabase> FenceTx<DB> {
    async fn run_raw(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        let query = Captured::take(sqlx::raw_sql(sql))?;
        DB::fetch_many(&mut self.connection, query)
            .try_for_each(|_| future::ready(Ok(())))
            .await
    }

    /// Refuses where the transaction is no longer the fence's; asks the database where that is
    /// doubtful, since the next statement would commit itself.
    async fn check(&mut self) -> Result<(), sqlx::Error> {
        if self.watch.doubtful && !self.watch.ended_early {
            self.watch.ended_early = self.run_raw(CHECK_SAVEPOINT).await.is_err();
            self.watch.doubtful = self.watch.ended_early;
        }
        self.watch.refusal().map_or(Ok(()), Err)
    }
}

/// Refuses a text that holds a statement about the transaction itself.
fn refuse_transaction_statements<DB: FenceDatabase>(sql: &str) -> Result<(), sqlx::Error> {
    let refused = statement::first_keywords(sql).find(|keyword| {
        DB::TRANSACTION_KEYWORDS
            .iter()
            .any(|k| k.eq_ignore_ascii_case(keyword))
    });
    match refused {
        None => Ok(()),
        Some(keyword) => Err(sqlx::Error::InvalidArgument(format!(
            "{} is refused here: the local transaction of a fenced action is begun and ended by the framework, together with its fence row; return an error from the action to roll it back, or use `tx.connection()` with `begin()` for a savepoint",
            keyword.to_ascii_uppercase()
        ))),
    }
}

fn capture<'q, DB: FenceDatabase>(
    query: impl Execute<'q, DB>,
) -> Result<(Captured<DB>, Running), sqlx::Error> {
    let query = Captured::take(query)?;
    refuse_transaction_statements::<DB>(query.text())?;
    let reads = |keyword: &str| {
        DB::READING_KEYWORDS
            .iter()
            .any(|reading| reading.eq_ignore_ascii_case(keyword))
    };
    let kind = if statement::first_keywords(query.text()).all(reads) {
        Kind::OnlyReads
    } else if statement::first_keywords(query.text()).count() == 1 {
        Kind::OneStatement
    } else {
        Kind::Several
    };
    let running = Running {
        kind,
        progress: Progress::Started,
    };
    Ok((query, running))
}

impl<'c, DB: FenceDatabase> Executor<'c> for &'c mut FenceTx<DB> {
    type Database = DB;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Step<DB>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let (query, running) = match capture::<DB>(query) {
            Ok(captured) => captured,
            Err(error) => return stream::once(future::ready(Err(error))).boxed(),
        };
        let started = async move {
            self.check().await?;
            let FenceTx {
                connection, watch, ..
            } = self;
            let steps = DB::fetch_many(connection, query);
            Ok(Watched::<DB> {
                steps,
                observer: Observer { watch, running },
            })
        };
        started.try_flatten_stream().boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, Result<Option<DB::Row>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, DB>,
    {
        let (query, running) = match capture::<DB>(query) {
            Ok(captured) => captured,
            Err(error) => return future::ready(Err(error)).boxed(),
        };
        let whole = async move {
            self.check().await?;
            let FenceTx {
                connection, watch, ..
            } = self;
            let mut observer = Observer { watch, running };
            let row = DB::fetch_optional(connection, query).await;
            observer.running.progress = Progress::Over;
            observer.watch.doubtful |= row.is_err();
            row
        };
        whole.boxed()
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [DB::TypeInfo],
    ) -> BoxFuture<'e, Result<DB::Statement, sqlx::Error>>
    where
        'c: 'e,
    {
        match refuse_transaction_statements::<DB>(sql.as_str()) {
            Ok(()) => DB::prepare_with(&mut self.connection, sql, parameters),
            Err(error) => future::ready(Err(error)).boxed(),
        }
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<DB>, sqlx::Error>>
    where
        'c: 'e,
    {
        DB::describe(&mut self.connection, sql)
    }
}

/// What is known about one query under way.
#[derive(Clone, Copy)]
struct Running {
    kind: Kind,
    progress: Progress,
}

#[derive(Clone, Copy)]
enum Kind {
    /// It changes nothing.
    OnlyReads,
    /// What it changes is changed before its first row comes.
    OneStatement,
    Several,
}

#[derive(Clone, Copy)]
enum Progress {
    Started,
    Yielded,
    Over,
}

impl Running {
    /// Whether it is known what it did, or that it does nothing.
    fn may_be_dropped(self) -> bool {
        match (self.kind, self.progress) {
            (Kind::OnlyReads, _) | (_, Progress::Over) => true,
            (Kind::OneStatement, progress) => matches!(progress, Progress::Yielded),
            (Kind::Several, _) => false,
        }
    }
}

/// Notes on its end that a query was dropped before it is known what it did.
struct Observer<'e> {
    watch: &'e mut Watch,
    running: Running,
}

impl Drop for Observer<'_> {
    fn drop(&mut self) {
        if !self.running.may_be_dropped() {
            self.watch.dropped = true;
        }
    }
}

/// A stream of results, observed.
struct Watched<'e, DB: FenceDatabase> {
    steps: BoxStream<'e, Step<DB>>,
    observer: Observer<'e>,
}

impl<DB: FenceDatabase> Stream for Watched<'_, DB> {
    type Item = Result<Either<DB::QueryResult, DB::Row>, sqlx::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.steps.poll_next_unpin(cx);
        let Observer { watch, running } = &mut self.observer;
        match &polled {
            Poll::Ready(Some(Ok(_))) => running.progress = Progress::Yielded,
            Poll::Ready(Some(Err(_))) => {
                running.progress = Progress::Over;
                watch.doubtful = true;
            }
            Poll::Ready(None) => running.progress = Progress::Over,
            Poll::Pending => {}
        }
        polled
    }
}

/// Waits for a connection.
pub(super) async fn acquire<DB: FenceDatabase>(
    pool: &Pool<DB>,
) -> Result<PoolConnection<DB>, FenceError> {
    pool.acquire().await.map_err(database)
}

/// What the database said, as the fence says it.
pub(super) fn database(error: sqlx::Error) -> FenceError {
    FenceError::Database(Box::new(error))
}

/// Why a local transaction did not begin. The queue of a pool knows nothing of other processes, nor
/// of other pools.
fn locked(error: sqlx::Error) -> FenceError {
    match &error {
        sqlx::Error::Database(refused) if refused.message().contains("locked") => {
            FenceError::Database(Box::new(Locked(error)))
        }
        _ => database(error),
    }
}

/// Somebody else held the write lock for too long.
#[derive(Debug, thiserror::Error)]
#[error(
    "another process, or another pool of this one, held the database's write lock for longer than the busy timeout: a fenced action that calls a service which writes to the same database waits for itself"
)]
struct Locked(#[source] sqlx::Error);
