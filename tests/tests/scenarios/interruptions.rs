//! Rows 29 to 36 of the fault matrix: panics, drops, and transactions inside transactions.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use unanimous::{
    Error, GlobalTransaction, Outcome, Propagation, RetryPolicy, global_transactional,
    retry_transaction,
};

use crate::cancellation::{MANY, at_every_poll, polled};
use crate::process::Process;
use crate::vault::{Failure, Fault, Gate, POLLS, Vault};
use crate::wire::{Fate, Message, Wire};
use crate::world::{Site, World, buy, coordinator, take_all, xid};

/// Takes one from every vault and stops.
#[global_transactional(timeout = "10m")]
pub(crate) async fn take_and_stop(
    vaults: &[Vault],
    label: &str,
    gate: &Gate,
) -> Result<(), Failure> {
    take_all(vaults, label, 1).await?;
    gate.pass().await;
    Ok(())
}

/// Matrix 29: whatever panics below it, the transaction rolls back and its caller goes on.
#[tokio::test]
async fn matrix_29_a_panic_anywhere_below_the_body_rolls_back_and_goes_on() {
    let site = Site::new();
    let world = World::start(&site).await;
    for place in ["a joined function", "a spawned task", "a destructor"] {
        let body = async {
            world.vaults[0].take(place, 1).await?;
            let vault = world.vaults[1].clone();
            match place {
                "a joined function" => {
                    let joined = GlobalTransaction::named("joined").run(async {
                        vault.take(place, 1).await?;
                        panic!("the scenario wanted it");
                        #[expect(unreachable_code, reason = "it names the type")]
                        Ok::<(), Failure>(())
                    });
                    // Swallowed as far as it can be.
                    let caught = AssertUnwindSafe(joined).catch_unwind().await;
                    caught.expect_err("it panics");
                }
                "a spawned task" => {
                    let task = unanimous::spawn(async move {
                        vault.take(place, 1).await.expect("it is free");
                        panic!("the scenario wanted it");
                    });
                    assert!(task.await.expect_err("it panics").is_panic());
                }
                _ => {
                    struct Panics;
                    impl Drop for Panics {
                        fn drop(&mut self) {
                            assert!(unanimous::xid().is_none(), "the scenario wanted it");
                        }
                    }
                    let _panics = Panics;
                    vault.take(place, 1).await?;
                }
            }
            Ok::<_, Failure>(())
        };
        let run = world.run(GlobalTransaction::named("panics").run(body));
        let ran = AssertUnwindSafe(run).catch_unwind().await;
        assert_eq!(ran.is_err(), place == "a destructor", "{place}");
        if let Ok(ran) = ran {
            let ran = ran.expect("it begins");
            assert!(
                matches!(ran.failure(), Some(Error::RollbackOnly { .. })),
                "{place}: {ran:?}"
            );
        }
        world.settle().await;
        for vault in &world.vaults[..2] {
            assert_eq!(vault.history(place).await, [1, 0, 1], "{place}");
        }
    }
    world.end().await;
}

/// Matrix 30: a `select!` that takes another branch, and a timeout around the call.
#[tokio::test]
async fn matrix_30_a_select_and_a_timeout_around_a_transaction_roll_it_back() {
    let site = Site::new();
    let world = World::start(&site).await;
    let gate = Gate::new();
    tokio::select! {
        biased;
        ended = world.run(take_and_stop(&world.vaults, "select", &gate)) => panic!("{ended:?}"),
        () = gate.reached() => {}
    }
    world.settle().await;
    let never = Gate::new();
    let call = world.run(take_and_stop(&world.vaults, "timeout", &never));
    let late = tokio::time::timeout(Duration::from_millis(100), call).await;
    late.expect_err("nobody opens the gate");
    world.settle().await;
    for vault in &world.vaults {
        assert_eq!(vault.history("select").await, [1, 0, 1]);
        let [held, spent, released] = vault.history("timeout").await;
        assert_eq!((held, spent), (released, 0));
    }
    world.end().await;
}

