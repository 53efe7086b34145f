//! Hooks of a runtime: which, in which order, and that they change nothing.

use std::sync::Mutex;

use futures_util::FutureExt as _;
use unanimous_protocol::message::{BeginRefused, DecisionAnswer};
use unanimous_protocol::{Outcome, RollbackReason};

use super::script::Says;
use super::*;
use crate::branch::fakes::Captured;
use crate::{Begun, HookResult, TransactionHook};

/// Notes each moment with the transaction's counter, and what surrounds it.
#[derive(Clone, Debug, Default)]
struct Notes {
    all: Arc<Mutex<Vec<String>>>,
    /// What it does beside.
    then: Then,
}

#[derive(Clone, Copy, Debug, Default)]
enum Then {
    #[default]
    Nothing,
    Fail,
    /// With an error that cannot be printed.
    FailUnprintable,
    Panic,
}

/// An error whose text panics.
#[derive(Debug)]
struct Unprintable;

impl std::fmt::Display for Unprintable {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("told to panic while it is printed")
    }
}

impl std::error::Error for Unprintable {}

impl Notes {
    fn note(&self, moment: &str, of: &str) -> HookResult {
        assert_eq!(xid(), None, "{moment} of {of} is inside a transaction");
        self.all.lock().unwrap().push(format!("{moment} {of}"));
        match self.then {
            Then::Nothing => Ok(()),
            Then::Fail => Err("told to fail".into()),
            Then::FailUnprintable => Err(Unprintable.into()),
            Then::Panic => panic!("told to panic"),
        }
    }

    fn all(&self) -> Vec<String> {
        self.all.lock().unwrap().clone()
    }
}

fn number(begun: &Begun) -> String {
    format!("{} {}", begun.name(), begun.xid().own().unwrap().counter)
}

impl TransactionHook for Notes {
    fn before_begin(&self, name: &str) -> HookResult {
        self.note("before begin", name)
    }

    fn after_begin(&self, begun: &Begun) -> HookResult {
        self.note("begin", &number(begun))
    }

    fn before_commit(&self, begun: &Begun) -> HookResult {
        self.note("before commit", &number(begun))
    }

    fn after_commit(&self, begun: &Begun) -> HookResult {
        self.note("commit", &number(begun))
    }

    fn before_rollback(&self, begun: &Begun) -> HookResult {
        self.note("before rollback", &number(begun))
    }

    fn after_rollback(&self, begun: &Begun) -> HookResult {
        self.note("rollback", &number(begun))
    }

    fn after_completion(&self, begun: &Begun, outcome: &Outcome) -> HookResult {
        let committed = *outcome == Outcome::Committed;
        self.note(&format!("end {committed}"), &number(begun))
    }
}

async fn noted(then: Then) -> (World, Notes) {
    let notes = Notes {
        then,
        ..Notes::default()
    };
    let hook = notes.clone();
    (World::with(|builder| builder.hook(hook)).await, notes)
}

fn named(world: &World, name: &'static str) -> GlobalTransaction {
    GlobalTransaction::named(name).runtime(&world.runtime)
}

const COMMITTED: [&str; 5] = [
    "before begin a",
    "begin a 1",
    "before commit a 1",
    "commit a 1",
    "end true a 1",
];

#[tokio::test]
async fn a_commit_is_told_in_order() {
    let (world, notes) = noted(Then::Nothing).await;
    let body = async { Ok::<_, Error>(()) };
    named(&world, "a").run(body).await.unwrap();
    assert_eq!(notes.all(), COMMITTED);
}

/// Errors, refusals, the deadline, drops and panics: all the same rollback.
#[tokio::test]
async fn every_way_to_roll_back_is_told_in_order() {
    let expected = [
        "before begin a",
        "begin a 1",
        "before rollback a 1",
        "rollback a 1",
        "end false a 1",
    ];
    for way in ["error", "swallowed", "deadline", "drop", "panic"] {
        let (world, notes) = noted(Then::Nothing).await;
        let body = async {
            match way {
                "error" => Err(Error::NoRuntime),
                "swallowed" => {
                    let _ = fail("stock.hold", CallFailure::Failed);
                    Ok(())
                }
                "panic" => panic!("told to panic"),
                _ => std::future::pending().await,
            }
        };
        let transaction = named(&world, "a").timeout(Duration::from_secs(1)).run(body);
        if way == "deadline" {
            let (ended, ()) = tokio::join!(transaction, pass(&world, Duration::from_secs(1)));
            drop(ended);
        } else {
            let run = std::panic::AssertUnwindSafe(transaction).catch_unwind();
            drop(run.now_or_never());
        }
        world.runtime.shutdown().await;
        assert_eq!(notes.all(), expected, "{way}");
    }
}

