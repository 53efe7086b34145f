//! What an operator asks for, dropped at each of its polls: it was done or it was not, it can be
//! asked again, and everything ends as it was decided.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use unanimous::clock::{Clock, ManualClock, SystemClock};
use unanimous::protocol::message::Horizon;
use unanimous::sqlx;
use unanimous::{AdminError, Decision, GlobalTransaction, Outcome, Xid};

use crate::cancellation::{MANY, at_every_poll, polled};
use crate::process::{Process, Server};
use crate::vault::{Failure, Fault, Gate};
use crate::wire::{Fate, Message, Wire};
use crate::world::{LONG, Site, World, coordinator, sold, take_all};

type Done = Result<usize, AdminError>;

/// Asks, and asks again if the first was dropped after so many polls: that one may have been done,
/// and then there is nothing left to do. Tells whether it was not dropped.
async fn asked(polls: usize, ask: impl AsyncFn() -> Done) -> bool {
    if let Some(done) = polled(polls, ask()).await {
        done.expect("it fits");
        return true;
    }
    match ask().await {
        Ok(_) | Err(AdminError::Refused(_)) => {}
        Err(error) => panic!("after {polls}: {error}"),
    }
    false
}

/// Commits, and gives the branch of the money's participant.
async fn committed(world: &World, label: &str) -> (Xid, unanimous::protocol::CallId) {
    let xid = world.buy(label, 1).await.expect("it is decided");
    let shown = world.runtime.admin().show(&xid).await.expect("it is kept");
    let mut branches = shown.branches.into_iter();
    let branch = branches.find(|branch| branch.resource.participant.as_str() == "money");
    (xid, branch.expect("it joined").call)
}

/// Commits, and lets the money's participant give up on it.
async fn parked(world: &World, label: &str) -> (Xid, unanimous::protocol::CallId) {
    world.vaults[1].script.confirms.then(Fault::GiveUp);
    let branch = committed(world, label).await;
    assert!(world.runtime.quiet(LONG).await, "a parked branch is quiet");
    branch
}

#[tokio::test]
async fn op2_a_retry_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let world = World::start(&site).await;
    for polls in 0..MANY {
        let label = format!("after {polls}");
        let (xid, call) = parked(&world, &label).await;
        let admin = world.runtime.admin();
        let ended = asked(polls, async || admin.retry(&xid, &call).await).await;
        world.settle().await;
        for vault in &world.vaults {
            assert_eq!(vault.history(&label).await, [1, 1, 0], "{label}");
        }
        if ended {
            return world.end().await;
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn op2_giving_up_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let world = World::start(&site).await;
    for polls in 0..MANY {
        let label = format!("after {polls}");
        let gate = Gate::new();
        let stop = Fault::Stop(gate.clone());
        world.vaults[1].script.confirms.then(stop);
        let (xid, call) = committed(&world, &label).await;
        gate.reached().await;
        let admin = world.runtime.admin();
        let ended = asked(polls, async || admin.give_up(&xid, &call, "enough").await).await;
        gate.open();
        // What was under way when it was parked may have ended all the same.
        assert!(world.runtime.quiet(LONG).await);
        match admin.retry(&xid, &call).await {
            Ok(_) | Err(AdminError::Refused(_)) => {}
            Err(error) => panic!("{label}: {error}"),
        }
        world.settle().await;
        for vault in &world.vaults {
            assert_eq!(vault.history(&label).await, [1, 1, 0], "{label}");
        }
        if ended {
            return world.end().await;
        }
    }
    panic!("it never ends");
}

/// OP3: however often it was asked, the row takes the decided state and no user code runs.
#[tokio::test]
async fn op3_resolving_by_hand_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let world = World::start(&site).await;
    let money = &world.vaults[1];
    for polls in 0..MANY {
        let label = format!("after {polls}");
        let (xid, call) = parked(&world, &label).await;
        let runs = money.script.confirms.runs();
        let admin = world.runtime.admin();
        let ended = asked(polls, async || admin.resolve(&xid, &call).await).await;
        assert!(world.runtime.settled(&xid, LONG).await, "{label}");
        assert_eq!(money.script.confirms.runs(), runs, "{label}");
        assert_eq!(money.history(&label).await, [1, 0, 0], "{label}");
        // What the person resolved by hand.
        let sql = "UPDATE vault SET held = held - 1, sold = sold + 1";
        let written = sqlx::query(sql).execute(&money.db).await;
        written.expect("it can be written");
        world.settle().await;
        if ended {
            return world.end().await;
        }
    }
    panic!("it never ends");
}

/// OP4: a database that was written off, or almost, and comes back ends as the others did.
#[test]
fn op4_writing_off_may_be_dropped_at_any_poll() {
    for polls in 0..MANY {
        let site = Site::new();
        let server = Server::start(&site);
        let wire = server.wire();
        let process = Process::at(&wire, &site);
        wire.every(Message::PhaseTwo, Fate::Vanish);
        let databases = process.run(async |world| {
            let xid = world.buy("b", 4).await.expect("it is decided");
            let shown = world.runtime.admin().show(&xid).await.expect("it is kept");
            let branches = shown.branches.into_iter();
            let databases = branches.filter_map(|branch| branch.resource.database);
            databases.collect::<Vec<_>>()
        });
        process.kill();
        wire.heal();
        let operator = Process::start(async {
            let builder = crate::world::builder();
            let builder = builder.coordinator_value(Arc::new(wire.clone()));
            builder.build().await.expect("a runtime")
        });
        let ended = operator.run(async |runtime| {
            let mut ended = true;
            for database in databases {
                let admin = runtime.admin();
                ended &= asked(polls, async || admin.write_off(database).await).await;
            }
            assert!(runtime.quiet(LONG).await, "after {polls}");
            ended
        });
        operator.kill();
        let again = Process::at(&wire, &site);
        again.run(async |world| {
            world.settle().await;
            assert_eq!(world.sums().await, sold(4), "after {polls}");
        });
        again.end();
        drop(server);
        if ended {
            return;
        }
    }
    panic!("it never ends");
}

