//! Behind a fence: where its pool comes from, and how the transaction is taken.

use std::sync::Arc;

use unanimous::sqlx::{Sqlite, SqliteConnection, SqlitePool, query};
use unanimous::{FenceTx, participant};

use crate::Ending;
use crate::action::run;
use crate::world::{Failure, Journal, account, database};

/// Business code that knows nothing of fences.
async fn freeze(connection: &mut SqliteConnection, amount: i64) -> Result<(), Failure> {
    let sql = "UPDATE account SET balance = balance - ?1, frozen = frozen + ?1";
    query(sql).bind(amount).execute(connection).await?;
    Ok(())
}

async fn spend(connection: &mut SqliteConnection, amount: i64) -> Result<(), Failure> {
    let sql = "UPDATE account SET frozen = frozen - ?";
    query(sql).bind(amount).execute(connection).await?;
    Ok(())
}

async fn thaw(connection: &mut SqliteConnection, amount: i64) -> Result<(), Failure> {
    let sql = "UPDATE account SET balance = balance + ?1, frozen = frozen - ?1";
    query(sql).bind(amount).execute(connection).await?;
    Ok(())
}

/// What the account of the test holds after 30 of 100 were tried.
fn expected(ending: Ending) -> (i64, i64) {
    if ending.fails() { (100, 0) } else { (70, 0) }
}

struct Accounts {
    db: SqlitePool,
    journal: Journal,
}

type Tx<'a> = &'a mut FenceTx<Sqlite>;
type Alias = FenceTx<Sqlite>;

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn aliased(&self, tx: &mut Alias, amount: i64) -> Result<(), Failure> {
        freeze(tx.connection(), amount).await?;
        self.journal.tried(amount);
        Ok(())
    }

    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn elsewhere(
        &self,
        amount: i64,
        #[skip] log: &mut Vec<i64>,
        transaction: &mut FenceTx<Sqlite>,
    ) -> Result<(), Failure> {
        log.push(amount);
        freeze(transaction.connection(), amount).await?;
        self.journal.tried(amount);
        Ok(())
    }

    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn nested(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
        async fn inner(tx: Tx<'_>, amount: i64) -> Result<(), Failure> {
            query("SELECT 1").execute(&mut *tx).await?;
            freeze(tx.connection(), amount).await
        }

        inner(tx, amount).await?;
        query("SELECT 1").execute(tx).await?;
        self.journal.tried(amount);
        Ok(())
    }

    #[two_phase_action(commit = unused, rollback = unused_too)]
    async fn ignored(&self, _tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
        self.journal.tried(amount);
        Ok(())
    }

    async fn confirm(&self, tx: &mut Alias, amount: i64) -> Result<(), Failure> {
        spend(tx.connection(), amount).await?;
        self.journal.confirmed(amount);
        Ok(())
    }

    async fn cancel(&self, amount: i64, tx: &mut FenceTx<Sqlite>) -> Result<(), Failure> {
        thaw(tx.connection(), amount).await?;
        self.journal.cancelled(amount);
        Ok(())
    }

    async fn unused(&self, amount: i64) -> Result<(), Failure> {
        self.journal.confirmed(amount);
        Ok(())
    }

    async fn unused_too(&self, _tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
        self.journal.cancelled(amount);
        Ok(())
    }
}

/// Runs an action on an account of 100, and tells what is left.
async fn left(
    ending: Ending,
    call: impl AsyncFnOnce(Arc<Accounts>) -> Result<(), Failure>,
) -> (i64, i64) {
    let pool = database().await;
    let db = pool.clone();
    run(ending, |journal| Accounts { db, journal }, call).await;
    account(&pool).await
}

pub(crate) async fn tx_behind_an_alias(ending: Ending) {
    let left = left(ending, async |accounts| accounts.aliased(30).await).await;
    assert_eq!(left, expected(ending));
}

pub(crate) async fn tx_in_another_place(ending: Ending) {
    let left = left(ending, async |accounts| {
        let mut log = Vec::new();
        accounts.elsewhere(30, &mut log).await?;
        assert_eq!(log, [30]);
        Ok(())
    })
    .await;
    assert_eq!(left, expected(ending));
}

pub(crate) async fn tx_through_a_nested_call(ending: Ending) {
    let left = left(ending, async |accounts| accounts.nested(30).await).await;
    assert_eq!(left, expected(ending));
}

pub(crate) async fn tx_unused(ending: Ending) {
    let left = left(ending, async |accounts| accounts.ignored(30).await).await;
    assert_eq!(left, (100, 0));
}

pub(crate) async fn fence_in_an_arc(ending: Ending) {
    struct Shared {
        db: Arc<SqlitePool>,
        journal: Journal,
    }

    #[participant(name = "shared", fence = self.db)]
    impl Shared {
        #[two_phase_action(commit = confirm, rollback = cancel)]
        async fn act(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
            freeze(tx.connection(), amount).await?;
            self.journal.tried(amount);
            Ok(())
        }

        async fn confirm(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
            spend(tx.connection(), amount).await?;
            self.journal.confirmed(amount);
            Ok(())
        }

        async fn cancel(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
            thaw(tx.connection(), amount).await?;
            self.journal.cancelled(amount);
            Ok(())
        }
    }

    let pool = database().await;
    let db = Arc::new(pool.clone());
    let make = |journal| Shared { db, journal };
    run(ending, make, async |shared| shared.act(30).await).await;
    assert_eq!(account(&pool).await, expected(ending));
}

pub(crate) async fn fence_of_a_method(ending: Ending) {
    struct Layered {
        layers: [(u8, SqlitePool); 1],
        journal: Journal,
    }

    impl Layered {
        fn pool(&self, layer: usize) -> &SqlitePool {
            &self.layers[layer].1
        }
    }

    #[participant(name = "layered", fence = *self.pool(0))]
    impl Layered {
        #[two_phase_action(commit = confirm, rollback = cancel)]
        async fn act(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
            freeze(tx.connection(), amount).await?;
            self.journal.tried(amount);
            Ok(())
        }

        async fn confirm(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
            spend(tx.connection(), amount).await?;
            self.journal.confirmed(amount);
            Ok(())
        }

        async fn cancel(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
            thaw(tx.connection(), amount).await?;
            self.journal.cancelled(amount);
            Ok(())
        }
    }

    let pool = database().await;
    let layers = [(0, pool.clone())];
    let make = |journal| Layered { layers, journal };
    run(ending, make, async |layered| layered.act(30).await).await;
    assert_eq!(account(&pool).await, expected(ending));
}
