//! Transactions beside and inside one another, tasks, panics and deadlines.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{join, join3, pending};
use unanimous::sqlx::Sqlite;
use unanimous::{
    CallFailure, Error, FenceTx, GlobalTransaction, Outcome, PhaseTwoError, global_transactional,
    outside, participant,
};

use crate::vault::{Failure, Fault, Gate, Vault};
use crate::world::{FULL, Site, World, buy, sold, take_all, xid};

/// Takes from every vault in an order of its own, and says which transaction it saw at each step.
#[global_transactional]
async fn take_in_turn(vaults: &[Vault], label: &str, fails: bool) -> Result<(), Failure> {
    let mine = xid();
    for vault in vaults {
        vault.take(label, 1).await?;
        tokio::task::yield_now().await;
        assert_eq!(xid(), mine, "another transaction's context");
    }
    if fails {
        Err(Failure::Scripted("at the end"))
    } else {
        Ok(())
    }
}

#[global_transactional(propagation = requires_new)]
async fn audit(vault: &Vault, label: &str) -> Result<(), Failure> {
    vault.take(label, 1).await.map(drop)
}

#[global_transactional]
async fn audit_inside(vaults: &[Vault], outer_fails: bool, inner: &str) -> Result<(), Failure> {
    let outer = xid();
    vaults[0].take("outer", 1).await?;
    let audited = audit(&vaults[1], inner).await;
    assert_eq!(xid(), outer, "the outer transaction surrounds it again");
    vaults[2].take("outer", 1).await?;
    match audited {
        Err(_) | Ok(()) if outer_fails => Err(Failure::Scripted("the outer one")),
        _ => Ok(()),
    }
}

#[global_transactional]
async fn fan_out(vaults: &[Vault], panics: bool) -> Result<(), Failure> {
    for vault in vaults {
        let vault = vault.clone();
        unanimous::spawn(async move {
            vault.take("task", 2).await?;
            assert!(!panics || vault.name != "money", "the scenario wanted it");
            Ok::<_, Failure>(())
        });
    }
    Ok(())
}

#[global_transactional]
async fn take_and_panic(vaults: &[Vault]) -> Result<(), Failure> {
    take_all(vaults, "b", 1).await?;
    panic!("the scenario wanted it");
}

#[global_transactional(timeout = "2s")]
async fn take_and_hang(vaults: &[Vault]) -> Result<(), Failure> {
    take_all(vaults, "b", 1).await?;
    pending().await
}

/// A function that joins, and whose error its caller swallows.
#[global_transactional]
async fn join_and_swallow(vaults: &[Vault]) -> Result<(), Failure> {
    vaults[0].take("outer", 1).await?;
    let _ = take_in_turn(&vaults[1..], "inner", true).await;
    Ok(())
}

#[global_transactional]
async fn ask_outside(vaults: &[Vault]) -> Result<(), Failure> {
    vaults[0].take("b", 1).await?;
    let refused = outside(vaults[1].take("b", 1))
        .await
        .expect_err("no transaction is there");
    assert!(matches!(
        refused.transaction(),
        Error::NotInTransaction { .. }
    ));
    Ok(())
}

#[tokio::test]
async fn c3_transactions_in_one_task_do_not_mix() {
    let site = Site::new();
    let world = World::start(&site).await;
    let mut reversed = world.vaults.clone();
    reversed.reverse();
    let calls = join3(
        take_in_turn(&world.vaults, "a", false),
        take_in_turn(&reversed, "b", true),
        take_in_turn(&world.vaults, "c", false),
    );
    let (a, b, c) = world.run(calls).await;
    assert!(a.is_ok() && c.is_ok(), "{a:?} {c:?}");
    assert!(matches!(b, Err(Failure::Scripted("at the end"))), "{b:?}");
    world.settle().await;
    assert_eq!(world.sums().await, sold(2));
    for vault in &world.vaults {
        let histories = [
            vault.history("a").await,
            vault.history("b").await,
            vault.history("c").await,
        ];
        assert_eq!(histories, [[1, 1, 0], [1, 0, 1], [1, 1, 0]]);
    }
    world.end().await;
}