#[tokio::test]
async fn a_commit_answered_with_rolled_back_has_no_rollback_before_it() {
    let (world, notes) = noted(Then::Nothing).await;
    let differ = DecisionAnswer::RolledBack(RollbackReason::BranchesDiffer);
    world.script.then(Says::This(differ));
    let body = async { Ok::<_, Error>(()) };
    named(&world, "a").run(body).await.unwrap();
    assert_eq!(
        notes.all(),
        [
            "before begin a",
            "begin a 1",
            "before commit a 1",
            "rollback a 1",
            "end false a 1",
        ]
    );
}

/// A commit that is heard without its caller.
#[tokio::test]
async fn a_dropped_caller_is_told_of_by_the_runtimes_task() {
    let (world, notes) = noted(Then::Nothing).await;
    world.script.then(Says::Nothing);
    let run = named(&world, "a").run(async { Ok::<_, Error>(()) });
    assert!(run.now_or_never().is_none());
    assert_eq!(notes.all(), COMMITTED[..3]);
    world.runtime.shutdown().await;
    assert_eq!(notes.all(), COMMITTED);
}

/// A rollback that is asked again is announced once.
#[tokio::test]
async fn a_rollback_that_is_repeated_is_told_once() {
    let (world, notes) = noted(Then::Nothing).await;
    world.script.then(Says::Unavailable);
    let run = named(&world, "a").run(async { Err::<(), _>(Error::NoRuntime) });
    run.await.unwrap();
    world.runtime.shutdown().await;
    let count = |word: &str| notes.all().iter().filter(|n| n.starts_with(word)).count();
    for word in ["before rollback", "rollback", "end false"] {
        assert_eq!(count(word), 1, "{word}: {:?}", notes.all());
    }
}

#[tokio::test]
async fn what_cannot_begin_is_told_before_only() {
    let (world, notes) = noted(Then::Nothing).await;
    world.script.refuse_begin(BeginRefused::Stopping);
    let run = named(&world, "a").run(async { Ok::<_, Error>(()) });
    run.await.unwrap_err();
    world.runtime.shutdown().await;
    assert_eq!(notes.all(), ["before begin a"]);
}

#[tokio::test]
async fn a_hook_that_fails_or_panics_changes_nothing() {
    // What nobody logs is not printed.
    let _logged = Captured::start();
    for then in [Then::Fail, Then::FailUnprintable, Then::Panic] {
        let bad = Notes {
            then,
            ..Notes::default()
        };
        let good = Notes::default();
        let (first, second) = (bad.clone(), good.clone());
        let world = World::with(|builder| builder.hook(first).hook(second)).await;
        let run = named(&world, "a").run(async { act("stock.hold", 1).map(|()| 5) });
        let run = run.await.unwrap();
        assert_eq!(run.outcome, Some(Outcome::Committed));
        assert_eq!(run.into_result().unwrap(), 5);
        assert_eq!(bad.all(), COMMITTED);
        assert_eq!(good.all(), COMMITTED);
    }
}

/// Each transaction is told with its own xid; what joins or runs without is not told at all.
#[tokio::test]
async fn inner_and_outer_transactions_are_told_apart() {
    let (world, notes) = noted(Then::Nothing).await;
    let body = async {
        for kind in [
            Propagation::Required,
            Propagation::Supports,
            Propagation::Mandatory,
            Propagation::NotSupported,
        ] {
            let joined = named(&world, "joined").propagation(kind);
            joined.run(async { Ok::<_, Error>(()) }).await?;
        }
        let own = named(&world, "own").propagation(Propagation::RequiresNew);
        own.run(async { Err::<(), _>(Error::NoRuntime) }).await?;
        Ok::<_, Error>(())
    };
    named(&world, "outer").run(body).await.unwrap();
    assert_eq!(
        notes.all(),
        [
            "before begin outer",
            "begin outer 1",
            "before begin own",
            "begin own 2",
            "before rollback own 2",
            "rollback own 2",
            "end false own 2",
            "before commit outer 1",
            "commit outer 1",
            "end true outer 1",
        ]
    );
}
