//! Coordinators and participants that are killed and start again on the same files.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use unanimous::{
    Error, Event, GlobalTransaction, Outcome, RollbackReason, Xid, global_transactional,
};

use crate::process::{Process, Server};
use crate::vault::{Failure, Fault, Gate, Vault};
use crate::wire::{Fate, Message, Wire};
use crate::world::{LONG, Site, World, coordinator, sold, take_all, until, xid};

/// Stops at the gate when every vault is taken from.
#[global_transactional]
async fn take_and_wait(vaults: &[Vault], gate: &Gate) -> Result<Xid, Failure> {
    take_all(vaults, "b", 4).await?;
    gate.pass().await;
    Ok(xid())
}

/// The only transaction that the coordinator still knows.
async fn only(world: &World) -> Xid {
    let all = world
        .runtime
        .admin()
        .list(true, 10)
        .await
        .expect("it answers");
    assert_eq!(all.len(), 1, "{all:#?}");
    all[0].xid.clone()
}

/// Matrix 2 and TC2: everything dies in the body. What was tried is cancelled after the restart.
#[test]
fn matrix_2_a_process_that_dies_in_the_body_has_rolled_back_after_its_restart() {
    let site = Site::new();
    let process = Process::embedded(&site);
    let gate = Gate::new();
    let at = gate.clone();
    process.spawn(async move |world| world.run(take_and_wait(&world.vaults, &at)).await);
    process.run(async |world| {
        gate.reached().await;
        assert_eq!(world.vaults[2].tried_rows().await, 1);
    });
    process.kill();
    let again = Process::embedded(&site);
    again.run(async |world| {
        assert!(world.runtime.quiet(LONG).await);
        for vault in &world.vaults {
            assert_eq!(vault.tried_rows().await, 0, "quiet, and not given back");
        }
        assert_eq!(world.runtime.health().await.in_doubt, 0);
        world.settle().await;
        assert_eq!(world.sums().await, sold(0));
        assert_eq!(world.vaults[1].history("b").await, [1, 0, 1]);
    });
    again.end();
}

/// Matrix 2, with a coordinator that lives on: the transaction rolls back at its timeout.
#[test]
fn matrix_2_a_client_that_dies_in_the_body_is_rolled_back_at_the_timeout() {
    let site = Site::new();
    let server = Server::start(&site);
    let wire = server.wire();
    let process = Process::at(&wire, &site);
    let gate = Gate::new();
    let at = gate.clone();
    process.spawn(async move |world| world.run(take_and_wait(&world.vaults, &at)).await);
    process.run(async |_| gate.reached().await);
    process.kill();
    let again = Process::at(&wire, &site);
    again.run(async |world| {
        let xid = only(world).await;
        world.settle().await;
        let outcome = world.runtime.outcome(&xid).await;
        let reason = RollbackReason::TimedOut;
        assert_eq!(outcome, Outcome::RolledBack { reason });
        assert_eq!(world.sums().await, sold(0));
    });
    again.end();
}

/// Matrix 4: the process dies inside a try, before its local commit.
#[test]
fn matrix_4_a_try_that_dies_before_its_local_commit_leaves_nothing() {
    let site = Site::new();
    let process = Process::embedded(&site);
    let gate = Gate::new();
    process.inside.vaults[1]
        .script
        .tries
        .then(Fault::Stop(gate.clone()));
    process.spawn(async move |world| world.buy("b", 1).await);
    process.run(async |_| gate.reached().await);
    process.kill();
    let again = Process::embedded(&site);
    again.run(async |world| {
        world.settle().await;
        assert_eq!(world.sums().await, sold(0));
        assert_eq!(world.vaults[0].history("b").await, [1, 0, 1]);
        assert_eq!(world.vaults[1].history("b").await, [0, 0, 0]);
    });
    again.end();
}

