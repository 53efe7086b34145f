//! The parts of the test kit, dropped at each poll: what they left behind can be gone on with, and
//! what they had not done can be done.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use unanimous::sqlx::{self, Sqlite, SqlitePool};
use unanimous::testing::{
    Fault, FaultPlan, Gate, Harness, Heard, Message, Phase, Point, Proof, Prover, Scripted,
    database, without_coordinator,
};
use unanimous::{BranchContext, FenceTx, Outcome, Xid, global_transactional, participant};

use crate::participants::Failure;

/// More polls than any future here needs.
const MANY: usize = 20_000;
/// How many polls each phase has at least.
pub(crate) const POLLS: usize = 4;

/// What the future answers if it ends within so many polls; it is dropped otherwise.
pub(crate) async fn polled<F: Future>(mut left: usize, future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    let limited = poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    });
    limited.await
}

/// Drops a future after 0, 1, 2, .. polls until it ends by itself, with no context left behind
/// after any of them; tells after how many it ended.
async fn at_every_poll<T>(start: impl AsyncFn() -> T) -> (usize, T) {
    for polls in 0..MANY {
        let ended = polled(polls, start()).await;
        assert_eq!(unanimous::xid(), None, "after {polls}");
        assert!(BranchContext::current().is_none(), "after {polls}");
        if let Some(ended) = ended {
            return (polls, ended);
        }
    }
    panic!("it never ends");
}

pub(crate) async fn linger() {
    for _ in 0..POLLS {
        tokio::task::yield_now().await;
    }
}

/// Counts what each phase did, and takes its time.
struct Shelf {
    db: SqlitePool,
}

const SCHEMA: &str = "
    CREATE TABLE shelf (held INTEGER NOT NULL, sold INTEGER NOT NULL, back INTEGER NOT NULL);
    INSERT INTO shelf VALUES (0, 0, 0);";

impl Shelf {
    async fn new() -> Self {
        Self {
            db: database(SCHEMA).await.expect("a database"),
        }
    }

    async fn sums(&self) -> (i64, i64, i64) {
        let sql = "SELECT held, sold, back FROM shelf";
        let row = sqlx::query_as(sql).fetch_one(&self.db).await;
        row.expect("the row")
    }
}

#[participant(name = "shelf", fence = self.db)]
impl Shelf {
    #[two_phase_action(commit = sell, rollback = put_back)]
    async fn take(&self, tx: &mut FenceTx<Sqlite>) -> Result<i64, Failure> {
        let sql = "UPDATE shelf SET held = held + 1 RETURNING held";
        let held = sqlx::query_scalar(sql).fetch_one(&mut *tx).await?;
        linger().await;
        Ok(held)
    }

    async fn sell(&self, tx: &mut FenceTx<Sqlite>) -> Result<(), Failure> {
        let sql = "UPDATE shelf SET sold = sold + 1";
        sqlx::query(sql).execute(&mut *tx).await?;
        linger().await;
        Ok(())
    }

    async fn put_back(&self, tx: &mut FenceTx<Sqlite>) -> Result<(), Failure> {
        let sql = "UPDATE shelf SET back = back + 1";
        sqlx::query(sql).execute(&mut *tx).await?;
        linger().await;
        Ok(())
    }
}

async fn with_shelf() -> (Harness, Arc<Shelf>) {
    let shelf = Arc::new(Shelf::new().await);
    let harness = Harness::of(Arc::clone(&shelf)).await.expect("a harness");
    (harness, shelf)
}

/// Decides what is open, and delivers until the branches have the outcome that is told.
async fn ends(harness: &Harness, shelf: &Shelf, xid: &Xid) {
    let outcome = harness.runtime().resolve(xid).await;
    let sums = match outcome {
        Outcome::Committed => |held| (held, held, 0),
        Outcome::RolledBack { .. } => |held| (held, 0, held),
        Outcome::Unknown { .. } => panic!("{outcome:?}"),
    };
    loop {
        harness.deliver().await;
        let (held, sold, back) = shelf.sums().await;
        if (held, sold, back) == sums(held) {
            return;
        }
        assert!(sold == 0 && back == 0, "{outcome:?}: {sold} {back}");
        tokio::task::yield_now().await;
    }
}

