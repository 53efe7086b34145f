//! The kit as its users hold it: bodies that fail and panic, harnesses that are dropped and made
//! again, statements beside `tx`.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use unanimous::protocol::message::BranchResult;
use unanimous::sqlx::{self, Sqlite, SqlitePool};
use unanimous::testing::{
    Fault, Harness, Phase, Point, Problem, Prover, Rule, without_coordinator,
};
use unanimous::{FenceTx, PhaseTwoError, global_transactional, participant};

use crate::participants::{Accounts, Failure, Flaw, PATIENCE, Purse, with_accounts};

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
        .expect("a text")
}

#[tokio::test]
async fn a_body_that_fails_rolls_back_and_the_assertion_says_so() {
    let (harness, accounts) = with_accounts().await;
    let tried = harness.try_phase(accounts.debit(300)).await;
    assert!(tried.body.is_err());
    let settled = tried.commit().await;
    settled.assert_rolled_back();
    assert!(settled.refused.is_some() && settled.body_failed);
    assert_eq!(accounts.sums().await, (100, 0, 0));
    let asserted = std::panic::catch_unwind(AssertUnwindSafe(|| {
        settled.assert_committed();
    }));
    let told = panic_text(&*asserted.expect_err("it did not commit"));
    assert!(told.contains("phase one returned an error"), "{told}");
}

#[tokio::test]
async fn a_body_that_panics_leaves_a_harness_that_goes_on() {
    let (harness, accounts) = with_accounts().await;
    let body = async {
        accounts.debit(30).await?;
        assert!(accounts.sums().await.1 < 0, "the test's own mistake");
        Ok::<_, Failure>(())
    };
    let panicked = AssertUnwindSafe(harness.try_phase(body))
        .catch_unwind()
        .await;
    let told = panic_text(&*panicked.expect_err("it panics"));
    assert_eq!(told, "the test's own mistake");
    assert_eq!(unanimous::xid(), None);
    let tried = harness.try_phase(accounts.debit(20)).await;
    tried.commit().await.assert_committed().assert_deliveries(1);
    assert_eq!(accounts.sums().await, (50, 30, 20), "the first one is open");
}

#[global_transactional]
async fn pay(accounts: &Accounts, amount: i64) -> Result<i64, Failure> {
    let left = accounts.debit(amount).await?;
    assert!(amount < 50, "too much");
    Ok(left)
}

#[tokio::test]
async fn an_annotated_function_that_panics_rolls_back_under_the_harness() {
    let (harness, accounts) = with_accounts().await;
    let run = AssertUnwindSafe(harness.scope(pay(&accounts, 60)));
    let panicked = run.catch_unwind().await.expect_err("it panics");
    assert_eq!(panic_text(&*panicked), "too much");
    let decided = async {
        while harness.decided().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, decided).await;
    in_time.expect("a body that panics is decided");
    assert!(!harness.decided()[0].is_commit());
    harness.deliver().await;
    assert_eq!(accounts.sums().await, (100, 0, 0));
}

/// Its phase two panics the first time.
#[derive(Default)]
struct Jumpy {
    delivered: std::sync::atomic::AtomicUsize,
    always: bool,
}

