//! Without a fence: a freeze table of the service's own makes repeated, empty and late calls
//! harmless. Each line that is there for that alone says so at its end.

use sqlx::{SqliteConnection, SqlitePool};
use unanimous::{BranchContext, participant};

use crate::AccountError;

/// The service's tables.
pub const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS account_tbl (user TEXT PRIMARY KEY, money INTEGER NOT NULL CHECK (money >= 0));
    CREATE TABLE IF NOT EXISTS account_freeze_tbl (
        branch TEXT PRIMARY KEY,
        user TEXT NOT NULL,
        freeze_money INTEGER NOT NULL,
        state INTEGER NOT NULL
    );";

const TRIED: i64 = 0; // freeze row
const CONFIRMED: i64 = 1; // freeze row
const CANCELLED: i64 = 2; // freeze row

/// The accounts.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// Their database.
    pub db: SqlitePool,
}

#[participant(name = "account by hand")]
impl Accounts {
    /// Takes the money, and writes down that it is frozen.
    #[two_phase_action(commit = confirm, rollback = cancel)]
    pub async fn deduct(&self, user: &str, money: i64) -> Result<(), AccountError> {
        let branch = BranchContext::current().ok_or(AccountError::NoBranch)?; // freeze row
        let key = branch.try_key(); // freeze row
        let mut tx = self.db.begin_with("BEGIN IMMEDIATE").await?; // local transaction
        match state(&mut tx, &key).await? {
            None => {}                                                     // freeze row
            Some(CANCELLED) => return Err(AccountError::AlreadyCancelled), // suspension
            Some(_) => return Ok(()),                                      // idempotence
        }
        let sql = "UPDATE account_tbl SET money = money - ?2 WHERE user = ?1 AND money >= ?2";
        let taken = sqlx::query(sql).bind(user).bind(money);
        if taken.execute(&mut *tx).await?.rows_affected() != 1 {
            let user = user.to_owned();
            return Err(AccountError::NotEnough { user, money });
        }
        freeze(&mut tx, &key, user, money, TRIED).await?; // freeze row
        tx.commit().await?; // local transaction
        Ok(())
    }

    /// The money is spent. A second time there is nothing that is tried.
    async fn confirm(&self, branch: &BranchContext) -> Result<(), AccountError> {
        let sql = "UPDATE account_freeze_tbl SET state = ?2 WHERE branch = ?1 AND state = ?3"; // freeze row
        let ended = sqlx::query(sql).bind(branch.try_key()).bind(CONFIRMED); // freeze row
        ended.bind(TRIED).execute(&self.db).await?; // idempotence
        Ok(())
    }

    /// The money goes back, if it was taken and is not back yet.
    async fn cancel(
        &self,
        branch: &BranchContext,
        user: &str,
        money: i64,
    ) -> Result<(), AccountError> {
        let key = branch.try_key(); // freeze row
        let mut tx = self.db.begin_with("BEGIN IMMEDIATE").await?; // local transaction
        match state(&mut tx, &key).await? {
            None => freeze(&mut tx, &key, user, 0, CANCELLED).await?, // empty rollback
            Some(TRIED) => {
                let sql = "UPDATE account_tbl SET money = money + ?2 WHERE user = ?1";
                let back = sqlx::query(sql).bind(user).bind(money);
                back.execute(&mut *tx).await?;
                let sql = "UPDATE account_freeze_tbl SET state = ?2 WHERE branch = ?1"; // freeze row
                let ended = sqlx::query(sql).bind(&key).bind(CANCELLED); // freeze row
                ended.execute(&mut *tx).await?; // freeze row
            }
            Some(_) => {} // idempotence
        }
        tx.commit().await?; // local transaction
        Ok(())
    }
}

/// What is written down about a branch.
async fn state(tx: &mut SqliteConnection, key: &str) -> Result<Option<i64>, sqlx::Error> {
    let sql = "SELECT state FROM account_freeze_tbl WHERE branch = ?"; // freeze row
    let found = sqlx::query_scalar(sql).bind(key); // freeze row
    found.fetch_optional(tx).await // freeze row
}

/// Writes it down.
async fn freeze(
    tx: &mut SqliteConnection,
    key: &str,
    user: &str,
    money: i64,
    state: i64,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO account_freeze_tbl VALUES (?, ?, ?, ?)"; // freeze row
    let row = sqlx::query(sql).bind(key).bind(user).bind(money); // freeze row
    row.bind(state).execute(tx).await?; // freeze row
    Ok(())
}
