//! An action of a fenced participant that does without the fence: it has no transaction, and what
//! phase two needs travels to the coordinator. A partner may serve both kinds.

use unanimous::sqlx::{Sqlite, SqlitePool, query};
use unanimous::{FenceTx, global_transactional, participant};

use crate::world::{Failure, Journal, World, account, database};

struct Accounts {
    db: SqlitePool,
    journal: Journal,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = done, rollback = refund)]
    async fn debit(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
        let sql = "UPDATE account SET balance = balance - ?";
        query(sql).bind(amount).execute(&mut *tx).await?;
        self.journal.tried("debit");
        Ok(())
    }

    #[two_phase_action(commit = done, rollback = unsend, fence = none)]
    async fn notify(&self, amount: i64, #[skip] log: &mut Vec<i64>) -> Result<(), Failure> {
        log.push(amount);
        self.journal.tried("notify");
        Ok(())
    }

    async fn done(&self, context: &unanimous::BranchContext, amount: i64) -> Result<(), Failure> {
        assert_eq!(amount, 30);
        self.journal.confirmed(context.action());
        Ok(())
    }

    async fn refund(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
        let sql = "UPDATE account SET balance = balance + ?";
        query(sql).bind(amount).execute(&mut *tx).await?;
        self.journal.cancelled("debit");
        Ok(())
    }

    async fn unsend(&self) -> Result<(), Failure> {
        self.journal.cancelled("notify");
        Ok(())
    }
}

#[global_transactional]
async fn pay(accounts: &Accounts, fails: bool) -> Result<(), Failure> {
    let mut log = Vec::new();
    accounts.debit(30).await?;
    accounts.notify(30, &mut log).await?;
    assert_eq!(log, [30]);
    if fails {
        Failure::business("fails")
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
    world.commits(pay(&accounts, false)).await;
    world.rolls_back(pay(&accounts, true)).await;
    assert_eq!(account(&db).await, (70, 0));
}
