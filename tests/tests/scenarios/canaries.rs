//! Recorded arguments and answers reach databases, never a log.

use unanimous::{GlobalTransaction, RetryPolicy, TolerateExt, outside, retry_call};

use crate::logs;
use crate::vault::{Failure, Fault};
use crate::wire::{Fate, Message, Wire};
use crate::world::{FULL, LONG, Site, World, coordinator};

/// Every flavour of a transaction, logged at `TRACE` by everybody who logs: this crate's runtime,
/// the coordinator, sqlx and SQLite, tokio.
#[tokio::test]
async fn recorded_values_never_reach_a_log() {
    let site = Site::new();
    let wire = Wire::to(coordinator(&site.embedded()).await);
    let world = World::on(&site, std::sync::Arc::new(wire.clone())).await;
    let [stock, money, vouchers] = &world.vaults;
    // Its commit, its repeats, a lost answer, a park and its retry.
    wire.next(Message::Register, Fate::LoseAnswer);
    stock.script.confirms.then(Fault::Fail).then(Fault::Panic);
    money.script.confirms.then(Fault::GiveUp);
    let body = async {
        let xid = unanimous::xid().expect("it is inside");
        retry_call(RetryPolicy::attempts(2), || stock.take("c", 1)).await?;
        money.take("c", 1).await?;
        let _ = vouchers.take("c", FULL + 1).tolerate().await;
        let _ = outside(vouchers.take("c", 1)).await;
        Ok::<_, Failure>(xid)
    };
    let ran = world
        .run(GlobalTransaction::named("canary").run(body))
        .await
        .expect("it begins");
    let text = format!("{ran:?}");
    let xid = ran.into_result().expect("it commits");
    assert!(world.runtime.quiet(LONG).await);
    let shown = world.runtime.admin().show(&xid).await.expect("it is kept");
    let parked = shown
        .branches
        .iter()
        .find(|branch| branch.parked.is_some())
        .expect("one");
    world
        .runtime
        .admin()
        .retry(&xid, &parked.call)
        .await
        .expect("it is parked");
    world.settle().await;
    // Nor what people are shown.
    let people = format!(
        "{text} {shown:?} {:?} {:?}",
        world.heard(),
        world.runtime.health().await
    );
    assert!(!people.contains(logs::CANARY), "{people}");
    // A database that fails says so without the values that it was given.
    let sql = "DROP TABLE effect";
    unanimous::sqlx::query(sql)
        .execute(&vouchers.db)
        .await
        .expect("it can be dropped");
    let error = world.buy("d", 1).await.expect_err("a table is missing");
    assert!(
        !format!("{error:?} {error}").contains(logs::CANARY),
        "{error:?}"
    );
    assert!(world.runtime.quiet(LONG).await);

    // The collector heard everybody, and finds what it looks for.
    for krate in ["unanimous", "unanimous_coordinator", "sqlx"] {
        assert!(logs::lines_of(krate) > 0, "{krate} logged nothing");
    }
    tracing::trace!(target: "control", value = logs::CONTROL, "a value that it must find");
    assert_eq!(logs::controls(), 1);
    logs::assert_no_leak();
    world.runtime.shutdown().await;
}

/// Who reads a log finds everything of one transaction by its xid: its begin, each branch, both
/// phases and the decision.
#[tokio::test]
async fn every_event_of_a_transaction_has_its_xid_as_a_field() {
    let site = Site::new();
    let world = World::start(&site).await;
    let watch = logs::Watch::start();
    let xid = world.buy("b", 1).await.expect("it commits");
    world.settle().await;
    let text = watch.text();
    let field = format!("xid={xid}");
    let of_it: Vec<_> = text.lines().filter(|line| line.contains(&field)).collect();
    let begun = "name=scenarios::world::buy";
    for (parts, times) in [
        (&["begin", begun][..], 1),
        (&["branch joined"], 3),
        (&["global_transaction{"], 1),
        (&["decision", "outcome=committed"], 1),
        (&["phase two", "decision=commit", "action=hold"], 3),
    ] {
        let is_meant = |line: &&&str| parts.iter().all(|part| line.contains(part));
        let found = of_it.iter().filter(is_meant).count();
        assert!(found >= times, "{parts:?} was found {found} times: {text}");
    }
    world.end().await;
}