/// Matrix 36: the inner transaction has an outcome of its own, whichever it is.
#[tokio::test]
async fn matrix_36_an_inner_transaction_of_its_own_stands_whatever_becomes_of_the_outer() {
    let site = Site::new();
    let world = World::start(&site).await;
    world
        .run(audit_inside(&world.vaults, true, "inner"))
        .await
        .expect_err("the outer fails");
    world.settle().await;
    assert_eq!(world.vaults[0].history("outer").await, [1, 0, 1]);
    assert_eq!(world.vaults[1].history("inner").await, [1, 1, 0]);
    // The other way round: the inner fails, and the outer may commit.
    world.vaults[1].script.tries.then(Fault::Fail);
    world
        .run(audit_inside(&world.vaults, false, "failed"))
        .await
        .expect("the outer commits");
    world.settle().await;
    assert_eq!(world.vaults[0].history("outer").await, [2, 1, 1]);
    assert_eq!(world.vaults[1].history("failed").await, [0, 0, 0]);
    world.end().await;
}

/// Matrix 35.
#[tokio::test]
async fn matrix_35_an_inner_function_that_joined_and_failed_cannot_be_swallowed() {
    let site = Site::new();
    let world = World::start(&site).await;
    let error = world
        .run(join_and_swallow(&world.vaults))
        .await
        .expect_err("it is rollback-only");
    match error.transaction() {
        Error::RollbackOnly {
            call,
            cause: CallFailure::Marked,
            ..
        } => {
            assert_eq!(call.to_string(), "take_in_turn:1");
        }
        other => panic!("{other:?}"),
    }
    world.settle().await;
    assert_eq!(world.sums().await, sold(0));
    assert_eq!(world.vaults[1].history("inner").await, [1, 0, 1]);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spawned_tasks_are_part_of_the_decision() {
    let site = Site::new();
    let world = World::start(&site).await;
    world
        .run(fan_out(&world.vaults, false))
        .await
        .expect("all tasks succeed");
    world.settle().await;
    assert_eq!(world.sums().await, sold(2));
    let error = world
        .run(fan_out(&world.vaults, true))
        .await
        .expect_err("a task panics");
    assert!(
        matches!(error, Failure::Transaction(Error::RollbackOnly { .. })),
        "{error:?}"
    );
    world.settle().await;
    assert_eq!(world.sums().await, sold(2));
    world.end().await;
}

/// Matrix 37: a task that the scope does not know has no transaction.
#[tokio::test]
async fn matrix_37_a_plain_task_has_no_transaction() {
    let site = Site::new();
    let world = World::start(&site).await;
    let vault = world.vaults[0].clone();
    let body = async {
        let task = tokio::spawn(async move { vault.take("b", 1).await });
        task.await.expect("it ends").map(drop)
    };
    let completed = world
        .run(GlobalTransaction::named("plain").run(body))
        .await
        .expect("it began");
    let refused = completed
        .body
        .expect_err("no transaction is there")
        .transaction();
    assert!(
        matches!(refused, Error::NotInTransaction { .. }),
        "{refused}"
    );
    world.end().await;
}

#[tokio::test]
async fn outside_a_block_there_is_no_transaction() {
    let site = Site::new();
    let world = World::start(&site).await;
    world
        .run(ask_outside(&world.vaults))
        .await
        .expect("it commits");
    world.settle().await;
    assert_eq!(world.vaults[0].history("b").await, [1, 1, 0]);
    world.end().await;
}

/// Matrix 29.
#[tokio::test]
async fn matrix_29_a_panic_in_the_body_rolls_back_and_goes_on() {
    let site = Site::new();
    let world = World::start(&site).await;
    let call = world.run(take_and_panic(&world.vaults));
    AssertUnwindSafe(call)
        .catch_unwind()
        .await
        .expect_err("it panics");
    world.settle().await;
    assert_eq!(world.sums().await, sold(0));
    assert_eq!(world.vaults[2].history("b").await, [1, 0, 1]);
    world.end().await;
}

#[tokio::test]
async fn matrix_29_a_panic_in_phase_one_rolls_back_and_goes_on() {
    let site = Site::new();
    let world = World::start(&site).await;
    world.vaults[1].script.tries.then(Fault::Panic);
    let call = world.buy("b", 1);
    AssertUnwindSafe(call)
        .catch_unwind()
        .await
        .expect_err("it panics");
    world.settle().await;
    assert_eq!(world.sums().await, sold(0));
    assert_eq!(world.vaults[0].history("b").await, [1, 0, 1]);
    assert_eq!(world.vaults[1].history("b").await, [0, 0, 0]);
    world.end().await;
}

/// Matrix 32 and G4: whatever a phase two does but succeed, it is repeated, and takes effect once.
#[tokio::test]
async fn g4_a_phase_two_that_panics_or_fails_is_repeated_and_takes_effect_once() {
    let site = Site::new();
    let world = World::start(&site).await;
    let [stock, money, vouchers] = &world.vaults;
    stock.script.confirms.then(Fault::Panic).then(Fault::Panic);
    money.script.confirms.then(Fault::Fail);
    vouchers
        .script
        .confirms
        .then(Fault::RetryAfter(Duration::from_secs(1)));
    world.buy("b", 1).await.expect("it commits");
    stock.script.cancels.then(Fault::Panic);
    money.script.cancels.then(Fault::Fail).then(Fault::Panic);
    world
        .run(take_in_turn(&world.vaults, "c", true))
        .await
        .expect_err("it rolls back");
    world.settle().await;
    assert_eq!(world.sums().await, sold(1));
    for vault in &world.vaults {
        assert_eq!(
            (vault.history("b").await, vault.history("c").await),
            ([1, 1, 0], [1, 0, 1])
        );
    }
    let confirms = world
        .vaults
        .each_ref()
        .map(|vault| vault.script.confirms.runs());
    let cancels = world
        .vaults
        .each_ref()
        .map(|vault| vault.script.cancels.runs());
    assert_eq!((confirms, cancels), ([3, 2, 2], [2, 3, 1]));
    world.end().await;
}

#[tokio::test]
async fn at_the_deadline_the_body_is_dropped_and_everything_rolls_back() {
    let site = Site::new();
    let world = World::start(&site).await;
    let error = world
        .run(take_and_hang(&world.vaults))
        .await
        .expect_err("it hangs")
        .transaction();
    let Error::TimedOut { xid } = &error else {
        panic!("{error}")
    };
    world.settle().await;
    let outcome = world.runtime.outcome(xid).await;
    assert!(matches!(outcome, Outcome::RolledBack { .. }), "{outcome:?}");
    assert_eq!(world.sums().await, sold(0));
    world.end().await;
}

/// The deadline comes while a try holds its local transaction.
#[tokio::test]
async fn c4_a_try_that_is_dropped_at_the_deadline_frees_its_connection() {
    let site = Site::new();
    let world = World::start(&site).await;
    world.vaults[1].script.tries.then(Fault::Stop(Gate::new()));
    let timeout = Duration::from_secs(2);
    let body = take_all(&world.vaults, "b", 1);
    let ended = world
        .run(GlobalTransaction::named("slow").timeout(timeout).run(body))
        .await;
    assert!(matches!(ended, Err(Error::TimedOut { .. })), "{ended:?}");
    world.settle().await;
    assert_eq!(world.sums().await, sold(0));
    assert_eq!(world.vaults[1].history("b").await, [0, 0, 0]);
    world.end().await;
}

/// Fenced transactions of one pool take turns: none waits for ever for another.
#[tokio::test]
async fn many_transactions_on_one_vault_all_end() {
    let site = Site::new();
    let world = World::start(&site).await;
    let twice = [world.vaults[0].clone(), world.vaults[0].clone()];
    let calls = (0..40).map(|_| async { buy(&twice, "b", 1).await });
    let told = world.run(futures_util::future::join_all(calls)).await;
    assert!(told.iter().all(Result::is_ok), "{told:?}");
    world.settle().await;
    assert_eq!(world.vaults[0].sums().await, (FULL - 80, 0, 80));
    world.end().await;
}

/// Both runtimes of one process share a coordinator, and each performs the phase two of its own
/// participants.
#[tokio::test]
async fn two_runtimes_share_a_coordinator() {
    let (here, there) = (Site::new(), Site::new());
    let one = World::start(&here).await;
    let shared = one.runtime.coordinator_value();
    let vault = there.vault("elsewhere").await;
    let builder = crate::world::builder().coordinator_value(shared);
    let other = builder
        .participant(std::sync::Arc::new(vault.clone()))
        .build()
        .await
        .expect("both");
    let calls = join(
        one.buy("b", 1),
        other.scope(buy(std::slice::from_ref(&vault), "b", 1)),
    );
    let (first, second) = calls.await;
    first.and(second).expect("both commit");
    one.settle().await;
    assert_eq!(vault.sums().await, (FULL - 1, 0, 1));
    // An action runs on the runtime that provides its participant, and on no other.
    let refused = one
        .run(buy(std::slice::from_ref(&vault), "c", 1))
        .await
        .expect_err("not here");
    assert!(matches!(refused.transaction(), Error::NotProvided { .. }));
    drop(other);
    one.end().await;
}

/// A participant in the database of a vault that calls that vault from inside its own phases.
#[derive(Clone)]
struct Nesting {
    vault: Vault,
}

#[participant(name = "nesting", fence = self.vault.db)]
impl Nesting {
    #[two_phase_action(commit = end, rollback = end)]
    async fn begin(&self, _tx: &mut FenceTx<Sqlite>, outside_too: bool) -> Result<(), Failure> {
        let inner = audit(&self.vault, "inner");
        let inner = if outside_too {
            outside(inner).await
        } else {
            inner.await
        };
        let error = inner.expect_err("it would wait for itself").transaction();
        assert!(matches!(error, Error::NestedFence { .. }), "{error}");
        Ok(())
    }

    async fn end(&self, _tx: &mut FenceTx<Sqlite>) -> Result<(), PhaseTwoError> {
        // No runtime is installed: it is the one that was delivered to.
        match audit(&self.vault, "phase two").await {
            Err(Failure::Transaction(error @ Error::NestedFence { .. })) => {
                Err(PhaseTwoError::give_up(error.to_string()))
            }
            other => panic!("it would wait for itself: {other:?}"),
        }
    }
}

#[global_transactional]
async fn nest(nesting: &Nesting, outside_too: bool) -> Result<(), Failure> {
    nesting.begin(outside_too).await
}

/// Where an action would wait for the phase that called it, it is refused, whatever lies between.
#[tokio::test]
async fn an_action_inside_a_phase_of_its_own_pool_is_refused_in_a_transaction_of_its_own_too() {
    let site = Site::new();
    let vault = site.vault("stock").await;
    let nesting = Nesting {
        vault: vault.clone(),
    };
    let builder = crate::world::builder().coordinator(site.embedded());
    let builder = builder.participant(std::sync::Arc::new(vault.clone()));
    let runtime = builder
        .participant(std::sync::Arc::new(nesting.clone()))
        .build()
        .await;
    let runtime = runtime.expect("a runtime");
    for outside_too in [false, true] {
        let call = runtime.scope(nest(&nesting, outside_too));
        call.await
            .expect("the inner refusal is the inner transaction's");
    }
    assert!(runtime.quiet(crate::world::LONG).await);
    let list = runtime.admin().list(false, 10).await.expect("it answers");
    assert_eq!(
        (list.len(), list[0].parked, list[1].parked),
        (2, 1, 1),
        "{list:#?}"
    );
    assert_eq!(vault.history("inner").await, [0, 0, 0]);
    runtime.shutdown().await;
}

/// Matrix 37: a spawned task that goes on after its transaction has rolled back joins nothing.
#[tokio::test]
async fn matrix_37_a_task_that_outlives_its_transaction_joins_nothing() {
    let site = Site::new();
    let world = World::start(&site).await;
    let gate = Gate::new();
    let mut late = None;
    let body = async {
        world.vaults[0].take("b", 1).await?;
        let (vault, at) = (world.vaults[1].clone(), gate.clone());
        late = Some(unanimous::spawn(async move {
            at.pass().await;
            vault.take("late", 1).await
        }));
        Err::<(), _>(Failure::Scripted("before the task ends"))
    };
    let ran = world
        .run(GlobalTransaction::named("outlived").run(body))
        .await
        .expect("it begins");
    assert!(
        matches!(ran.outcome, Some(Outcome::RolledBack { .. })),
        "{ran:?}"
    );
    gate.open();
    let refused = late
        .expect("it was spawned")
        .await
        .expect("it ends")
        .expect_err("too late");
    assert!(matches!(
        refused.transaction(),
        Error::AlreadyDecided { .. }
    ));
    world.settle().await;
    assert_eq!(world.vaults[1].history("late").await, [0, 0, 0]);
    world.end().await;
}
