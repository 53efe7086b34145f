//! One process: commit, rollback, and what a call is worth.

use std::sync::atomic::{AtomicUsize, Ordering};

use unanimous::{
    CallFailure, Error, Outcome, RetryPolicy, TolerateExt, Xid, global_transactional, retry_call,
};

use crate::logs;
use crate::vault::{Failure, Fault, Gate, Vault};
use crate::wire::{Fate, Message, Wire};
use crate::world::{FULL, Site, World, coordinator, sold, take_all, xid};

#[global_transactional]
async fn take_and_fail(vaults: &[Vault], label: &str) -> Result<(), Failure> {
    take_all(vaults, label, 3).await?;
    Err(Failure::Scripted("after the calls"))
}

/// The error of the second call is swallowed.
#[global_transactional]
async fn swallow(vaults: &[Vault], label: &str) -> Result<(), Failure> {
    vaults[0].take(label, 1).await?;
    let _ = vaults[1].take(label, FULL + 1).await;
    Ok(())
}

/// The second call may fail.
#[global_transactional]
async fn tolerant(vaults: &[Vault], label: &str) -> Result<(), Failure> {
    vaults[0].take(label, 1).await?;
    let both = async {
        vaults[1].take(label, 1).await?;
        vaults[2].take(label, FULL + 1).await
    };
    both.tolerate().await.expect_err("there is not so much");
    Ok(())
}

#[global_transactional]
async fn take_again(vault: &Vault, label: &str, times: u32) -> Result<usize, Failure> {
    let receipt = retry_call(RetryPolicy::attempts(times), || vault.take(label, 5)).await?;
    Ok(receipt.nth)
}

#[tokio::test]
async fn ok_commits_every_branch_once() {
    let site = Site::new();
    let world = World::start(&site).await;
    let xid = world.buy("b", 7).await.expect("it commits");
    world.settle().await;
    assert_eq!(world.sums().await, sold(7));
    for vault in &world.vaults {
        let [held, spent, released] = vault.history("b").await;
        assert_eq!((held, spent, released), (1, 1, 0));
    }
    assert_eq!(world.runtime.outcome(&xid).await, Outcome::Committed);
    world.end().await;
}

#[tokio::test]
async fn an_error_rolls_every_branch_back_and_is_returned_unchanged() {
    let site = Site::new();
    let world = World::start(&site).await;
    let error = world
        .run(take_and_fail(&world.vaults, "b"))
        .await
        .expect_err("it fails");
    assert!(
        matches!(error, Failure::Scripted("after the calls")),
        "{error:?}"
    );
    world.settle().await;
    assert_eq!(world.sums().await, sold(0));
    for vault in &world.vaults {
        assert_eq!(vault.history("b").await, [1, 0, 1]);
    }
    world.end().await;
}

/// T3: the branch joined, and its try failed or never began: cancel finds no row, leaves a marker
/// and calls nobody.
#[tokio::test]
async fn t3_a_branch_whose_try_left_nothing_is_cancelled_without_user_code() {
    let site = Site::new();
    let world = World::start(&site).await;
    let error = world
        .buy("b", FULL + 1)
        .await
        .expect_err("there is not so much");
    assert!(matches!(error, Failure::NotEnough), "{error:?}");
    world.settle().await;
    let stock = &world.vaults[0];
    assert_eq!(
        (stock.script.tries.runs(), stock.script.cancels.runs()),
        (0, 0)
    );
    assert_eq!(
        (stock.rows().await, stock.history("b").await),
        (1, [0, 0, 0])
    );
    world.end().await;
}

/// T3 and TM1: the registration arrives and its answer is lost, so the try never begins.
#[tokio::test]
async fn t3_a_registration_whose_answer_is_lost_leaves_only_a_marker() {
    let site = Site::new();
    let wire = Wire::to(coordinator(&site.embedded()).await);
    let world = World::on(&site, std::sync::Arc::new(wire.clone())).await;
    wire.next(Message::Register, Fate::LoseAnswer);
    let error = world
        .buy("b", 1)
        .await
        .expect_err("its first call has no answer")
        .transaction();
    assert!(matches!(error, Error::Coordinator(_)), "{error}");
    world.settle().await;
    assert_eq!(
        (world.vaults[0].rows().await, world.vaults[1].rows().await),
        (1, 0)
    );
    assert_eq!(world.vaults[0].script.tries.runs(), 0);
    world.end().await;
}