/// Matrix 7: the commit never reached the coordinator. The client hears `Unknown`, asks later and
/// hears the one decision.
#[test]
fn matrix_7_a_commit_that_did_not_arrive_is_unknown_and_rolls_back_after_the_restart() {
    let site = Site::new();
    let server = Server::start(&site);
    let wire = server.wire();
    let process = Process::at(&wire, &site);
    wire.every(Message::Commit, Fate::Vanish);
    let error = process
        .run(async |world| world.buy("b", 4).await)
        .expect_err("nobody answers");
    let Error::Unknown { xid, why } = error.transaction() else {
        panic!("it is not known")
    };
    assert!(
        Outcome::Unknown {
            xid: xid.clone(),
            why
        }
        .may_be_known_later()
    );
    let server = server.restart(&wire, &site);
    process.run(async |world| {
        world.settle().await;
        let outcome = world.runtime.outcome(&xid).await;
        assert!(matches!(outcome, Outcome::RolledBack { .. }), "{outcome:?}");
        assert_eq!(world.runtime.resolve(&xid).await, outcome);
        assert_eq!(world.sums().await, sold(0));
        // TM2: the late commit changes nothing any more.
        wire.heal();
        world.settle().await;
        assert_eq!(world.sums().await, sold(0));
        let heard = world.heard();
        assert!(
            matches!(&heard[..], [Event::Unknown { xid: of, .. }] if *of == xid),
            "{heard:?}"
        );
    });
    process.end();
    drop(server);
}

/// Matrix 7, seen by a client whose repeat of the commit reaches the next start of the
/// coordinator: it is told the truth at once.
#[test]
fn matrix_7_a_commit_repeated_to_the_next_start_hears_that_it_rolled_back() {
    let site = Site::new();
    let server = Server::start(&site);
    let wire = server.wire();
    let process = Process::at(&wire, &site);
    let gate = Gate::new();
    wire.next(Message::Commit, Fate::Late(gate.clone()));
    let buying = process.spawn(async move |world| world.buy("b", 4).await);
    process.run(async |_| gate.reached().await);
    let server = server.restart(&wire, &site);
    gate.open();
    let told = process.run(async |_| buying.await.expect("it ends"));
    let error = told
        .expect_err("it was open when the coordinator died")
        .transaction();
    assert!(matches!(error, Error::RolledBack { .. }), "{error}");
    process.run(async |world| {
        world.settle().await;
        assert_eq!(world.sums().await, sold(0));
    });
    process.end();
    drop(server);
}

/// Matrix 8: the commit was decided and its answer lost. The repeat hears the same from the next
/// start.
#[test]
fn matrix_8_a_commit_whose_answer_was_lost_with_the_coordinator_is_told_by_its_next_start() {
    let site = Site::new();
    let server = Server::start(&site);
    let wire = server.wire();
    let process = Process::at(&wire, &site);
    let gate = Gate::new();
    // The answer stops on the way, and the wire is cut before it arrives.
    wire.plan({
        let gate = gate.clone();
        let mut commits = 0;
        move |message| match message {
            Message::Commit => {
                commits += 1;
                if commits == 1 {
                    Fate::LateLoss(gate.clone())
                } else {
                    Fate::Pass
                }
            }
            Message::PhaseTwo if commits == 1 => Fate::Vanish,
            _ => Fate::Pass,
        }
    });
    let buying = process.spawn(async move |world| world.buy("b", 4).await);
    process.run(async |_| gate.reached().await);
    let server = server.restart(&wire, &site);
    gate.open();
    process.run(async |world| {
        buying.await.expect("it ends").expect("it was decided");
        world.settle().await;
        assert_eq!(world.sums().await, sold(4));
    });
    process.end();
    drop(server);
}

/// Matrix 8, all in one process: nobody is left who was told, and the restart finishes the commit.
#[test]
fn matrix_8_a_commit_that_was_decided_is_finished_by_the_restart() {
    let site = Site::new();
    let process = Process::embedded(&site);
    for vault in &process.inside.vaults {
        vault.script.confirms.then(Fault::Stop(Gate::new()));
    }
    process.run(async |world| world.buy("b", 4).await.expect("it is decided"));
    process.kill();
    let again = Process::embedded(&site);
    again.run(async |world| {
        let xid = only(world).await;
        world.settle().await;
        assert_eq!(world.sums().await, sold(4));
        assert_eq!(world.runtime.outcome(&xid).await, Outcome::Committed);
        for vault in &world.vaults {
            assert_eq!(vault.history("b").await, [1, 1, 0]);
        }
    });
    again.end();
}

