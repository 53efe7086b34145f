//! What each kind of propagation does, and that what it suspends is exactly back afterwards.

use std::panic::AssertUnwindSafe;
use std::pin::pin;

use futures_util::FutureExt as _;
use unanimous_protocol::{Outcome, Xid};

use super::*;
use crate::context::Ambient;

/// A function of this kind that tells what surrounds its body.
async fn sees(world: &World, kind: Propagation) -> Result<(Option<Outcome>, Option<Xid>), Error> {
    let body = async { Ok::<_, Error>(xid()) };
    let ran = GlobalTransaction::named("shop::inner")
        .runtime(&world.runtime)
        .propagation(kind)
        .run(body)
        .await?;
    let outcome = ran.outcome.clone();
    Ok((outcome, ran.into_result()?))
}

/// What [`sees`] tells inside a transaction, with that one's xid.
async fn inside(
    world: &World,
    kind: Propagation,
) -> (Xid, Result<(Option<Outcome>, Option<Xid>), Error>) {
    let body = async {
        let outer = xid().unwrap();
        let seen = sees(world, kind).await;
        assert_eq!(xid().as_ref(), Some(&outer), "{kind:?} is over");
        Ok::<_, Error>((outer, seen))
    };
    world.transaction().run(body).await.unwrap().body.unwrap()
}

#[tokio::test]
async fn required_and_requires_new_begin_and_only_one_of_them_joins() {
    let world = World::new().await;
    for kind in [Propagation::Required, Propagation::RequiresNew] {
        let (outcome, seen) = sees(&world, kind).await.unwrap();
        assert_eq!(outcome, Some(Outcome::Committed), "{kind:?}");
        assert!(seen.is_some(), "{kind:?}");
    }
    let (outer, seen) = inside(&world, Propagation::Required).await;
    assert_eq!(seen.unwrap().1, Some(outer));
    let (outer, seen) = inside(&world, Propagation::RequiresNew).await;
    let (outcome, own) = seen.unwrap();
    assert_eq!(outcome, Some(Outcome::Committed));
    assert_ne!(own.unwrap(), outer);
}

#[tokio::test]
async fn supports_joins_or_runs_without() {
    let world = World::new().await;
    assert_eq!(
        sees(&world, Propagation::Supports).await.unwrap(),
        (None, None)
    );
    assert_eq!(world.asked(), []);
    let (outer, seen) = inside(&world, Propagation::Supports).await;
    let (outcome, joined) = seen.unwrap();
    assert_eq!(joined, Some(outer));
    assert!(
        matches!(outcome, Some(Outcome::Unknown { .. })),
        "it is still open: {outcome:?}"
    );
}

#[tokio::test]
async fn supports_fails_what_it_joined_as_required_does() {
    let world = World::new().await;
    let body = async {
        let inner = world.transaction().propagation(Propagation::Supports);
        let ran = inner.run(async { fail("stock.hold", CallFailure::Failed) });
        let swallowed = ran.await?.into_result();
        assert!(swallowed.is_err());
        Ok::<_, Error>(())
    };
    let ran = world.transaction().run(body).await.unwrap();
    assert!(matches!(ran.failure(), Some(Error::RollbackOnly { .. })));
}

#[tokio::test]
async fn not_supported_runs_without_and_leaves_no_record() {
    let world = World::new().await;
    assert_eq!(
        sees(&world, Propagation::NotSupported).await.unwrap(),
        (None, None)
    );
    assert_eq!(world.asked(), []);
    // Its failure is its own: nothing of it is a call of the transaction.
    let body = async {
        let inner = world.transaction().propagation(Propagation::NotSupported);
        let ran = inner
            .run(async { act("stock.hold", 1) })
            .await?
            .into_result();
        assert!(matches!(ran, Err(Error::NoRuntime)), "no scope: {ran:?}");
        act("money.hold", 2)
    };
    let ran = world.transaction().run(body).await.unwrap();
    assert_eq!(ran.outcome, Some(Outcome::Committed));
    let (_, seen) = inside(&world, Propagation::NotSupported).await;
    assert_eq!(seen.unwrap(), (None, None));
}