/// T1, matrix 6: the answer of the registration is so late that the transaction has rolled back
/// and the cancel was here first. The try is refused, and nothing stays frozen.
#[tokio::test]
async fn t1_a_try_that_comes_after_its_cancel_is_refused_and_holds_nothing() {
    let site = Site::new();
    let wire = Wire::to(coordinator(&site.embedded()).await);
    let world = World::on(&site, std::sync::Arc::new(wire.clone())).await;
    let gate = Gate::new();
    wire.next(Message::Register, Fate::LateAnswer(gate.clone()));
    let late = async {
        let (xid, refused) = world.run(take_late(&world.vaults[0])).await;
        (xid, refused.expect_err("it was cancelled"))
    };
    let meanwhile = async {
        gate.reached().await;
        let open = world
            .runtime
            .admin()
            .list(false, 10)
            .await
            .expect("it answers");
        world
            .runtime
            .admin()
            .roll_back(&open[0].xid)
            .await
            .expect("it is open");
        assert!(
            world
                .runtime
                .settled(&open[0].xid, crate::world::LONG)
                .await
        );
        assert_eq!(world.vaults[0].rows().await, 1, "the marker");
        gate.open();
    };
    let ((xid, error), ()) = futures_util::future::join(late, meanwhile).await;
    assert!(
        matches!(&error, Error::RefusedCancelled { xid: of, .. } if *of == xid),
        "{error}"
    );
    world.settle().await;
    assert_eq!(world.sums().await, sold(0));
    assert_eq!(world.vaults[0].history("late").await, [0, 0, 0]);
    world.end().await;
}

/// Its xid, and how its only call ended.
async fn take_late(vault: &Vault) -> (Xid, Result<(), Error>) {
    let completed = unanimous::GlobalTransaction::named("late")
        .run(async {
            let taken = vault.take("late", 1).await;
            Ok::<_, Failure>((xid(), taken))
        })
        .await
        .expect("it began");
    let (xid, taken) = completed.body.expect("it swallows the error");
    assert_ne!(completed.outcome, Some(Outcome::Committed));
    (xid, taken.map(drop).map_err(Failure::transaction))
}

/// Matrix 3, G12: every message is delivered twice.
#[tokio::test]
async fn g12_what_is_delivered_twice_is_one_branch_with_one_effect() {
    let site = Site::new();
    let wire = Wire::to(coordinator(&site.embedded()).await);
    let world = World::on(&site, std::sync::Arc::new(wire.clone())).await;
    wire.plan(|message| {
        if message == Message::Begin {
            Fate::Pass
        } else {
            Fate::Twice
        }
    });
    let xid = world.buy("b", 2).await.expect("it commits");
    let error = world
        .run(take_and_fail(&world.vaults, "c"))
        .await
        .expect_err("it fails");
    assert!(matches!(error, Failure::Scripted(_)), "{error:?}");
    world.settle().await;
    assert_eq!(world.sums().await, sold(2));
    for vault in &world.vaults {
        assert_eq!(
            (vault.history("b").await, vault.history("c").await),
            ([1, 1, 0], [1, 0, 1])
        );
    }
    let shown = world.runtime.admin().show(&xid).await.expect("it is kept");
    assert_eq!(shown.branches.len(), 3);
    world.end().await;
}

/// TM2.
#[tokio::test]
async fn tm2_a_swallowed_error_cannot_commit() {
    let site = Site::new();
    let world = World::start(&site).await;
    let error = world
        .run(swallow(&world.vaults, "b"))
        .await
        .expect_err("a call failed");
    match error.transaction() {
        Error::RollbackOnly {
            call,
            cause: CallFailure::Failed,
            ..
        } => {
            assert_eq!(call.to_string(), "money.hold:1");
        }
        other => panic!("{other:?}"),
    }
    world.settle().await;
    assert_eq!(world.sums().await, sold(0));
    assert_eq!(world.vaults[0].history("b").await, [1, 0, 1]);
    world.end().await;
}

