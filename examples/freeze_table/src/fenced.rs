//! The same service behind a fence: nothing but what it does.

use sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, participant};

use crate::AccountError;

/// The service's table.
pub const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS account_tbl (user TEXT PRIMARY KEY, money INTEGER NOT NULL CHECK (money >= 0));";

/// The accounts.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// Their database.
    pub db: SqlitePool,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    /// Takes the money.
    #[two_phase_action(commit = none, rollback = cancel)]
    pub async fn deduct(
        &self,
        tx: &mut FenceTx<Sqlite>,
        user: &str,
        money: i64,
    ) -> Result<(), AccountError> {
        let sql = "UPDATE account_tbl SET money = money - ?2 WHERE user = ?1 AND money >= ?2";
        let taken = sqlx::query(sql).bind(user).bind(money);
        if taken.execute(&mut *tx).await?.rows_affected() != 1 {
            let user = user.to_owned();
            return Err(AccountError::NotEnough { user, money });
        }
        Ok(())
    }

    /// The money goes back.
    async fn cancel(
        &self,
        tx: &mut FenceTx<Sqlite>,
        user: &str,
        money: i64,
    ) -> Result<(), AccountError> {
        let sql = "UPDATE account_tbl SET money = money + ?2 WHERE user = ?1";
        let back = sqlx::query(sql).bind(user).bind(money);
        back.execute(&mut *tx).await?;
        Ok(())
    }
}
