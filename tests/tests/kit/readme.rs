//! What the README shows under "Testing your actions", over the accounts of its complete example.

use unanimous::sqlx::{self, Sqlite, SqlitePool};
use unanimous::{FenceTx, participant};

use crate::participants::Failure as ShopError;

struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(
        &self,
        tx: &mut FenceTx<Sqlite>,
        user: &str,
        amount: i64,
    ) -> Result<(), ShopError> {
        let sql = "UPDATE account SET free = free - ?2, held = held + ?2 WHERE user = ?1";
        let debit = sqlx::query(sql).bind(user).bind(amount);
        debit.execute(&mut *tx).await?;
        Ok(())
    }

    async fn confirm(
        &self,
        tx: &mut FenceTx<Sqlite>,
        user: &str,
        amount: i64,
    ) -> Result<(), ShopError> {
        let sql = "UPDATE account SET held = held - ?2 WHERE user = ?1";
        let confirm = sqlx::query(sql).bind(user).bind(amount);
        confirm.execute(&mut *tx).await?;
        Ok(())
    }

    async fn cancel(
        &self,
        tx: &mut FenceTx<Sqlite>,
        user: &str,
        amount: i64,
    ) -> Result<(), ShopError> {
        let sql = "UPDATE account SET free = free + ?2, held = held - ?2 WHERE user = ?1";
        let cancel = sqlx::query(sql).bind(user).bind(amount);
        cancel.execute(&mut *tx).await?;
        Ok(())
    }
}

#[test]
fn the_readme_shows_this_file() {
    let readme = include_str!("../../../README.md");
    let (_, shown) = include_str!("readme.rs")
        .rsplit_once("// Shown from here on.\n\n")
        .expect("a beginning");
    assert!(readme.contains(&format!("```rs\n{shown}```")));
}

// Shown from here on.

use std::sync::Arc;

use unanimous::testing::{Harness, Prover, database};

const SCHEMA: &str = "CREATE TABLE account (user TEXT PRIMARY KEY, free INTEGER, held INTEGER);
                      INSERT INTO account VALUES ('ada', 100, 0)";

/// In a database in memory, another one for each call.
async fn accounts() -> Accounts {
    let db = database(SCHEMA).await.unwrap();
    Accounts { db }
}

async fn sums(accounts: &Accounts) -> (i64, i64) {
    let sql = "SELECT free, held FROM account";
    sqlx::query_as(sql).fetch_one(&accounts.db).await.unwrap()
}

/// Phase two when the test says so, and twice.
#[tokio::test]
async fn money_is_held_until_it_is_decided() {
    let accounts = Arc::new(accounts().await);
    let harness = Harness::of(accounts.clone()).await.unwrap();
    let tried = harness.try_phase(accounts.debit("ada", 30)).await;
    assert_eq!(sums(&accounts).await, (70, 30));
    tried.commit_twice().await.assert_committed();
    assert_eq!(sums(&accounts).await, (70, 0));
}

/// Every phase twice; failed, and dropped, each time at each of its 22 points; in 120 orders.
#[tokio::test]
async fn a_debit_keeps_the_rules_whatever_is_delivered() {
    let debit = Prover::new(
        accounts,
        async |accounts| accounts.debit("ada", 30).await,
        async |accounts| sums(accounts).await,
    );
    debit.assert_proved().await;
}