/// Matrix 30: every kind of propagation, dropped at each of its polls in the middle of another
/// transaction, which goes on and is exactly what it was.
#[tokio::test]
async fn matrix_30_every_propagation_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let world = World::start(&site).await;
    for kind in [
        Propagation::Required,
        Propagation::RequiresNew,
        Propagation::Supports,
        Propagation::NotSupported,
        Propagation::Mandatory,
    ] {
        let suspends = matches!(kind, Propagation::RequiresNew | Propagation::NotSupported);
        for polls in 0..MANY {
            let label = format!("{kind:?} after {polls}");
            let mut inner_ended = false;
            let body = async {
                let outer = xid();
                let inner = GlobalTransaction::named("inner").propagation(kind);
                let inner = inner.run(async {
                    match kind {
                        Propagation::NotSupported => tokio::task::yield_now().await,
                        _ => world.vaults[1].take(&label, 1).await.map(drop)?,
                    }
                    Ok::<_, Failure>(())
                });
                inner_ended = polled(polls, inner).await.is_some();
                assert_eq!(xid(), outer, "{label}");
                let taken = world.vaults[0].take(&label, 1).await;
                Ok::<_, Failure>(taken.is_ok())
            };
            let ran = world.run(GlobalTransaction::named("outer").run(body));
            let ran = ran.await.expect("it begins");
            world.settle().await;
            let committed = ran.outcome == Some(Outcome::Committed);
            assert!(committed || !(suspends || inner_ended), "{label}: {ran:?}");
            let outer = i64::from(committed && *ran.body.as_ref().expect("it swallows"));
            let [_, spent, _] = world.vaults[0].history(&label).await;
            assert_eq!(spent, outer, "{label}");
            let [held, spent, released] = world.vaults[1].history(&label).await;
            assert_eq!(held, spent + released, "{label}");
            assert!(
                inner_ended || !committed || spent == 0 || suspends,
                "{label}"
            );
            if inner_ended {
                break;
            }
        }
    }
    world.end().await;
}

/// Matrix 30: the second attempt begins while the first one's rollback has been answered.
#[tokio::test]
async fn matrix_30_a_repeated_transaction_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let wire = Wire::to(coordinator(&site.embedded()).await);
    let world = World::on(&site, Arc::new(wire.clone())).await;
    let call = async |label: &str| {
        wire.next(Message::Register, Fate::LoseAnswer);
        let policy = RetryPolicy::attempts(2).wait(Duration::ZERO, Duration::ZERO);
        let repeated = retry_transaction(policy, || buy(&world.vaults[1..], label, 1)).await;
        repeated.map(drop)
    };
    for polls in 0..MANY {
        let label = format!("after {polls}");
        let ended = polled(polls, world.run(call(&label))).await;
        wire.heal();
        world.settle().await;
        let mut spent = Vec::new();
        for vault in &world.vaults[1..] {
            let [held, confirmed, released] = vault.history(&label).await;
            assert_eq!(held, confirmed + released, "{label}");
            spent.push(confirmed);
        }
        assert!(spent[0] == spent[1] && spent[0] <= 1, "{label}: {spent:?}");
        if let Some(told) = ended {
            told.expect("the second attempt commits");
            assert_eq!(spent, [1, 1], "{label}");
            return world.end().await;
        }
    }
    panic!("it never ends");
}

/// What runs in no transaction has polls of its own before it hears that it needs one.
async fn linger<T>(inner: impl Future<Output = T>) -> T {
    for _ in 0..POLLS {
        tokio::task::yield_now().await;
    }
    inner.await
}

