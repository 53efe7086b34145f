//! How a transaction ends, and what its caller hears.

use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt as _;
use unanimous_protocol::message::{BeginRefused, DecisionAnswer};
use unanimous_protocol::{Outcome, RollbackReason, UnknownWhy};

use super::script::Says;
use super::*;

fn begun(name: &str) -> Asked {
    Asked::Begin(name.to_owned())
}

fn commit(xid: &str, names: &[u32], abandoned: &[&str]) -> Asked {
    let abandoned = abandoned.iter().map(|call| (*call).to_owned()).collect();
    Asked::Commit(xid.to_owned(), names.to_vec(), abandoned)
}

fn rollback(xid: &str) -> Asked {
    Asked::Rollback(xid.to_owned())
}

#[tokio::test]
async fn ok_commits_the_branches_of_all_succeeded_calls() {
    let world = World::new().await;
    let body = async {
        act("stock.hold", 1)?;
        act("money.hold", 2)?;
        Ok::<_, Error>("bought")
    };
    let completed = world.transaction().run(body).await.unwrap();
    assert_eq!(completed.outcome, Some(Outcome::Committed));
    assert_eq!(completed.into_result().unwrap(), "bought");
    assert_eq!(
        world.asked(),
        [begun("tests::purchase"), commit("1", &[1, 2], &[])]
    );
}

#[tokio::test]
async fn the_error_of_a_body_is_returned_unchanged_though_the_rollback_fails() {
    let world = World::new().await;
    world.script.then(Says::Unavailable);
    let completed = world
        .transaction()
        .run(async { Err::<(), _>(Error::NoRuntime) })
        .await
        .unwrap();
    assert_eq!(
        completed.outcome,
        Some(Outcome::RolledBack {
            reason: RollbackReason::Requested
        })
    );
    assert!(matches!(completed.into_result(), Err(Error::NoRuntime)));
    // The runtime's task asks again.
    let asked = world.until_asked(3).await;
    assert_eq!(asked[1..], [rollback("1"), rollback("1")]);
}

#[tokio::test]
async fn tm2_a_swallowed_failure_cannot_commit() {
    let world = World::new().await;
    let body = async {
        act("stock.hold", 1)?;
        let _ = fail("money.hold", CallFailure::Failed);
        // Nothing more is called either.
        assert!(matches!(
            act("stock.hold", 2),
            Err(Error::RollbackOnly { .. })
        ));
        Ok::<_, Error>(())
    };
    let failure = world
        .transaction()
        .run(body)
        .await
        .unwrap()
        .into_result()
        .unwrap_err();
    let Error::RollbackOnly {
        call, cause, error, ..
    } = &failure
    else {
        panic!("{failure}")
    };
    assert_eq!(
        (call.as_str(), *cause),
        ("money.hold:1", CallFailure::Failed)
    );
    assert_eq!(error.as_deref(), Some("out of stock"));
    assert!(failure.to_string().contains("tolerate"), "{failure}");
    assert_eq!(world.asked()[1..], [rollback("1")]);
}

#[tokio::test]
async fn tm2_a_dropped_phase_one_cannot_commit() {
    let world = World::new().await;
    let body = async {
        let scope = Scope::current().unwrap();
        drop(scope.open_call(&Target::new("stock.hold"), CallKind::Call));
        Ok::<_, Error>(())
    };
    let failure = world
        .transaction()
        .run(body)
        .await
        .unwrap()
        .into_result()
        .unwrap_err();
    assert!(
        matches!(
            failure,
            Error::RollbackOnly {
                cause: CallFailure::Dropped,
                ..
            }
        ),
        "{failure}"
    );
    assert_eq!(world.asked()[1..], [rollback("1")]);
}

#[tokio::test]
async fn tm4_silence_is_unknown_and_the_runtime_repeats_the_same_commit() {
    let world = World::new().await;
    world.script.then(Says::Nothing);
    world.script.then(Says::Unavailable);
    let transaction = world.transaction().timeout(Duration::from_secs(30));
    let run = async { act("stock.hold", 7).map(|()| "body") };
    let run = tokio::spawn(transaction.run(run));
    world.until_asked(2).await;
    pass(&world, Duration::from_secs(30)).await;
    let completed = run.await.unwrap().unwrap();
    let Some(Outcome::Unknown {
        xid,
        why: UnknownWhy::NoAnswer,
    }) = &completed.outcome
    else {
        panic!("{:?}", completed.outcome)
    };
    assert_eq!(xid.own().unwrap().counter, 1);
    assert_eq!(completed.body.as_ref().unwrap(), &"body");
    assert!(matches!(completed.failure(), Some(Error::Unknown { .. })));
    // One attempt fails, the next is answered; none of them is a rollback (TM3).
    world.until_asked(3).await;
    pass(&world, Duration::from_secs(1)).await;
    let asked = world.until_asked(4).await;
    let same = commit("1", &[7], &[]);
    assert_eq!(asked[1..], [same.clone(), same.clone(), same]);
}

