use std::path::Path;

use sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, participant, sqlite};

/// The articles: what is free, what open transactions hold, and what is sold.
#[derive(Clone, Debug)]
pub(crate) struct Stock {
    db: SqlitePool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum StockError {
    #[error("there are fewer than {count} of {sku} in stock")]
    OutOfStock { sku: String, count: i64 },
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Transaction(#[from] unanimous::Error),
}

#[participant(name = "storage", fence = self.db)]
impl Stock {
    /// Holds `count` pieces, and returns how many are still free.
    #[two_phase_action(commit = confirm, rollback = cancel)]
    pub(crate) async fn deduct(
        &self,
        tx: &mut FenceTx<Sqlite>,
        sku: &str,
        count: i64,
    ) -> Result<i64, StockError> {
        let free = sqlx::query_scalar(
            "UPDATE stock SET free = free - ?2, held = held + ?2
             WHERE sku = ?1 AND free >= ?2 RETURNING free",
        )
        .bind(sku)
        .bind(count)
        .fetch_optional(&mut *tx)
        .await?;
        free.ok_or_else(|| StockError::OutOfStock {
            sku: sku.to_owned(),
            count,
        })
    }

    /// What was held is sold.
    async fn confirm(
        &self,
        tx: &mut FenceTx<Sqlite>,
        sku: &str,
        count: i64,
    ) -> Result<(), StockError> {
        sqlx::query("UPDATE stock SET held = held - ?2, sold = sold + ?2 WHERE sku = ?1")
            .bind(sku)
            .bind(count)
            .execute(&mut *tx)
            .await?;
        Ok(())
    }

    /// What was held is free again.
    async fn cancel(
        &self,
        tx: &mut FenceTx<Sqlite>,
        sku: &str,
        count: i64,
    ) -> Result<(), StockError> {
        sqlx::query("UPDATE stock SET free = free + ?2, held = held - ?2 WHERE sku = ?1")
            .bind(sku)
            .bind(count)
            .execute(&mut *tx)
            .await?;
        Ok(())
    }
}

impl Stock {
    pub(crate) async fn open(file: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let db = sqlite::durable(file).await?;
        sqlx::raw_sql(include_str!("schema.sql"))
            .execute(&db)
            .await?;
        Ok(Self { db })
    }
}

#[cfg(test)]
mod tests {
    use unanimous::testing::{Prover, database};

    use super::*;

    async fn stock() -> Stock {
        let db = database(concat!(
            include_str!("schema.sql"),
            "INSERT INTO stock (sku, free) VALUES ('cup', 10);"
        ))
        .await
        .expect("a database");
        Stock { db }
    }

    /// What is free, held and sold.
    async fn pieces(stock: &Stock) -> (i64, i64, i64) {
        sqlx::query_as("SELECT free, held, sold FROM stock")
            .fetch_one(&stock.db)
            .await
            .expect("the row")
    }

    #[tokio::test]
    async fn a_deduction_keeps_the_rules_whatever_is_delivered() {
        let deduct = Prover::new(
            stock,
            async |stock| stock.deduct("cup", 2).await,
            async |stock| pieces(stock).await,
        );
        let proof = deduct.assert_proved().await;
        assert_eq!((proof.points.len(), proof.orders), (22, 120));
    }
}
