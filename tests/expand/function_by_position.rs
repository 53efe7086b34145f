//! A free function behind a fence, its pool state of the runtime: the partners are called with its
//! parameters in order, and callers pass neither the transaction nor the state.

use unanimous::sqlx::{Sqlite, SqlitePool, query};
use unanimous::{FenceTx, global_transactional, two_phase_action};

use crate::world::{Failure, Journal, World, account, database};

#[two_phase_action(commit = confirm, rollback = cancel, fence = db)]
async fn debit(
    tx: &mut FenceTx<Sqlite>,
    #[state] db: &SqlitePool,
    #[state] journal: Journal,
    user: &str,
    amount: i64,
) -> Result<(), Failure> {
    journal.tried(format!("{user} {amount} of {}", db.size()));
    let sql = "UPDATE account SET balance = balance - ?1, frozen = frozen + ?1 WHERE user = ?2";
    query(sql).bind(amount).bind(user).execute(&mut *tx).await?;
    Ok(())
}

async fn confirm(
    tx: &mut FenceTx<Sqlite>,
    db: &SqlitePool,
    journal: Journal,
    user: &str,
    amount: i64,
) -> Result<(), Failure> {
    let sql = "UPDATE account SET frozen = frozen - ? WHERE user = ?";
    query(sql).bind(amount).bind(user).execute(&mut *tx).await?;
    journal.confirmed(format!("{user} {amount} of {}", db.size()));
    Ok(())
}

async fn cancel(
    tx: &mut FenceTx<Sqlite>,
    db: &SqlitePool,
    journal: Journal,
    user: &str,
    amount: i64,
) -> Result<(), Failure> {
    let sql = "UPDATE account SET balance = balance + ?1, frozen = frozen - ?1 WHERE user = ?2";
    query(sql).bind(amount).bind(user).execute(&mut *tx).await?;
    journal.cancelled(format!("{user} {amount} of {}", db.size()));
    Ok(())
}

#[global_transactional]
async fn pay(amount: i64, sold_out: bool) -> Result<(), Failure> {
    debit("ann", amount).await?;
    if sold_out {
        Failure::business("sold out")
    } else {
        Ok(())
    }
}

pub(crate) async fn run() {
    let db = database().await;
    let world = World::with_actions(|builder, journal| {
        builder
            .state(db.clone())
            .state(journal.clone())
            .action(debit)
    })
    .await;
    world.commits(pay(30, false)).await;
    assert_eq!(account(&db).await, (70, 0));
    world.rolls_back(pay(30, true)).await;
    assert_eq!(account(&db).await, (70, 0));
}
