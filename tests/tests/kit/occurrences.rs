//! A point that is reached several times is taken each time.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{pending, try_join};
use unanimous::sqlx::{self, Sqlite, SqlitePool};
use unanimous::testing::{Fault, Harness, Phase, Point, Problem, Prover, Rule, database};
use unanimous::{BranchContext, FenceTx, participant};

use crate::participants::{Accounts, Counter, Failure, Flaw, Purse};

/// What a fenced call comes to in a try and its repeat, and in each phase two that is delivered
/// twice: the repeats are answered from the row.
const TIMES: usize = (8 + 2) + (7 + 2) + (7 + 2);

#[tokio::test]
async fn a_fenced_action_is_disturbed_each_time_that_it_comes_to_a_point() {
    let once = Prover::new(
        Accounts::new,
        async |accounts| accounts.debit(30).await,
        async |accounts| accounts.sums().await,
    );
    let proof = once.faults().await.expect("it is right");
    assert_eq!((proof.places, proof.left_out), (TIMES, 0));
    // A try may be given up or repeated; fails or is dropped. Two runs before, three to count.
    let tries = (8 + 2) * 2 * 2;
    assert_eq!(proof.runs, 2 + 3 + tries + (TIMES - 10) * 2);
    let told = "over 22 points, faults at 28 of the 28 times they are reached";
    assert!(proof.to_string().contains(told), "{proof}");
}

#[tokio::test]
async fn an_action_called_twice_in_one_transaction_is_disturbed_in_both_calls() {
    let twice = Prover::new(
        Accounts::new,
        async |accounts| {
            accounts.debit(30).await?;
            accounts.debit(20).await
        },
        async |accounts| accounts.sums().await,
    );
    let proof = twice.assert_proved().await;
    assert_eq!((proof.places, proof.left_out), (2 * TIMES, 0));
}

#[tokio::test]
async fn of_many_times_the_first_and_the_last_are_taken_and_the_others_counted() {
    let often = Prover::new(
        async || Purse::with(Flaw::None),
        async |purse| {
            for _ in 0..5 {
                purse.lend(1).await?;
            }
            Ok::<_, Failure>(())
        },
        async |purse| purse.gold(),
    );
    let proof = often.faults().await.expect("it is right");
    // Five calls in two deliveries come ten times to each of five points, and to each of four.
    let points = 5 + 4 + 4;
    assert_eq!((proof.places, proof.left_out), (points * 8, points * 2));
    let told = format!("faults at {} of the {} times", points * 8, points * 10);
    assert!(proof.to_string().contains(&told), "{proof}");
}

/// The first call is right, so what is disturbed first shows nothing.
#[tokio::test]
async fn a_flaw_of_the_second_participant_is_found() {
    let second = Prover::of(
        async |builder| {
            let accounts = Arc::new(Accounts::new().await);
            let counter = Arc::new(Counter::new().await);
            let builder = builder.participant(accounts.clone());
            (builder.participant(counter.clone()), (accounts, counter))
        },
        async |(accounts, counter)| {
            accounts.debit(30).await?;
            counter.sell(2).await
        },
        async |(accounts, counter)| (accounts.sums().await, counter.shown()),
    );
    let broken = second
        .faults()
        .await
        .expect_err("the display is not undone");
    assert!(broken.rules().contains(&Rule::Conservation), "{broken}");
    let told = "[time 2 that a try comes there, it fails after the method ran]";
    assert!(broken.to_string().contains(told), "{broken}");
}

#[tokio::test]
async fn calls_side_by_side_are_proved_whichever_comes_first() {
    let beside = Prover::of(
        async |builder| {
            let accounts = Arc::new(Accounts::new().await);
            let purse = Arc::new(Purse::with(Flaw::None));
            let others = Arc::new(Others(Accounts::new().await.db));
            let builder = builder.participant(accounts.clone());
            let builder = builder
                .participant(purse.clone())
                .participant(others.clone());
            (builder, (accounts, purse, others))
        },
        async |(accounts, purse, others)| {
            let one = async {
                accounts.debit(30).await?;
                purse.take(5).await
            };
            try_join(one, others.debit(7)).await.map(drop)
        },
        async |(accounts, purse, others)| {
            let others: i64 = sqlx::query_scalar("SELECT free FROM account")
                .fetch_one(&others.0)
                .await
                .expect("the row");
            (accounts.sums().await, purse.gold(), others)
        },
    );
    beside.assert_proved().await;
}

struct Others(SqlitePool);

#[participant(name = "others", fence = self.0)]
impl Others {
    #[two_phase_action(commit = none, rollback = cancel)]
    async fn debit(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
        let sql = "UPDATE account SET free = free - ?";
        sqlx::query(sql).bind(amount).execute(&mut *tx).await?;
        Ok(())
    }

    async fn cancel(&self, tx: &mut FenceTx<Sqlite>, amount: i64) -> Result<(), Failure> {
        let sql = "UPDATE account SET free = free + ?";
        sqlx::query(sql).bind(amount).execute(&mut *tx).await?;
        Ok(())
    }
}

/// Two instances of one type, each with a database and a name of its own.
struct Shard {
    name: &'static str,
    db: SqlitePool,
}