/// What runs meanwhile begins in the runtime of the transaction that it suspends, wherever that
/// one was named.
#[tokio::test]
async fn what_begins_inside_not_supported_is_another_transaction_of_the_same_runtime() {
    let world = World::new().await;
    let body = async {
        let outer = xid();
        let inner = async {
            let own = GlobalTransaction::named("own").run(async { Ok::<_, Error>(xid()) });
            own.await?.into_result()
        };
        let suspending = GlobalTransaction::named("suspends")
            .propagation(Propagation::NotSupported)
            .run(inner);
        let own = suspending.await?.into_result()?;
        assert!(own.is_some() && own != outer, "{own:?}");
        Ok::<_, Error>(())
    };
    let ran = world.transaction().run(body).await.unwrap();
    ran.into_result().unwrap();
}

#[tokio::test]
async fn never_runs_without_and_refuses_inside_with_the_xid_and_the_way_out() {
    let world = World::new().await;
    assert_eq!(
        sees(&world, Propagation::Never).await.unwrap(),
        (None, None)
    );
    assert_eq!(world.asked(), []);
    let (outer, seen) = inside(&world, Propagation::Never).await;
    let error = seen.unwrap_err();
    let Error::InTransaction { what, xid } = &error else {
        panic!("{error:?}")
    };
    assert_eq!((what.to_string().as_str(), xid), ("shop::inner", &outer));
    assert!(!error.is_retryable());
    let text = error.to_string();
    for part in [
        outer.as_str(),
        "shop::inner",
        "outside(..)",
        "before or after",
    ] {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
    // The refusal is no call: the body decided what it means, and the transaction committed.
    assert!(matches!(
        world.asked()[..],
        [Asked::Begin(_), Asked::Commit(..)]
    ));
}

#[tokio::test]
async fn mandatory_joins_and_refuses_alone_also_where_there_is_no_runtime() {
    let world = World::new().await;
    let alone = GlobalTransaction::named("shop::inner").propagation(Propagation::Mandatory);
    let refused = alone.run(async { Ok::<_, Error>(()) }).await;
    assert!(matches!(refused, Err(Error::NotInTransaction { .. })));
    let (outer, seen) = inside(&world, Propagation::Mandatory).await;
    assert_eq!(seen.unwrap().1, Some(outer));
}

const KINDS: [Propagation; 6] = [
    Propagation::Required,
    Propagation::RequiresNew,
    Propagation::Supports,
    Propagation::NotSupported,
    Propagation::Mandatory,
    Propagation::Never,
];

/// The kinds whose body runs inside a transaction.
fn running() -> impl Iterator<Item = Propagation> {
    KINDS.into_iter().filter(|kind| *kind != Propagation::Never)
}

#[tokio::test]
async fn c3_the_outer_scope_is_back_after_a_panic_in_any_kind() {
    let world = World::new().await;
    for kind in running() {
        let body = async {
            let outer = xid();
            let inner = world.transaction().propagation(kind);
            let inner = inner.run(async {
                tokio::task::yield_now().await;
                if xid().is_some() || kind == Propagation::NotSupported {
                    panic!("told to panic");
                }
                Ok::<_, Error>(())
            });
            let caught = AssertUnwindSafe(inner).catch_unwind().await;
            assert!(caught.is_err(), "{kind:?}");
            assert_eq!(xid(), outer, "{kind:?}");
            Ok::<_, Error>(())
        };
        let ran = world.transaction().run(body).await.unwrap();
        // A panic in what joined is a failed call; in what is independent it is nobody's.
        let joined = !matches!(kind, Propagation::RequiresNew | Propagation::NotSupported);
        assert_eq!(ran.failure().is_some(), joined, "{kind:?}");
        assert_eq!(xid(), None);
    }
}

/// The inner future is dropped after each number of polls, from inside the outer body and from
/// where nothing surrounds it: the outer scope is as it was, and a destructor in the inner body
/// saw what its body saw.
#[tokio::test]
async fn c3_the_outer_scope_is_back_after_a_drop_at_any_poll_of_any_kind() {
    struct Sees<'a>(&'a std::cell::RefCell<Vec<Option<Xid>>>);
    impl Drop for Sees<'_> {
        fn drop(&mut self) {
            self.0.borrow_mut().push(xid());
        }
    }
    let world = World::new().await;
    for kind in running() {
        for polls in 0..4 {
            let body = async {
                let outer = xid();
                let seen = std::cell::RefCell::default();
                let told = std::cell::RefCell::<Vec<_>>::default();
                let inner = world.transaction().propagation(kind).run(async {
                    let _sees = Sees(&seen);
                    told.borrow_mut().push(xid());
                    for _ in 0..9 {
                        tokio::task::yield_now().await;
                    }
                    Ok::<_, Error>(())
                });
                {
                    let mut inner = pin!(inner);
                    for _ in 0..polls {
                        assert!(inner.as_mut().now_or_never().is_none(), "{kind:?}");
                        assert_eq!(xid(), outer, "{kind:?} between its polls");
                    }
                }
                assert_eq!(seen.take(), told.take(), "{kind:?} after {polls}");
                assert_eq!(xid(), outer, "{kind:?} after {polls}");
                Ok::<_, Error>(())
            };
            world.transaction().run(body).await.unwrap();
            assert_eq!(xid(), None);
        }
    }
}