/// The four ways to end a transaction whose phase one was tried.
#[derive(Clone, Copy, Debug)]
enum End {
    Commit,
    CommitTwice,
    Rollback,
    RollbackTwice,
}

#[tokio::test]
async fn a_phase_two_of_the_harness_may_be_dropped_at_any_poll_and_be_delivered_again() {
    for end in [
        End::Commit,
        End::CommitTwice,
        End::Rollback,
        End::RollbackTwice,
    ] {
        for polls in 0..MANY {
            let (harness, shelf) = with_shelf().await;
            let tried = harness.try_phase(shelf.take()).await;
            let xid = tried.xid().clone();
            let settled = match end {
                End::Commit => polled(polls, tried.commit()).await,
                End::CommitTwice => polled(polls, tried.commit_twice()).await,
                End::Rollback => polled(polls, tried.rollback()).await,
                End::RollbackTwice => polled(polls, tried.rollback_twice()).await,
            };
            ends(&harness, &shelf, &xid).await;
            if let Some(settled) = settled {
                settled.assert_all_ended();
                assert!(polls > POLLS, "{end:?}");
                break;
            }
            assert!(polls < MANY - 1, "{end:?} never ends");
        }
    }
}

/// A dropped phase one leaves its transaction open; what it reserved is given back.
#[tokio::test]
async fn a_phase_one_of_the_harness_may_be_dropped_at_any_poll() {
    for keeps in [false, true] {
        for polls in 0..MANY {
            let (harness, shelf) = with_shelf().await;
            let (xid, ended) = if keeps {
                let xid = harness.begin().await;
                let body = harness.run_in(&xid, shelf.take());
                let ended = polled(polls, body).await.is_some();
                (Some(xid), ended)
            } else {
                let tried = polled(polls, harness.try_phase(shelf.take())).await;
                (
                    tried.as_ref().map(|tried| tried.xid().clone()),
                    tried.is_some(),
                )
            };
            assert_eq!(unanimous::xid(), None, "after {polls}");
            match xid {
                Some(xid) => ends(&harness, &shelf, &xid).await,
                // Nobody knows its xid but the coordinator, which ends it with the harness.
                None => {
                    let open = harness.runtime().admin().list(false, 9).await;
                    for one in open.expect("it answers") {
                        ends(&harness, &shelf, &one.xid).await;
                    }
                }
            }
            let (held, sold, back) = shelf.sums().await;
            assert_eq!((held, sold), (back, 0), "after {polls}");
            if ended {
                assert!(polls > POLLS);
                break;
            }
            assert!(polls < MANY - 1, "it never ends");
        }
    }
}

#[global_transactional]
async fn sell(shelf: &Shelf) -> Result<i64, Failure> {
    let left = shelf.take().await?;
    linger().await;
    Ok(left)
}

/// A scope, and a delivery by hand.
#[tokio::test]
async fn a_scope_and_a_delivery_of_the_harness_may_be_dropped_at_any_poll() {
    for delivers in [false, true] {
        for polls in 0..MANY {
            let (harness, shelf) = with_shelf().await;
            let ended = if delivers {
                let sold = harness.scope(sell(&shelf)).await;
                sold.expect("it commits");
                while polled(1, harness.deliver()).await.is_some() {
                    // Nothing had come yet.
                    tokio::task::yield_now().await;
                }
                polled(polls, harness.deliver()).await.is_some()
            } else {
                polled(polls, harness.scope(sell(&shelf))).await.is_some()
            };
            assert_eq!(unanimous::xid(), None, "after {polls}");
            // A dropped caller is rolled back by the runtime's own task.
            let all = harness.runtime().admin().list(true, 9).await;
            for one in all.expect("it answers") {
                ends(&harness, &shelf, &one.xid).await;
            }
            if ended {
                let sold = harness
                    .decided()
                    .iter()
                    .any(unanimous::testing::Decided::is_commit);
                assert!(sold && polls > POLLS);
                break;
            }
            assert!(polls < MANY - 1, "it never ends");
        }
    }
}

