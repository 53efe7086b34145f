//! The three SQLite files, read and filled by SQL behind the services' backs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use tokio::time::{Instant, interval};

use crate::Failure;

/// How often a state that comes by itself is looked for.
const LOOK: Duration = Duration::from_millis(10);
/// What has not come by then does not come.
const PATIENCE: Duration = Duration::from_secs(20);

/// An article of the shop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Article {
    pub(crate) sku: &'static str,
    pub(crate) stocked: i64,
}

/// The file of each service.
#[derive(Debug)]
pub(crate) struct Databases {
    storage: PathBuf,
    account: PathBuf,
    order: PathBuf,
}

/// What the files hold about one article and the customers of one scene.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) free: i64,
    pub(crate) held: i64,
    pub(crate) sold: i64,
    pub(crate) balance: i64,
    pub(crate) reserved: i64,
    /// Of the whole shop.
    pub(crate) revenue: i64,
    pub(crate) pending: i64,
    pub(crate) confirmed: i64,
    pub(crate) cancelled: i64,
}

/// A row of a fence.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Branch {
    pub(crate) participant: String,
    pub(crate) call_id: String,
    state: i64,
    /// Written by a rollback where no try was.
    is_marker: bool,
}

impl Branch {
    /// Whether it waits for its phase two.
    pub(crate) fn is_tried(&self) -> bool {
        self.state == 1
    }

    /// Whether it is of the same service and in the same state.
    fn ends_as(&self, other: &Self) -> bool {
        (&self.participant, self.state, self.is_marker)
            == (&other.participant, other.state, other.is_marker)
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.state, self.is_marker) {
            (1, _) => "tried",
            (2, _) => "confirmed",
            (3, false) => "cancelled",
            (3, true) => "cancelled (nothing was tried)",
            _ => "?",
        })
    }
}

impl Databases {
    pub(crate) fn new(storage: PathBuf, account: PathBuf, order: PathBuf) -> Self {
        Self {
            storage,
            account,
            order,
        }
    }

    fn all(&self) -> [&Path; 3] {
        [&self.order, &self.storage, &self.account]
    }

    pub(crate) async fn storage(&self) -> Result<SqliteConnection, Failure> {
        open(&self.storage).await
    }

    pub(crate) async fn account(&self) -> Result<SqliteConnection, Failure> {
        open(&self.account).await
    }

    pub(crate) async fn order(&self) -> Result<SqliteConnection, Failure> {
        open(&self.order).await
    }

    /// Fills the shelves and the customers' purses.
    pub(crate) async fn stock(
        &self,
        articles: &[Article],
        customers: &[(String, i64)],
    ) -> Result<(), Failure> {
        let mut storage = self.storage().await?;
        for article in articles {
            sqlx::query("INSERT INTO stock (sku, free) VALUES (?, ?)")
                .bind(article.sku)
                .bind(article.stocked)
                .execute(&mut storage)
                .await?;
        }
        let customers = serde_json::to_string(customers)?;
        sqlx::query(
            "INSERT INTO account (user, balance)
             SELECT value ->> 0, value ->> 1 FROM json_each(?)",
        )
        .bind(customers)
        .execute(&mut self.account().await?)
        .await?;
        Ok(())
    }