/// TC8: what was reserved in a tolerated block is cancelled at the decision.
#[tokio::test]
async fn tc8_a_tolerated_block_is_cancelled_and_the_rest_commits() {
    let site = Site::new();
    let world = World::start(&site).await;
    world
        .run(tolerant(&world.vaults, "b"))
        .await
        .expect("it commits");
    world.settle().await;
    assert_eq!(world.vaults[0].history("b").await, [1, 1, 0]);
    assert_eq!(world.vaults[1].history("b").await, [1, 0, 1]);
    assert_eq!(world.vaults[2].history("b").await, [0, 0, 0]);
    world.end().await;
}

/// Matrix 5 within a call: the registration's answer is lost, twice; the third attempt joins the
/// same branch.
#[tokio::test]
async fn a_call_repeated_over_lost_answers_takes_effect_once() {
    let site = Site::new();
    let wire = Wire::to(coordinator(&site.embedded()).await);
    let world = World::on(&site, std::sync::Arc::new(wire.clone())).await;
    let lost = AtomicUsize::new(0);
    wire.plan(move |message| {
        let loses = message == Message::Register && lost.fetch_add(1, Ordering::SeqCst) < 2;
        if loses { Fate::LoseAnswer } else { Fate::Pass }
    });
    let nth = world
        .run(take_again(&world.vaults[0], "b", 3))
        .await
        .expect("the third answers");
    assert_eq!(nth, 1);
    world.settle().await;
    assert_eq!(world.vaults[0].history("b").await, [1, 1, 0]);
    assert_eq!(world.vaults[0].rows().await, 1);
    world.end().await;
}

/// RM3: the answer of the first attempt was lost after its local commit, so the second is answered
/// from the row, and no user code runs again.
#[tokio::test]
async fn rm3_a_repeat_after_the_local_commit_is_answered_from_the_row() {
    let site = Site::new();
    let world = World::start(&site).await;
    let stock = &world.vaults[0];
    let attempts = AtomicUsize::new(0);
    let receipts = world
        .run(take_and_lose(|| async {
            let receipt = stock.take("b", 5).await?;
            match attempts.fetch_add(1, Ordering::SeqCst) {
                0 => Err(Failure::Scripted("the answer was lost on its way")),
                _ => Ok(receipt),
            }
        }))
        .await
        .expect("the second attempt answers");
    assert_eq!((receipts.nth, stock.script.tries.runs()), (1, 1));
    world.settle().await;
    assert_eq!(stock.history("b").await, [1, 1, 0]);
    world.end().await;
}

#[global_transactional]
async fn take_and_lose<F>(attempt: impl FnMut() -> F) -> Result<crate::vault::Receipt, Failure>
where
    F: Future<Output = Result<crate::vault::Receipt, Failure>>,
{
    let policy = RetryPolicy::attempts(2).when(|error| matches!(error, Failure::Scripted(_)));
    retry_call(policy, attempt).await
}

/// A repeat written by hand is another call, with an effect of its own.
#[tokio::test]
async fn n3_a_repeat_by_hand_is_a_second_branch() {
    let site = Site::new();
    let world = World::start(&site).await;
    let twice = [world.vaults[0].clone(), world.vaults[0].clone()];
    world
        .run(crate::world::buy(&twice, "b", 5))
        .await
        .expect("it commits");
    world.settle().await;
    assert_eq!(world.vaults[0].history("b").await, [2, 2, 0]);
    world.end().await;
}

/// TM1: a try whose row cannot be closed has failed, whatever its body said.
#[tokio::test]
async fn tm1_a_try_that_fails_after_its_statements_leaves_nothing() {
    let site = Site::new();
    let world = World::start(&site).await;
    world.vaults[1].script.tries.then(Fault::Fail);
    let error = world.buy("b", 1).await.expect_err("the second try fails");
    assert!(matches!(error, Failure::Scripted("a try")), "{error:?}");
    world.settle().await;
    assert_eq!(world.vaults[0].history("b").await, [1, 0, 1]);
    assert_eq!(world.vaults[1].history("b").await, [0, 0, 0]);
    assert_eq!(world.vaults[2].rows().await, 0);
    world.end().await;
}

/// What was refused for good is not asked for again, whatever the policy accepts.
#[tokio::test]
async fn t1_a_refused_try_is_never_repeated() {
    let site = Site::new();
    let world = World::start(&site).await;
    let attempts = AtomicUsize::new(0);
    let call = take_and_roll_back(&world, &attempts);
    let error = world
        .run(call)
        .await
        .expect_err("it was decided")
        .transaction();
    assert!(matches!(error, Error::AlreadyDecided { .. }), "{error}");
    assert_eq!(attempts.load(Ordering::SeqCst), 1);
    world.end().await;
}