/// Matrix 9: one branch is confirmed, one is being confirmed, one waits.
#[test]
fn matrix_9_a_coordinator_that_dies_in_phase_two_repeats_the_rest_and_nothing_twice() {
    let site = Site::new();
    let server = Server::start(&site);
    let wire = server.wire();
    let process = Process::at(&wire, &site);
    let gate = Gate::new();
    process.inside.vaults[1]
        .script
        .confirms
        .then(Fault::Stop(gate.clone()));
    process.inside.vaults[2].script.confirms.then(Fault::Fail);
    process.run(async |world| {
        world.buy("b", 4).await.expect("it is decided");
        gate.reached().await;
    });
    let server = server.restart(&wire, &site);
    gate.open();
    process.run(async |world| {
        world.settle().await;
        assert_eq!(world.sums().await, sold(4));
        for vault in &world.vaults {
            assert_eq!(vault.history("b").await, [1, 1, 0], "{}", vault.name);
        }
    });
    process.end();
    drop(server);
}

/// Matrix 10: the participant ended the branch, and died before its result arrived.
#[test]
fn matrix_10_a_result_that_was_lost_with_its_process_is_not_performed_again() {
    let site = Site::new();
    let server = Server::start(&site);
    let wire = server.wire();
    let process = Process::at(&wire, &site);
    wire.every(Message::PhaseTwo, Fate::Mute);
    process.run(async |world| {
        world.buy("b", 4).await.expect("it is decided");
        world.nothing_is_tried().await;
    });
    process.kill();
    wire.heal();
    let again = Process::at(&wire, &site);
    again.run(async |world| {
        world.settle().await;
        assert_eq!(world.sums().await, sold(4));
        for vault in &world.vaults {
            assert_eq!(
                (vault.history("b").await, vault.script.confirms.runs()),
                ([1, 1, 0], 0)
            );
        }
    });
    again.end();
    drop(server);
}

/// Matrix 11: while one participant is away, others finish; it finishes when it is back.
#[test]
fn matrix_11_a_participant_that_was_away_finishes_when_it_is_back() {
    let site = Site::new();
    let server = Server::start(&site);
    let wire = server.wire();
    let process = Process::at(&wire, &site);
    wire.every(Message::PhaseTwo, Fate::Vanish);
    let xid = process.run(async |world| world.buy("b", 4).await.expect("it is decided"));
    process.kill();
    wire.heal();
    // Only the stock's process comes back at first.
    let stock = Process::start(one(&site, Arc::new(wire.clone()), "stock"));
    stock.run(async |(runtime, vault)| {
        until("its phase two", async || vault.tried_rows().await == 0).await;
        assert!(!runtime.settled(&xid, LONG / 600).await);
        let shown = runtime.admin().show(&xid).await.expect("it is kept");
        assert_eq!(
            (shown.summary.waiting, shown.summary.parked),
            (2, 0),
            "{shown:#?}"
        );
        assert!(shown.summary.why.is_some());
    });
    stock.kill();
    let again = Process::at(&wire, &site);
    again.run(async |world| {
        world.settle().await;
        assert_eq!(world.sums().await, sold(4));
    });
    again.end();
    drop(server);
}

/// A process of one vault alone.
async fn one(
    site: &Site,
    coordinator: Arc<dyn unanimous::coordinator::Coordinator>,
    name: &'static str,
) -> (unanimous::Runtime, Vault) {
    let vault = site.vault(name).await;
    let builder = crate::world::builder().coordinator_value(coordinator);
    let runtime = builder
        .participant(Arc::new(vault.clone()))
        .build()
        .await
        .expect("a runtime");
    (runtime, vault)
}

