//! Every public future, dropped after each number of polls: afterwards no connection holds a
//! transaction, no context is left, and everything resolves.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use unanimous::{GlobalTransaction, RetryPolicy, TolerateExt, retry_call};

use crate::vault::{Failure, Fault, Gate, POLLS};
use crate::wire::{Fate, Message, Wire};
use crate::world::{LONG, Site, World, builder, buy, coordinator, take_all};

/// More polls than any future here needs.
pub(crate) const MANY: usize = 400;

/// Polls a future at most so often.
struct Limited<F> {
    future: Pin<Box<F>>,
    left: usize,
}

impl<F: Future> Future for Limited<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        match self.future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if self.left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// What the future answers if it ends within so many polls; it is dropped otherwise.
pub(crate) async fn polled<F: Future>(left: usize, future: F) -> Option<F::Output> {
    Limited {
        future: Box::pin(future),
        left,
    }
    .await
}

/// Runs a transaction, dropped after 0, 1, 2, .. polls until it ends by itself, and checks after
/// each that all branches took one outcome.
pub(crate) async fn at_every_poll<T, E>(
    world: &World,
    call: impl AsyncFn(&str) -> Result<T, E>,
    committed: [bool; 3],
) where
    E: std::fmt::Debug,
{
    let mut dropped = Vec::new();
    for polls in 0..MANY {
        let label = format!("after {polls}");
        let ended = polled(polls, world.run(call(&label))).await;
        world.settle().await;
        let spent = async |vault: &crate::vault::Vault| match vault.history(&label).await {
            [1, 1, 0] => true,
            [held, 0, released] if held == released && held <= 1 => false,
            other => panic!("{label}: {other:?}"),
        };
        let [stock, money, vouchers] = &world.vaults;
        let spent = [
            spent(stock).await,
            spent(money).await,
            spent(vouchers).await,
        ];
        assert!(
            spent == committed || spent == [false; 3],
            "{label}: {spent:?}"
        );
        if let Some(told) = ended {
            told.unwrap_or_else(|error| panic!("{label}: {error:?}"));
            assert_eq!(spent, committed, "{label}");
            // Some were dropped before the decision; whether any was dropped behind it depends on
            // the threads of the database.
            assert!(
                polls > POLLS && dropped.contains(&[false; 3]),
                "{dropped:?}"
            );
            return;
        }
        dropped.push(spent);
    }
    panic!("it never ends");
}

#[tokio::test]
async fn c4_a_transaction_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let world = World::start(&site).await;
    at_every_poll(
        &world,
        async |label| buy(&world.vaults, label, 1).await,
        [true; 3],
    )
    .await;
    world.end().await;
}

/// The answer to the first commit is lost, so that the wait for the decision has polls of its own.
#[tokio::test]
async fn c4_a_commit_may_be_dropped_at_any_poll_of_its_wait() {
    let site = Site::new();
    let wire = Wire::to(coordinator(&site.embedded()).await);
    let world = World::on(&site, Arc::new(wire.clone())).await;
    let call = async |label: &str| {
        wire.next(Message::Commit, Fate::LoseAnswer);
        buy(&world.vaults, label, 1).await
    };
    at_every_poll(&world, call, [true; 3]).await;
    world.end().await;
}

/// The body goes on after the drop of an action: only that action's future is dropped.
#[tokio::test]
async fn c4_an_action_may_be_dropped_at_any_poll_and_its_transaction_rolls_back() {
    let site = Site::new();
    let world = World::start(&site).await;
    for polls in 0..MANY {
        let label = format!("after {polls}");
        let body = async {
            world.vaults[0].take(&label, 1).await?;
            let taken = polled(polls, world.vaults[1].take(&label, 1)).await;
            Ok::<_, Failure>(taken.is_some())
        };
        let ran = world
            .run(GlobalTransaction::named("drops").run(body))
            .await
            .expect("it begins");
        let ended = *ran.body.as_ref().expect("it swallows everything");
        world.settle().await;
        let outcome = if polls == 0 || ended {
            [1, 1, 0]
        } else {
            [1, 0, 1]
        };
        assert_eq!(world.vaults[0].history(&label).await, outcome, "{label}");
        assert_eq!(
            ran.failure().is_none(),
            polls == 0 || ended,
            "{label}: {ran:?}"
        );
        if ended {
            assert!(polls > POLLS, "it has {polls} polls only");
            return world.end().await;
        }
    }
    panic!("it never ends");
}