#[participant(name = self.name, fence = self.db)]
impl Shard {
    #[two_phase_action(commit = none, rollback = give_back)]
    async fn take(&self, tx: &mut FenceTx<Sqlite>, count: i64) -> Result<(), Failure> {
        let sql = "UPDATE shard SET free = free - ?";
        sqlx::query(sql).bind(count).execute(&mut *tx).await?;
        Ok(())
    }

    async fn give_back(&self, tx: &mut FenceTx<Sqlite>, count: i64) -> Result<(), Failure> {
        let sql = "UPDATE shard SET free = free + ?";
        sqlx::query(sql).bind(count).execute(&mut *tx).await?;
        Ok(())
    }
}

impl Shard {
    async fn new(name: &'static str) -> Arc<Self> {
        let schema = "CREATE TABLE shard (free INTEGER); INSERT INTO shard VALUES (9)";
        let db = database(schema).await.expect("a database");
        Arc::new(Self { name, db })
    }

    async fn free(&self) -> i64 {
        let free = sqlx::query_scalar("SELECT free FROM shard");
        free.fetch_one(&self.db).await.expect("the row")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_are_proved_together_on_several_threads() {
    let shards = Prover::of(
        async |builder| {
            let (east, west) = (Shard::new("east").await, Shard::new("west").await);
            let builder = builder.participant(east.clone());
            (builder.participant(west.clone()), (east, west))
        },
        async |(east, west)| {
            east.take(1).await?;
            west.take(2).await
        },
        async |(east, west)| (east.free().await, west.free().await),
    );
    let proof = shards.assert_proved().await;
    assert_eq!((proof.places, proof.left_out), (2 * TIMES, 0));
}

#[tokio::test]
async fn calls_that_differ_from_run_to_run_are_told() {
    let runs = AtomicUsize::new(0);
    let uneven = Prover::new(
        Accounts::new,
        async |accounts| {
            accounts.debit(3).await?;
            // In the runs that count: an undisturbed commit and rollback, and the first one after.
            if runs.fetch_add(1, SeqCst) < 6 {
                accounts.debit(0).await?;
            }
            Ok::<_, Failure>(())
        },
        async |accounts| accounts.sums().await,
    );
    let broken = uneven.faults().await.expect_err("there is no second time");
    let [
        Problem::Uneven {
            phase: Phase::Try,
            point: Point::BeforeRegister,
            time: 3,
        },
    ] = &broken.problems[..]
    else {
        panic!("{broken}")
    };
    assert!(
        broken.to_string().contains("the same calls in every run"),
        "{broken}"
    );
}

#[tokio::test]
async fn a_plan_may_let_a_point_be_passed_before() {
    let accounts = Arc::new(Accounts::new().await);
    let harness = Harness::of(Arc::clone(&accounts)).await.expect("a harness");
    let plan = harness.faults();
    plan.plan_after(Phase::Try, Point::AfterBusiness, 1, Fault::Fail);
    plan.plan(Phase::Try, Point::AfterBusiness, Fault::Fail);
    let mut went = Vec::new();
    for amount in 1..=4 {
        let tried = harness.try_phase(accounts.debit(amount)).await;
        went.push(tried.body.is_ok());
    }
    assert_eq!(went, [true, false, false, true]);
    assert!(plan.pending().is_empty());
}

/// Waits for what nobody gives.
struct Stuck {
    phase: Phase,
}

#[participant(name = "stuck")]
impl Stuck {
    #[two_phase_action(commit = end, rollback = end)]
    async fn start(&self) -> Result<(), Failure> {
        if self.phase == Phase::Try {
            pending::<()>().await;
        }
        Ok(())
    }

    async fn end(&self) -> Result<(), Failure> {
        pending().await
    }
}

#[tokio::test]
async fn a_phase_that_never_ends_is_told() {
    for phase in [Phase::Try, Phase::Commit] {
        let stuck = Prover::new(
            async move || Stuck { phase },
            async |stuck| stuck.start().await,
            async |_| 0,
        );
        let stuck = stuck.patience(Duration::from_secs(1));
        let broken = stuck.prove().await.expect_err("it never ends");
        let [Problem::Endless { delivered, .. }] = &broken.problems[..] else {
            panic!("{broken}")
        };
        assert_eq!(delivered[0], "try");
        let told = broken.to_string();
        assert!(
            told.contains("did not end within 1s; delivered: try"),
            "{told}"
        );
    }
}

/// Every instance writes to the same list.
#[derive(Clone, Default)]
struct Letters {
    sent: Arc<Mutex<BTreeSet<String>>>,
}

#[participant(name = "letters", any_instance)]
impl Letters {
    #[two_phase_action(commit = send, rollback = none)]
    async fn prepare(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn send(&self, branch: &BranchContext) -> Result<(), Failure> {
        let mut sent = self.sent.lock().expect("no panic");
        sent.insert(branch.key());
        Ok(())
    }
}

#[tokio::test]
async fn an_action_of_any_instance_is_proved_on_another_one_than_the_provided() {
    let letters = Prover::new(
        async || Letters::default(),
        async |letters| {
            let another = Letters::clone(letters);
            another.prepare().await?;
            another.prepare().await
        },
        async |letters| letters.sent.lock().expect("no panic").len(),
    );
    let proof = letters.assert_proved().await;
    // Two calls in two deliveries at five points of phase one, and at four of each phase two.
    assert_eq!((proof.places, proof.left_out), (4 * (5 + 4 + 4), 0));
}