/// RM6: nobody ever tells this branch's participant a decision, because its registration was lost.
/// It asks by itself.
#[test]
fn rm6_a_tried_row_whose_registration_was_lost_is_decided_by_a_question() {
    for dies in [false, true] {
        let site = Site::new();
        let server = Server::start(&site);
        let wire = server.wire();
        let process = Process::at(&wire, &site);
        wire.next(Message::Register, Fate::Invent);
        let call = async |world: &World| world.run(take_first(&world.vaults[0])).await;
        let error = process
            .run(call)
            .expect_err("a branch is unknown")
            .transaction();
        assert!(matches!(error, Error::RolledBack { .. }), "{error}");
        let (process, server) = if dies {
            process.kill();
            let server = server.restart(&wire, &site);
            (Process::at(&wire, &site), server)
        } else {
            (process, server)
        };
        process.run(async |world| {
            world.settle().await;
            assert_eq!(world.vaults[0].history("b").await, [1, 0, 1]);
        });
        process.end();
        drop(server);
    }
}

#[global_transactional]
async fn take_first(vault: &Vault) -> Result<(), Failure> {
    vault.take("b", 1).await.map(drop)
}

/// Matrix 31: the caller is dropped while its commit is on the way, or its answer is; the runtime
/// asks the same commit again and never turns it into a rollback.
#[test]
fn matrix_31_a_caller_dropped_while_it_commits_never_halves_it() {
    for arrives in [false, true] {
        let site = Site::new();
        let server = Server::start(&site);
        let wire = server.wire();
        let process = Process::at(&wire, &site);
        let gate = Gate::new();
        let fate = if arrives { Fate::LateLoss } else { Fate::Late };
        wire.next(Message::Commit, fate(gate.clone()));
        process.run(async |world| {
            let buying = Box::pin(world.buy("b", 4));
            let dropped = select(buying, Box::pin(gate.reached())).await;
            assert!(matches!(dropped, Either::Right(_)));
            drop(dropped);
            world.settle().await;
            assert_eq!(world.sums().await, sold(4));
        });
        process.end();
        drop(server);
    }
}

/// Matrix 33: the process ends with a transaction open; a shutdown waits for it.
#[test]
fn matrix_33_a_shutdown_lets_what_is_open_end_and_begins_nothing_more() {
    let site = Site::new();
    let process = Process::embedded(&site);
    let gate = Gate::new();
    let at = gate.clone();
    let open = process.spawn(async move |world| world.run(take_and_wait(&world.vaults, &at)).await);
    process.run(async |world| {
        gate.reached().await;
        let mut stopping = Box::pin(world.runtime.shutdown());
        assert!(stopping.as_mut().now_or_never().is_none(), "it waits");
        let refused = world
            .buy("c", 1)
            .await
            .expect_err("it begins nothing")
            .transaction();
        assert!(matches!(refused, Error::ShuttingDown), "{refused}");
        gate.open();
        stopping.await;
        open.await.expect("it ends").expect("it commits");
    });
    process.kill();
    let again = Process::embedded(&site);
    again.run(async |world| {
        world.settle().await;
        assert_eq!(world.sums().await, sold(4));
    });
    again.end();
}

/// Matrix 41: what is still open when the time for draining is over has rolled back.
#[test]
fn matrix_41_a_shutdown_rolls_back_what_does_not_end_in_time() {
    let site = Site::new();
    let process = Process::embedded(&site);
    let gate = Gate::new();
    let at = gate.clone();
    let open = process.spawn(async move |world| {
        let body = async {
            take_all(&world.vaults, "b", 4).await?;
            at.pass().await;
            Ok::<_, Failure>(())
        };
        world.run(GlobalTransaction::named("slow").run(body)).await
    });
    process.run(async |world| {
        gate.reached().await;
        world.runtime.shutdown().await;
        gate.open();
        let completed = open.await.expect("it ends").expect("it began");
        assert_ne!(completed.outcome, Some(Outcome::Committed));
    });
    process.kill();
    let again = Process::embedded(&site);
    again.run(async |world| {
        world.settle().await;
        assert_eq!(world.sums().await, sold(0));
    });
    again.end();
}