#[tokio::test]
async fn tm4_an_answer_is_told_as_it_came() {
    let reason = RollbackReason::BranchesDiffer;
    let table = [
        (
            DecisionAnswer::RolledBack(reason),
            Outcome::RolledBack { reason },
            "RolledBack",
        ),
        (
            DecisionAnswer::Forgotten,
            unknown(UnknownWhy::Forgotten),
            "Unknown",
        ),
        (
            DecisionAnswer::Foreign,
            unknown(UnknownWhy::Foreign),
            "Unknown",
        ),
        (DecisionAnswer::Open, unknown(UnknownWhy::Open), "Unknown"),
    ];
    for (answer, outcome, error) in table {
        let world = World::new().await;
        world.script.then(Says::This(answer));
        let completed = world
            .transaction()
            .run(async { Ok::<_, Error>(()) })
            .await
            .unwrap();
        assert_eq!(completed.outcome, Some(outcome));
        let failure = completed.into_result().unwrap_err();
        assert!(format!("{failure:?}").starts_with(error), "{failure:?}");
    }
}

fn unknown(why: UnknownWhy) -> Outcome {
    Outcome::Unknown {
        xid: "u1.1.00000000000000aa.1".parse().unwrap(),
        why,
    }
}

#[tokio::test]
async fn tm3_a_caller_dropped_while_it_commits_never_turns_it_into_a_rollback() {
    let world = World::new().await;
    world.script.then(Says::Nothing);
    let run = tokio::spawn(world.transaction().run(async { act("stock.hold", 3) }));
    world.until_asked(2).await;
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());
    let asked = world.until_asked(3).await;
    assert_eq!(asked[1..], [commit("1", &[3], &[]), commit("1", &[3], &[])]);
}

/// Notes what it saw when it was dropped.
struct Witness<'a>(&'a Mutex<Vec<String>>, &'a Script);

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        let inside = Scope::current().is_some();
        let asked = self.1.asked().len();
        self.0
            .lock()
            .unwrap()
            .push(format!("inside: {inside}, asked: {asked}"));
    }
}

#[tokio::test]
async fn a_body_is_dropped_inside_its_transaction_before_the_rollback_is_asked() {
    let world = World::new().await;
    let seen = Mutex::new(Vec::new());
    {
        let body = async {
            let _witness = Witness(&seen, &world.script);
            std::future::pending::<Result<(), Error>>().await
        };
        let mut run = pin!(world.transaction().run(body));
        assert!(run.as_mut().now_or_never().is_none());
    }
    assert_eq!(*seen.lock().unwrap(), ["inside: true, asked: 1"]);
    assert!(Scope::current().is_none());
    assert_eq!(world.until_asked(2).await[1..], [rollback("1")]);
}

#[tokio::test]
async fn at_the_deadline_the_body_is_dropped_and_the_caller_told() {
    let world = World::new().await;
    let seen = Mutex::new(Vec::new());
    let transaction = world.transaction().timeout(Duration::from_secs(3));
    let body = async {
        let _witness = Witness(&seen, &world.script);
        std::future::pending::<Result<(), Error>>().await
    };
    let (ended, ()) = tokio::join!(transaction.run(body), pass(&world, Duration::from_secs(3)));
    assert!(matches!(ended, Err(Error::TimedOut { .. })), "{ended:?}");
    assert_eq!(*seen.lock().unwrap(), ["inside: true, asked: 1"]);
    assert_eq!(world.asked()[1..], [rollback("1")]);
}

/// Only whoever began has a deadline: a joined function is bound by that one, not by its own.
#[tokio::test]
async fn a_joined_scope_ignores_its_own_timeout() {
    let world = World::new().await;
    let late = tokio::sync::Notify::new();
    let body = async {
        let inner = world.transaction().timeout(Duration::from_secs(1));
        let inner = inner.run(async {
            late.notified().await;
            act("stock.hold", 1)
        });
        inner.await?.into_result()
    };
    let outer = world.transaction().timeout(Duration::from_secs(3));
    let two_seconds = async {
        pass(&world, Duration::from_secs(2)).await;
        assert_eq!(
            world.clock.sleepers(),
            1,
            "the joined one waits for no deadline"
        );
        late.notify_one();
    };
    let (ended, ()) = tokio::join!(outer.run(body), two_seconds);
    ended.unwrap().into_result().unwrap();
    assert_eq!(world.asked()[1..], [commit("1", &[1], &[])]);
}

#[tokio::test]
async fn a_panic_rolls_back_and_goes_on() {
    let world = World::new().await;
    let transaction = world.transaction();
    let run = tokio::spawn(transaction.run(async {
        act("stock.hold", 1)?;
        if Scope::current().is_some() {
            panic!("told to");
        }
        Ok::<_, Error>(())
    }));
    assert!(run.await.unwrap_err().is_panic());
    assert_eq!(world.until_asked(2).await[1..], [rollback("1")]);
}

