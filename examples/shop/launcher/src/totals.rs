//! Whether everything adds up, by SQL over all three files.

use std::fmt;

use shop_service::PRICE;

use crate::Failure;
use crate::databases::{Article, Databases};

/// Two numbers that must be equal.
#[derive(Debug)]
struct Check {
    what: String,
    found: i64,
    due: i64,
}

impl Check {
    fn new(what: impl Into<String>, found: i64, due: i64) -> Self {
        Self {
            what: what.into(),
            found,
            due,
        }
    }

    fn holds(&self) -> bool {
        self.found == self.due
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, found, due } = self;
        if self.holds() {
            write!(f, "  ok     {what:<52} {found:>6}")
        } else {
            write!(f, "  WRONG  {what:<52} {found:>6} instead of {due}")
        }
    }
}

/// Prints the totals, and tells whether they add up to what the shop was opened with.
pub(crate) async fn check(
    databases: &Databases,
    articles: &[Article],
    money: i64,
) -> Result<bool, Failure> {
    println!("\nTotals, by SQL over storage.db, account.db and order.db");
    let checks = checks(databases, articles, money).await?;
    for check in &checks {
        println!("{check}");
    }
    Ok(checks.iter().all(Check::holds))
}

async fn checks(
    databases: &Databases,
    articles: &[Article],
    money: i64,
) -> Result<Vec<Check>, Failure> {
    let (mut storage, mut order) = (databases.storage().await?, databases.order().await?);
    let (mut there, mut ordered, mut sold_in_all, mut held_in_all) = (0, 0, 0, 0);
    for Article { sku, stocked } in articles {
        let (free, held, sold): (i64, i64, i64) =
            sqlx::query_as("SELECT free, held, sold FROM stock WHERE sku = ?")
                .bind(sku)
                .fetch_one(&mut storage)
                .await?;
        let confirmed: i64 = sqlx::query_scalar(
            "SELECT coalesce(sum(count), 0) FROM orders WHERE sku = ? AND state = 'confirmed'",
        )
        .bind(sku)
        .fetch_one(&mut order)
        .await?;
        there += i64::from(free + held + sold == *stocked);
        ordered += i64::from(confirmed == sold);
        sold_in_all += sold;
        held_in_all += held;
    }
    let all = i64::try_from(articles.len())?;
    let (balances, reserved, revenue): (i64, i64, i64) =
        sqlx::query_as("SELECT sum(balance), sum(held), (SELECT total FROM revenue) FROM account")
            .fetch_one(&mut databases.account().await?)
            .await?;
    let pending = sqlx::query_scalar("SELECT count(*) FROM orders WHERE state = 'pending'")
        .fetch_one(&mut order)
        .await?;
    Ok(vec![
        Check::new(
            "storage: articles with free + held + sold as stocked",
            there,
            all,
        ),
        Check::new(
            "order: articles with as many confirmed as sold",
            ordered,
            all,
        ),
        Check::new(
            "account: balances + revenue as at the start",
            balances + revenue,
            money,
        ),
        Check::new("account: revenue as sold", revenue, sold_in_all * PRICE),
        Check::new("storage: pieces still held", held_in_all, 0),
        Check::new("account: money still held", reserved, 0),
        Check::new("order: orders still pending", pending, 0),
        Check::new(
            "all three: tried rows left in the fences",
            databases.tried().await?,
            0,
        ),
    ])
}

#[cfg(test)]
mod tests {
    use sqlx::Executor as _;

    use super::*;

    const LAMP: Article = Article {
        sku: "lamp",
        stocked: 10,
    };

    /// The shop's files after a customer with 100 bought two lamps, then changed by `tampering`.
    async fn wrong_after(tampering: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let databases = Databases::new(file("storage"), file("account"), file("order"));
        for (name, schema) in [
            ("storage", include_str!("../../storage/src/schema.sql")),
            ("account", include_str!("../../account/src/schema.sql")),
            ("order", include_str!("../../order/src/schema.sql")),
        ] {
            let pool = unanimous::sqlite::durable(file(name)).await.unwrap();
            pool.execute(sqlx::raw_sql(unanimous::sqlite::SCHEMA))
                .await
                .unwrap();
            pool.execute(schema).await.unwrap();
            pool.close().await;
        }
        databases
            .stock(&[LAMP], &[("ann".to_owned(), 100)])
            .await
            .unwrap();
        let bought = [
            ("storage", "UPDATE stock SET free = 8, sold = 2"),
            ("account", "UPDATE account SET balance = 80"),
            ("account", "UPDATE revenue SET total = 20"),
            (
                "order",
                "INSERT INTO orders VALUES (1, 'ann', 'lamp', 2, 'confirmed', 'x')",
            ),
        ];
        for (name, sql) in bought.iter().chain(tampering) {
            let connection = match *name {
                "storage" => databases.storage().await,
                "account" => databases.account().await,
                _ => databases.order().await,
            };
            connection
                .unwrap()
                .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(*sql)))
                .await
                .unwrap();
        }
        let well = check(&databases, &[LAMP], 100).await.unwrap();
        let wrong: Vec<_> = checks(&databases, &[LAMP], 100).await.unwrap();
        let wrong: Vec<_> = wrong
            .into_iter()
            .filter(|check| !check.holds())
            .map(|check| check.what)
            .collect();
        assert_eq!(well, wrong.is_empty());
        wrong
    }

    #[tokio::test]
    async fn a_shop_that_adds_up_is_not_complained_about() {
        assert_eq!(wrong_after(&[]).await, [""; 0]);
    }

    #[tokio::test]
    async fn whatever_does_not_add_up_is_named() {
        let tried =
            "INSERT INTO unanimous_fence (xid, call_id, participant, action, state, created_ms)
                     VALUES ('x', 'c', 'p', 'a', 1, 0)";
        for (name, sql, expected) in [
            (
                "storage",
                "UPDATE stock SET free = 9",
                "storage: articles with free + held",
            ),
            (
                "storage",
                "UPDATE stock SET held = 1",
                "storage: pieces still held",
            ),
            (
                "storage",
                "UPDATE stock SET sold = 3",
                "order: articles with as many",
            ),
            (
                "account",
                "UPDATE account SET balance = 81",
                "account: balances + revenue",
            ),
            (
                "account",
                "UPDATE account SET held = 1",
                "account: money still held",
            ),
            (
                "account",
                "UPDATE revenue SET total = 21",
                "account: revenue as sold",
            ),
            (
                "order",
                "UPDATE orders SET count = 1",
                "order: articles with as many",
            ),
            (
                "order",
                "UPDATE orders SET state = 'pending'",
                "order: orders still pending",
            ),
            ("order", tried, "all three: tried rows left"),
            ("storage", tried, "all three: tried rows left"),
            ("account", tried, "all three: tried rows left"),
        ] {
            let wrong = wrong_after(&[(name, sql)]).await;
            assert!(
                wrong.iter().any(|what| what.starts_with(expected)),
                "{sql}: {wrong:?}"
            );
        }
    }
}