/// Matrix 41: the caller was dropped right before the shutdown, which hands its rollback over
/// before the connection is closed.
#[tokio::test]
async fn matrix_41_a_shutdown_right_behind_a_dropped_caller_still_rolls_back() {
    let site = Site::new();
    let wire = Wire::to(coordinator(&site.embedded()).await);
    let world = World::on(&site, Arc::new(wire.clone())).await;
    let gate = Gate::new();
    let mut xid = None;
    {
        let mut open = Box::pin(world.run(take_and_wait(&world.vaults, &gate)));
        let reached = async {
            gate.reached().await;
            only(&world).await
        };
        match select(&mut open, Box::pin(reached)).await {
            Either::Right((found, _)) => xid = Some(found),
            Either::Left(_) => {}
        }
    }
    world.runtime.shutdown().await;
    let outcome = world
        .runtime
        .outcome(&xid.expect("it stopped at the gate"))
        .await;
    assert!(matches!(outcome, Outcome::RolledBack { .. }), "{outcome:?}");
}

/// Matrix 12: another instance of the resource takes over what the one that ran phase one left.
#[test]
fn matrix_12_another_instance_performs_the_phase_two_of_one_that_died() {
    let site = Site::new();
    let server = Server::start(&site);
    let wire = server.wire();
    let dies = Process::at(&wire, &site);
    let lives = Process::start(World::on(&site, server.coordinator()));
    lives.run(async |world| world.runtime.ready().await);
    wire.every(Message::PhaseTwo, Fate::Vanish);
    dies.run(async |world| {
        world.runtime.ready().await;
        world.buy("b", 4).await.expect("it is decided");
    });
    dies.kill();
    lives.run(async |world| {
        world.settle().await;
        assert_eq!(world.sums().await, sold(4));
        for vault in &world.vaults {
            assert_eq!(
                (vault.script.tries.runs(), vault.history("b").await),
                (0, [1, 1, 0])
            );
        }
    });
    lives.kill();
    wire.cut();
    drop(server);
}

/// Matrix 22: while the coordinator cannot be reached nothing begins, and nobody is told a guess.
#[test]
fn matrix_22_without_a_coordinator_nothing_begins_and_nothing_is_guessed() {
    let site = Site::new();
    let server = Server::start(&site);
    let wire = server.wire();
    let process = Process::at(&wire, &site);
    let xid = process.run(async |world| {
        world.runtime.ready().await;
        let xid = world.buy("b", 1).await.expect("it commits");
        world.settle().await;
        xid
    });
    wire.cut();
    process.run(async |world| {
        let health = world.runtime.health().await;
        assert!(!health.is_ready(), "{health:?}");
        let because = health.detached_because.as_deref().unwrap_or_default();
        assert!(because.starts_with("not attached to "), "{health:?}");
        let error = world
            .buy("c", 1)
            .await
            .expect_err("nobody answers")
            .transaction();
        assert!(
            matches!(error, Error::Coordinator(_)) && !error.is_retryable(),
            "{error}"
        );
        for outcome in [
            world.runtime.outcome(&xid).await,
            world.runtime.resolve(&xid).await,
        ] {
            assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
            assert!(outcome.may_be_known_later());
        }
        assert!(
            !world.runtime.quiet(LONG / 600).await,
            "what is not answered is not quiet"
        );
    });
    wire.connect(server.coordinator());
    process.run(async |world| {
        world.runtime.ready().await;
        assert!(world.runtime.health().await.is_ready());
        assert_eq!(world.runtime.outcome(&xid).await, Outcome::Committed);
        world.buy("d", 1).await.expect("it commits");
        world.settle().await;
        assert_eq!(world.sums().await, sold(2));
    });
    process.end();
    drop(server);
}

/// Two shutdowns at once both end.
#[tokio::test]
async fn shutdowns_at_once_all_end() {
    let site = Site::new();
    let world = World::start(&site).await;
    world.buy("b", 1).await.expect("it commits");
    let shutdowns = [world.runtime.shutdown(), world.runtime.shutdown()];
    futures_util::future::join_all(shutdowns).await;
    world.runtime.shutdown().await;
    World::start(&site).await.end().await;
}
