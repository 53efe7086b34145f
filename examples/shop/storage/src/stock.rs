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