#[global_transactional]
async fn take_and_roll_back(world: &World, attempts: &AtomicUsize) -> Result<(), Failure> {
    world
        .runtime
        .admin()
        .roll_back(&xid())
        .await
        .expect("it is open");
    let policy = RetryPolicy::attempts(3).when(|_| true);
    let attempt = || {
        attempts.fetch_add(1, Ordering::SeqCst);
        world.vaults[0].take("b", 1)
    };
    retry_call(policy, attempt).await.map(drop)
}

/// Matrix 1: the begin arrives and its answer does not. The body is not run; the empty transaction
/// rolls back by itself.
#[tokio::test]
async fn matrix_1_a_transaction_whose_begin_was_not_answered_is_gone() {
    let site = Site::new();
    let wire = Wire::to(coordinator(&site.embedded()).await);
    let builder = crate::world::builder().timeout(unanimous::protocol::limits::TIMEOUT);
    let builder = builder.coordinator_value(std::sync::Arc::new(wire.clone()));
    let world = World::with(&site, builder).await;
    wire.next(Message::Begin, Fate::LoseAnswer);
    let error = world
        .buy("b", 1)
        .await
        .expect_err("nobody answers")
        .transaction();
    assert!(matches!(error, Error::Coordinator(_)), "{error}");
    assert_eq!(world.vaults[0].script.tries.runs(), 0);
    world.settle().await;
    let all = world
        .runtime
        .admin()
        .list(true, 10)
        .await
        .expect("it answers");
    assert_eq!((all.len(), all[0].branches), (1, 0), "{all:#?}");
    world.end().await;
}

/// The coordinator without a log keeps the same promises while it lives.
#[tokio::test]
async fn a_coordinator_in_memory_commits_and_rolls_back() {
    let site = Site::new();
    let world = World::with(&site, crate::world::builder().coordinator("memory:")).await;
    world.buy("b", 2).await.expect("it commits");
    world
        .run(take_and_fail(&world.vaults, "c"))
        .await
        .expect_err("it fails");
    world.settle().await;
    assert_eq!(world.sums().await, sold(2));
    world.end().await;
}

/// An error that says nothing: its type has no text.
#[derive(Debug)]
enum Mute {
    Busy,
    Transaction(Error),
}

impl From<Error> for Mute {
    fn from(error: Error) -> Self {
        Self::Transaction(error)
    }
}

#[global_transactional(commit_on(Failure::Scripted(_)))]
async fn swallow_and_fail(vaults: &[Vault], label: &str) -> Result<(), Failure> {
    let _ = vaults[1].take(label, FULL + 1).await;
    Err(Failure::Scripted("the queue is long"))
}

#[global_transactional(commit_on(Mute::Busy))]
async fn swallow_and_be_busy(vaults: &[Vault], label: &str) -> Result<(), Mute> {
    let _ = vaults[1].take(label, FULL + 1).await;
    Err(Mute::Busy)
}

/// Calls-and-wire 2.
#[tokio::test]
async fn an_error_that_commit_on_matches_and_that_is_not_returned_goes_to_the_log() {
    let site = Site::new();
    let world = World::start(&site).await;
    let watch = logs::Watch::start();
    let told = world.run(swallow_and_fail(&world.vaults, "b")).await;
    let told = told.expect_err("a call failed").transaction();
    assert!(matches!(told, Error::RollbackOnly { .. }), "{told:?}");
    let mute = world.run(swallow_and_be_busy(&world.vaults, "c")).await;
    let Err(Mute::Transaction(Error::RollbackOnly { .. })) = mute else {
        panic!("{mute:?}")
    };
    let text = watch.text();
    for lost in [
        "the scenario wanted it: the queue is long",
        "its type does not implement",
    ] {
        let line = text.lines().find(|line| line.contains(lost));
        let line = line.unwrap_or_else(|| panic!("{lost} is not in the log:\n{text}"));
        assert!(line.contains("WARN") && line.contains("instead="), "{line}");
    }
    world.settle().await;
    world.end().await;
}
