//! Actions of every kind are proved, each by its own points.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use unanimous::sqlx::{self, Sqlite, SqlitePool};
use unanimous::testing::{Phase, Point, Prover, Rule, database};
use unanimous::{BranchContext, FenceTx, participant};

use crate::participants::Failure;

/// A till whose receipts are in its database, and a display that is not.
struct Till {
    db: SqlitePool,
    display: Mutex<BTreeSet<String>>,
    guarded: bool,
}

impl Till {
    async fn new(guarded: bool) -> Self {
        let schema = "CREATE TABLE receipt (sum INTEGER NOT NULL)";
        Self {
            db: database(schema).await.expect("a database"),
            display: Mutex::default(),
            guarded,
        }
    }

    async fn sum(&self) -> (i64, usize) {
        let sql = "SELECT coalesce(sum(sum), 0) FROM receipt";
        let sum = sqlx::query_scalar(sql).fetch_one(&self.db).await;
        (sum.expect("the table"), self.display().len())
    }

    fn display(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.display.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write(tx: &mut FenceTx<Sqlite>, sum: i64) -> Result<(), Failure> {
    let sql = "INSERT INTO receipt VALUES (?)";
    sqlx::query(sql).bind(sum).execute(&mut *tx).await?;
    Ok(())
}

#[participant(name = "till", fence = self.db)]
impl Till {
    /// Only a commit does anything.
    #[two_phase_action(commit = book, rollback = none)]
    async fn announce(&self, _tx: &mut FenceTx<Sqlite>, sum: i64) -> Result<(), Failure> {
        let _ = sum;
        Ok(())
    }

    async fn book(&self, tx: &mut FenceTx<Sqlite>, sum: i64) -> Result<(), Failure> {
        write(tx, sum).await
    }

    /// Shows the sum outside the database, and takes it off whatever became of the try.
    #[two_phase_action(commit = none, rollback = take_off, always_cancel)]
    async fn show(&self, tx: &mut FenceTx<Sqlite>, sum: i64) -> Result<i64, Failure> {
        let key = BranchContext::current().expect("a branch").try_key();
        self.display().insert(key);
        write(tx, sum).await?;
        Ok(sum)
    }

    async fn take_off(
        &self,
        tx: &mut FenceTx<Sqlite>,
        branch: &BranchContext,
        sum: i64,
        #[tried] tried: Option<&i64>,
    ) -> Result<(), Failure> {
        self.display().remove(&branch.try_key());
        if tried.is_some() || !self.guarded {
            write(tx, -sum).await?;
        }
        Ok(())
    }

    /// Beside the fence.
    #[two_phase_action(commit = none, rollback = darken, fence = none)]
    async fn light(&self) -> Result<(), Failure> {
        let key = BranchContext::current().expect("a branch").try_key();
        self.display().insert(key);
        Ok(())
    }

    async fn darken(&self, branch: &BranchContext) -> Result<(), Failure> {
        self.display().remove(&branch.try_key());
        Ok(())
    }
}

#[tokio::test]
async fn an_action_without_a_rollback_partner_is_proved() {
    let announce = Prover::new(
        async || Till::new(true).await,
        async |till| till.announce(30).await,
        async |till| till.sum().await,
    );
    let proof = announce.assert_proved().await;
    assert_eq!((proof.points.len(), proof.orders), (22, 120));
}

#[tokio::test]
async fn an_action_that_is_always_cancelled_is_proved_where_it_minds_the_missing_try() {
    let show = |guarded| {
        Prover::new(
            async move || Till::new(guarded).await,
            async |till| till.show(30).await,
            async |till| till.sum().await,
        )
    };
    let proof = show(true).faults().await.expect("it minds");
    assert!(
        proof
            .points
            .contains(&(Phase::Rollback, Point::AfterLocalCommit))
    );
    let broken = show(false).faults().await.expect_err("it does not");
    assert!(broken.rules().contains(&Rule::EmptyRollback), "{broken}");
    assert!(broken.to_string().contains("`always_cancel`"), "{broken}");
}

#[tokio::test]
async fn an_action_beside_the_fence_is_proved_by_the_points_of_one_without() {
    let light = Prover::new(
        async || Till::new(true).await,
        async |till| till.light().await,
        async |till| till.sum().await,
    );
    let proof = light.faults().await.expect("it repeats nothing");
    assert_eq!(proof.points.len(), 5 + 4 + 4);
    // A try that comes after its rollback lights up again.
    let broken = light.orders().await.expect_err("nobody refuses it");
    assert_eq!(broken.rules(), [Rule::Suspension].into(), "{broken}");
}
