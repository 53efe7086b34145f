//! Calls that run at the same time: tasks in a `JoinSet`, races, streams, and time limits.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, future, stream};
use tokio::task::JoinSet;
use unanimous::{
    Context, Error, TolerateExt, after_commit, global_transactional, keyed, participant, spawn,
};

use crate::{Journal, ended, started};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Default)]
struct Shelf {
    journal: Journal,
}

#[participant(name = "shelf")]
impl Shelf {
    #[two_phase_action(commit = sell, rollback = put_back)]
    async fn take(&self, sku: &str) -> Result<usize, Failure> {
        if sku == "gold" {
            return Err("there is no gold".into());
        }
        if sku == "slow" {
            pending::<()>().await;
        }
        tokio::task::yield_now().await;
        Ok(sku.len())
    }

    async fn sell(&self, sku: String) -> Result<(), Failure> {
        self.journal.write(format!("+{sku}"));
        Ok(())
    }

    async fn put_back(&self, sku: String) -> Result<(), Failure> {
        self.journal.write(format!("-{sku}"));
        Ok(())
    }
}

/// Each in a task, collected as they end.
#[global_transactional]
async fn in_tasks(shelf: &Arc<Shelf>, skus: &[&'static str]) -> Result<usize, Failure> {
    let mut tasks = JoinSet::new();
    for &sku in skus {
        let shelf = shelf.clone();
        tasks.spawn(spawn(async move { shelf.take(sku).await }));
    }
    let mut length = 0;
    while let Some(task) = tasks.join_next().await {
        length += task???;
    }
    Ok(length)
}

/// The same with the transaction handed over by hand.
#[global_transactional]
async fn handed_over(shelf: &Arc<Shelf>, skus: &[&'static str]) -> Result<usize, Failure> {
    let context = Context::current().ok_or("a transaction")?;
    let mut tasks = JoinSet::new();
    for &sku in skus {
        let (shelf, context) = (shelf.clone(), context.clone());
        tasks.spawn(async move { context.attach(shelf.take(sku)).await });
    }
    let taken: Result<Vec<_>, _> = tasks.join_all().await.into_iter().collect();
    Ok(taken?.into_iter().sum())
}

/// Several at a time, whichever comes first; a key makes each one's name its own.
#[global_transactional]
async fn in_a_stream(shelf: &Shelf, skus: Vec<String>) -> Result<usize, Failure> {
    stream::iter(skus)
        .map(|sku| async move { keyed(&sku, shelf.take(&sku)).await })
        .buffer_unordered(2)
        .try_fold(0, async |sum, length| Ok(sum + length))
        .await
}

/// What is too slow is dropped, and given back; the rest commits.
#[global_transactional]
async fn raced(shelf: &Shelf, first: &str, second: &str) -> Result<usize, Failure> {
    let mut length = 0;
    tokio::select! {
        biased;
        taken = shelf.take(first).tolerate() => length += taken.unwrap_or(0),
        () = some_polls(50) => {}
    }
    let late = tokio::time::timeout(Duration::from_millis(1), shelf.take(second).tolerate());
    if let Ok(Ok(taken)) = late.await {
        length += taken;
    }
    Ok(length)
}

async fn some_polls(count: u8) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

/// A race whose loser is dropped with nobody to tolerate that: it cannot commit.
#[global_transactional]
async fn raced_carelessly(shelf: &Shelf) -> Result<usize, Failure> {
    let winner = future::select(Box::pin(shelf.take("slow")), Box::pin(shelf.take("tea")));
    let (taken, loser) = winner.await.factor_first();
    drop(loser);
    taken
}

/// Told once it is decided.
#[global_transactional]
async fn told(shelf: &Shelf, sku: &str) -> Result<usize, Failure> {
    let (journal, word) = (shelf.journal.clone(), format!("told of {sku}"));
    after_commit(async move { journal.write(word) })?;
    let (tea, taken) = tokio::try_join!(shelf.take("tea"), shelf.take(sku))?;
    Ok(tea + taken)
}

#[tokio::test]
async fn calls_at_the_same_time_commit_and_roll_back() {
    let shelf = Arc::new(Shelf::default());
    let runtime = started(|builder| builder.participant(shelf.clone())).await;

    for tasks in [["tea", "milk"], ["milk", "tea"]] {
        assert_eq!(
            ended(&runtime, in_tasks(&shelf, &tasks)).await.ok(),
            Some(7)
        );
        assert_eq!(shelf.journal.take(), ["+milk", "+tea"]);
        assert_eq!(
            ended(&runtime, handed_over(&shelf, &tasks)).await.ok(),
            Some(7)
        );
        assert_eq!(shelf.journal.take(), ["+milk", "+tea"]);
        let skus = tasks.map(str::to_owned).to_vec();
        assert_eq!(
            ended(&runtime, in_a_stream(&shelf, skus)).await.ok(),
            Some(7)
        );
        assert_eq!(shelf.journal.take(), ["+milk", "+tea"]);
    }

    let gold = ["tea", "gold"];
    let error = ended(&runtime, in_tasks(&shelf, &gold)).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no gold");
    assert!(
        !shelf
            .journal
            .take()
            .iter()
            .any(|line| line.starts_with('+'))
    );
    let error = ended(&runtime, handed_over(&shelf, &gold))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "there is no gold");
    assert!(
        !shelf
            .journal
            .take()
            .iter()
            .any(|line| line.starts_with('+'))
    );
    let skus = gold.map(str::to_owned).to_vec();
    let error = ended(&runtime, in_a_stream(&shelf, skus))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "there is no gold");
    assert!(
        !shelf
            .journal
            .take()
            .iter()
            .any(|line| line.starts_with('+'))
    );
}

#[tokio::test]
async fn the_loser_of_a_race_is_given_back() {
    let shelf = Arc::new(Shelf::default());
    let runtime = started(|builder| builder.participant(shelf.clone())).await;

    assert_eq!(
        ended(&runtime, raced(&shelf, "tea", "slow")).await.ok(),
        Some(3)
    );
    assert_eq!(shelf.journal.take(), ["+tea", "-slow"]);
    assert_eq!(
        ended(&runtime, raced(&shelf, "slow", "slow")).await.ok(),
        Some(0)
    );
    assert_eq!(shelf.journal.take(), ["-slow", "-slow"]);

    let error = ended(&runtime, raced_carelessly(&shelf)).await.unwrap_err();
    assert!(
        matches!(Error::find_in(&*error), Some(Error::RollbackOnly { .. })),
        "{error}"
    );
    assert_eq!(shelf.journal.take(), ["-slow", "-tea"]);
}

#[tokio::test]
async fn what_waits_for_the_decision_hears_of_a_commit_alone() {
    let shelf = Arc::new(Shelf::default());
    let runtime = started(|builder| builder.participant(shelf.clone())).await;
    assert_eq!(ended(&runtime, told(&shelf, "milk")).await.ok(), Some(7));
    let told_of = async {
        while !shelf.journal.lines().contains(&"told of milk".to_owned()) {
            tokio::task::yield_now().await;
        }
    };
    told_of.await;
    assert_eq!(shelf.journal.take(), ["+milk", "+tea", "told of milk"]);
    assert!(ended(&runtime, told(&shelf, "gold")).await.is_err());
    assert!(
        !shelf
            .journal
            .take()
            .iter()
            .any(|line| line.starts_with("told"))
    );
}
