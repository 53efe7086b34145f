//! Both services are proved, and what tutorials leave out is found.

use freeze_table::{AccountError, by_hand, fenced};
use sqlx::SqlitePool;
use unanimous::testing::{Problem, Prover, Rule, database};
use unanimous::{BranchContext, participant};

async fn money(db: &SqlitePool) -> i64 {
    sqlx::query_scalar("SELECT money FROM account_tbl")
        .fetch_one(db)
        .await
        .expect("the row")
}

async fn opened(schema: &'static str) -> SqlitePool {
    let db = database(schema).await.expect("a database");
    sqlx::query("INSERT INTO account_tbl VALUES ('ada', 100)")
        .execute(&db)
        .await
        .expect("the row");
    db
}

#[tokio::test]
async fn the_freeze_table_keeps_the_rules() {
    let proof = Prover::new(
        async || by_hand::Accounts {
            db: opened(by_hand::SCHEMA).await,
        },
        async |accounts| accounts.deduct("ada", 30).await,
        async |accounts| {
            let sql =
                "SELECT coalesce(sum(freeze_money), 0) FROM account_freeze_tbl WHERE state = 0";
            let frozen: i64 = sqlx::query_scalar(sql)
                .fetch_one(&accounts.db)
                .await
                .expect("the table");
            (money(&accounts.db).await, frozen)
        },
    )
    .assert_proved()
    .await;
    assert_eq!((proof.points.len(), proof.orders), (13, 41));
}

#[tokio::test]
async fn the_fence_keeps_the_rules() {
    let proof = Prover::new(
        async || fenced::Accounts {
            db: opened(fenced::SCHEMA).await,
        },
        async |accounts| accounts.deduct("ada", 30).await,
        async |accounts| money(&accounts.db).await,
    )
    .assert_proved()
    .await;
    assert_eq!((proof.points.len(), proof.orders), (22, 120));
}

/// As tutorials have it: confirm deletes the row, cancel gives back what the row says.
struct Tutorial {
    db: SqlitePool,
}

#[participant(name = "tutorial")]
impl Tutorial {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn deduct(&self, user: &str, money: i64) -> Result<(), AccountError> {
        let key = BranchContext::current().expect("a branch").try_key();
        let mut tx = self.db.begin_with("BEGIN IMMEDIATE").await?;
        let sql = "SELECT count(*) FROM account_freeze_tbl WHERE branch = ?";
        let rows: i64 = sqlx::query_scalar(sql)
            .bind(&key)
            .fetch_one(&mut *tx)
            .await?;
        if rows > 0 {
            return Ok(());
        }
        let sql = "UPDATE account_tbl SET money = money - ?2 WHERE user = ?1";
        sqlx::query(sql)
            .bind(user)
            .bind(money)
            .execute(&mut *tx)
            .await?;
        let sql = "INSERT INTO account_freeze_tbl VALUES (?, ?, ?, 0)";
        let row = sqlx::query(sql).bind(&key).bind(user).bind(money);
        row.execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn confirm(&self, branch: &BranchContext) -> Result<(), AccountError> {
        let sql = "DELETE FROM account_freeze_tbl WHERE branch = ?";
        sqlx::query(sql)
            .bind(branch.try_key())
            .execute(&self.db)
            .await?;
        Ok(())
    }

    async fn cancel(&self, branch: &BranchContext) -> Result<(), AccountError> {
        let mut tx = self.db.begin_with("BEGIN IMMEDIATE").await?;
        let sql = "UPDATE account_tbl SET money = money + (SELECT coalesce(sum(freeze_money), 0)
                   FROM account_freeze_tbl WHERE branch = ?)";
        sqlx::query(sql)
            .bind(branch.try_key())
            .execute(&mut *tx)
            .await?;
        let sql = "DELETE FROM account_freeze_tbl WHERE branch = ?";
        sqlx::query(sql)
            .bind(branch.try_key())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }
}

#[tokio::test]
async fn a_freeze_row_that_is_deleted_lets_a_late_or_repeated_try_through() {
    let broken = Prover::new(
        async || Tutorial {
            db: opened(by_hand::SCHEMA).await,
        },
        async |accounts| accounts.deduct("ada", 30).await,
        async |accounts| money(&accounts.db).await,
    )
    .orders()
    .await
    .expect_err("the prover finds it");
    let rules = [Rule::Idempotence, Rule::Suspension];
    assert_eq!(broken.rules(), rules.into(), "{broken}");
    let readme = include_str!("../README.md");
    let late = broken.problems.iter().find_map(|problem| match problem {
        Problem::Breach(breach) if breach.rule == Rule::Suspension => Some(breach.to_string()),
        _ => None,
    });
    let late = late.expect("one of them is a late try");
    let (told, _) = late.split_once("\n  way out").expect("a way out");
    assert!(
        readme.contains(told),
        "the README shows something else than:\n{told}"
    );
}
