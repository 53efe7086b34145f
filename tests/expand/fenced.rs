//! A participant with a fence: the one `&mut` parameter is the fence's transaction, and callers do
//! not pass it.

use unanimous::sqlx::{Sqlite, SqlitePool, query};
use unanimous::{FenceTx, global_transactional, participant};

use crate::world::{Failure, Journal, World, account, database};

#[derive(Clone)]
struct Accounts {
    db: SqlitePool,
    journal: Journal,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    pub(crate) async fn debit(
        &self,
        tx: &mut FenceTx<Sqlite>,
        user: &str,
        amount: i64,
    ) -> Result<(), Failure> {
        let sql = "UPDATE account SET balance = balance - ?1, frozen = frozen + ?1 \
                   WHERE user = ?2 AND balance >= ?1";
        let done = query(sql).bind(amount).bind(user).execute(&mut *tx).await?;
        self.journal.tried(format!("{user} {amount}"));
        if done.rows_affected() == 0 {
            return Failure::business("not enough");
        }
        Ok(())
    }

    async fn confirm(
        &self,
        tx: &mut FenceTx<Sqlite>,
        user: &str,
        amount: i64,
    ) -> Result<(), Failure> {
        let sql = "UPDATE account SET frozen = frozen - ? WHERE user = ?";
        query(sql).bind(amount).bind(user).execute(&mut *tx).await?;
        self.journal.confirmed(format!("{user} {amount}"));
        Ok(())
    }

    async fn cancel(
        &self,
        amount: i64,
        user: String,
        tx: &mut FenceTx<Sqlite>,
    ) -> Result<(), Failure> {
        let sql = "UPDATE account SET balance = balance + ?1, frozen = frozen - ?1 WHERE user = ?2";
        query(sql)
            .bind(amount)
            .bind(&user)
            .execute(&mut *tx)
            .await?;
        self.journal.cancelled(format!("{user} {amount}"));
        Ok(())
    }
}

#[global_transactional]
async fn pay(accounts: &Accounts, amount: i64, sold_out: bool) -> Result<(), Failure> {
    accounts.debit("ann", amount).await?;
    if sold_out {
        Failure::business("sold out")
    } else {
        Ok(())
    }
}

pub(crate) async fn run() {
    let db = database().await;
    let (world, accounts) = World::with_one(|journal| Accounts {
        db: db.clone(),
        journal: journal.clone(),
    })
    .await;
    world.commits(pay(&accounts, 30, false)).await;
    assert_eq!(account(&db).await, (70, 0));
    world.rolls_back(pay(&accounts, 30, true)).await;
    assert_eq!(account(&db).await, (70, 0));
    // A clone shares the pool, so it belongs to the provided participant.
    world
        .commits(pay(&Accounts::clone(&accounts), 70, false))
        .await;
    assert_eq!(account(&db).await, (0, 0));
}
