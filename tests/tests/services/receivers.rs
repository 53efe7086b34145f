//! Participants of every form: enums, tuples, units, and types with state that is built; methods
//! with lifetimes and conditions.

use std::sync::Arc;

use unanimous::sqlx::{self, Sqlite, SqlitePool, query, query_scalar};
use unanimous::testing::database;
use unanimous::{FenceTx, global_transactional, participant, two_phase_action};

use crate::{Journal, ended, started};

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("as asked for")]
    Asked,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Transaction(#[from] unanimous::Error),
}

/// One of two kinds, chosen by configuration.
enum Mailer {
    Smtp { journal: Journal, host: String },
    Silent,
}

#[participant(name = "mailer")]
impl Mailer {
    #[two_phase_action(commit = send, rollback = none)]
    pub(crate) async fn write(&self, to: &str) -> Result<(), Failure> {
        match self {
            Self::Smtp { host, .. } if host.is_empty() => Err(Failure::Asked),
            Self::Smtp { .. } | Self::Silent => {
                let _ = to;
                Ok(())
            }
        }
    }

    async fn send(&self, to: &str) -> Result<(), Failure> {
        if let Self::Smtp { journal, host } = self {
            journal.write(format!("{to} by {host}"));
        }
        Ok(())
    }
}

/// Without any state.
#[derive(Clone, Copy, Debug, Default)]
struct Nothing;

#[participant(name = "nothing")]
impl Nothing {
    #[two_phase_action(commit = end, rollback = end)]
    async fn act(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn end(&self) -> Result<(), std::convert::Infallible> {
        Ok(())
    }
}

/// Two pools, of which one has the fence, and settings, set by a builder.
struct Ledger {
    pools: [SqlitePool; 2],
    limit: i64,
}

#[derive(Default)]
struct LedgerBuilder {
    pools: Vec<SqlitePool>,
    limit: Option<i64>,
}

impl LedgerBuilder {
    fn pool(mut self, pool: &SqlitePool) -> Self {
        self.pools.push(pool.clone());
        self
    }

    fn limit(mut self, limit: i64) -> Self {
        self.limit = Some(limit);
        self
    }

    fn build(self) -> Result<Ledger, Vec<SqlitePool>> {
        let limit = self.limit.unwrap_or(100);
        let pools = self.pools.try_into()?;
        Ok(Ledger { pools, limit })
    }
}

#[participant(name = format!("ledger-{}", self.limit), fence = self.pools[1])]
impl Ledger {
    fn builder() -> LedgerBuilder {
        LedgerBuilder::default()
    }

    /// Borrows from `self` and from the caller; `'t` is the transaction's.
    #[two_phase_action(commit = post, rollback = none)]
    async fn note<'s, 'u, 't>(
        &'s self,
        text: &'u str,
        transaction: &'t mut FenceTx<Sqlite>,
        amount: i64,
    ) -> Result<i64, Failure>
    where
        'u: 's + 't,
    {
        if amount > self.limit {
            return Err(Failure::Asked);
        }
        let sql = "INSERT INTO line (text, amount, posted) VALUES (?, ?, 0) RETURNING id";
        let insert = query_scalar(sql).bind(text).bind(amount);
        Ok(insert.fetch_one(transaction).await?)
    }

    #[cfg(not(windows))]
    async fn post<'s>(
        &'s self,
        tx: &'s mut FenceTx<Sqlite>,
        #[tried] id: &'s i64,
    ) -> sqlx::Result<()> {
        let sql = "UPDATE line SET posted = 1 WHERE id = ?";
        query(sql).bind(*id).execute(&mut *tx).await.map(drop)
    }

    #[cfg(windows)]
    async fn post(&self, tx: &mut FenceTx<Sqlite>, #[tried] id: &i64) -> sqlx::Result<()> {
        let sql = "UPDATE line SET posted = 2 WHERE id = ?";
        query(sql).bind(*id).execute(&mut *tx).await.map(drop)
    }

    fn pool(&self) -> &SqlitePool {
        &self.pools[1]
    }
}

/// A free function whose lifetimes are named: the transaction's and the caller's.
#[two_phase_action(name = "stamps.stick", commit = none, rollback = peel(journal, text), fence = db)]
async fn stick<'u: 't, 't>(
    transaction: &'t mut FenceTx<Sqlite>,
    #[state] db: &SqlitePool,
    #[state] journal: &Journal,
    text: &'u str,
) -> Result<(), Failure> {
    assert!(!db.is_closed());
    query("SELECT ?").bind(text).execute(transaction).await?;
    journal.write(format!("stuck on {text}"));
    Ok(())
}

async fn peel<'s>(journal: &'s Journal, text: &'s str) -> Result<(), Failure> {
    std::future::ready(()).await;
    journal.write(format!("peeled off {text}"));
    Ok(())
}

#[global_transactional]
async fn all(mailer: &Mailer, ledger: &Arc<Ledger>, amount: i64) -> Result<i64, Failure> {
    mailer.write("ada").await?;
    Nothing.act().await?;
    stick("a letter").await?;
    ledger.note("all", amount).await
}

#[tokio::test]
async fn participants_of_every_form_commit_and_roll_back() {
    let schema = "CREATE TABLE line (id INTEGER PRIMARY KEY, text TEXT, amount INTEGER, posted)";
    let other = database("SELECT 1").await.expect("SQLite is compiled in");
    let db = database(schema).await.expect("SQLite is compiled in");
    let ledger = Ledger::builder().limit(9).pool(&other).pool(&db).build();
    let ledger = Arc::new(ledger.expect("two pools"));
    let journal = Journal::default();
    let host = "localhost".to_owned();
    let mailer = Arc::new(Mailer::Smtp {
        journal: journal.clone(),
        host,
    });
    let runtime = started(|builder| {
        let builder = builder
            .participant(mailer.clone())
            .participant(ledger.clone());
        let builder = builder.participant(Arc::new(Nothing)).action(stick);
        builder.state(other.clone()).state(journal.clone())
    })
    .await;

    assert_eq!(
        ended(&runtime, all(&mailer, &ledger, 9)).await.ok(),
        Some(1)
    );
    assert!(matches!(
        ended(&runtime, all(&mailer, &ledger, 10)).await,
        Err(Failure::Asked)
    ));
    let stuck = ["stuck on a letter"; 2];
    assert_eq!(
        journal.take(),
        [
            "ada by localhost",
            "peeled off a letter",
            stuck[0],
            stuck[1]
        ]
    );
    let posted = query_scalar::<_, i64>("SELECT amount FROM line WHERE posted = 1");
    assert_eq!(posted.fetch_all(ledger.pool()).await.ok(), Some(vec![9]));

    let refused = ended(&runtime, all(&Mailer::Silent, &ledger, 9)).await;
    let Err(Failure::Transaction(error)) = refused else {
        panic!("it is not the one that was provided");
    };
    assert!(matches!(error, unanimous::Error::NotProvided { .. }));
}