#[participant(name = "jumpy")]
impl Jumpy {
    #[two_phase_action(commit = end, rollback = end)]
    async fn start(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn end(&self) -> Result<(), Failure> {
        let before = self
            .delivered
            .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        assert!(before > 0 && !self.always, "phase two jumps");
        Ok(())
    }
}

#[tokio::test]
async fn a_phase_two_that_panics_is_repeated_when_the_back_off_is_over() {
    let jumpy = Arc::new(Jumpy::default());
    let harness = Harness::of(Arc::clone(&jumpy)).await.expect("a harness");
    let settled = harness.try_phase(jumpy.start()).await.commit().await;
    let [first] = &settled.deliveries[..] else {
        panic!("{settled:?}")
    };
    let BranchResult::Retry { error, .. } = &first.result else {
        panic!("{first:?}")
    };
    assert!(error.contains("phase two jumps"), "{error}");
    assert!(harness.deliver().await.is_empty(), "the back-off runs");
    harness.clock().advance(Duration::from_secs(60));
    let again = harness.deliver().await;
    assert_eq!(again.len(), 1, "it is waited for");
    assert_eq!(again[0].result, BranchResult::Ended);
}

#[tokio::test]
async fn a_prover_tells_panics_and_what_was_delivered() {
    let jumpy = Prover::new(
        async || Jumpy {
            always: true,
            ..Jumpy::default()
        },
        async |jumpy| jumpy.start().await,
        async |jumpy| jumpy.delivered.load(std::sync::atomic::Ordering::SeqCst),
    );
    let broken = jumpy.prove().await.expect_err("it panics always");
    assert_eq!(broken.rules(), [Rule::Completion].into(), "{broken}");
    let told = broken.to_string();
    assert!(
        told.contains("phase two jumps") && told.contains("instead of a panic"),
        "{told}"
    );

    let asserting = Prover::new(
        Accounts::new,
        async |accounts| {
            // True at first, not of a repeat.
            assert_eq!(accounts.sums().await.1, 0, "nothing is held");
            accounts.debit(30).await
        },
        async |accounts| accounts.sums().await,
    );
    let broken = asserting.prove().await.expect_err("the closure panics");
    assert!(
        matches!(broken.problems[..], [Problem::Panicked { .. }]),
        "{broken}"
    );
    let told = broken.to_string();
    assert!(told.starts_with("the try panicked: "), "{told}");
    assert!(
        told.contains("nothing is held") && told.contains("delivered: try, try"),
        "{told}"
    );
}

/// Does its second phase, or its first, on a connection of its own.
struct Besides {
    db: SqlitePool,
    phase: Phase,
}

#[participant(name = "besides", fence = self.db)]
impl Besides {
    #[two_phase_action(commit = end, rollback = end)]
    async fn start(&self, _tx: &mut FenceTx<Sqlite>) -> Result<(), Failure> {
        self.write(Phase::Try).await
    }

