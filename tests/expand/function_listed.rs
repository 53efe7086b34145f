//! What a partner is passed may be listed: expressions over the parameters, the value that phase
//! one returned and the branch. Two of one type are told apart by their place in the list.

use unanimous::sqlx::{Sqlite, SqlitePool, query};
use unanimous::{BranchContext, FenceTx, global_transactional, two_phase_action};

use crate::world::{Failure, Journal, World, account, database};

#[derive(Clone)]
struct App {
    db: SqlitePool,
    journal: Journal,
}

#[two_phase_action(
    commit = ends::settle(&app.journal, format!("to {to}"), tried),
    rollback = undo(app, *tried, tx, branch, from),
    fence = app.db
)]
async fn transfer(
    #[state] app: &App,
    tx: &mut FenceTx<Sqlite>,
    from: &str,
    to: &str,
    cents: i64,
) -> Result<i64, Failure> {
    app.journal.tried(format!("to {to}"));
    let sql = "UPDATE account SET balance = balance - ? WHERE user = ?";
    query(sql).bind(cents).bind(from).execute(&mut *tx).await?;
    if cents > 100 {
        return Failure::business("too much");
    }
    Ok(cents)
}

mod ends {
    use crate::world::{Failure, Journal};

    pub(super) async fn settle(
        journal: &Journal,
        what: String,
        moved: &i64,
    ) -> Result<(), Failure> {
        assert_eq!(*moved, 40);
        journal.confirmed(what);
        Ok(())
    }
}

async fn undo(
    app: &App,
    moved: i64,
    tx: &mut FenceTx<Sqlite>,
    branch: &BranchContext,
    from: &str,
) -> Result<(), Failure> {
    assert!(branch.decision().is_some());
    let sql = "UPDATE account SET balance = balance + ? WHERE user = ?";
    query(sql).bind(moved).bind(from).execute(&mut *tx).await?;
    app.journal.cancelled("to ben");
    Ok(())
}

#[global_transactional]
async fn pay(sold_out: bool) -> Result<i64, Failure> {
    let moved = transfer("ann", "ben", 40).await?;
    if sold_out {
        return Failure::business("sold out");
    }
    Ok(moved)
}

pub(crate) async fn run() {
    let db = database().await;
    let world = World::with_actions(|builder, journal| {
        let journal = journal.clone();
        let app = App {
            db: db.clone(),
            journal,
        };
        builder.state(app).action(transfer)
    })
    .await;
    assert_eq!(world.commits(pay(false)).await, 40);
    assert_eq!(account(&db).await, (60, 0));
    world.rolls_back(pay(true)).await;
    assert_eq!(account(&db).await, (60, 0));
}
