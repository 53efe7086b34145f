//! What a person sees of a branch that waits, and does about it.

use unanimous::protocol::message::{BranchDetail, ParkReason};
use unanimous::protocol::{BranchState, GlobalState};
use unanimous::sqlx;
use unanimous::{Decision, Error, Event, GlobalTransaction, Outcome};

use crate::process::{Process, Server};
use crate::vault::{Failure, Fault, Gate};
use crate::wire::{Fate, Message};
use crate::world::{LONG, Site, World, sold, take_all};

/// Commits, and lets the money's participant give up.
async fn parked(world: &World) -> (unanimous::Xid, BranchDetail) {
    world.vaults[1].script.confirms.then(Fault::GiveUp);
    let xid = world.buy("b", 3).await.expect("it is decided");
    assert!(world.runtime.quiet(LONG).await, "a parked branch is quiet");
    let shown = world.runtime.admin().show(&xid).await.expect("it is kept");
    assert_eq!(shown.summary.state, GlobalState::Committed);
    let branch = shown.branches.iter().find(|branch| branch.parked.is_some());
    (xid, branch.expect("it is parked").clone())
}

#[tokio::test]
async fn giving_up_parks_the_branch_and_tells_people() {
    let site = Site::new();
    let world = World::start(&site).await;
    let (xid, branch) = parked(&world).await;
    assert_eq!(branch.resource.participant.as_str(), "money");
    let reason = ParkReason::GaveUp("the scenario gave up".into());
    assert_eq!(branch.parked.as_ref(), Some(&reason));
    // Everybody else has ended; nothing of this branch has happened.
    assert_eq!(world.vaults[0].history("b").await, [1, 1, 0]);
    assert_eq!(world.vaults[1].history("b").await, [1, 0, 0]);
    assert!(
        !world.runtime.settled(&xid, LONG / 600).await,
        "it has not settled"
    );
    let heard = world.heard();
    let [
        Event::Parked {
            xid: of,
            call,
            resource,
            action,
            reason: why,
        },
    ] = &heard[..]
    else {
        panic!("{heard:#?}");
    };
    assert_eq!(
        (of, call, resource, why),
        (&xid, &branch.call, &branch.resource, &reason)
    );
    assert_eq!(action.as_str(), "hold");
    let health = world.runtime.health().await;
    assert_eq!(
        (health.parked, health.open, health.is_ready()),
        (1, 0, true)
    );
    let list = world
        .runtime
        .admin()
        .list(false, 10)
        .await
        .expect("it answers");
    assert_eq!(
        (list.len(), list[0].waiting, list[0].parked),
        (1, 1, 1),
        "{list:#?}"
    );
    assert!(
        list[0]
            .why
            .as_ref()
            .is_some_and(|why| why.contains("gave up")),
        "{list:#?}"
    );

    let done = world
        .runtime
        .admin()
        .retry(&xid, &branch.call)
        .await
        .expect("it is parked");
    assert_eq!(done, 1);
    world.settle().await;
    assert_eq!(world.sums().await, sold(3));
    assert_eq!(world.vaults[1].script.confirms.runs(), 2);
    assert_eq!(world.runtime.health().await.parked, 0);
    assert!(world.runtime.settled(&xid, LONG).await);
    world.end().await;
}

/// OP3: the row takes the decided state, and no user code runs.
#[tokio::test]
async fn op3_a_branch_resolved_by_hand_ends_without_user_code() {
    let site = Site::new();
    let world = World::start(&site).await;
    let (xid, branch) = parked(&world).await;
    let money = &world.vaults[1];
    world
        .runtime
        .admin()
        .resolve(&xid, &branch.call)
        .await
        .expect("it is parked");
    assert!(world.runtime.settled(&xid, LONG).await);
    assert_eq!(
        (money.script.confirms.runs(), money.tried_rows().await),
        (1, 0)
    );
    assert_eq!(
        (money.history("b").await, money.sums().await),
        ([1, 0, 0], (997, 3, 0))
    );
    let shown = world.runtime.admin().show(&xid).await.expect("it is kept");
    assert!(
        shown
            .branches
            .iter()
            .all(|branch| branch.state == BranchState::Ended),
        "{shown:#?}"
    );
    // What the person resolved by hand.
    let sql = "UPDATE vault SET held = 0, sold = 3";
    sqlx::query(sql)
        .execute(&money.db)
        .await
        .expect("it can be written");
    world.end().await;
}