    /// What the files hold about an article and the customers whose names match a pattern.
    pub(crate) async fn snapshot(&self, sku: &str, users: &str) -> Result<Snapshot, Failure> {
        let (free, held, sold) = sqlx::query_as("SELECT free, held, sold FROM stock WHERE sku = ?")
            .bind(sku)
            .fetch_one(&mut self.storage().await?)
            .await?;
        let (balance, reserved, revenue) = sqlx::query_as(
            "SELECT sum(balance), sum(held), (SELECT total FROM revenue)
             FROM account WHERE user GLOB ?",
        )
        .bind(users)
        .fetch_one(&mut self.account().await?)
        .await?;
        let (pending, confirmed, cancelled) = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE state = 'pending'),
                    count(*) FILTER (WHERE state = 'confirmed'),
                    count(*) FILTER (WHERE state = 'cancelled')
             FROM orders WHERE user GLOB ?",
        )
        .bind(users)
        .fetch_one(&mut self.order().await?)
        .await?;
        Ok(Snapshot {
            free,
            held,
            sold,
            balance,
            reserved,
            revenue,
            pending,
            confirmed,
            cancelled,
        })
    }

    /// The branches of a transaction, as the fences of the three services hold them.
    pub(crate) async fn branches(&self, xid: &str) -> Result<Vec<Branch>, Failure> {
        let mut branches = Vec::new();
        for file in self.all() {
            let rows: Vec<Branch> = sqlx::query_as(
                "SELECT participant, call_id, state, digest IS NULL AS is_marker
                 FROM unanimous_fence WHERE xid = ? ORDER BY call_id",
            )
            .bind(xid)
            .fetch_all(&mut open(file).await?)
            .await?;
            branches.extend(rows);
        }
        Ok(branches)
    }

    /// How many branches of these transactions each service has in each state.
    pub(crate) async fn count_branches(
        &self,
        xids: &[String],
    ) -> Result<Vec<(Branch, i64)>, Failure> {
        let xids = serde_json::to_string(xids)?;
        let mut counts = Vec::new();
        for file in self.all() {
            let rows: Vec<Branch> = sqlx::query_as(
                "SELECT participant, call_id, state, digest IS NULL AS is_marker
                 FROM unanimous_fence WHERE xid IN (SELECT value FROM json_each(?))
                 ORDER BY state, is_marker",
            )
            .bind(&xids)
            .fetch_all(&mut open(file).await?)
            .await?;
            for branch in rows {
                match counts.last_mut() {
                    Some((last, count)) if branch.ends_as(last) => *count += 1,
                    _ => counts.push((branch, 1)),
                }
            }
        }
        Ok(counts)
    }

    /// The transactions of the customers whose names match a pattern, in the order of their orders.
    pub(crate) async fn xids(&self, users: &str) -> Result<Vec<String>, Failure> {
        let xids = sqlx::query_scalar("SELECT xid FROM orders WHERE user GLOB ? ORDER BY id");
        Ok(xids.bind(users).fetch_all(&mut self.order().await?).await?)
    }

    /// Waits until no branch of the transaction is tried any more.
    pub(crate) async fn ended(&self, xid: &str) -> Result<(), Failure> {
        let ended = async || Ok(!self.branches(xid).await?.iter().any(Branch::is_tried));
        eventually(&format!("every branch of {xid} ends"), ended).await
    }

    /// Waits until no file holds a tried row.
    pub(crate) async fn all_ended(&self) -> Result<(), Failure> {
        eventually("every branch ends", async || Ok(self.tried().await? == 0)).await
    }

    /// How many tried rows the three files hold.
    pub(crate) async fn tried(&self) -> Result<i64, Failure> {
        let mut tried = 0;
        for file in self.all() {
            tried += sqlx::query_scalar::<_, i64>(
                "SELECT count(*) FROM unanimous_fence WHERE state = 1",
            )
            .fetch_one(&mut open(file).await?)
            .await?;
        }
        Ok(tried)
    }
}

async fn open(file: &Path) -> Result<SqliteConnection, Failure> {
    Ok(SqliteConnectOptions::new().filename(file).connect().await?)
}

/// Waits for a state that comes by itself.
pub(crate) async fn eventually(
    what: &str,
    seen: impl AsyncFn() -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let (start, mut look) = (Instant::now(), interval(LOOK));
    while start.elapsed() < PATIENCE {
        look.tick().await;
        if seen().await? {
            return Ok(());
        }
    }
    Err(format!("waited {PATIENCE:?} in vain until {what}").into())
}
