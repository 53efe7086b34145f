//! The bank's tables, the statements on them, and what it does outside of them: what every version
//! of the bank shares.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, PhaseTwoError};

/// What the bank's customers meet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BankError {
    /// The balance is too low.
    #[error("{user} does not have {amount}")]
    NotEnough {
        /// The customer.
        user: String,
        /// What was asked for.
        amount: i64,
    },
    /// A payment that was made before.
    #[error("paid before")]
    PaidBefore,
    /// The notice was not taken.
    #[error("no notice: {0}")]
    Notice(String),
    /// The ledger cannot be used.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The transaction itself failed.
    #[error(transparent)]
    Transaction(#[from] unanimous::Error),
}

impl From<String> for BankError {
    fn from(why: String) -> Self {
        Self::Notice(why)
    }
}

const SCHEMA: &str = "CREATE TABLE account (
    user TEXT PRIMARY KEY, free INTEGER NOT NULL, held INTEGER NOT NULL, closed INTEGER NOT NULL
);
INSERT INTO account VALUES ('ada', 100, 0, 0), ('ben', 20, 0, 0), ('eve', 50, 0, 1);
CREATE TABLE safe (door INTEGER PRIMARY KEY, price INTEGER NOT NULL, opened INTEGER NOT NULL);
INSERT INTO safe VALUES (1, 10, 0), (2, 20, 0);";

/// The tables of a new ledger: ada has 100, ben 20, and eve 50 in an account that is being closed;
/// safe 1 costs 10, safe 2 20.
///
/// # Errors
///
/// When the tables are there already, and the database's.
pub async fn create(db: &SqlitePool) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(SCHEMA).execute(db).await.map(drop)
}

/// Moves `amount` from free to held, if there is enough; returns what is left.
///
/// # Errors
///
/// [`BankError::NotEnough`], or the database's.
pub async fn hold(tx: &mut FenceTx<Sqlite>, user: &str, amount: i64) -> Result<i64, BankError> {
    let sql = "UPDATE account SET free = free - ?2, held = held + ?2
               WHERE user = ?1 AND free >= ?2 RETURNING free";
    let hold = sqlx::query_scalar(sql).bind(user).bind(amount);
    let left = hold.fetch_optional(&mut *tx).await?;
    left.ok_or_else(|| BankError::NotEnough {
        user: user.to_owned(),
        amount,
    })
}

/// What was held is gone.
///
/// # Errors
///
/// A closed account is left to a person; the database's errors are tried again.
pub async fn spend(tx: &mut FenceTx<Sqlite>, user: &str, amount: i64) -> Result<(), PhaseTwoError> {
    let sql = "UPDATE account SET held = held - ?2 WHERE user = ?1 AND NOT closed";
    let spend = sqlx::query(sql).bind(user).bind(amount);
    match spend.execute(&mut *tx).await?.rows_affected() {
        0 => Err(PhaseTwoError::give_up(format!(
            "the account of {user} is closed"
        ))),
        _ => Ok(()),
    }
}

/// What was held is free again.
///
/// # Errors
///
/// The database's.
pub async fn release(tx: &mut FenceTx<Sqlite>, user: &str, amount: i64) -> Result<(), sqlx::Error> {
    let sql = "UPDATE account SET free = free + ?2, held = held - ?2 WHERE user = ?1";
    let release = sqlx::query(sql).bind(user).bind(amount);
    release.execute(&mut *tx).await.map(drop)
}

/// Customer, free and held money, by name.
///
/// # Errors
///
/// The database's.
pub async fn balances(db: &SqlitePool) -> Result<Vec<(String, i64, i64)>, sqlx::Error> {
    sqlx::query_as("SELECT user, free, held FROM account ORDER BY user")
        .fetch_all(db)
        .await
}

/// Changes the price of a safe; returns the one before.
///
/// # Errors
///
/// The database's; also for a door that is not there.
pub async fn price(tx: &mut FenceTx<Sqlite>, door: i64, price: i64) -> Result<i64, sqlx::Error> {
    let sql = "SELECT price FROM safe WHERE door = ?";
    let before = sqlx::query_scalar(sql).bind(door);
    let before = before.fetch_one(&mut *tx).await?;
    let change = sqlx::query("UPDATE safe SET price = ? WHERE door = ?");
    change.bind(price).bind(door).execute(&mut *tx).await?;
    Ok(before)
}

/// Counts that a safe was opened; returns how often that was.
///
/// # Errors
///
/// The database's; also for a door that is not there.
pub async fn open(tx: &mut FenceTx<Sqlite>, door: i64) -> Result<i64, sqlx::Error> {
    let sql = "UPDATE safe SET opened = opened + 1 WHERE door = ? RETURNING opened";
    sqlx::query_scalar(sql).bind(door).fetch_one(&mut *tx).await
}

/// Door, price, and how often it was opened.
///
/// # Errors
///
/// The database's.
pub async fn safes(db: &SqlitePool) -> Result<Vec<(i64, i64, i64)>, sqlx::Error> {
    sqlx::query_as("SELECT door, price, opened FROM safe ORDER BY door")
        .fetch_all(db)
        .await
}

/// What the bank did outside its tables, in order. Clones write the same one.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    /// Writes that something was done; returns how much was written before.
    pub fn note(&self, what: impl Into<String>) -> usize {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.push(what.into());
        notes.len() - 1
    }

    /// Everything that was done.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.clone()
    }
}