/// A parked branch stays parked when everything starts again.
#[test]
fn a_parked_branch_stays_parked_over_a_restart() {
    let site = Site::new();
    let process = Process::embedded(&site);
    let (xid, branch) = process.run(async |world| parked(world).await);
    process.kill();
    let again = Process::embedded(&site);
    again.run(async |world| {
        world.runtime.ready().await;
        assert!(world.runtime.quiet(LONG).await);
        assert_eq!(world.runtime.health().await.parked, 1);
        assert_eq!(
            world.vaults[1].script.confirms.runs(),
            0,
            "nobody asked for it again"
        );
        world
            .runtime
            .admin()
            .retry(&xid, &branch.call)
            .await
            .expect("it is parked");
        world.settle().await;
        assert_eq!(world.sums().await, sold(3));
    });
    again.end();
}

/// OP2: an operator stops what is repeated for ever, and starts it again.
#[tokio::test]
async fn op2_an_operator_gives_up_on_a_branch_that_fails_and_retries_it_later() {
    let site = Site::new();
    let world = World::start(&site).await;
    let gate = Gate::new();
    world.vaults[2]
        .script
        .confirms
        .then(Fault::Fail)
        .then(Fault::Stop(gate.clone()));
    let xid = world.buy("b", 3).await.expect("it is decided");
    gate.reached().await;
    let admin = world.runtime.admin();
    let shown = admin.show(&xid).await.expect("it is kept");
    let branch = shown
        .branches
        .iter()
        .find(|branch| branch.resource.participant.as_str() == "vouchers");
    let branch = branch.expect("it waits").clone();
    assert!(branch.attempts >= 2, "{branch:#?}");
    assert!(
        branch
            .last_error
            .as_ref()
            .is_some_and(|error| error.contains("a failure")),
        "{branch:#?}"
    );
    admin
        .give_up(&xid, &branch.call, "enough")
        .await
        .expect("it waits");
    // What is under way is not halved: it ends, or is stopped, and is not begun again.
    world.vaults[2].script.confirms.then(Fault::GiveUp);
    gate.open();
    assert!(world.runtime.quiet(LONG).await);
    if !world.runtime.settled(&xid, LONG / 600).await {
        admin.retry(&xid, &branch.call).await.expect("it is parked");
    }
    world.settle().await;
    assert_eq!(world.sums().await, sold(3));
    assert_eq!(world.vaults[2].history("b").await, [1, 1, 0]);
    world.end().await;
}

/// OP1: an operator may roll an open transaction back, and nothing else.
#[tokio::test]
async fn op1_an_operator_rolls_an_open_transaction_back_and_its_caller_is_told() {
    let site = Site::new();
    let world = World::start(&site).await;
    let gate = Gate::new();
    let body = async {
        take_all(&world.vaults, "b", 1).await?;
        gate.pass().await;
        Ok::<_, Failure>(())
    };
    let call = world.run(GlobalTransaction::named("slow").run(body));
    let operator = async {
        gate.reached().await;
        let health = world.runtime.health().await;
        assert_eq!(health.open, 1);
        assert!(
            health.oldest_open.is_some_and(|age| !age.is_zero()),
            "{health:?}"
        );
        let open = world
            .runtime
            .admin()
            .list(false, 10)
            .await
            .expect("it answers");
        assert_eq!(
            (open.len(), open[0].state, open[0].branches),
            (1, GlobalState::Open, 3)
        );
        assert_eq!(
            (open[0].name.as_str(), &*open[0].application),
            ("slow", "scenario")
        );
        let refused = world
            .runtime
            .admin()
            .decide(&open[0].xid, Decision::Commit)
            .await;
        refused.expect_err("nobody else commits");
        world
            .runtime
            .admin()
            .roll_back(&open[0].xid)
            .await
            .expect("it is open");
        gate.open();
    };
    let (completed, ()) = futures_util::future::join(call, operator).await;
    let completed = completed.expect("it began");
    assert!(
        matches!(completed.outcome, Some(Outcome::RolledBack { .. })),
        "{completed:?}"
    );
    assert!(
        matches!(completed.failure(), Some(Error::RolledBack { .. })),
        "{completed:?}"
    );
    world.settle().await;
    assert_eq!(world.sums().await, sold(0));
    world.end().await;
}

