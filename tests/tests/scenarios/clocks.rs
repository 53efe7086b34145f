//! Clocks that jump, and time that passes for cleaning.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;
use unanimous::clock::ManualClock;
use unanimous::{Error, GlobalTransaction, Outcome};

use crate::clock::FastClock;
use crate::logs;
use crate::vault::{Failure, Fault, Gate};
use crate::wire::{Fate, Message, Wire};
use crate::world::{Site, World, builder, coordinator, sold, take_all};

/// What takes longer does not end.
const PATIENCE: Duration = Duration::from_secs(60);
const YEARS_MS: i64 = 10 * 365 * 24 * 3_600 * 1_000;

/// Matrix 21 and G9: the wall clock decides nothing, whichever way it jumps.
#[tokio::test]
async fn matrix_21_a_wall_clock_that_jumps_changes_no_outcome() {
    let site = Site::new();
    let clock = FastClock::new();
    let builder = builder()
        .coordinator(site.embedded())
        .clock(Arc::new(clock.clone()));
    let world = World::with(&site, builder).await;
    for (round, by_ms) in [YEARS_MS, -2 * YEARS_MS, 3_600_000, -7_200_000]
        .into_iter()
        .enumerate()
    {
        let label = format!("round {round}");
        let body = async {
            take_all(&world.vaults[..2], &label, 1).await?;
            clock.step_wall(by_ms);
            take_all(&world.vaults[2..], &label, 1).await
        };
        let ran = world
            .run(GlobalTransaction::named("jumps").run(body))
            .await
            .expect("it begins");
        assert_eq!(ran.outcome, Some(Outcome::Committed));
        world.settle().await;
    }
    assert_eq!(world.sums().await, sold(4));
    world.end().await;
}

/// G6: a row whose registration was lost is asked about after some time, also when the wall clock
/// was set back behind its creation meanwhile.
#[tokio::test]
async fn g6_a_row_in_doubt_is_asked_about_although_the_wall_clock_was_set_back() {
    let site = Site::new();
    let clock = FastClock::new();
    let wire = Wire::to(coordinator(&site.embedded()).await);
    let builder = builder()
        .coordinator_value(Arc::new(wire.clone()))
        .clock(Arc::new(clock.clone()));
    let world = World::with(&site, builder).await;
    world.runtime.ready().await;
    wire.next(Message::Register, Fate::Invent);
    let error = world
        .buy("b", 1)
        .await
        .expect_err("a branch is unknown")
        .transaction();
    assert!(matches!(error, Error::RolledBack { .. }), "{error}");
    clock.step_wall(-YEARS_MS);
    world.settle().await;
    assert_eq!(world.sums().await, sold(0));
    world.end().await;
}

/// RM8 and TC11: rows of ended transactions go once the horizon has passed them, the outcome is
/// still told, and rows that are tried stay.
#[tokio::test]
async fn rm8_ended_rows_are_cleaned_and_their_outcome_is_still_told() {
    logs::start();
    let site = Site::new();
    let clock = ManualClock::new();
    let url = site.embedded();
    let builder = unanimous::Runtime::builder()
        .coordinator(url)
        .clock(Arc::new(clock.clone()));
    let world = World::with(&site, builder).await;
    let committed = world.buy("b", 1).await.expect("it commits");
    let fails = async {
        take_all(&world.vaults, "c", 1).await?;
        Err::<(), _>(Failure::Scripted("at the end"))
    };
    let failed = world
        .run(GlobalTransaction::named("fails").run(fails))
        .await
        .expect("it begins");
    assert!(
        matches!(failed.outcome, Some(Outcome::RolledBack { .. })),
        "{:?}",
        failed.outcome
    );
    let rows = async || {
        let [stock, money, vouchers] = &world.vaults;
        [
            stock.rows().await,
            money.rows().await,
            vouchers.rows().await,
        ]
    };
    let mut passed = Duration::ZERO;
    while rows().await != [0; 3] {
        assert!(passed < Duration::from_secs(3_600), "{:?}", rows().await);
        let step = Duration::from_secs(1);
        clock.advance(step);
        passed += step;
    }
    assert!(
        passed >= unanimous::protocol::limits::CLEAN_AFTER,
        "it was cleaned after {passed:?}"
    );
    assert_eq!(world.runtime.outcome(&committed).await, Outcome::Committed);
    for vault in &world.vaults {
        assert_eq!(
            (vault.history("b").await, vault.history("c").await),
            ([1, 1, 0], [1, 0, 1])
        );
    }
    let stop = world.runtime.shutdown();
    stop.await;
}