    async fn end(&self, _tx: &mut FenceTx<Sqlite>) -> Result<(), Failure> {
        self.write(Phase::Commit).await
    }
}

impl Besides {
    async fn write(&self, phase: Phase) -> Result<(), Failure> {
        if phase == self.phase {
            let mut own = self.db.acquire().await?;
            sqlx::query("PRAGMA busy_timeout = 0")
                .execute(&mut *own)
                .await?;
            let sql = "UPDATE account SET free = free - 1";
            sqlx::query(sql).execute(&mut *own).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_statement_beside_the_fences_transaction_is_told_to_use_it() {
    for phase in [Phase::Try, Phase::Commit] {
        let besides = Prover::new(
            async move || Besides {
                db: Accounts::new().await.db,
                phase,
            },
            async |besides| besides.start().await,
            async |_| 0,
        );
        let broken = besides.prove().await.expect_err("the database is locked");
        let told = broken.to_string();
        assert_eq!(broken.problems.len(), 1, "{told}");
        assert!(told.contains(" is locked"), "{told}");
        assert!(told.contains("run every statement on `&mut *tx`"), "{told}");
        assert!(!told.contains("return `Ok`"), "{told}");
    }
}

struct Quitter;

#[participant(name = "quitter")]
impl Quitter {
    #[two_phase_action(commit = end, rollback = end)]
    async fn start(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn end(&self) -> Result<(), PhaseTwoError> {
        Err(PhaseTwoError::give_up("no more"))
    }
}

#[tokio::test]
async fn a_phase_two_that_gives_up_is_told_what_giving_up_means() {
    let quitter = Prover::new(
        async || Quitter,
        async |quitter| quitter.start().await,
        async |_| 0,
    );
    let broken = quitter.prove().await.expect_err("it gives up");
    assert_eq!(broken.rules(), [Rule::Completion].into(), "{broken}");
    assert!(
        broken.to_string().contains("waits for an operator"),
        "{broken}"
    );
}

/// A harness may go at any moment; the next one on the same participant finds a database that
/// nothing locks, and rows of a coordinator that is gone.
#[tokio::test]
async fn a_harness_that_is_dropped_half_way_leaves_a_participant_that_can_be_used_again() {
    let accounts = Arc::new(Accounts::new().await);
    for round in 0..3 {
        let harness = Harness::of(Arc::clone(&accounts)).await.expect("a harness");
        if round == 1 {
            // Dropped with a local transaction that is open.
            let plan = harness.faults();
            plan.plan(Phase::Try, Point::BeforeLocalCommit, Fault::Stop);
            tokio::select! {
                tried = harness.try_phase(accounts.debit(1)) => panic!("{:?}", tried.body),
                () = plan.stopped(1) => {}
            }
        } else {
            let tried = harness.try_phase(accounts.debit(1)).await;
            assert!(tried.body.is_ok());
            drop(tried);
        }
        drop(harness);
    }
    let harness = Harness::of(Arc::clone(&accounts)).await.expect("a harness");
    let tried = harness.try_phase(accounts.debit(5)).await;
    tried.commit().await.assert_committed().assert_deliveries(1);
    let (free, held, spent) = accounts.sums().await;
    assert_eq!((free, held, spent), (93, 2, 5), "two tries stay open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_harnesses_run_side_by_side_on_several_threads() {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..16 {
        tasks.spawn(async move {
            let (harness, accounts) = with_accounts().await;
            let tried = harness.try_phase(accounts.debit(number)).await;
            tried
                .commit_twice()
                .await
                .assert_committed()
                .assert_deliveries(2);
            harness.scope(pay(&accounts, 1)).await.expect("it commits");
            assert_eq!(harness.deliver().await.len(), 1);
            assert_eq!(accounts.sums().await, (99 - number, 0, number + 1));
            let faults = harness.faults();
            faults.plan(Phase::Commit, Point::BeforeBusiness, Fault::Fail);
            harness.scope(pay(&accounts, 1)).await.expect("it commits");
            assert!(matches!(
                harness.deliver().await[0].result,
                BranchResult::Retry { .. }
            ));
            harness.clock().advance(Duration::from_secs(60));
            assert_eq!(harness.deliver().await.len(), 1, "it is waited for");
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("it ends well");
    }
}

#[tokio::test]
async fn calls_spawned_and_not_awaited_belong_to_their_delivery() {
    let purse = Arc::new(Purse::with(Flaw::None));
    let harness = Harness::of(Arc::clone(&purse)).await.expect("a harness");
    let xid = harness.begin().await;
    let spawns = async {
        let purse = Arc::clone(&purse);
        drop(unanimous::spawn(async move { purse.take(30).await }));
    };
    harness.run_in(&xid, spawns).await;
    assert_eq!(purse.gold(), (70, 0));
    assert_eq!(harness.branches(&xid).len(), 1);
}

#[tokio::test]
async fn services_without_a_coordinator_may_panic_spawn_and_nest() {
    #[global_transactional(name = "inner", propagation = requires_new)]
    async fn inner(fails: bool) -> Result<(), Failure> {
        if fails { Err("inner".into()) } else { Ok(()) }
    }
    #[global_transactional(name = "outer")]
    async fn outer(fails: bool) -> Result<(), Failure> {
        let spawned = unanimous::spawn(async move { inner(fails).await });
        let _ = spawned.await?;
        assert!(!fails, "outer");
        Ok(())
    }
    let (_, decided) = without_coordinator(outer(false)).await;
    let told: Vec<_> = decided
        .iter()
        .map(|one| (&*one.name, one.is_commit()))
        .collect();
    assert_eq!(told, [("inner", true), ("outer", true)]);
    let (panicked, decided) =
        without_coordinator(AssertUnwindSafe(outer(true)).catch_unwind()).await;
    assert!(panicked.is_err());
    let told: Vec<_> = decided
        .iter()
        .map(|one| (&*one.name, one.is_commit()))
        .collect();
    assert_eq!(told, [("inner", false), ("outer", false)]);
}
