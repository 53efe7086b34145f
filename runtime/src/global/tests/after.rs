//! `after_commit` and `after_end`: once, when the outcome is known, for the scope that began.

use std::pin::pin;
use std::sync::Mutex;

use futures_util::FutureExt as _;
use unanimous_protocol::message::DecisionAnswer;
use unanimous_protocol::{Outcome, RollbackReason, UnknownWhy};

use super::script::Says;
use super::*;
use crate::context::Transaction;

/// What ran, in order.
#[derive(Clone, Debug, Default)]
struct Ran(Arc<Mutex<Vec<String>>>);

impl Ran {
    fn note(&self, what: impl ToString) {
        self.0.lock().unwrap().push(what.to_string());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Registers both kinds under this word.
    fn register(&self, word: &'static str) -> Result<(), Error> {
        let ran = self.clone();
        after_commit(async move { ran.note(format!("{word} commit")) })?;
        let ran = self.clone();
        after_end(move |outcome| async move { ran.note(format!("{word} end {}", told(&outcome))) })
    }
}

fn told(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Committed => "committed",
        Outcome::RolledBack { .. } => "rolled back",
        Outcome::Unknown { .. } => "unknown",
    }
}

/// Lets the runtime's tasks end.
async fn ended(world: &World) {
    world.runtime.shutdown().await;
}

#[tokio::test]
async fn a_commit_runs_both_kinds_once_and_in_order() {
    let (world, ran) = (World::new().await, Ran::default());
    let body = async {
        ran.register("first")?;
        ran.register("second")
    };
    world.transaction().run(body).await.unwrap();
    ended(&world).await;
    let expected = [
        "first commit",
        "first end committed",
        "second commit",
        "second end committed",
    ];
    assert_eq!(ran.all(), expected);
}

#[tokio::test]
async fn a_rollback_drops_what_waits_for_a_commit() {
    for dropped in [false, true] {
        let (world, ran) = (World::new().await, Ran::default());
        let body = async {
            ran.register("it")?;
            if dropped {
                std::future::pending::<()>().await;
            }
            Err::<(), _>(Error::NoRuntime)
        };
        let run = world.transaction().run(body).now_or_never();
        assert_eq!(run.is_none(), dropped);
        ended(&world).await;
        assert_eq!(ran.all(), ["it end rolled back"], "dropped: {dropped}");
    }
}

#[tokio::test]
async fn a_panic_and_the_deadline_are_told_too() {
    let (world, ran) = (World::new().await, Ran::default());
    let panics = world.transaction().run(async {
        ran.register("panic")?;
        panic!("told to panic");
        #[expect(unreachable_code, reason = "it names the type")]
        Ok::<(), Error>(())
    });
    let panics = std::panic::AssertUnwindSafe(panics).catch_unwind().await;
    assert!(panics.is_err());
    let late = world.transaction().timeout(Duration::from_secs(1));
    let late = late.run(async {
        ran.register("late")?;
        std::future::pending::<Result<(), Error>>().await
    });
    let (late, ()) = tokio::join!(late, pass(&world, Duration::from_secs(1)));
    assert!(matches!(late, Ok(_) | Err(Error::TimedOut { .. })));
    ended(&world).await;
    assert_eq!(ran.all(), ["panic end rolled back", "late end rolled back"]);
}

/// The caller goes while its commit is under way; the runtime hears the decision.
#[tokio::test]
async fn a_caller_dropped_while_it_commits_loses_nothing() {
    let (world, ran) = (World::new().await, Ran::default());
    world.script.then(Says::Nothing);
    {
        let mut run = pin!(world.transaction().run(async { ran.register("it") }));
        assert!(run.as_mut().now_or_never().is_none());
        assert!(matches!(world.asked().last(), Some(Asked::Commit(..))));
    }
    assert_eq!(ran.all(), [""; 0]);
    ended(&world).await;
    assert_eq!(ran.all(), ["it commit", "it end committed"]);
}

/// A caller that heard "unknown" hears of the end here, once it is known.
#[tokio::test]
async fn what_was_unknown_is_told_when_the_runtime_hears_it() {
    let (world, ran) = (World::new().await, Ran::default());
    world.script.then(Says::Nothing);
    let transaction = world.transaction().timeout(Duration::from_secs(1));
    let run = transaction.run(async { ran.register("it") });
    let (ran_so_far, ()) = tokio::join!(run, pass(&world, Duration::from_secs(5)));
    let failure = ran_so_far.unwrap().into_result().unwrap_err();
    assert!(failure.is_unknown(), "{failure}");
    ended(&world).await;
    assert_eq!(ran.all(), ["it commit", "it end committed"]);
}

/// The coordinator answers that it will never tell.
#[tokio::test]
async fn what_will_never_be_known_is_told_as_unknown() {
    let (world, ran) = (World::new().await, Ran::default());
    for _ in 0..2 {
        world.script.then(Says::This(DecisionAnswer::Forgotten));
    }
    let run = world.transaction().run(async { ran.register("it") });
    let failure = run.await.unwrap().into_result().unwrap_err();
    let forgotten = UnknownWhy::Forgotten;
    assert!(matches!(failure, Error::Unknown { why, .. } if why == forgotten));
    ended(&world).await;
    assert_eq!(ran.all(), ["it end unknown"]);
}