/// The embedded coordinator of the site, on a clock that stands still.
async fn standing_still(site: &Site, drain: Duration) -> (World, ManualClock) {
    let clock = ManualClock::new();
    let builder = unanimous::Runtime::builder()
        .coordinator(site.embedded())
        .drain(drain)
        .clock(Arc::new(clock.clone()));
    (World::with(site, builder).await, clock)
}

/// A transaction whose cancel stops at the first gate, then a shutdown, told at the second.
async fn rolled_back_and_stopped(world: &World, gate: &Gate, stopping: &Gate) {
    world.vaults[0]
        .script
        .cancels
        .then(Fault::Stop(gate.clone()));
    let fails = async {
        world.vaults[0].take("b", 1).await?;
        Err::<(), _>(Failure::Scripted("at the end"))
    };
    let run = world.run(GlobalTransaction::named("fails").run(fails));
    let ran = run.await.expect("it begins");
    assert!(
        matches!(ran.outcome, Some(Outcome::RolledBack { .. })),
        "{ran:?}"
    );
    gate.reached().await;
    stopping.open();
    stopping.pass().await;
    world.runtime.shutdown().await;
}

/// A phase two that was delivered is finished, not left to the next start: it is waited for as long
/// as the setting says, although the coordinator has ended.
#[tokio::test]
async fn a_shutdown_finishes_the_phase_two_that_is_under_way() {
    let site = Site::new();
    let (world, clock) = standing_still(&site, Duration::from_secs(3_600)).await;
    let (gate, stopping) = (Gate::new(), Gate::new());
    let goes_on = async {
        stopping.reached().await;
        // The log is free once the coordinator has ended: only the shutdown's last wait is left.
        let next = coordinator(&site.embedded()).await;
        clock.advance(Duration::from_secs(3_599));
        next.stop().await;
        gate.open();
    };
    join(rolled_back_and_stopped(&world, &gate, &stopping), goes_on).await;
    assert_eq!(world.vaults[0].history("b").await, [1, 0, 1]);
}

/// One that hangs holds a shutdown up for a while only, and is repeated after the next start.
#[tokio::test]
async fn a_phase_two_that_hangs_is_left_to_the_next_start() {
    let site = Site::new();
    let (world, clock) = standing_still(&site, Duration::from_secs(10)).await;
    let (gate, stopping) = (Gate::new(), Gate::new());
    let stopped = rolled_back_and_stopped(&world, &gate, &stopping);
    let time_passes = async {
        stopping.reached().await;
        loop {
            clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = stopped => {}
        () = time_passes => {}
    }
    assert_eq!(world.vaults[0].history("b").await, [1, 0, 0]);
    drop(world);
    let again = World::start(&site).await;
    again.settle().await;
    assert_eq!(again.vaults[0].history("b").await, [1, 0, 1]);
    again.end().await;
}

/// Without a drain time neither what is open nor a phase two that hangs is waited for: no time
/// passes here.
#[tokio::test]
async fn a_shutdown_without_a_drain_time_waits_for_nothing() {
    let site = Site::new();
    let (world, _clock) = standing_still(&site, Duration::ZERO).await;
    let (gate, stopping, open) = (Gate::new(), Gate::new(), Gate::new());
    let body = async {
        world.vaults[1].take("c", 1).await?;
        open.pass().await;
        Ok::<_, Failure>(())
    };
    let run = world.run(GlobalTransaction::named("open").run(body));
    let stopped = async {
        open.reached().await;
        rolled_back_and_stopped(&world, &gate, &stopping).await;
    };
    tokio::select! {
        ended = run => panic!("nobody opened its gate: {ended:?}"),
        stopped = tokio::time::timeout(PATIENCE, stopped) => {
            stopped.expect("the shutdown waits for something");
        }
    }
    assert_eq!(world.vaults[0].history("b").await, [1, 0, 0]);
    drop(world);
    let again = World::start(&site).await;
    again.settle().await;
    assert_eq!(again.vaults[0].history("b").await, [1, 0, 1]);
    assert_eq!(again.vaults[1].history("c").await, [1, 0, 1]);
    again.end().await;
}
