//! The generic fronts, as expansions call them, on a real database.

#![allow(
    clippy::large_types_passed_by_value,
    reason = "the very thing that is measured"
)]

use std::borrow::Cow;
use std::mem::size_of_val;

use futures_util::future::{BoxFuture, ready};
use sqlx::{Sqlite, SqlitePool};

use super::*;
use crate::__private::{fence_of, record, run_fenced, run_unfenced};
use crate::FenceTx;
use crate::branch::{Branch, PhaseTwoError};

/// What `#[participant(name = "accounts", fence = self.db)]` makes of it.
struct Accounts {
    db: SqlitePool,
}

impl Participant for Accounts {
    fn name(&self) -> Cow<'static, str> {
        "accounts".into()
    }

    fn actions(&self) -> &'static [ActionSpec] {
        const { &[ActionSpec::new("debit", file!(), line!())] }
    }

    fn fence(&self) -> Option<&dyn DynFence> {
        Some(fence_of(&self.db).erased())
    }

    fn phase_two(self: Arc<Self>, branch: &mut Branch) -> BoxFuture<'_, Result<(), PhaseTwoError>> {
        let opened = branch.transaction(&self.db).map(drop);
        Box::pin(ready(opened))
    }
}

type Kilobyte = [u8; 1024];

impl Accounts {
    async fn debit(&self, user: &str, amount: i64, data: Kilobyte) -> Result<i64, Error> {
        run_fenced(
            &const { ActionSpec::new("debit", file!(), line!()) },
            self,
            fence_of(&self.db),
            record().put("user", &user).put("amount", &amount),
            how_fenced(),
            async |lent| -> Result<i64, Error> {
                let tx: &mut FenceTx<Sqlite> = lent;
                work(tx.connection(), user, amount, &data).await
            },
        )
        .await
    }

    async fn send(&self, user: &str, amount: i64, data: Kilobyte) -> Result<i64, Error> {
        run_unfenced(
            &const { ActionSpec::new("send", file!(), line!()) },
            self,
            record().put("user", &user).put("amount", &amount),
            how(),
            async || -> Result<i64, Error> {
                assert!(!user.is_empty());
                pause(&data).await;
                Ok(amount)
            },
        )
        .await
    }
}

async fn work(
    connection: &mut sqlx::SqliteConnection,
    user: &str,
    amount: i64,
    data: &Kilobyte,
) -> Result<i64, Error> {
    let inserted = sqlx::query("INSERT INTO held VALUES (?, ?)")
        .bind(user)
        .bind(amount);
    inserted.execute(connection).await.unwrap();
    pause(data).await;
    if amount < 0 {
        Err(Error::NoRuntime)
    } else {
        Ok(amount + 1)
    }
}

async fn pause(data: &Kilobyte) {
    tokio::task::yield_now().await;
    assert_eq!(data[0], data[1023]);
}

async fn plain(pool: &SqlitePool, user: &str, amount: i64, data: Kilobyte) -> Result<i64, Error> {
    let mut connection = pool.acquire().await.unwrap();
    work(&mut connection, user, amount, &data).await
}

async fn plain_send(user: &str, amount: i64, data: Kilobyte) -> Result<i64, Error> {
    assert!(!user.is_empty());
    pause(&data).await;
    Ok(amount)
}

async fn accounts() -> (tempfile::TempDir, Arc<Accounts>) {
    let folder = tempfile::tempdir().unwrap();
    let db = crate::sqlite::durable(folder.path().join("accounts.db"))
        .await
        .unwrap();
    sqlx::query("CREATE TABLE held (user TEXT, amount INTEGER)")
        .execute(&db)
        .await
        .unwrap();
    (folder, Arc::new(Accounts { db }))
}

#[tokio::test]
async fn a_fenced_action_leaves_its_row_and_its_effect_together_or_neither() {
    let (_folder, accounts) = accounts().await;
    let (coordinator, _) = FakeCoordinator::new(&Log::default());
    let runtime = Runtime::builder()
        .coordinator_value(Arc::clone(&coordinator) as _)
        .participant(Arc::clone(&accounts) as _)
        .build()
        .await
        .unwrap();
    let both = async || -> (i64, i64) {
        let sql = "SELECT (SELECT count(*) FROM held), (SELECT count(*) FROM unanimous_fence)";
        sqlx::query_as(sql).fetch_one(&accounts.db).await.unwrap()
    };
    let transaction = || GlobalTransaction::named("test").runtime(&runtime);
    let run = transaction()
        .run(accounts.debit("u1", 4, [0; 1024]))
        .await
        .unwrap();
    assert_eq!(run.into_result().unwrap(), 5);
    assert_eq!(both().await, (1, 1));
    let run = transaction()
        .run(accounts.debit("u1", -4, [0; 1024]))
        .await
        .unwrap();
    assert!(matches!(run.into_result(), Err(Error::NoRuntime)));
    assert_eq!(both().await, (1, 1));
    accounts.db.close().await;
}

#[tokio::test]
async fn the_future_of_an_action_is_at_most_a_quarter_larger_than_the_plain_one() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let (_folder, accounts) = accounts().await;
    let fenced = size_of_val(&is_send(accounts.debit("u1", 4, [0; 1024])));
    let base = size_of_val(&is_send(plain(&accounts.db, "u1", 4, [0; 1024])));
    assert!(fenced * 100 <= base * 125, "{fenced} bytes, plain {base}");
    let unfenced = size_of_val(&is_send(accounts.send("u1", 4, [0; 1024])));
    let base = size_of_val(&is_send(plain_send("u1", 4, [0; 1024])));
    assert!(
        unfenced * 100 <= base * 125,
        "{unfenced} bytes, plain {base}"
    );
    accounts.db.close().await;
}