/// Matrix 30: everything that runs a future inside a transaction, dropped at each of its polls.
#[tokio::test]
async fn matrix_30_every_block_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let world = World::start(&site).await;
    for block in ["keyed", "attach", "clear", "outside", "spawn"] {
        for polls in 0..MANY {
            let label = format!("{block} after {polls}");
            let mut ended = false;
            let body = async {
                world.vaults[0].take(&label, 1).await?;
                let (own, key, vault) = (xid(), label.clone(), world.vaults[1].clone());
                let inner = async move { vault.take(&key, 1).await.map(drop) };
                let context = unanimous::Context::current().expect("inside");
                ended = match block {
                    "keyed" => polled(polls, unanimous::keyed("line", inner))
                        .await
                        .is_some(),
                    "attach" => polled(polls, context.attach(inner)).await.is_some(),
                    "clear" => polled(polls, unanimous::Context::clear(linger(inner)))
                        .await
                        .is_some(),
                    "outside" => polled(polls, unanimous::outside(inner)).await.is_some(),
                    _ => {
                        let mut task = unanimous::spawn(inner);
                        let ended = polled(polls, &mut task).await.is_some();
                        task.abort();
                        ended
                    }
                };
                assert_eq!(xid(), own, "{label}");
                Ok::<_, Failure>(())
            };
            let run = GlobalTransaction::named("blocks").run(body);
            let ran = world.run(run).await.expect("it begins");
            world.settle().await;
            let committed = i64::from(ran.outcome == Some(Outcome::Committed));
            let stock = world.vaults[0].history(&label).await;
            assert_eq!(stock, [1, committed, 1 - committed], "{label}");
            let [held, spent, released] = world.vaults[1].history(&label).await;
            assert_eq!(held, spent + released, "{label}");
            assert_eq!(spent, held * committed, "{label}: {ran:?}");
            if ended {
                assert_eq!(committed, 1, "{label}: {ran:?}");
                let inside = !matches!(block, "clear" | "outside");
                assert_eq!(spent, i64::from(inside), "{label}");
                break;
            }
        }
    }
    world.end().await;
}

/// Matrix 30: what an operator asks for, dropped at each of its polls: it was done or it was not.
#[tokio::test]
async fn matrix_30_an_operators_request_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let world = World::start(&site).await;
    for polls in 0..MANY {
        let label = format!("after {polls}");
        let (mut asked, gate) = (false, Gate::new());
        let call = world.run(take_and_stop(&world.vaults, &label, &gate));
        let operator = async {
            gate.reached().await;
            let admin = world.runtime.admin();
            let open = admin.list(false, 10).await.expect("it answers");
            asked = polled(polls, admin.roll_back(&open[0].xid)).await.is_some();
            gate.open();
        };
        let (told, ()) = tokio::join!(call, operator);
        world.settle().await;
        let committed = i64::from(told.is_ok());
        assert!(!(asked && told.is_ok()), "{label}");
        for vault in &world.vaults {
            let expected = [1, committed, 1 - committed];
            assert_eq!(vault.history(&label).await, expected, "{label}");
        }
        if asked {
            return world.end().await;
        }
    }
    panic!("it never ends");
}

/// Matrix 31: dropped at each poll of its commit, whose answer is lost at first. What is to run
/// after the commit runs exactly where it committed, and once.
#[tokio::test]
async fn matrix_31_what_follows_a_commit_runs_once_wherever_its_caller_was_dropped() {
    let site = Site::new();
    let wire = Wire::to(coordinator(&site.embedded()).await);
    let world = World::on(&site, Arc::new(wire.clone())).await;
    let ran = Arc::new(Mutex::new(Vec::new()));
    let call = async |label: &str| {
        wire.next(Message::Commit, Fate::LoseAnswer);
        let (ran, label) = (Arc::clone(&ran), label.to_owned());
        let body = async {
            let key = label.clone();
            unanimous::after_end(move |outcome| async move {
                let mut ran = ran.lock().unwrap_or_else(PoisonError::into_inner);
                ran.push((key, outcome == Outcome::Committed));
            })?;
            take_all(&world.vaults, &label, 1).await
        };
        let run = GlobalTransaction::named("followed").run(body).await?;
        run.into_result()
    };
    at_every_poll(&world, call, [true; 3]).await;
    let vault = world.vaults[0].clone();
    let told = ran.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let effects = vault.effects().await;
    assert!(told.iter().any(|(_, committed)| !committed), "{told:?}");
    for (label, committed) in &told {
        let times = told.iter().filter(|(other, _)| other == label).count();
        assert_eq!(times, 1, "{label}");
        let spent = effects.contains_key(&(label.clone(), "spent".to_owned()));
        assert_eq!(spent, *committed, "{label}");
    }
    // Whatever took effect was followed.
    for (label, what) in effects.keys() {
        let followed = told.iter().any(|(other, _)| other == label);
        assert!(followed, "{what} of {label} was not followed");
    }
    world.end().await;
}

