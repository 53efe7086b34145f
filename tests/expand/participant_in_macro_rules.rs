//! A participant that another macro writes: fragments arrive in invisible groups, and its `self`
//! is not ours.

use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, global_transactional, participant};

use crate::world::{Failure, Journal, World, database};

macro_rules! ledger {
    ($type:ident, $name:expr, $pool:ident, $parameter:ident: $amount:ty, $option:ty, $body:block) => {
        struct $type {
            $pool: SqlitePool,
            journal: Journal,
        }

        #[participant(name = $name, fence = self.$pool)]
        impl $type {
            #[two_phase_action(commit = confirm, rollback = cancel)]
            async fn write(
                &self,
                _tx: &mut FenceTx<Sqlite>,
                $parameter: $amount,
                memo: $option,
                lent: &$amount,
            ) -> Result<$amount, Failure> {
                self.journal.tried($parameter);
                assert_eq!((memo, lent), (Some("memo"), &$parameter));
                $body
            }

            async fn confirm(
                &self,
                tx: &mut FenceTx<Sqlite>,
                $parameter: &$amount,
                memo: $option,
            ) -> Result<(), Failure> {
                unanimous::sqlx::query("SELECT 1").execute(&mut *tx).await?;
                assert_eq!(memo, Some("memo"));
                self.journal.confirmed($parameter);
                Ok(())
            }

            async fn cancel(&self, lent: $amount) -> Result<(), Failure> {
                self.journal.cancelled(lent);
                Ok(())
            }
        }
    };
}

ledger!(Ledger, "ledger", pool, amount: i64, Option<&str>, { Ok(9) });

#[global_transactional]
async fn write(ledger: &Ledger) -> Result<i64, Failure> {
    ledger.write(4, Some("memo"), &4).await
}

pub(crate) async fn run() {
    let pool = database().await;
    let (world, ledger) = World::with_one(|journal| Ledger {
        pool,
        journal: journal.clone(),
    })
    .await;
    assert_eq!(world.commits(write(&ledger)).await, 9);
}