/// Whatever is dropped inside a tolerated block, the rest commits.
#[tokio::test]
async fn c4_a_tolerated_block_may_be_dropped_at_any_poll_and_the_rest_commits() {
    let site = Site::new();
    let world = World::start(&site).await;
    for (judges, polls) in (0..MANY).flat_map(|polls| [(false, polls), (true, polls)]) {
        let label = format!("after {polls} {judges}");
        let body = async {
            world.vaults[0].take(&label, 1).await?;
            let take = world.vaults[1].take(&label, 1);
            let ended = if judges {
                polled(polls, take.tolerate_if(|_| true)).await
            } else {
                polled(polls, take.tolerate()).await
            };
            world.vaults[2].take(&label, 1).await?;
            Ok::<_, Failure>(ended.is_some())
        };
        let ran = world
            .run(GlobalTransaction::named("drops").run(body))
            .await
            .expect("it begins");
        let ended = ran.into_result().expect("it commits without the block");
        world.settle().await;
        assert_eq!(world.vaults[0].history(&label).await, [1, 1, 0], "{label}");
        assert_eq!(world.vaults[2].history(&label).await, [1, 1, 0], "{label}");
        let [held, spent, released] = world.vaults[1].history(&label).await;
        assert_eq!(
            (spent, released),
            (i64::from(ended), held - i64::from(ended)),
            "{label}"
        );
        if ended && judges {
            assert!(polls > POLLS, "it has {polls} polls only");
            return world.end().await;
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn c4_a_repeated_call_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let wire = Wire::to(coordinator(&site.embedded()).await);
    let world = World::on(&site, Arc::new(wire.clone())).await;
    let call = async |label: &str| {
        wire.next(Message::Register, Fate::LoseAnswer);
        let body = async {
            let policy = RetryPolicy::attempts(2).wait(Duration::ZERO, Duration::ZERO);
            retry_call(policy, || take_all(&world.vaults, label, 1)).await
        };
        let ran = GlobalTransaction::named("repeats").run(body).await?;
        ran.into_result()
    };
    at_every_poll(&world, call, [true; 3]).await;
    world.end().await;
}

/// A dropped start leaves nothing that runs: the log is free for the next one.
#[tokio::test]
async fn a_start_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let vault = site.vault("stock").await;
    let (mut polls, mut half_way) = (0, false);
    for _ in 0..MANY {
        let builder = builder()
            .coordinator(site.embedded())
            .participant(Arc::new(vault.clone()));
        let Some(built) = polled(polls, builder.build()).await else {
            half_way |= polls > 0;
            polls += 1;
            continue;
        };
        let runtime = built.expect("it starts");
        let label = format!("after {polls}");
        let call = buy(std::slice::from_ref(&vault), &label, 1);
        runtime.scope(call).await.expect("it works");
        assert!(runtime.quiet(LONG).await);
        assert_eq!(vault.history(&label).await, [1, 1, 0]);
        runtime.shutdown().await;
        if half_way {
            return;
        }
        // The threads it waits for were faster than the polls: once more.
        polls = 0;
    }
    panic!("it is never dropped half-way, or never starts");
}

/// A dropped shutdown leaves a runtime that begins nothing; calling it again ends it.
#[tokio::test]
async fn a_shutdown_may_be_dropped_at_any_poll() {
    let (mut polls, mut half_way) = (0, false);
    for _ in 0..MANY {
        let site = Site::new();
        let world = World::start(&site).await;
        world.buy("b", 1).await.expect("it commits");
        let ended = polled(polls, world.runtime.shutdown()).await.is_some();
        if polls > 0 {
            world.buy("c", 1).await.expect_err("it begins nothing more");
        }
        world.runtime.shutdown().await;
        world.is_clean().await;
        drop(world);
        let again = World::start(&site).await;
        again.settle().await;
        for vault in &again.vaults {
            assert_eq!(vault.history("b").await, [1, 1, 0]);
        }
        again.end().await;
        if ended && half_way {
            return;
        }
        half_way |= !ended && polls > 0;
        // Once more from the start where the threads it waits for were faster than the polls.
        polls = if ended { 0 } else { polls + 1 };
    }
    panic!("it is never dropped half-way, or never ends");
}

/// What only asks may be dropped at any poll.
#[tokio::test]
async fn questions_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let world = World::start(&site).await;
    let runtime = &world.runtime;
    let xid = world.buy("b", 1).await.expect("it commits");
    dropped(async || runtime.ready().await).await;
    dropped(async || assert!(runtime.settled(&xid, LONG).await)).await;
    dropped(async || assert!(runtime.quiet(LONG).await)).await;
    dropped(async || assert_eq!(runtime.outcome(&xid).await, unanimous::Outcome::Committed)).await;
    dropped(async || assert_eq!(runtime.resolve(&xid).await, unanimous::Outcome::Committed)).await;
    dropped(async || assert!(runtime.health().await.is_ready())).await;
    let readiness = runtime.readiness();
    dropped(async || assert!(readiness().await.status().is_success())).await;
    dropped(async || drop(runtime.admin().list(true, 9).await.expect("it answers"))).await;
    dropped(async || drop(runtime.admin().show(&xid).await.expect("it answers"))).await;
    world.settle().await;
    assert_eq!(world.vaults[0].history("b").await, [1, 1, 0]);
    world.end().await;
}

