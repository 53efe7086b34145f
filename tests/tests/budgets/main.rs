//! What an annotated call allocates, exactly. How long it takes is measured by `benches/budgets.rs`.

mod calls;
mod fake;

use std::pin::Pin;
use std::task::{Context, Poll};

use calls::{Unfenced, World};

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

#[tokio::test]
async fn show() {
    let world = World::start().await;
    println!("plain {}", allocations(calls::plain(1)).await.0);
    println!("supports {}", allocations(calls::supports(1)).await.0);
    println!("not_supported {}", allocations(calls::not_supported(1)).await.0);
    println!("never {}", allocations(calls::never(1)).await.0);
    println!("mandatory {}", allocations(calls::mandatory(1)).await.0);
    println!("unfenced {}", allocations(Unfenced.act("ann", 1)).await.0);
    println!("fenced {}", allocations(world.fenced.act("ann", 1)).await.0);
    world.runtime.scope(async {
        println!("required {}", allocations(calls::required(1)).await.0);
        println!("required {}", allocations(calls::required(1)).await.0);
        unanimous::GlobalTransaction::named("x").run(async {
            for _ in 0..3 {
            println!("plain {}", allocations(calls::plain(1)).await.0);
            println!("joined {}", allocations(calls::required(1)).await.0);
            println!("supports {}", allocations(calls::supports(1)).await.0);
            println!("not_supported {}", allocations(calls::not_supported(1)).await.0);
            println!("mandatory {}", allocations(calls::mandatory(1)).await.0);
            println!("unfenced {}", allocations(Unfenced.act("ann", 1)).await.0);
            println!("fenced {}", allocations(world.fenced.act("ann", 1)).await.0);
            }
            Ok::<_, unanimous::Error>(())
        }).await.unwrap();
    }).await;
}
