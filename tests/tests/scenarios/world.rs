//! The processes and databases of a scenario.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use unanimous::coordinator::Coordinator;
use unanimous::sqlx::{self, SqlitePool};
use unanimous::{Event, Runtime, RuntimeBuilder, Xid, global_transactional, sqlite};

use crate::clock::FastClock;
use crate::logs;
use crate::vault::{Failure, Receipt, SCHEMA, Script, Vault};

/// What is free in each vault at first.
pub(crate) const FULL: i64 = 1_000;
pub(crate) const NAMES: [&str; 3] = ["stock", "money", "vouchers"];
/// On the scenarios' clock, which runs fast.
pub(crate) const LONG: Duration = Duration::from_secs(600);

/// A folder with the log of a coordinator and the databases of three vaults.
pub(crate) struct Site {
    folder: TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The coordinator whose log is a file here. A restart waits until the file is free.
    pub(crate) fn embedded(&self) -> String {
        format!(
            "embedded:{}?wait=600s",
            self.file("unanimous.redb").display()
        )
    }

    pub(crate) async fn vaults(&self) -> [Vault; 3] {
        let mut vaults = Vec::new();
        for name in NAMES {
            vaults.push(self.vault(name).await);
        }
        vaults.try_into().expect("three names")
    }

    pub(crate) async fn vault(&self, name: &'static str) -> Vault {
        let db = sqlite::durable(self.file(&format!("{name}.db")))
            .await
            .expect("a database");
        sqlx::raw_sql(SCHEMA)
            .execute(&db)
            .await
            .expect("the tables");
        let first = "INSERT INTO vault SELECT ?, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM vault)";
        sqlx::query(first)
            .bind(FULL)
            .execute(&db)
            .await
            .expect("the row");
        Vault {
            name,
            db,
            script: Arc::new(Script::default()),
        }
    }
}

/// One process with three vaults.
pub(crate) struct World {
    pub(crate) runtime: Runtime,
    pub(crate) vaults: [Vault; 3],
    pub(crate) heard: Arc<Mutex<Vec<Event>>>,
}

/// A builder with the scenarios' clock, which collects what is logged. No transaction is over
/// because its machine is busy.
pub(crate) fn builder() -> RuntimeBuilder {
    logs::start();
    Runtime::builder()
        .clock(Arc::new(FastClock::new()))
        .timeout(LONG)
        .application("scenario")
}

/// The coordinator at this address, without any participant.
pub(crate) async fn coordinator(url: &str) -> Arc<dyn Coordinator> {
    let host = builder()
        .coordinator(url)
        .build()
        .await
        .expect("a coordinator");
    host.coordinator_value()
}

impl World {
    /// On the embedded coordinator of the site.
    pub(crate) async fn start(site: &Site) -> Self {
        Self::with(site, builder().coordinator(site.embedded())).await
    }

    /// On a coordinator value, mostly one behind a faulty wire.
    pub(crate) async fn on(site: &Site, coordinator: Arc<dyn Coordinator>) -> Self {
        Self::with(site, builder().coordinator_value(coordinator)).await
    }

    pub(crate) async fn with(site: &Site, builder: RuntimeBuilder) -> Self {
        let vaults = site.vaults().await;
        let heard = Arc::<Mutex<Vec<Event>>>::default();
        let hears = Arc::clone(&heard);
        let mut builder = builder.on_event(move |event| {
            hears
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(event.clone());
        });
        for vault in &vaults {
            builder = builder.participant(Arc::new(vault.clone()));
        }
        let runtime = builder.build().await.expect("a runtime");
        Self {
            runtime,
            vaults,
            heard,
        }
    }

    /// Runs a call on this runtime.
    pub(crate) async fn run<F: Future>(&self, call: F) -> F::Output {
        self.runtime.scope(call).await
    }

    /// Takes `count` from every vault in one transaction.
    pub(crate) async fn buy(&self, label: &str, count: i64) -> Result<Xid, Failure> {
        self.run(buy(&self.vaults, label, count)).await
    }

    /// Waits until nothing moves any more, and checks what holds then.
    pub(crate) async fn settle(&self) {
        let open = async || self.runtime.admin().list(false, 100).await;
        assert!(self.runtime.quiet(LONG).await, "{:#?}", open().await);
        self.nothing_is_tried().await;
        for vault in &self.vaults {
            vault.nobody_holds().await;
        }
        self.is_clean().await;
    }

    /// Waits until no row is tried. A coordinator does not know of rows whose registration died
    /// with it: their participants ask (RM6).
    pub(crate) async fn nothing_is_tried(&self) {
        for vault in &self.vaults {
            until(vault.name, async || vault.tried_rows().await == 0).await;
        }
    }

    /// No connection was left with an open transaction, no context on this thread, no value in a
    /// log.
    pub(crate) async fn is_clean(&self) {
        assert_eq!(unanimous::xid(), None, "a context was left behind");
        for vault in &self.vaults {
            vault.is_free().await;
        }
        logs::assert_no_leak();
    }

