//! A workspace whose own crate hands ours on under another name.

/// The crate that all others of the workspace depend on.
mod company {
    pub(crate) mod prelude {
        pub(crate) use unanimous as tx;
    }
}

use std::sync::Arc;

use company::prelude::tx;
use tx::sqlx::{Sqlite, SqlitePool, query, query_scalar};
use tx::testing::database;
use tx::{FenceTx, global_transactional, participant, two_phase_action};

use crate::{Journal, ended, started};

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("too much")]
    TooMuch(i64),
    #[error(transparent)]
    Database(#[from] tx::sqlx::Error),
    #[error(transparent)]
    Transaction(#[from] tx::Error),
}

struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account", fence = self.db, crate = crate::facade::company::prelude::tx)]
impl Accounts {
    #[two_phase_action(commit = none, rollback = cancel)]
    async fn debit(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
        let sql = "UPDATE account SET balance = balance - ?";
        query(sql).bind(amount).execute(&mut *tx).await?;
        Ok(())
    }

    async fn cancel(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
        let sql = "UPDATE account SET balance = balance + ?";
        query(sql).bind(amount).execute(&mut *tx).await?;
        Ok(())
    }
}

#[two_phase_action(
    commit = send(journal, to),
    rollback = none,
    crate = crate::facade::company::prelude::tx
)]
async fn announce(#[state] journal: &Journal, to: &str) -> Result<(), Failure> {
    journal.write(format!("to {to}"));
    Ok(())
}

#[allow(
    clippy::unused_async,
    reason = "the partner of a free function is async"
)]
async fn send(journal: &Journal, to: &str) -> Result<(), Failure> {
    journal.write(format!("sent to {to}"));
    Ok(())
}

#[global_transactional(
    commit_on(Failure::TooMuch(amount) if *amount == 101),
    crate = crate::facade::company::prelude::tx
)]
async fn pay(accounts: &Accounts, amount: i64) -> Result<(), Failure> {
    accounts.debit(amount).await?;
    announce("ada").await?;
    if amount > 100 {
        return Err(Failure::TooMuch(amount));
    }
    Ok(())
}

#[tokio::test]
async fn a_facade_serves_every_annotation() {
    let schema = "CREATE TABLE account (balance INTEGER); INSERT INTO account VALUES (100)";
    let db = database(schema).await.expect("SQLite is compiled in");
    let (accounts, journal) = (Arc::new(Accounts { db: db.clone() }), Journal::default());
    let runtime = started(|builder| {
        let builder = builder.participant(accounts.clone());
        builder.state(journal.clone()).action(announce)
    })
    .await;
    let balance = async || {
        let balance = query_scalar::<_, i64>("SELECT balance FROM account");
        balance.fetch_one(&db).await.expect("a row")
    };

    assert!(ended(&runtime, pay(&accounts, 30)).await.is_ok());
    assert_eq!(
        (balance().await, journal.take()),
        (70, vec!["sent to ada".into(), "to ada".into()])
    );
    assert!(ended(&runtime, pay(&accounts, 200)).await.is_err());
    assert_eq!(
        (balance().await, journal.take()),
        (70, vec!["to ada".into()])
    );
    assert!(ended(&runtime, pay(&accounts, 101)).await.is_err());
    assert_eq!((balance().await, journal.take().len()), (-31, 2));
}