async fn dropped(ask: impl AsyncFn()) {
    for polls in 0..MANY {
        if polled(polls, ask()).await.is_some() {
            return;
        }
    }
    panic!("it never ends");
}

/// Dropping what surrounds a body also drops it inside its transaction.
#[tokio::test]
async fn c3_a_destructor_still_sees_its_transaction_and_nobody_after_it() {
    struct Sees(Arc<std::sync::Mutex<Vec<bool>>>);
    impl Drop for Sees {
        fn drop(&mut self) {
            let seen = unanimous::xid().is_some();
            self.0.lock().expect("nobody panics with it").push(seen);
        }
    }
    let site = Site::new();
    let world = World::start(&site).await;
    let seen = Arc::default();
    let body = async {
        let _sees = Sees(Arc::clone(&seen));
        take_all(&world.vaults, "b", 1).await?;
        std::future::pending::<Result<(), Failure>>().await
    };
    {
        let mut call = pin!(world.run(GlobalTransaction::named("dropped").run(body)));
        while world.vaults[2].tried_rows().await == 0 {
            let once = std::future::poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending()));
            assert!(once.await, "it has no end");
        }
    }
    assert_eq!(*seen.lock().expect("nobody panics with it"), [true]);
    world.settle().await;
    assert_eq!(world.vaults[2].history("b").await, [1, 0, 1]);
    world.end().await;
}

/// A task that is aborted is dropped like any other future, on whatever thread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn matrix_30_an_aborted_task_rolls_back() {
    let site = Site::new();
    let world = Arc::new(World::start(&site).await);
    let gate = Gate::new();
    world.vaults[2].script.tries.then(Fault::Stop(gate.clone()));
    let inside = Arc::clone(&world);
    let task = tokio::spawn(async move { inside.buy("b", 1).await });
    gate.reached().await;
    task.abort();
    assert!(task.await.expect_err("it was aborted").is_cancelled());
    world.settle().await;
    assert_eq!(world.vaults[0].history("b").await, [1, 0, 1]);
    assert_eq!(world.vaults[2].history("b").await, [0, 0, 0]);
    // At once, not at its timeout.
    let all = world
        .runtime
        .admin()
        .list(true, 9)
        .await
        .expect("it answers");
    assert_eq!(
        all[0].reason,
        Some(unanimous::RollbackReason::Requested),
        "{all:#?}"
    );
    let world = Arc::into_inner(world).expect("the task is gone");
    world.end().await;
}

/// Nothing is left of a runtime whose handles are dropped: its log is free.
#[tokio::test]
async fn a_runtime_that_is_dropped_ends() {
    let site = Site::new();
    for round in 0..3 {
        let World {
            runtime, vaults, ..
        } = World::start(&site).await;
        if round == 1 {
            // Also where a phase two is under way, and would not end by itself.
            let gate = Gate::new();
            vaults[0].script.confirms.then(Fault::Stop(gate.clone()));
            let call = buy(&vaults, "stopped", 1);
            runtime.scope(call).await.expect("it is decided");
            gate.reached().await;
        }
        drop(runtime);
        let world = World::start(&site).await;
        world
            .buy(&format!("round {round}"), 1)
            .await
            .expect("it works");
        world.settle().await;
    }
}
