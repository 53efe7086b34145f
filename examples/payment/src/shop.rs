//! The shop: authorise the money, create the order; both or neither.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, Runtime, global_transactional, participant, sqlite};

use crate::payments::{PaymentError, Payments};

/// Why a purchase failed.
#[derive(Debug, thiserror::Error)]
pub enum ShopError {
    /// The transaction itself.
    #[error(transparent)]
    Transaction(#[from] unanimous::Error),
    /// The payment.
    #[error(transparent)]
    Payment(#[from] PaymentError),
    /// The shop's own database.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// Nothing is left.
    #[error("sold out")]
    SoldOut,
}

/// The orders, beside the payments a participant with a database and a fence.
#[derive(Clone, Debug)]
pub struct Orders {
    db: SqlitePool,
}

#[participant(name = "orders", fence = self.db)]
impl Orders {
    /// Takes one piece off the shelf. The order stands as it is, so nothing is left to confirm.
    #[two_phase_action(commit = none, rollback = cancel)]
    pub async fn create(&self, tx: &mut FenceTx<Sqlite>, price: i64) -> Result<(), ShopError> {
        let sql = "UPDATE shelf SET pieces = pieces - 1, earned = earned + ? WHERE pieces > 0";
        let taken = sqlx::query(sql).bind(price).execute(&mut *tx).await?;
        if taken.rows_affected() == 0 {
            return Err(ShopError::SoldOut);
        }
        Ok(())
    }

    async fn cancel(&self, tx: &mut FenceTx<Sqlite>, price: i64) -> Result<(), ShopError> {
        let sql = "UPDATE shelf SET pieces = pieces + 1, earned = earned - ?";
        sqlx::query(sql).bind(price).execute(&mut *tx).await?;
        Ok(())
    }
}

/// One purchase.
#[global_transactional(timeout = "20s")]
async fn purchase(shop: &Shop, card: &str, price: i64) -> Result<(), ShopError> {
    shop.payments.authorise(card, price).await?;
    shop.orders.create(price).await
}

/// The shop, with its coordinator in the same process.
#[derive(Debug)]
pub struct Shop {
    payments: Payments,
    orders: Orders,
    runtime: Runtime,
}

impl Shop {
    /// Opens the shop whose database and log are in this folder. What a process that died left
    /// there is finished first.
    ///
    /// # Errors
    ///
    /// When the folder cannot be used.
    pub async fn open(
        api: SocketAddr,
        folder: &Path,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let db = sqlite::durable(folder.join("orders.db")).await?;
        let schema = "CREATE TABLE IF NOT EXISTS shelf (pieces INTEGER, earned INTEGER);
                      INSERT INTO shelf SELECT 5, 0 WHERE NOT EXISTS (SELECT 1 FROM shelf)";
        sqlx::raw_sql(schema).execute(&db).await?;
        let (payments, orders) = (Payments::new(api)?, Orders { db });
        let log = folder.join("log.redb");
        let runtime = Runtime::builder()
            .coordinator(format!("embedded:{}", log.display()))
            .participant(Arc::new(payments.clone()))
            .participant(Arc::new(orders.clone()))
            .build()
            .await?;
        runtime.ready().await;
        Ok(Self {
            payments,
            orders,
            runtime,
        })
    }

    /// Buys one piece.
    ///
    /// # Errors
    ///
    /// Whatever kept it from being bought; nothing of it stands then, or will soon.
    pub async fn buy(&self, card: &str, price: i64) -> Result<(), ShopError> {
        self.runtime.scope(purchase(self, card, price)).await
    }

    /// Whether all that was decided is carried out within 20 s.
    pub async fn is_quiet(&self) -> bool {
        self.runtime.quiet(Duration::from_secs(20)).await
    }

    /// Pieces on the shelf, and what was earned.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn shelf(&self) -> Result<(i64, i64), sqlx::Error> {
        let sql = "SELECT pieces, earned FROM shelf";
        sqlx::query_as(sql).fetch_one(&self.orders.db).await
    }

    /// Closes the shop.
    pub async fn close(self) {
        self.runtime.shutdown().await;
    }
}
