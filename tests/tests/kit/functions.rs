//! Actions that are free functions are proved through the builder that provides them.

use unanimous::sqlx::{self, Sqlite, SqlitePool};
use unanimous::testing::{Prover, database};
use unanimous::{FenceTx, two_phase_action};

use crate::participants::Failure;

const SCHEMA: &str = "
    CREATE TABLE shelf (free INTEGER NOT NULL, held INTEGER NOT NULL);
    INSERT INTO shelf VALUES (10, 0);";

#[two_phase_action(commit = sell, rollback = put_back, fence = db)]
async fn take(
    tx: &mut FenceTx<Sqlite>,
    #[state] db: &SqlitePool,
    count: i64,
) -> Result<(), Failure> {
    let _ = db;
    let sql = "UPDATE shelf SET free = free - ?1, held = held + ?1";
    sqlx::query(sql).bind(count).execute(&mut *tx).await?;
    Ok(())
}

async fn sell(tx: &mut FenceTx<Sqlite>, _: &SqlitePool, count: i64) -> Result<(), Failure> {
    let sql = "UPDATE shelf SET held = held - ?";
    sqlx::query(sql).bind(count).execute(&mut *tx).await?;
    Ok(())
}

async fn put_back(tx: &mut FenceTx<Sqlite>, _: &SqlitePool, count: i64) -> Result<(), Failure> {
    let sql = "UPDATE shelf SET free = free + ?1, held = held - ?1";
    sqlx::query(sql).bind(count).execute(&mut *tx).await?;
    Ok(())
}

#[tokio::test]
async fn a_free_function_is_proved_in_every_order() {
    let shelf = Prover::of(
        async |builder| {
            let db = database(SCHEMA).await.expect("a database");
            (builder.state(db.clone()).action(take), db)
        },
        async |_| take(2).await,
        async |db| -> (i64, i64) {
            let sql = "SELECT free, held FROM shelf";
            sqlx::query_as(sql).fetch_one(db).await.expect("the row")
        },
    );
    let proof = shelf.assert_proved().await;
    assert_eq!((proof.points.len(), proof.orders), (22, 120));
}
