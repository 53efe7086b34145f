//! Rows 33 and 34 of the fault matrix: the tokio runtime of a process ends with transactions open,
//! or user code blocks its threads.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::task::JoinHandle;
use unanimous::{Error, GlobalTransaction, Outcome, RollbackReason};

use crate::interruptions::take_and_stop;
use crate::process::{Process, Server};
use crate::vault::{Failure, Gate};
use crate::world::{Site, World, sold, take_all, until};

/// How many transactions are open when the runtime goes.
const OPEN: usize = 100;

/// Begins as many, each of which has taken from every vault when this returns.
async fn open(world: &Arc<World>, gate: &Gate) -> Vec<JoinHandle<Result<(), Failure>>> {
    let mut all = Vec::new();
    for nth in 0..OPEN {
        let (inside, gate) = (Arc::clone(world), gate.clone());
        all.push(tokio::spawn(async move {
            let label = format!("{nth}");
            inside
                .run(take_and_stop(&inside.vaults, &label, &gate))
                .await
        }));
    }
    for _ in 0..OPEN {
        gate.reached().await;
    }
    all
}

/// Matrix 33: the tokio runtime goes, with everything where it stands. No destructor can wait for
/// anything, and nothing needs one to.
#[test]
fn matrix_33_a_runtime_that_goes_with_100_open_leaves_them_to_be_rolled_back() {
    let site = Site::new();
    let process = Process::embedded(&site);
    let gate = Gate::new();
    let opened = process.spawn(async move |world| open(&world, &gate).await);
    process.run(async |world| {
        let tasks = opened.await.expect("all are open");
        assert_eq!(tasks.len(), OPEN);
        let held = i64::try_from(OPEN).expect("it is small");
        assert_eq!(world.vaults[0].sums().await.1, held);
    });
    process.kill();
    let again = Process::embedded(&site);
    again.run(async |world| {
        world.settle().await;
        assert_eq!(world.sums().await, sold(0));
        assert_eq!(world.vaults[2].history("99").await, [1, 0, 1]);
    });
    again.end();
}

/// Matrix 33: a shutdown waits for all of them.
#[tokio::test]
async fn matrix_33_a_shutdown_lets_100_open_ones_end() {
    let site = Site::new();
    let world = Arc::new(World::start(&site).await);
    let gate = Gate::new();
    let all = open(&world, &gate).await;
    {
        let mut stopping = pin!(world.runtime.shutdown());
        assert!(stopping.as_mut().now_or_never().is_none(), "it waits");
        gate.open();
        stopping.await;
    }
    for ended in join_all(all).await {
        ended.expect("it ends").expect("it commits");
    }
    let world = Arc::into_inner(world).expect("the tasks are gone");
    world.is_clean().await;
    drop(world);
    let again = World::start(&site).await;
    again.settle().await;
    let count = i64::try_from(OPEN).expect("it is small");
    assert_eq!(again.sums().await, sold(count));
    again.end().await;
}

/// Matrix 33: those that do not end in time have rolled back when the shutdown returns.
#[tokio::test]
async fn matrix_33_a_shutdown_rolls_back_100_that_do_not_end() {
    let site = Site::new();
    let world = Arc::new(World::start(&site).await);
    let gate = Gate::new();
    let all = open(&world, &gate).await;
    world.runtime.shutdown().await;
    gate.open();
    for ended in join_all(all).await {
        let told = ended.expect("it ends").expect_err("it is too late");
        let told = told.transaction();
        let truthful = matches!(told, Error::RolledBack { .. } | Error::Unknown { .. });
        assert!(truthful, "{told:?}");
    }
    let world = Arc::into_inner(world).expect("the tasks are gone");
    drop(world);
    let again = World::start(&site).await;
    again.settle().await;
    assert_eq!(again.sums().await, sold(0));
    again.end().await;
}

/// What a caller that was blocked hears in the end.
type Told = JoinHandle<Result<Outcome, Error>>;

