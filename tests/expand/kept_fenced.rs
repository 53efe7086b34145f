//! Behind a fence a kept value is stored in the branch's row, with what phase one did.

use unanimous::sqlx::{Sqlite, SqlitePool, query, query_scalar};
use unanimous::{BranchContext, FenceTx, global_transactional, participant};

use crate::world::{Failure, Journal, World, account, database};

struct Accounts {
    db: SqlitePool,
    journal: Journal,
}

#[participant(name = "account", fence = self.db)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = restore)]
    async fn set(&self, tx: &mut FenceTx<Sqlite>, to: i64) -> Result<(), Failure> {
        let sql = "SELECT balance FROM account";
        let before: i64 = query_scalar(sql).fetch_one(&mut *tx).await?;
        let branch = BranchContext::current().expect("phase one has a branch");
        branch
            .keep("before", &before)
            .map_err(unanimous::Error::from)?;
        if to < before {
            branch
                .keep("note", "lower")
                .map_err(unanimous::Error::from)?;
        }
        query("UPDATE account SET balance = ?")
            .bind(to)
            .execute(&mut *tx)
            .await?;
        self.journal.tried(to);
        Ok(())
    }

    async fn confirm(&self, to: i64, #[kept] note: Option<&str>) -> Result<(), Failure> {
        assert_eq!(note, (to < 100).then_some("lower"));
        self.journal.confirmed(to);
        Ok(())
    }

    async fn restore(
        &self,
        tx: &mut FenceTx<Sqlite>,
        to: i64,
        #[kept] before: i64,
        #[kept]
        #[recorded(name = "note")]
        remark: Option<String>,
    ) -> Result<(), Failure> {
        assert_eq!(remark.is_some(), to < before);
        query("UPDATE account SET balance = ?")
            .bind(before)
            .execute(&mut *tx)
            .await?;
        self.journal.cancelled(to);
        Ok(())
    }
}

#[global_transactional]
async fn correct(accounts: &Accounts, to: i64, fails: bool) -> Result<(), Failure> {
    accounts.set(to).await?;
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
    world.commits(correct(&accounts, 70, false)).await;
    world.rolls_back(correct(&accounts, 60, true)).await;
    world.rolls_back(correct(&accounts, 90, true)).await;
    assert_eq!(account(&db).await, (70, 0));
}
