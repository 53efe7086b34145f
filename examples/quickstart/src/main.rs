//! Three participants in one process, each with a database of its own: all commit, or none does.
//!
//! `cargo run -p quickstart`
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use sqlx::{Sqlite, SqlitePool};
use tempfile::TempDir;
use unanimous::{FenceTx, Runtime, global_transactional, participant, sqlite};

#[derive(Debug, thiserror::Error)]
enum ShopError {
    #[error("not enough {0}")]
    NotEnough(&'static str),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Transaction(#[from] unanimous::Error),
}

/// A table of one quantity: what is free, and what transactions hold.
#[derive(Clone)]
struct Quantity {
    db: SqlitePool,
    what: &'static str,
}

#[participant(name = self.what, fence = self.db)]
impl Quantity {
    /// Phase one: moves `count` from free to held, if there is enough.
    #[two_phase_action(commit = spend, rollback = release)]
    async fn hold(&self, tx: &mut FenceTx<Sqlite>, count: i64) -> Result<(), ShopError> {
        let sql = "UPDATE quantity SET free = free - ?1, held = held + ?1 WHERE free >= ?1";
        match change(tx, sql, count).await? {
            1 => Ok(()),
            _ => Err(ShopError::NotEnough(self.what)),
        }
    }

    /// Phase two, when everybody succeeded.
    async fn spend(&self, tx: &mut FenceTx<Sqlite>, count: i64) -> Result<(), sqlx::Error> {
        let sql = "UPDATE quantity SET held = held - ?1";
        change(tx, sql, count).await.map(drop)
    }

    /// Phase two, when anybody failed.
    async fn release(&self, tx: &mut FenceTx<Sqlite>, count: i64) -> Result<(), sqlx::Error> {
        let sql = "UPDATE quantity SET free = free + ?1, held = held - ?1";
        change(tx, sql, count).await.map(drop)
    }
}

async fn change(tx: &mut FenceTx<Sqlite>, sql: &'static str, by: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(sql).bind(by).execute(&mut *tx).await?;
    Ok(done.rows_affected())
}

impl Quantity {
    async fn open(what: &'static str, free: i64, folder: &TempDir) -> Result<Self, Box<dyn Error>> {
        let db = sqlite::durable(folder.path().join(what)).await?;
        let sql = "CREATE TABLE quantity AS SELECT ? AS free, 0 AS held";
        sqlx::query(sql).bind(free).execute(&db).await?;
        Ok(Self { db, what })
    }
}

struct Shop {
    stock: Quantity,
    money: Quantity,
    vouchers: Quantity,
}

impl Shop {
    /// `Ok` commits all three; an error, a panic, the deadline or a drop rolls all of them back.
    #[global_transactional(timeout = "10s")]
    async fn buy(&self, count: i64, price: i64) -> Result<(), ShopError> {
        self.stock.hold(count).await?;
        self.vouchers.hold(1).await?;
        self.money.hold(count * price).await
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = TempDir::new()?;
    let shop = Shop {
        stock: Quantity::open("stock", 10, &folder).await?,
        money: Quantity::open("money", 100, &folder).await?,
        vouchers: Quantity::open("vouchers", 5, &folder).await?,
    };
    let log = folder.path().join("unanimous.redb");
    let runtime = Runtime::builder()
        .coordinator(format!("embedded:{}", log.display()))
        .participant(Arc::new(shop.stock.clone()))
        .participant(Arc::new(shop.money.clone()))
        .participant(Arc::new(shop.vouchers.clone()))
        .build()
        .await?;
    runtime.install()?;

    // The second time the money does not suffice: the stock and the voucher come back.
    for _ in 0..2 {
        println!("2 at 30: {:?}", shop.buy(2, 30).await);
        runtime.quiet(Duration::from_secs(5)).await; // `Ok` is decided; carried out a moment later
        for Quantity { db, what } in [&shop.stock, &shop.money, &shop.vouchers] {
            let sql = "SELECT free, held FROM quantity";
            let (free, held): (i64, i64) = sqlx::query_as(sql).fetch_one(db).await?;
            println!("  {what:<8} free {free:>4}  held {held:>4}");
        }
    }
    runtime.shutdown().await;
    Ok(())
}
