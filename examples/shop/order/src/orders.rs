use std::path::Path;

use serde::{Deserialize, Serialize};
use sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, participant, sqlite};

use crate::shop::ShopError;

/// What a customer asks for.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct NewOrder {
    pub(crate) user: String,
    pub(crate) sku: String,
    pub(crate) count: u32,
}

/// An order as it stands.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) user: String,
    pub(crate) sku: String,
    pub(crate) count: u32,
    /// `pending` while its transaction is open, then `confirmed` or `cancelled`.
    pub(crate) state: String,
    pub(crate) xid: String,
}

/// The orders: a participant in the process of the caller.
#[derive(Clone, Debug)]
pub(crate) struct Orders {
    db: SqlitePool,
}

#[participant(name = "order", fence = self.db)]
impl Orders {
    /// Writes a pending order under an id from [`Orders::next_id`].
    #[two_phase_action(commit = confirm, rollback = cancel)]
    pub(crate) async fn create(
        &self,
        tx: &mut FenceTx<Sqlite>,
        id: i64,
        order: &NewOrder,
    ) -> Result<(), ShopError> {
        let xid = unanimous::xid().map(|xid| xid.to_string());
        sqlx::query("INSERT INTO orders VALUES (?, ?, ?, ?, 'pending', ?)")
            .bind(id)
            .bind(&order.user)
            .bind(&order.sku)
            .bind(order.count)
            .bind(xid)
            .execute(&mut *tx)
            .await?;
        Ok(())
    }

    async fn confirm(&self, tx: &mut FenceTx<Sqlite>, id: i64) -> Result<(), ShopError> {
        sqlx::query("UPDATE orders SET state = 'confirmed' WHERE id = ?")
            .bind(id)
            .execute(&mut *tx)
            .await?;
        Ok(())
    }

    async fn cancel(&self, tx: &mut FenceTx<Sqlite>, id: i64) -> Result<(), ShopError> {
        sqlx::query("UPDATE orders SET state = 'cancelled' WHERE id = ?")
            .bind(id)
            .execute(&mut *tx)
            .await?;
        Ok(())
    }
}

impl Orders {
    pub(crate) async fn open(file: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let db = sqlite::durable(file).await?;
        sqlx::raw_sql(include_str!("schema.sql"))
            .execute(&db)
            .await?;
        Ok(Self { db })
    }

    /// The id of the next order. Outside any transaction: an order that is rolled back keeps it.
    pub(crate) async fn next_id(&self) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("UPDATE last_order SET id = id + 1 RETURNING id")
            .fetch_one(&self.db)
            .await
    }

    /// The order as it stands; none if nothing was written under this id.
    pub(crate) async fn find(&self, id: i64) -> Result<Option<Order>, sqlx::Error> {
        sqlx::query_as("SELECT id, user, sku, count, state, xid FROM orders WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.db)
            .await
    }
}

#[cfg(test)]
mod tests {
    use unanimous::testing::{Prover, database};

    use super::*;

    async fn orders() -> Orders {
        let db = database(include_str!("schema.sql"))
            .await
            .expect("a database");
        Orders { db }
    }

    /// The orders that stand: one that was cancelled is kept, and counts for nothing.
    async fn standing(orders: &Orders) -> Vec<(i64, String)> {
        sqlx::query_as("SELECT id, state FROM orders WHERE state <> 'cancelled' ORDER BY id")
            .fetch_all(&orders.db)
            .await
            .expect("the table")
    }

    #[tokio::test]
    async fn an_order_keeps_the_rules_whatever_is_delivered() {
        let order = NewOrder {
            user: "ada".to_owned(),
            sku: "cup".to_owned(),
            count: 2,
        };
        let create = Prover::new(
            orders,
            async |orders| orders.create(1, &order).await,
            async |orders| standing(orders).await,
        );
        let proof = create.assert_proved().await;
        assert_eq!((proof.points.len(), proof.orders), (22, 120));
    }
}