/// Matrix 32: a confirm or a cancel that is dropped at any poll is repeated, and takes effect once.
#[tokio::test]
async fn matrix_32_a_phase_two_dropped_at_any_poll_is_repeated_and_takes_effect_once() {
    /// More than a phase two has.
    const POLLS: usize = 30;
    /// How many of them are user code's: the database needs now more, now fewer before it runs.
    const LINGER: usize = 6;
    let site = Site::new();
    let wire = Wire::to(coordinator(&site.embedded()).await);
    let world = World::on(&site, Arc::new(wire.clone())).await;
    let script = Arc::clone(&world.vaults[0].script);
    for commits in [true, false] {
        for polls in 0..POLLS {
            let label = format!("{commits} {polls}");
            let phase = if commits {
                &script.confirms
            } else {
                &script.cancels
            };
            phase.then(Fault::Linger(LINGER));
            // The first delivery to each vault.
            let mut first = world.vaults.len();
            wire.plan(move |message| {
                if message != Message::PhaseTwo || first == 0 {
                    return Fate::Pass;
                }
                first -= 1;
                Fate::DropAfter(polls)
            });
            let body = async {
                take_all(&world.vaults, &label, 1).await?;
                if commits {
                    Ok(())
                } else {
                    Err(Failure::Scripted("it rolls back"))
                }
            };
            let run = GlobalTransaction::named("dropped").run(body);
            let ran = world.run(run).await.expect("it begins");
            let outcome = ran.outcome.expect("it is decided");
            assert_eq!(outcome == Outcome::Committed, commits, "{label}");
            world.settle().await;
            for vault in &world.vaults {
                let expected = [1, i64::from(commits), i64::from(!commits)];
                assert_eq!(vault.history(&label).await, expected, "{label}");
            }
        }
    }
    for phase in [&script.confirms, &script.cancels] {
        let runs = phase.runs();
        assert!(runs > POLLS, "none was dropped in user code: {runs}");
    }
    world.end().await;
}

/// Matrix 32: the process ends while user code is in the middle of a phase two.
#[test]
fn matrix_32_a_phase_two_that_dies_with_its_runtime_is_not_half_done() {
    for commits in [true, false] {
        let site = Site::new();
        let process = Process::embedded(&site);
        let gate = Gate::new();
        process.run(async |world| {
            let script = &world.vaults[1].script;
            let phase = if commits {
                &script.confirms
            } else {
                &script.cancels
            };
            phase.then(Fault::Stop(gate.clone()));
            let body = async {
                take_all(&world.vaults, "b", 1).await?;
                if commits {
                    Ok(())
                } else {
                    Err(Failure::Scripted("it rolls back"))
                }
            };
            let run = GlobalTransaction::named("dies").run(body);
            world.run(run).await.expect("it begins");
            gate.reached().await;
        });
        process.kill();
        let again = Process::embedded(&site);
        again.run(async |world| {
            world.settle().await;
            for vault in &world.vaults {
                let expected = [1, i64::from(commits), i64::from(!commits)];
                assert_eq!(vault.history("b").await, expected);
            }
        });
        again.end();
    }
}

/// Matrix 35: an inner function that joined and failed, swallowed by the outer one, at each kind
/// that joins.
#[tokio::test]
async fn matrix_35_every_kind_that_joins_fails_with_its_outer_transaction() {
    let site = Site::new();
    let world = World::start(&site).await;
    for kind in [
        Propagation::Required,
        Propagation::Supports,
        Propagation::Mandatory,
    ] {
        for inner_fails in [false, true] {
            let label = format!("{kind:?} {inner_fails}");
            let body = async {
                let outer = xid();
                let inner = GlobalTransaction::named("inner").propagation(kind);
                let inner = inner.run(async {
                    assert_eq!(xid(), outer);
                    world.vaults[0].take(&label, 1).await?;
                    if inner_fails {
                        return Err(Failure::Scripted("the inner one fails"));
                    }
                    Ok(())
                });
                let _swallowed = inner.await?;
                Ok::<_, Failure>(())
            };
            let ran = world.run(GlobalTransaction::named("outer").run(body));
            let ran = ran.await.expect("it begins");
            assert_eq!(ran.failure().is_some(), inner_fails, "{label}: {ran:?}");
            world.settle().await;
            let expected = [1, i64::from(!inner_fails), i64::from(inner_fails)];
            assert_eq!(world.vaults[0].history(&label).await, expected, "{label}");
        }
    }
    world.end().await;
}