    /// What each vault holds: free, held, sold.
    pub(crate) async fn sums(&self) -> [(i64, i64, i64); 3] {
        let [stock, money, vouchers] = &self.vaults;
        [
            stock.sums().await,
            money.sums().await,
            vouchers.sums().await,
        ]
    }

    /// Settles and closes in order.
    pub(crate) async fn end(self) {
        self.settle().await;
        self.runtime.shutdown().await;
        for vault in &self.vaults {
            vault.db.close().await;
        }
    }

    pub(crate) fn heard(&self) -> Vec<Event> {
        self.heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Asks until it is so. What takes a minute hangs.
pub(crate) async fn until(what: &str, seen: impl AsyncFn() -> bool) {
    let asking = async {
        while !seen().await {
            tokio::task::yield_now().await;
        }
    };
    let seen = tokio::time::timeout(Duration::from_secs(60), asking).await;
    seen.unwrap_or_else(|_| panic!("it never comes: {what}"));
}

/// Every vault has sold so much and nothing is held.
pub(crate) fn sold(count: i64) -> [(i64, i64, i64); 3] {
    [(FULL - count, 0, count); 3]
}

impl Vault {
    pub(crate) async fn sums(&self) -> (i64, i64, i64) {
        let sql = "SELECT free, held, sold FROM vault";
        sqlx::query_as(sql)
            .fetch_one(&self.db)
            .await
            .expect("the row")
    }

    /// How often each (label, effect) was committed.
    pub(crate) async fn effects(&self) -> BTreeMap<(String, String), (i64, i64)> {
        let sql = "SELECT label, what, count(*), sum(count) FROM effect GROUP BY 1, 2";
        let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(sql)
            .fetch_all(&self.db)
            .await
            .expect("the rows");
        rows.into_iter()
            .map(|(label, what, times, sum)| ((label, what), (times, sum)))
            .collect()
    }

    /// How often a hold of this label was committed, spent and released.
    pub(crate) async fn history(&self, label: &str) -> [i64; 3] {
        let effects = self.effects().await;
        ["held", "spent", "released"].map(|what| {
            let key = (label.to_owned(), what.to_owned());
            effects.get(&key).map_or(0, |(times, _)| *times)
        })
    }

    pub(crate) async fn tried_rows(&self) -> i64 {
        let sql = "SELECT count(*) FROM unanimous_fence WHERE state = 1";
        sqlx::query_scalar(sql)
            .fetch_one(&self.db)
            .await
            .expect("the table")
    }

    pub(crate) async fn rows(&self) -> i64 {
        let sql = "SELECT count(*) FROM unanimous_fence";
        sqlx::query_scalar(sql)
            .fetch_one(&self.db)
            .await
            .expect("the table")
    }

    /// Nothing is held, no row is tried, and nothing was made or lost.
    async fn nobody_holds(&self) {
        let (free, held, sold) = self.sums().await;
        assert_eq!(
            (held, free + sold),
            (0, FULL),
            "{}: {:#?}",
            self.name,
            self.effects().await
        );
        assert_eq!(self.tried_rows().await, 0, "{}", self.name);
    }

    /// Another connection can write, and so can every connection of the pool.
    async fn is_free(&self) {
        let options = self.db.connect_options();
        let other = SqlitePool::connect_with(options.as_ref().clone())
            .await
            .expect("it opens");
        write_nothing(&other).await;
        other.close().await;
        let every = (0..self.db.options().get_max_connections()).map(|_| self.db.acquire());
        let every = futures_util::future::try_join_all(every).await;
        drop(every.expect("every connection of the pool is free"));
        write_nothing(&self.db).await;
    }
}

async fn write_nothing(pool: &SqlitePool) {
    let mut tx = pool
        .begin_with("BEGIN IMMEDIATE")
        .await
        .expect("nobody holds the write lock");
    sqlx::query("DELETE FROM effect WHERE 0")
        .execute(&mut *tx)
        .await
        .expect("it can write");
    tx.rollback().await.expect("it can roll back");
}

#[global_transactional]
pub(crate) async fn buy(vaults: &[Vault], label: &str, count: i64) -> Result<Xid, Failure> {
    take_all(vaults, label, count).await?;
    Ok(xid())
}

/// One call of every vault, in the transaction that surrounds it.
pub(crate) async fn take_all(
    vaults: &[Vault],
    label: &str,
    count: i64,
) -> Result<Vec<Receipt>, Failure> {
    let mut receipts = Vec::new();
    for vault in vaults {
        receipts.push(vault.take(label, count).await?);
    }
    Ok(receipts)
}

/// The xid that surrounds the caller.
pub(crate) fn xid() -> Xid {
    unanimous::xid().expect("a transaction surrounds it")
}
