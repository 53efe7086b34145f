//! Both services in one process: a transfer that commits, and one that rolls back.

use std::sync::Arc;

use freeze_table::{AccountError, by_hand, fenced};
use sqlx::SqlitePool;
use unanimous::{Runtime, global_transactional, sqlite};

/// Ada pays at both services, or at neither.
#[global_transactional(settle = "10s")]
async fn pay(
    by_hand: &by_hand::Accounts,
    fenced: &fenced::Accounts,
    money: i64,
    at_the_fenced: i64,
) -> Result<(), AccountError> {
    by_hand.deduct("ada", money).await?;
    fenced.deduct("ada", at_the_fenced).await
}

/// Ada's money, and whether the service has a table for what is frozen.
async fn show(name: &str, db: &SqlitePool) -> Result<(), sqlx::Error> {
    let money: i64 = sqlx::query_scalar("SELECT money FROM account_tbl")
        .fetch_one(db)
        .await?;
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'account_freeze_tbl'";
    let tables: i64 = sqlx::query_scalar(sql).fetch_one(db).await?;
    let rows: Vec<(i64, i64)> = if tables == 0 {
        Vec::new()
    } else {
        let sql = "SELECT freeze_money, state FROM account_freeze_tbl ORDER BY rowid";
        sqlx::query_as(sql).fetch_all(db).await?
    };
    let states = ["tried", "confirmed", "cancelled"];
    let rows: Vec<String> = rows
        .iter()
        .map(|(money, state)| {
            let state = usize::try_from(*state).ok().and_then(|at| states.get(at));
            format!("{money} {}", state.unwrap_or(&"?"))
        })
        .collect();
    let frozen = match (tables, rows.is_empty()) {
        (0, _) => "no freeze table".to_owned(),
        (_, true) => "freeze table: empty".to_owned(),
        (_, false) => format!("freeze table: {}", rows.join(", ")),
    };
    say(&format!("  {name:<8} {money:>4}   {frozen}"));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a program for people")]
fn say(line: &str) {
    println!("{line}");
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let first = "INSERT INTO account_tbl VALUES ('ada', 100)";
    let open = async |name: &str, schema: &'static str| {
        let db = sqlite::durable(folder.path().join(name)).await?;
        sqlx::raw_sql(schema).execute(&db).await?;
        sqlx::query(first).execute(&db).await?;
        Ok::<_, Box<dyn std::error::Error>>(db)
    };
    let by_hand = Arc::new(by_hand::Accounts {
        db: open("by_hand.db", by_hand::SCHEMA).await?,
    });
    let fenced = Arc::new(fenced::Accounts {
        db: open("fenced.db", fenced::SCHEMA).await?,
    });
    let log = folder.path().join("unanimous.redb");
    let runtime = Runtime::builder()
        .coordinator(format!("embedded:{}", log.display()))
        .participant(by_hand.clone())
        .participant(fenced.clone())
        .build()
        .await?;
    runtime.install()?;

    for (money, at_the_fenced) in [(30, 30), (30, 300)] {
        let paid = pay(&by_hand, &fenced, money, at_the_fenced).await;
        runtime.quiet(std::time::Duration::from_secs(10)).await;
        match paid {
            Ok(()) => say(&format!("paid {money} and {at_the_fenced}:")),
            Err(error) => say(&format!("paid nothing, since {error}:")),
        }
        show("by hand", &by_hand.db).await?;
        show("fenced", &fenced.db).await?;
    }
    runtime.shutdown().await;
    Ok(())
}
