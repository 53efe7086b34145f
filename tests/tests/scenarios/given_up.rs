//! A participant that gives up on a rollback: its row waits for an operator, whatever the
//! coordinator has forgotten meanwhile (OP2, TC11).

use std::sync::Arc;
use std::time::Duration;

use unanimous::clock::ManualClock;
use unanimous::protocol::message::{BranchDetail, ParkReason};
use unanimous::protocol::{GlobalState, limits};
use unanimous::{Decision, GlobalTransaction, Outcome, Runtime, Xid};

use crate::logs;
use crate::process::{Process, Server};
use crate::vault::{Failure, Fault};
use crate::world::{LONG, Site, World, sold, take_all, until};

/// Rolls back, and lets the money's participant give up on that.
async fn given_up(world: &World) -> Xid {
    world.vaults[1].script.cancels.then(Fault::GiveUp);
    let (told, xid) = tokio::sync::oneshot::channel();
    let body = async {
        take_all(&world.vaults, "b", 3).await?;
        told.send(crate::world::xid()).expect("somebody listens");
        Err::<(), _>(Failure::Scripted("at the end"))
    };
    let failed = world.run(GlobalTransaction::named("fails").run(body)).await;
    let failed = failed.expect("it begins");
    assert!(
        matches!(failed.outcome, Some(Outcome::RolledBack { .. })),
        "{failed:?}"
    );
    let xid = xid.await.expect("its body ran");
    listed(world, &xid).await;
    xid
}

/// The branch that waits for an operator, once the coordinator lists it.
async fn listed(world: &World, xid: &Xid) -> BranchDetail {
    let admin = world.runtime.admin();
    until("it is parked", async || {
        let list = admin.list(false, 10).await.unwrap_or_default();
        list.iter().any(|line| line.xid == *xid && line.parked == 1)
    })
    .await;
    let shown = admin.show(xid).await.expect("it is listed");
    assert_eq!(shown.summary.state, GlobalState::RolledBack);
    let mut branches = shown.branches.into_iter();
    let branch = branches.find(|branch| branch.parked.is_some());
    let branch = branch.expect("it is parked");
    assert_eq!(branch.resource.participant.as_str(), "money");
    assert_eq!(branch.decision, Some(Decision::Rollback));
    let reason = ParkReason::GaveUp("the scenario gave up".into());
    assert_eq!(branch.parked, Some(reason));
    branch
}

/// The operator's retry ends the row.
async fn retried(world: &World, xid: &Xid) {
    let branch = listed(world, xid).await;
    assert_eq!(world.vaults[1].history("b").await, [1, 0, 0]);
    let admin = world.runtime.admin();
    let done = admin.retry(xid, &branch.call).await.expect("it is listed");
    assert_eq!(done, 1);
    world.nothing_is_tried().await;
    assert!(world.runtime.settled(xid, LONG).await);
    assert_eq!(world.vaults[1].history("b").await, [1, 0, 1]);
    assert_eq!(world.sums().await, sold(0));
    let left = admin.list(false, 10).await.expect("it answers");
    assert!(left.is_empty(), "{left:#?}");
}

#[tokio::test]
async fn tc11_a_rollback_given_up_is_still_retried_once_the_horizon_has_passed() {
    logs::start();
    let site = Site::new();
    let clock = ManualClock::new();
    let builder = Runtime::builder()
        .coordinator(site.embedded())
        .clock(Arc::new(clock.clone()));
    let world = World::with(&site, builder).await;
    let xid = given_up(&world).await;
    // The horizon has passed it once the younger transaction's rows are gone.
    let younger = async {
        take_all(&world.vaults, "c", 1).await?;
        Err::<(), _>(Failure::Scripted("at the end"))
    };
    let younger = world.run(GlobalTransaction::named("younger").run(younger));
    younger.await.expect("it begins");
    let mut passed = Duration::ZERO;
    while world.vaults[0].rows().await != 1 {
        assert!(passed < 6 * limits::CLEAN_AFTER, "nothing is cleaned");
        clock.advance(Duration::from_secs(1));
        passed += Duration::from_secs(1);
    }
    retried(&world, &xid).await;
    world.runtime.shutdown().await;
}

/// A rollback leaves no record: after a restart only the row says that it waits.
#[test]
fn op2_a_rollback_given_up_is_still_retried_after_a_restart() {
    let site = Site::new();
    let process = Process::embedded(&site);
    let xid = process.run(async |world| given_up(world).await);
    process.kill();
    let again = Process::embedded(&site);
    again.run(async |world| {
        world.runtime.ready().await;
        retried(world, &xid).await;
        let cancels = world.vaults[1].script.cancels.runs();
        assert_eq!(cancels, 1, "user code ran for the operator alone");
    });
    again.end();
}

/// The same where only the coordinator starts again, under a participant that stays.
#[test]
fn op2_a_rollback_given_up_is_still_retried_after_a_restart_of_the_coordinator() {
    let site = Site::new();
    let server = Server::start(&site);
    let wire = server.wire();
    let process = Process::at(&wire, &site);
    let xid = process.run(async |world| given_up(world).await);
    let server = server.restart(&wire, &site);
    process.run(async |world| {
        retried(world, &xid).await;
        assert_eq!(world.vaults[1].script.cancels.runs(), 2);
    });
    process.end();
    drop(server);
}