/// Matrix 36: an inner transaction of its own panics, is dropped or fails; the outer one is back
/// each time, and commits what it did before and after.
#[tokio::test]
async fn matrix_36_the_outer_transaction_is_back_after_whatever_ends_an_inner_one() {
    let site = Site::new();
    let world = World::start(&site).await;
    for way in ["panic", "drop", "error", "deadline"] {
        let body = async {
            let outer = xid();
            world.vaults[0].take(way, 1).await?;
            let gate = Gate::new();
            let own = GlobalTransaction::named("own")
                .propagation(Propagation::RequiresNew)
                .timeout(Duration::from_secs(if way == "deadline" {
                    5
                } else {
                    6_000
                }));
            let own = own.run(async {
                assert_ne!(xid(), outer);
                world.vaults[1].take(way, 1).await?;
                match way {
                    "panic" => panic!("the scenario wanted it"),
                    "error" => Err::<(), _>(Failure::Scripted("it fails")),
                    _ => {
                        gate.pass().await;
                        Ok(())
                    }
                }
            });
            let own = Box::pin(AssertUnwindSafe(own).catch_unwind());
            match way {
                "drop" => {
                    let dropped = select(own, Box::pin(gate.reached())).await;
                    assert!(matches!(dropped, Either::Right(_)));
                }
                "panic" => drop(own.await.expect_err("it panics")),
                "error" => {
                    let ran = own.await.expect("it ends")?;
                    assert!(ran.body.is_err());
                }
                _ => {
                    let late = own.await.expect("it ends");
                    assert!(matches!(late, Err(Error::TimedOut { .. })), "{late:?}");
                }
            }
            assert_eq!(xid(), outer, "{way}");
            world.vaults[2].take(way, 1).await?;
            Ok::<_, Failure>(())
        };
        let outer = GlobalTransaction::named("outer").timeout(Duration::from_secs(6_000));
        let ran = world.run(outer.run(body)).await.expect("it begins");
        ran.into_result().expect("it commits");
        world.settle().await;
        let [before, own, after] = &world.vaults;
        assert_eq!(before.history(way).await, [1, 1, 0], "{way}");
        let [held, spent, released] = own.history(way).await;
        assert_eq!((held, spent), (released, 0), "{way}");
        assert_eq!(after.history(way).await, [1, 1, 0], "{way}");
    }
    world.end().await;
}

/// An error that commits, unless somebody rolled the transaction back meanwhile.
#[global_transactional(commit_on(Failure::Scripted(word) if word.starts_with("fine")))]
async fn ends_in(world: &World, word: &'static str, roll_back: bool) -> Result<(), Failure> {
    world.vaults[0].take(word, 1).await?;
    if roll_back {
        let told = world.runtime.admin().roll_back(&xid()).await;
        told.expect("the coordinator answers");
    }
    Err(Failure::Scripted(word))
}

/// The error that `commit_on` matches is told on a commit only.
#[tokio::test]
async fn tm2_an_error_that_commits_is_returned_only_where_it_was_committed() {
    let site = Site::new();
    let world = World::start(&site).await;
    for (word, roll_back, committed) in [
        ("fine", false, true),
        ("fine, but too late", true, false),
        ("bad", false, false),
    ] {
        let told = world.run(ends_in(&world, word, roll_back)).await;
        let told = told.expect_err("it always ends in one");
        if roll_back {
            let told = told.transaction();
            assert!(matches!(told, Error::RolledBack { .. }), "{told:?}");
        } else {
            assert!(matches!(told, Failure::Scripted(own) if own == word));
        }
        world.settle().await;
        let expected = [1, i64::from(committed), i64::from(!committed)];
        assert_eq!(world.vaults[0].history(word).await, expected, "{word}");
    }
    world.end().await;
}