/// Runs a body on each of the two threads of this process that takes from every vault and then
/// blocks its thread until its sender is dropped.
fn block(process: &Process<World>, timeout: Duration) -> (Vec<mpsc::Sender<()>>, Vec<Told>) {
    let ready = Arc::new(AtomicUsize::new(0));
    let (mut senders, mut tasks) = (Vec::new(), Vec::new());
    for nth in 0..2 {
        let (sender, receiver) = mpsc::channel::<()>();
        senders.push(sender);
        let ready = Arc::clone(&ready);
        tasks.push(process.spawn(async move |world: Arc<World>| {
            let vaults = world.vaults.clone();
            let body = async move {
                take_all(&vaults, &format!("blocked {nth}"), 1).await?;
                ready.fetch_add(1, Ordering::SeqCst);
                while ready.load(Ordering::SeqCst) < 2 {
                    tokio::task::yield_now().await;
                }
                // The sender sends nothing: this ends when it is dropped.
                let _ = receiver.recv();
                Ok::<_, Failure>(())
            };
            let blocking = GlobalTransaction::named("blocks").timeout(timeout);
            let ran = world.run(blocking.run(body)).await?;
            Ok(ran.outcome.expect("it began"))
        }));
    }
    while ready.load(Ordering::SeqCst) < 2 {
        std::thread::yield_now();
    }
    (senders, tasks)
}

/// Matrix 34: user code blocks all threads of its process. Others are served, nobody takes it for
/// dead, and what it began is decided as it wants.
#[test]
fn matrix_34_a_process_that_blocks_delays_nobody_else_and_is_not_taken_for_dead() {
    let (site, elsewhere) = (Site::new(), Site::new());
    let server = Server::start(&site);
    let wire = server.wire();
    let starved = Process::at(&wire, &site);
    // Other participants on the same coordinator, with databases of their own.
    let other = Process::at(&wire, &elsewhere);
    let (blocked, tasks) = block(&starved, Duration::from_secs(36_000));
    other.run(async |world| {
        for nth in 0..20 {
            let bought = world.buy(&format!("other {nth}"), 1).await;
            bought.expect("nobody is in its way");
        }
        let open = world.runtime.admin().list(false, 100).await;
        let open = open.expect("the coordinator answers");
        let blocks = open.iter().filter(|one| one.name.as_str() == "blocks");
        assert_eq!(blocks.count(), 2, "they are still open: {open:#?}");
    });
    drop(blocked);
    starved.run(async |world| {
        for task in tasks {
            let outcome = task.await.expect("it ends").expect("it began");
            assert_eq!(outcome, Outcome::Committed);
        }
        world.settle().await;
        for vault in &world.vaults {
            assert_eq!(vault.history("blocked 0").await, [1, 1, 0]);
            assert_eq!(vault.history("blocked 1").await, [1, 1, 0]);
        }
    });
    other.end();
    starved.end();
    drop(server);
}

/// Matrix 34: it blocks until its deadline has passed. It rolls back without its help, and what it
/// asks for afterwards is told truthfully.
#[test]
fn matrix_34_a_process_that_blocks_past_its_deadline_hears_that_it_was_rolled_back() {
    let (site, elsewhere) = (Site::new(), Site::new());
    let server = Server::start(&site);
    let wire = server.wire();
    let starved = Process::at(&wire, &site);
    let other = Process::at(&wire, &elsewhere);
    let (blocked, tasks) = block(&starved, Duration::from_secs(60));
    other.run(async |world| {
        let timed_out = async || {
            let all = world.runtime.admin().list(true, 100).await;
            let all = all.expect("the coordinator answers");
            let late = all
                .iter()
                .filter(|one| one.reason == Some(RollbackReason::TimedOut));
            late.count() == 2
        };
        until("the coordinator's own timer", timed_out).await;
        world.buy("meanwhile", 1).await.expect("others are served");
    });
    drop(blocked);
    starved.run(async |world| {
        for task in tasks {
            let told = task.await.expect("it ends");
            let rolled_back = matches!(
                told,
                Ok(Outcome::RolledBack { .. }) | Err(Error::TimedOut { .. })
            );
            assert!(rolled_back, "{told:?}");
        }
        world.settle().await;
        assert_eq!(world.sums().await, sold(0));
    });
    other.end();
    starved.end();
    drop(server);
}
