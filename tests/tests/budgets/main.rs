//! What an annotated call allocates, exactly. How long it takes is measured by `cargo xtask budgets`.

mod calls;
mod fake;

use std::pin::Pin;
use std::task::{Context, Poll};

use unanimous::{Error, GlobalTransaction};

use crate::calls::{Unfenced, World};

/// Runs something whose allocations are somebody else's.
fn uncounted<T>(run: impl FnOnce() -> T) -> T {
    let mut output = None;
    allocation_counter::opt_out(|| output = Some(run()));
    output.expect("it ran")
}

/// How many allocations a call makes in all its polls, and until it is dropped.
async fn allocations<T>(call: impl Future<Output = T>) -> (u64, T) {
    let mut counted = Counted {
        call: Box::pin(Some(call)),
        allocations: 0,
    };
    let output = (&mut counted).await;
    (counted.allocations, output)
}

struct Counted<F> {
    call: Pin<Box<Option<F>>>,
    allocations: u64,
}

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut polled = Poll::Pending;
        let counted = allocation_counter::measure(|| {
            if let Some(call) = self.call.as_mut().as_pin_mut() {
                polled = call.poll(cx);
            }
            if polled.is_ready() {
                self.call.set(None);
            }
        });
        self.allocations += counted.count_total;
        polled
    }
}

/// A transaction whose body counts a call three times; one before it, on the same thread, makes what
/// a thread makes once.
async fn inside<T, F: Future<Output = T>>(world: &World, call: impl Fn() -> F) -> [u64; 3] {
    let body = async {
        let mut counted = [0; 3];
        for count in &mut counted {
            (*count, _) = allocations(call()).await;
        }
        Ok::<_, Error>(counted)
    };
    let warm_up = async {
        drop(call().await);
        Ok::<_, Error>(())
    };
    let transaction = GlobalTransaction::named("counts").runtime(&world.runtime);
    let warmed_up = transaction.clone().run(warm_up).await.expect("it begins");
    warmed_up.into_result().expect("it commits");
    let completed = transaction.run(body).await.expect("it begins");
    completed.into_result().expect("it commits")
}

#[tokio::test]
async fn nothing_is_allocated_where_a_call_runs_without_a_transaction() {
    let world = World::start().await;
    let outside = async {
        let plain = allocations(calls::plain(1)).await;
        let supports = allocations(calls::supports(1)).await;
        let not_supported = allocations(calls::not_supported(1)).await;
        let never = allocations(calls::never(1)).await;
        [plain, supports, not_supported, never]
    };
    for (counted, output) in world.runtime.scope(outside).await {
        assert_eq!((counted, output.expect("it runs")), (0, 1));
    }
}

#[tokio::test]
async fn nothing_is_allocated_where_a_call_is_refused_outside_a_transaction() {
    let world = World::start().await;
    let outside = async {
        let mandatory = allocations(calls::mandatory(1)).await;
        [
            (mandatory.0, mandatory.1.map(drop)),
            allocations(Unfenced.act("ann", 1)).await,
            allocations(world.fenced.act("ann", 1)).await,
            allocations(calls::function("ann", 1)).await,
            allocations(calls::fenced_function("ann", 1)).await,
        ]
    };
    for (counted, output) in world.runtime.scope(outside).await {
        assert!(matches!(output, Err(Error::NotInTransaction { .. })));
        assert_eq!(counted, 0, "{output:?}");
    }
}

/// The second call of a scope makes room for ten more.
#[tokio::test]
async fn a_joined_call_allocates_at_most_ten_times() {
    let world = World::start().await;
    assert_eq!(inside(&world, || calls::required(1)).await, [6, 7, 6]);
}

#[tokio::test]
async fn an_action_allocates_at_most_ten_times_beside_coordinator_and_database() {
    let world = World::start().await;
    let unfenced = inside(&world, || Unfenced.act("ann", 1)).await;
    assert_eq!(unfenced, [6, 7, 6]);
    let function = inside(&world, || calls::function("ann", 1)).await;
    assert_eq!(function, [6, 7, 6]);
    // How often the database's answers wake the call is not the same in every run.
    for fenced in [
        inside(&world, || world.fenced.act("ann", 1)).await,
        inside(&world, || calls::fenced_function("ann", 1)).await,
    ] {
        assert!(fenced.iter().all(|count| *count <= 10), "{fenced:?}");
    }
}

/// What is counted is what a call does, else the numbers above say nothing.
#[tokio::test]
async fn every_allocation_of_a_call_is_counted() {
    let boxes = async {
        drop(std::hint::black_box(Box::new(1_u64)));
        tokio::task::yield_now().await;
        drop(std::hint::black_box(vec![1_u64; 3]));
        uncounted(|| drop(std::hint::black_box(Box::new(1_u64))));
    };
    // A task that yields may make room for its waker, so the two are the least.
    let (counted, ()) = allocations(boxes).await;
    assert!((2..=3).contains(&counted), "{counted}");
}