/// What makes the worlds of tests.
#[tokio::test]
async fn harnesses_databases_and_coordinators_may_be_dropped_at_any_poll_of_their_making() {
    at_every_poll(async || drop(with_shelf().await)).await;
    at_every_poll(async || Harness::start(|builder| builder).await.map(drop))
        .await
        .1
        .expect("it starts");
    at_every_poll(async || drop(Scripted::memory().await)).await;
    at_every_poll(async || drop(database(SCHEMA).await.expect("a database"))).await;
    let (harness, _) = with_shelf().await;
    at_every_poll(async || drop(harness.begin().await)).await;
}

#[global_transactional]
async fn mocked() -> Result<(), Failure> {
    linger().await;
    Ok(())
}

#[tokio::test]
async fn a_service_without_a_coordinator_may_be_dropped_at_any_poll() {
    let (polls, (_, decided)) = at_every_poll(async || without_coordinator(mocked()).await).await;
    assert!(polls > POLLS && decided.len() == 1 && decided[0].is_commit());
}

/// Whoever waits at a gate or for a stop may go; others still hear.
#[tokio::test]
async fn waits_for_gates_and_stops_may_be_dropped_at_any_poll() {
    let (harness, shelf) = with_shelf().await;
    let plan: FaultPlan = harness.faults().clone();
    plan.plan(Phase::Try, Point::BeforeBusiness, Fault::Stop);
    assert!(polled(0, plan.stopped(1)).await.is_none());
    assert!(polled(1, plan.stopped(1)).await.is_none());
    {
        let mut tried = Box::pin(harness.try_phase(shelf.take()));
        while plan.stops() == 0 {
            assert!(polled(1, &mut tried).await.is_none());
            tokio::task::yield_now().await;
        }
        assert!(polled(1, plan.stopped(1)).await.is_some());
        plan.go_on();
        tried.await.rollback().await.assert_rolled_back();
    }
    let (scripted, gate) = (Scripted::memory().await, Gate::new());
    scripted.next(Message::Begin, Heard::Late(gate.clone()));
    assert!(polled(0, gate.reached()).await.is_none());
    assert!(polled(1, gate.reached()).await.is_none());
    let runtime = unanimous::Runtime::builder().coordinator_value(Arc::new(scripted));
    let runtime = runtime.build().await.expect("a runtime");
    let mut begins = Box::pin(runtime.scope(mocked()));
    assert!(polled(1, &mut begins).await.is_none());
    while polled(1, gate.reached()).await.is_none() {
        assert!(polled(1, &mut begins).await.is_none());
    }
    gate.open();
    begins.await.expect("it commits");
}

fn prover() -> Prover<'static> {
    Prover::new(
        async || crate::participants::Purse::with(crate::participants::Flaw::None),
        async |purse| purse.take(30).await,
        async |purse| purse.gold(),
    )
}

/// A proof that is dropped leaves nothing behind that the next one would see.
#[tokio::test]
async fn a_proof_may_be_dropped_at_any_poll() {
    let prover = prover();
    let same = |proof: &Proof| (proof.runs, proof.orders, proof.points.len());
    let twice = prover.twice().await.expect("it is right");
    let (_, again) = at_every_poll(async || prover.twice().await).await;
    assert_eq!(same(&again.expect("it is right")), same(&twice));
    let (_, orders) = at_every_poll(async || prover.orders().await).await;
    assert!(orders.expect("it is right").orders > 0);
    let (_, faults) = at_every_poll(async || prover.faults().await).await;
    assert!(!faults.expect("it is right").points.is_empty());
    let (_, all) = at_every_poll(async || prover.prove().await).await;
    let (_, asserted) = at_every_poll(async || prover.assert_proved().await).await;
    assert_eq!(same(&all.expect("it is right")), same(&asserted));
}

/// The suite of a coordinator, dropped anywhere, leaves a coordinator that still passes it.
#[tokio::test]
async fn the_conformance_suite_may_be_dropped_at_any_poll() {
    let memory: Arc<dyn unanimous::coordinator::Coordinator> = Arc::new(Scripted::memory().await);
    let check = unanimous::coordinator::conformance::check;
    let (_, report) = at_every_poll(async || check(Arc::clone(&memory)).await).await;
    assert!(report.failures.is_empty(), "{report}");
}
