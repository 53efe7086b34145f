//! `impl Trait for Type`: the trait has no `tx`, and the partners move into an inherent impl.

use std::future::Future;

use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, global_transactional, participant};

use crate::world::{Failure, Journal, World, database};

trait AccountService {
    type Amount;

    fn debit(
        &self,
        user: &str,
        amount: Self::Amount,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    fn credit(&self, amount: i64) -> impl Future<Output = Result<i64, Failure>> + Send;

    fn limit(&self) -> i64;
}

struct Accounts {
    db: SqlitePool,
    journal: Journal,
}

#[participant(name = "account", fence = self.db)]
impl AccountService for Accounts {
    type Amount = i64;

    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn debit(
        &self,
        _tx: &mut FenceTx<Sqlite>,
        user: &str,
        amount: Self::Amount,
    ) -> Result<(), Failure> {
        self.journal.tried(amount);
        assert_eq!(user, "ann");
        if amount > self.limit() {
            Failure::business("limit")
        } else {
            Ok(())
        }
    }

    #[allow(clippy::manual_async_fn)]
    #[two_phase_action(commit = confirm, rollback = cancel)]
    fn credit(
        &self,
        tx: &mut FenceTx<Sqlite>,
        amount: i64,
    ) -> impl Future<Output = Result<i64, Failure>> + Send {
        async move {
            unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
            self.journal.tried(amount);
            Ok(amount)
        }
    }

    /// Moves.
    async fn confirm(
        &self,
        _tx: &mut FenceTx<Sqlite>,
        amount: Self::Amount,
    ) -> Result<(), Failure> {
        self.journal.confirmed(amount);
        Ok(())
    }

    async fn cancel(&self, amount: i64) -> Result<(), Failure> {
        self.journal.cancelled(amount);
        Ok(())
    }

    fn limit(&self) -> i64 {
        100
    }
}

#[global_transactional]
async fn pay(
    service: &(impl AccountService<Amount = i64> + Sync),
    amount: i64,
) -> Result<i64, Failure> {
    service.debit("ann", amount).await?;
    service.credit(amount + 1).await
}

pub(crate) async fn run() {
    let db = database().await;
    let (world, accounts) = World::with_one(|journal| Accounts {
        db,
        journal: journal.clone(),
    })
    .await;
    assert_eq!(world.commits(pay(&*accounts, 5)).await, 6);
}
