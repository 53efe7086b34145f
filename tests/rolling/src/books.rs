//! The rows that both versions work on: `(what, free, held, gone)` for the shelf and the purse.

use tokio::sync::watch;
use unanimous::FenceTx;
use unanimous::sqlx::{Sqlite, SqlitePool, query};

/// What can go wrong.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The transaction itself.
    Transaction(unanimous::Error),
    /// The database.
    Database(unanimous::sqlx::Error),
    /// Nothing is left.
    NothingLeft,
    /// The customer does not want it any more.
    ChangedMind,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Transaction(error) => error.fmt(f),
            Self::Database(error) => error.fmt(f),
            Self::NothingLeft => f.write_str("nothing is left"),
            Self::ChangedMind => f.write_str("the customer changed their mind"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<unanimous::Error> for Failure {
    fn from(error: unanimous::Error) -> Self {
        Self::Transaction(error)
    }
}

impl From<unanimous::sqlx::Error> for Failure {
    fn from(error: unanimous::sqlx::Error) -> Self {
        Self::Database(error)
    }
}

type Tx = FenceTx<Sqlite>;

/// The database, and whether confirms hang.
#[derive(Clone, Debug)]
pub(crate) struct Books {
    pub(crate) db: SqlitePool,
    holds: watch::Receiver<bool>,
}

impl Books {
    pub(crate) fn new(db: SqlitePool, holds: watch::Receiver<bool>) -> Self {
        Self { db, holds }
    }

    /// Moves an amount from what is free to what is held.
    pub(crate) async fn hold(tx: &mut Tx, what: &str, amount: i64) -> Result<(), Failure> {
        let sql = "UPDATE books SET free = free - ?1, held = held + ?1
                   WHERE what = ?2 AND free >= ?1";
        let done = query(sql).bind(amount).bind(what).execute(&mut *tx).await?;
        if done.rows_affected() == 0 {
            return Err(Failure::NothingLeft);
        }
        Ok(())
    }

    /// What was held is gone.
    pub(crate) async fn confirm(
        &self,
        tx: &mut Tx,
        what: &str,
        amount: i64,
    ) -> Result<(), Failure> {
        if *self.holds.borrow() {
            say_held();
            std::future::pending::<()>().await;
        }
        let sql = "UPDATE books SET held = held - ?1, gone = gone + ?1 WHERE what = ?2";
        query(sql).bind(amount).bind(what).execute(&mut *tx).await?;
        Ok(())
    }

    /// What was held is free again.
    pub(crate) async fn cancel(tx: &mut Tx, what: &str, amount: i64) -> Result<(), Failure> {
        let sql = "UPDATE books SET held = held - ?1, free = free + ?1 WHERE what = ?2";
        query(sql).bind(amount).bind(what).execute(&mut *tx).await?;
        Ok(())
    }
}

#[allow(clippy::print_stdout, reason = "the test waits for this word")]
fn say_held() {
    println!("held");
}