#[tokio::test]
async fn a_run_that_is_never_polled_begins_nothing() {
    let world = World::new().await;
    let polled = AtomicBool::new(false);
    drop(world.transaction().run(async {
        polled.store(true, Ordering::Relaxed);
        Ok::<_, Error>(())
    }));
    tokio::task::yield_now().await;
    assert!(!polled.load(Ordering::Relaxed));
    assert!(world.asked().is_empty());
}

#[tokio::test]
async fn tm5_a_joined_scope_returns_its_names_and_asks_for_nothing() {
    let world = World::new().await;
    let body = async {
        act("stock.hold", 1)?;
        let inner = world
            .transaction()
            .run(async { act("money.hold", 2) })
            .await?;
        assert!(matches!(
            inner.outcome,
            Some(Outcome::Unknown {
                why: UnknownWhy::Open,
                ..
            })
        ));
        inner.into_result()
    };
    world
        .transaction()
        .run(body)
        .await
        .unwrap()
        .into_result()
        .unwrap();
    assert_eq!(world.asked()[1..], [commit("1", &[1, 2], &[])]);
}

#[tokio::test]
async fn tm1_a_joined_scope_that_fails_after_it_joined_marks_its_parent() {
    let world = World::new().await;
    let body = async {
        let inner = async {
            act("money.hold", 2)?;
            Err::<(), _>(Error::NoRuntime)
        };
        // Swallowed.
        let _ = world.transaction().run(inner).await?.into_result();
        Ok::<_, Error>(())
    };
    let failure = world
        .transaction()
        .run(body)
        .await
        .unwrap()
        .into_result()
        .unwrap_err();
    let Error::RollbackOnly { call, cause, .. } = &failure else {
        panic!("{failure}")
    };
    assert_eq!((call.as_str(), *cause), ("purchase:1", CallFailure::Marked));
}

#[tokio::test]
async fn requires_new_suspends_the_surrounding_transaction() {
    let world = World::new().await;
    let body = async {
        act("stock.hold", 1)?;
        let outer = xid();
        let inner = world.transaction().propagation(Propagation::RequiresNew);
        let failed = inner
            .run(async {
                assert_ne!(xid(), outer);
                fail("log.write", CallFailure::Failed)
            })
            .await?;
        assert!(failed.into_result().is_err());
        assert_eq!(xid(), outer);
        Ok::<_, Error>(())
    };
    world
        .transaction()
        .run(body)
        .await
        .unwrap()
        .into_result()
        .unwrap();
    let name = begun("tests::purchase");
    let expected = [name.clone(), name, rollback("2"), commit("1", &[1], &[])];
    assert_eq!(world.asked(), expected);
}

#[tokio::test]
async fn what_cannot_begin_says_why_and_runs_nothing() {
    let world = World::new().await;
    let never = || async { Err::<(), _>(Error::NoRuntime) };
    let mandatory = world.transaction().propagation(Propagation::Mandatory);
    let refused = mandatory.run(never()).await.unwrap_err();
    assert!(
        matches!(refused, Error::NotInTransaction { .. }),
        "{refused}"
    );
    assert!(
        refused.to_string().contains("#[global_transactional]"),
        "{refused}"
    );
    let homeless = GlobalTransaction::named("homeless")
        .run(never())
        .await
        .unwrap_err();
    assert!(
        homeless.to_string().contains("runtime.install()"),
        "{homeless}"
    );
    world.script.refuse_begin(BeginRefused::StoreFull);
    let refused = world.transaction().run(never()).await.unwrap_err();
    assert!(
        matches!(refused, Error::BeginRefused(BeginRefused::StoreFull)),
        "{refused}"
    );
    world.runtime.shutdown().await;
    let refused = world.transaction().run(never()).await.unwrap_err();
    assert!(matches!(refused, Error::ShuttingDown), "{refused}");
    assert!(world.asked().is_empty());
}

#[tokio::test]
async fn two_transactions_in_one_task_do_not_mix() {
    let world = World::new().await;
    let body = |target: &'static str, alias| async move {
        for _ in 0..3 {
            tokio::task::yield_now().await;
            act(target, alias)?;
        }
        Ok::<_, Error>(xid())
    };
    let (one, two) = tokio::join!(
        world.transaction().run(body("stock.hold", 1)),
        world.transaction().run(body("money.hold", 2)),
    );
    let (one, two) = (one.unwrap().body.unwrap(), two.unwrap().body.unwrap());
    assert_ne!(one, two);
    let asked = world.asked();
    assert!(asked.contains(&commit("1", &[1], &[])) && asked.contains(&commit("2", &[2], &[])));
}