/// However deep it is called, it belongs to the scope that began, and to no other.
#[tokio::test]
async fn it_binds_to_the_scope_that_began() {
    let (world, ran) = (World::new().await, Ran::default());
    let body = async {
        let inner = world.transaction().propagation(Propagation::RequiresNew);
        let inner = inner.run(async {
            ran.register("own")?;
            Err::<(), _>(Error::NoRuntime)
        });
        assert!(inner.await?.into_result().is_err());
        world
            .transaction()
            .run(async { ran.register("joined") })
            .await?
            .into_result()?;
        let block = tolerate(async {
            ran.register("tolerated")?;
            Err::<(), _>(Error::NoRuntime)
        });
        assert!(block.await.is_err());
        let suspended = world.transaction().propagation(Propagation::NotSupported);
        let suspended = suspended.run(async { ran.register("suspended") }).await?;
        assert!(matches!(
            suspended.into_result(),
            Err(Error::NotInTransaction { .. })
        ));
        Ok::<_, Error>(())
    };
    let run = world.transaction().run(body).await.unwrap();
    run.into_result().unwrap();
    ended(&world).await;
    let expected = [
        "own end rolled back",
        "joined commit",
        "joined end committed",
        "tolerated commit",
        "tolerated end committed",
    ];
    assert_eq!(ran.all(), expected);
}

#[tokio::test]
async fn it_is_refused_where_the_outcome_is_not_heard() {
    let (world, ran) = (World::new().await, Ran::default());
    let outside = ran.register("outside");
    assert!(matches!(outside, Err(Error::NotInTransaction { .. })));

    let arrived = Scope::root(
        Transaction {
            runtime: world.runtime.clone(),
            xid: "u1.1.00000000000000aa.7".parse().unwrap(),
            deadline: Duration::MAX,
            trace: None,
            after: None,
        },
        "POST._orders:1".parse().unwrap(),
    );
    let refused = arrived.enter(async { ran.register("arrived") }).await;
    let refused = refused.unwrap_err();
    assert!(matches!(refused, Error::NotBegunHere { .. }), "{refused}");
    assert!(refused.to_string().contains("partner"), "{refused}");

    let kept = Mutex::new(None);
    let body = async {
        *kept.lock().unwrap() = Scope::current();
        Ok::<_, Error>(())
    };
    world.transaction().run(body).await.unwrap();
    let over = kept.lock().unwrap().take().unwrap();
    let late = over.enter(async { ran.register("late") }).await;
    assert!(
        matches!(late, Err(Error::AlreadyDecided { .. })),
        "{late:?}"
    );
    ended(&world).await;
    assert_eq!(ran.all(), [""; 0]);
}

/// Outside the transaction, on its runtime; a panic ends none but its own.
#[tokio::test]
async fn what_runs_is_outside_and_a_panic_ends_only_its_own() {
    let (world, ran) = (World::new().await, Ran::default());
    let body = async {
        after_end(|_| -> std::future::Ready<()> { panic!("told to panic") })?;
        after_commit(async { panic!("told to panic") })?;
        let ran = ran.clone();
        after_commit(async move {
            ran.note(xid().is_some());
            let begun = GlobalTransaction::named("later").run(async { Ok::<_, Error>(xid()) });
            let begun = begun.await.unwrap();
            ran.note(begun.into_result().unwrap().is_some());
        })
    };
    let run = world.transaction().run(body).await.unwrap();
    assert_eq!(run.outcome, Some(Outcome::Committed));
    until(|| ran.all().len() == 2).await;
    assert_eq!(ran.all(), ["false", "true"]);
    ended(&world).await;
}

/// User code that never ends holds up no decision, and a shutdown only for its drain time.
#[tokio::test]
async fn what_never_ends_delays_nobody() {
    let (world, ran) = (World::new().await, Ran::default());
    let body = async { after_commit(std::future::pending()) };
    world.transaction().run(body).await.unwrap();
    drop(
        world
            .transaction()
            .run(async {
                ran.register("dropped")?;
                std::future::pending::<Result<(), Error>>().await
            })
            .now_or_never(),
    );
    until(|| ran.all() == ["dropped end rolled back"]).await;
    let shutdown = tokio::spawn({
        let runtime = world.runtime.clone();
        async move { runtime.shutdown().await }
    });
    pass(&world, Duration::from_secs(10)).await;
    shutdown.await.unwrap();
}

/// A commit that the coordinator turned down.
#[tokio::test]
async fn a_commit_that_was_answered_with_rolled_back_is_a_rollback() {
    let (world, ran) = (World::new().await, Ran::default());
    let differ = RollbackReason::BranchesDiffer;
    world
        .script
        .then(Says::This(DecisionAnswer::RolledBack(differ)));
    let run = world.transaction().run(async { ran.register("it") });
    assert!(run.await.unwrap().into_result().is_err());
    ended(&world).await;
    assert_eq!(ran.all(), ["it end rolled back"]);
}