/// OP5: what a person decides of a transaction that the log does not know is decided once.
#[test]
fn op5_deciding_by_hand_may_be_dropped_at_any_poll() {
    for polls in 0..MANY {
        let site = Site::new();
        let process = Process::embedded(&site);
        for vault in &process.inside.vaults {
            vault.script.confirms.then(Fault::Stop(Gate::new()));
        }
        let xid = process.run(async |world| world.buy("b", 4).await.expect("it is decided"));
        process.kill();
        fs::rename(site.file("unanimous.redb"), site.file("lost.redb")).expect("it is lost");
        let again = Process::embedded(&site);
        let ended = again.run(async |world| {
            let admin = world.runtime.admin();
            let decide = async |decision| admin.decide(&xid, decision).await;
            let ended = asked(polls, async || decide(Decision::Commit).await).await;
            decide(Decision::Rollback).await.expect_err("it is decided");
            world.nothing_is_tried().await;
            assert_eq!(world.runtime.outcome(&xid).await, Outcome::Committed);
            world.settle().await;
            assert_eq!(world.sums().await, sold(4), "after {polls}");
            ended
        });
        again.end();
        if ended {
            return;
        }
    }
    panic!("it never ends");
}

/// TM3: settling a transaction that is open decides it, or does nothing; its caller hears which.
#[tokio::test]
async fn tm3_settling_an_open_transaction_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let world = World::start(&site).await;
    for polls in 0..MANY {
        let label = format!("after {polls}");
        let gate = Gate::new();
        let call = crate::interruptions::take_and_stop(&world.vaults, &label, &gate);
        let other = async {
            gate.reached().await;
            let open = world.runtime.admin().list(false, 10).await;
            let xid = open.expect("it answers")[0].xid.clone();
            let told = polled(polls, world.runtime.resolve(&xid)).await;
            gate.open();
            told
        };
        let (told, resolved) = tokio::join!(world.run(call), other);
        world.settle().await;
        let committed = i64::from(told.is_ok());
        for vault in &world.vaults {
            let expected = [1, committed, 1 - committed];
            assert_eq!(vault.history(&label).await, expected, "{label}");
        }
        if let Some(resolved) = resolved {
            let rolled_back = matches!(resolved, Outcome::RolledBack { .. });
            assert!(rolled_back && told.is_err(), "{label}: {resolved:?}");
            return world.end().await;
        }
    }
    panic!("it never ends");
}

/// What a coordinator asks of a process may be dropped with its connection, and is asked again.
#[tokio::test]
async fn c4_what_a_coordinator_asks_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let wire = Wire::to(coordinator(&site.embedded()).await);
    let world = World::on(&site, Arc::new(wire.clone())).await;
    let xid = world.buy("b", 1).await.expect("it commits");
    world.settle().await;
    let handler = wire.handler();
    let mut attached = None;
    for polls in 0..MANY {
        attached = polled(polls, handler.attach()).await;
        world.is_clean().await;
        if attached.is_some() {
            break;
        }
    }
    assert_eq!(attached.expect("it answers").resources.len(), 3);
    for polls in 0..3 {
        assert!(now_or_dropped(polls, handler.changed()), "nothing changed");
    }
    let own = xid.own().expect("an xid of ours");
    for polls in 0..MANY {
        let horizon = || Horizon {
            counter: own.counter,
            listed: [].into(),
        };
        let stored = polled(polls, handler.horizon(own.incarnation, horizon())).await;
        world.is_clean().await;
        // What a dropped one left, the next one takes along.
        assert!(handler.horizon(own.incarnation, horizon()).await);
        for vault in &world.vaults {
            assert_eq!(vault.rows().await, 0, "after {polls}");
        }
        if let Some(stored) = stored {
            assert!(stored, "after {polls}");
            return world.end().await;
        }
    }
    panic!("it never ends");
}

/// Polls so often, and tells whether it had no end.
fn now_or_dropped<T>(polls: usize, mut future: BoxFuture<'static, T>) -> bool {
    (0..polls).all(|_| (&mut future).now_or_never().is_none())
}

/// A dropped sleeper is none.
#[tokio::test]
async fn a_sleep_may_be_dropped_at_any_poll() {
    let manual = ManualClock::new();
    let clocks: [Arc<dyn Clock>; 2] = [Arc::new(manual.clone()), Arc::new(SystemClock::new())];
    for clock in clocks {
        for polls in 0..3 {
            assert!(now_or_dropped(polls, clock.sleep(LONG)));
            assert!(now_or_dropped(polls, clock.sleep_until(Duration::MAX)));
        }
    }
    assert_eq!(manual.sleepers(), 0);
}

/// An error that commits, dropped anywhere, is a commit or a rollback like any other.
#[tokio::test]
async fn c4_an_error_that_commits_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let world = World::start(&site).await;
    let call = async |label: &str| {
        let body = async {
            take_all(&world.vaults, label, 1).await?;
            Err::<(), _>(Failure::NotEnough)
        };
        let commit_on = |result: &Result<(), Failure>| matches!(result, Err(Failure::NotEnough));
        let run = GlobalTransaction::named("commits").run_or_commit_on(commit_on, body);
        let ran = run.await?;
        assert_eq!(ran.outcome, Some(Outcome::Committed));
        Ok::<_, Failure>(ran.body.expect_err("it always ends in one"))
    };
    at_every_poll(&world, call, [true; 3]).await;
    world.end().await;
}