/// Two scopes polled in turn on one thread, one of them suspended, never see each other.
#[tokio::test]
async fn c3_suspended_and_running_scopes_interleave_without_mixing() {
    let world = World::new().await;
    let body = async {
        let outer = xid();
        let suspended = async {
            for _ in 0..5 {
                assert_eq!(xid(), None);
                tokio::task::yield_now().await;
            }
            Ok::<_, Error>(())
        };
        let suspended = world
            .transaction()
            .propagation(Propagation::NotSupported)
            .run(suspended);
        let running = async {
            for _ in 0..5 {
                assert_eq!(xid(), outer);
                tokio::task::yield_now().await;
            }
        };
        let (ran, ()) = tokio::join!(suspended, running);
        ran?.into_result()
    };
    let ran = world.transaction().run(body).await.unwrap();
    ran.into_result().unwrap();
    assert!(Ambient::current().scope().is_none());
}

/// Begun where nothing was to be suspended, and awaited inside a transaction.
#[tokio::test]
async fn what_began_without_a_transaction_goes_on_and_is_dropped_without_one() {
    struct Seen(Arc<std::sync::Mutex<Vec<Option<Xid>>>>);
    impl Drop for Seen {
        fn drop(&mut self) {
            self.0.lock().unwrap().push(xid());
        }
    }
    for kind in [
        Propagation::NotSupported,
        Propagation::Never,
        Propagation::Supports,
    ] {
        for ends in [true, false] {
            let world = World::new().await;
            let seen = Arc::<std::sync::Mutex<Vec<_>>>::default();
            let guard = Seen(Arc::clone(&seen));
            let body = async move {
                let guard = guard;
                tokio::task::yield_now().await;
                guard.0.lock().unwrap().push(xid());
                if !ends {
                    std::future::pending::<()>().await;
                }
                drop(guard);
                Ok::<_, Error>(())
            };
            let plain = world.transaction().propagation(kind).run(body);
            let mut plain = Box::pin(plain);
            assert!((&mut plain).now_or_never().is_none());
            let body = async {
                let ended = (&mut plain).now_or_never();
                assert_eq!(ended.is_some(), ends);
                drop(plain);
                assert!(xid().is_some());
                Ok::<_, Error>(())
            };
            world.transaction().run(body).await.unwrap();
            assert_eq!(*seen.lock().unwrap(), [None, None], "{kind:?}, {ends}");
        }
    }
}