/// OP4: a database that is lost for ever no longer holds its transactions up; the record of what
/// was decided is kept, so that a database that comes back all the same ends as the others did.
#[test]
fn op4_a_written_off_database_that_comes_back_ends_as_the_others_did() {
    let site = Site::new();
    let server = Server::start(&site);
    let wire = server.wire();
    let process = Process::at(&wire, &site);
    let stock_only = |message| {
        if message == Message::PhaseTwo {
            Fate::Vanish
        } else {
            Fate::Pass
        }
    };
    wire.plan(stock_only);
    let xid = process.run(async |world| world.buy("b", 4).await.expect("it is decided"));
    let databases = process.run(async |world| {
        let shown = world.runtime.admin().show(&xid).await.expect("it is kept");
        let databases = shown
            .branches
            .iter()
            .filter_map(|branch| branch.resource.database);
        databases.collect::<Vec<_>>()
    });
    assert_eq!(databases.len(), 3);
    process.kill();
    wire.heal();
    let operator = Process::start(async {
        crate::world::builder()
            .coordinator_value(std::sync::Arc::new(wire.clone()))
            .build()
            .await
            .expect("a runtime")
    });
    operator.run(async |runtime| {
        for database in databases {
            runtime
                .admin()
                .write_off(database)
                .await
                .expect("it has branches");
        }
        assert!(runtime.quiet(LONG).await);
    });
    operator.kill();
    let again = Process::at(&wire, &site);
    again.run(async |world| {
        world.settle().await;
        assert_eq!(world.sums().await, sold(4));
    });
    again.end();
    drop(server);
}

/// What does not fit is refused, and nothing changes.
#[tokio::test]
async fn requests_that_do_not_fit_are_refused_and_change_nothing() {
    let site = Site::new();
    let world = World::start(&site).await;
    let xid = world.buy("b", 3).await.expect("it commits");
    world.settle().await;
    let before = world.sums().await;
    let admin = world.runtime.admin();
    let shown = admin.show(&xid).await.expect("it is kept");
    let call = &shown.branches[0].call;
    let nobody = "u1.1.0000000000000000.1".parse().expect("an xid");
    let refusals = [
        admin.show(&nobody).await.map(drop),
        admin.retry(&nobody, call).await.map(drop),
        admin.retry(&xid, call).await.map(drop),
        admin.give_up(&xid, call, "why").await.map(drop),
        admin.resolve(&xid, call).await.map(drop),
        admin.roll_back(&xid).await.map(drop),
        admin.decide(&xid, Decision::Rollback).await.map(drop),
    ];
    for (index, refused) in refusals.into_iter().enumerate() {
        let error = refused.expect_err(&format!("request {index} does not fit"));
        assert!(
            matches!(error, unanimous::AdminError::Refused(_)),
            "{index}: {error:?}"
        );
        assert!(!error.to_string().is_empty());
    }
    assert_eq!(world.runtime.outcome(&xid).await, Outcome::Committed);
    assert_eq!(world.sums().await, before);
    world.end().await;
}
