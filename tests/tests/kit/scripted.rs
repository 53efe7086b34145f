//! A coordinator whose answers come late, twice, never or out of order.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use unanimous::testing::{Gate, Heard, ManualClock, Message, Scripted};
use unanimous::{Error, Outcome, Runtime, UnknownWhy, global_transactional};

use crate::participants::{Accounts, Failure};

struct World {
    runtime: Runtime,
    accounts: Arc<Accounts>,
    scripted: Scripted,
    clock: ManualClock,
}

async fn world() -> World {
    let accounts = Arc::new(Accounts::new().await);
    let scripted = Scripted::memory().await;
    let clock = ManualClock::new();
    let runtime = Runtime::builder()
        .coordinator_value(Arc::new(scripted.clone()))
        .clock(Arc::new(clock.clone()))
        .participant(accounts.clone())
        .build()
        .await
        .expect("a runtime");
    // Before the clock is needed: it stands still.
    runtime.ready().await;
    World {
        runtime,
        accounts,
        scripted,
        clock,
    }
}

#[global_transactional(timeout = "10s")]
async fn pay(accounts: &Accounts, amount: i64) -> Result<i64, Failure> {
    accounts.debit(amount).await
}

impl World {
    async fn pay(&self, amount: i64) -> Result<i64, Failure> {
        self.runtime.scope(pay(&self.accounts, amount)).await
    }

    async fn until(&self, sums: (i64, i64, i64)) {
        while self.accounts.sums().await != sums {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn an_answer_is_heard_late() {
    let world = world().await;
    let gate = Gate::new();
    world
        .scripted
        .next(Message::Register, Heard::Late(gate.clone()));
    let check = async {
        gate.reached().await;
        assert_eq!(world.accounts.sums().await, (100, 0, 0), "it waits");
        gate.open();
    };
    let (paid, ()) = join(world.pay(30), check).await;
    assert_eq!(paid.expect("it commits"), 70);
    assert!(world.scripted.is_over());
    world.until((70, 0, 30)).await;
}

#[tokio::test]
async fn what_is_asked_and_delivered_twice_takes_effect_once() {
    let world = world().await;
    for message in [Message::Register, Message::Commit, Message::PhaseTwo] {
        world.scripted.next(message, Heard::Twice);
    }
    world.pay(30).await.expect("it commits");
    world.until((70, 0, 30)).await;
    assert!(world.scripted.is_over());
}

#[tokio::test]
async fn an_answer_that_never_comes_is_an_unknown_outcome() {
    let world = world().await;
    world.scripted.next(Message::Commit, Heard::Never);
    let passes = async {
        while !world.scripted.said().contains(&Message::Commit) {
            tokio::task::yield_now().await;
        }
        world.clock.advance(Duration::from_secs(20));
    };
    let (paid, ()) = join(world.pay(30), passes).await;
    let error = paid.expect_err("nobody heard the decision");
    let error = Error::find_in(&*error).expect("an error of ours");
    let Error::Unknown { xid, why } = error else {
        panic!("{error}")
    };
    assert_eq!(*why, UnknownWhy::NoAnswer);
    let outcome = world.runtime.outcome(xid).await;
    assert!(matches!(outcome, Outcome::Committed), "{outcome}");
    world.until((70, 0, 30)).await;
}

#[tokio::test]
async fn a_lost_answer_and_an_unsent_request_fail_the_call() {
    for heard in [Heard::Lost, Heard::Unsent] {
        let world = world().await;
        world.scripted.next(Message::Register, heard);
        let error = world.pay(30).await.expect_err("the call failed");
        let error = Error::find_in(&*error).expect("an error of ours");
        assert!(matches!(error, Error::Coordinator(_)), "{error}");
        assert_eq!(world.accounts.sums().await, (100, 0, 0));
    }
}

#[tokio::test]
async fn two_answers_are_heard_out_of_order() {
    let world = world().await;
    world.scripted.swapped(Message::Commit);
    let order = std::sync::Mutex::new(Vec::new());
    let pay = async |amount: i64| {
        world.pay(amount).await.expect("it commits");
        order.lock().expect("no panic").push(amount);
    };
    let second = async {
        while !world.scripted.said().contains(&Message::Commit) {
            tokio::task::yield_now().await;
        }
        pay(2).await;
    };
    join(pay(1), second).await;
    assert_eq!(*order.lock().expect("no panic"), [2, 1]);
    world.until((97, 0, 3)).await;
}
