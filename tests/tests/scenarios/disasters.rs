//! Databases that cannot be written, and logs that are lost or brought back from a backup.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use unanimous::runtime::Health;
use unanimous::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use unanimous::sqlx::{self, SqlitePool};
use unanimous::{Decision, Event, Outcome, Xid, global_transactional};

use crate::process::{Process, Server};
use crate::vault::{Failure, Fault, Gate, SCHEMA, Script, Vault};
use crate::wire::{Fate, Message};
use crate::world::{FULL, LONG, Site, World, builder, sold, take_all, until, xid};

/// Stops at the gate when every vault is taken from.
#[global_transactional]
async fn take_and_wait(vaults: &[Vault], gate: &Gate) -> Result<Xid, Failure> {
    take_all(vaults, "b", 4).await?;
    gate.pass().await;
    Ok(xid())
}

/// A vault whose connections do not wait for a lock.
async fn impatient(site: &Site, name: &'static str) -> Vault {
    let options = SqliteConnectOptions::new()
        .filename(site.file(&format!("{name}.db")))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_millis(10));
    let db = SqlitePoolOptions::new()
        .connect_with(options)
        .await
        .expect("a database");
    sqlx::raw_sql(SCHEMA)
        .execute(&db)
        .await
        .expect("the tables");
    let first = "INSERT INTO vault VALUES (?, 0, 0)";
    sqlx::query(first)
        .bind(FULL)
        .execute(&db)
        .await
        .expect("the row");
    Vault {
        name,
        db,
        script: Arc::new(Script::default()),
    }
}

/// Another program writes, and takes its time.
async fn locked(vault: &Vault) -> sqlx::Transaction<'static, sqlx::Sqlite> {
    let options = vault.db.connect_options().as_ref().clone();
    let other = SqlitePool::connect_with(options.busy_timeout(Duration::from_secs(60)));
    let other = other.await.expect("it opens");
    other
        .begin_with("BEGIN IMMEDIATE")
        .await
        .expect("it may write")
}

/// Matrix 13, 15 and 24: a database that cannot be written fails a try, and makes a phase two wait,
/// which holds nobody else up.
#[tokio::test]
async fn matrix_15_a_database_that_cannot_be_written_fails_a_try_and_delays_a_phase_two() {
    let site = Site::new();
    let vaults = [
        impatient(&site, "stock").await,
        impatient(&site, "money").await,
    ];
    let mut builder = builder().coordinator(site.embedded());
    for vault in &vaults {
        builder = builder.participant(Arc::new(vault.clone()));
    }
    let runtime = builder.build().await.expect("a runtime");
    let [stock, money] = &vaults;

    let lock = locked(money).await;
    let tried = runtime.scope(crate::world::buy(&vaults, "a", 1)).await;
    let error = tried.expect_err("it cannot be written").transaction();
    assert!(
        matches!(error, unanimous::Error::Database { .. }) && error.is_retryable(),
        "{error}"
    );
    lock.rollback().await.expect("it ends");

    let gate = Gate::new();
    let buying = runtime.scope(take_and_wait(&vaults, &gate));
    let operator = async {
        gate.reached().await;
        let lock = locked(money).await;
        gate.open();
        lock
    };
    let (decided, lock) = futures_util::future::join(buying, operator).await;
    let xid = decided.expect("it is decided");
    until("the other's phase two", async || {
        stock.history("b").await == [1, 1, 0]
    })
    .await;
    assert!(!runtime.settled(&xid, LONG / 600).await, "one branch waits");
    let list = runtime.admin().list(false, 10).await.expect("it answers");
    let of = list
        .iter()
        .find(|transaction| transaction.xid == xid)
        .expect("it is listed");
    assert_eq!((of.waiting, of.parked), (1, 0), "{of:#?}");
    lock.rollback().await.expect("it ends");
    assert!(runtime.quiet(LONG).await);
    for vault in &vaults {
        assert_eq!(
            (vault.history("b").await, vault.sums().await),
            ([1, 1, 0], (FULL - 4, 0, 4))
        );
    }
    runtime.shutdown().await;
}

/// Waits until the participants hear that they cannot be attached.
async fn refused(world: &World) -> Health {
    let health = async || world.runtime.health().await;
    until("a refusal", async || {
        let because = health().await.detached_because;
        because.is_some_and(|why| why.contains("restored"))
    })
    .await;
    health().await
}

/// Waits until so many branches have raised an alarm.
async fn foreign(world: &World, branches: usize) {
    let foreign = |event: &&Event| matches!(event, Event::Foreign { .. });
    let raised = || world.heard().iter().filter(foreign).count();
    until("an alarm for each branch", async || raised() >= branches).await;
}

/// Decides by hand about a transaction that the log does not know, and checks that it is done.
async fn decided_by_hand(world: &World, xid: &Xid) {
    let outcome = world.runtime.outcome(xid).await;
    assert!(
        matches!(outcome, Outcome::Unknown { .. }),
        "it cannot know it: {outcome:?}"
    );
    let admin = world.runtime.admin();
    admin
        .decide(xid, Decision::Commit)
        .await
        .expect("it is foreign");
    world.nothing_is_tried().await;
    assert_eq!(world.runtime.outcome(xid).await, Outcome::Committed);
    admin
        .decide(xid, Decision::Rollback)
        .await
        .expect_err("there is one decision");
    world.settle().await;
}

/// Commits, and is killed before any branch is confirmed.
fn killed_after_the_decision(process: Process<World>) -> Xid {
    for vault in &process.inside.vaults {
        vault.script.confirms.then(Fault::Stop(Gate::new()));
    }
    let xid = process.run(async |world| world.buy("b", 4).await.expect("it is decided"));
    process.kill();
    xid
}

/// Matrix 20, TC14: whoever has seen more than an older copy of the log is not served by it;
/// `restored` says that it is meant, and what was decided since the copy is left to a person.
#[test]
fn matrix_20_an_older_copy_of_the_log_is_noticed_and_goes_on_when_that_is_meant() {
    let site = Site::new();
    let (file, copy) = (site.file("unanimous.redb"), site.file("copy.redb"));
    let first = Process::embedded(&site);
    first.run(async |world| {
        world.buy("old", 1).await.expect("it commits");
        world.settle().await;
        world.runtime.shutdown().await;
    });
    first.kill();
    fs::copy(&file, &copy).expect("a backup");

    let server = Server::start(&site);
    let wire = server.wire();
    let process = Process::at(&wire, &site);
    wire.every(Message::PhaseTwo, Fate::Vanish);
    let xid = process.run(async |world| {
        world.runtime.ready().await;
        world.buy("b", 4).await.expect("it is decided")
    });
    server.kill(&wire);
    fs::remove_file(&file).expect("it is lost");
    fs::copy(&copy, &file).expect("the backup is brought back");
    let undeclared = Server::start(&site);
    wire.connect(undeclared.coordinator());
    wire.heal();
    process.run(async |world| {
        let health = refused(world).await;
        let why = health.detached_because.as_ref().expect("it was refused");
        assert!(why.contains("restored") && !health.is_ready(), "{health:?}");
        assert!(
            matches!(&world.heard()[0], Event::Refused { .. }),
            "{:?}",
            world.heard()
        );
        let error = world
            .buy("c", 1)
            .await
            .expect_err("it serves nobody")
            .transaction();
        assert!(error.to_string().contains("restored"), "{error}");
        assert_eq!(
            world.vaults[1].tried_rows().await,
            1,
            "nothing was decided by a guess"
        );
    });
    undeclared.kill(&wire);
    let declared = Server::at(&format!("{}&restored", site.embedded()));
    wire.connect(declared.coordinator());
    process.run(async |world| {
        world.runtime.ready().await;
        foreign(world, 3).await;
        decided_by_hand(world, &xid).await;
        assert_eq!(world.sums().await, sold(5));
        world.buy("d", 1).await.expect("it is served");
    });
    process.end();
    drop(declared);
}

/// OP5: the log is lost with its process. What it had not ended is nobody's to decide but a
/// person's, and the next log serves everything else.
#[test]
fn op5_a_lost_log_leaves_its_tried_rows_to_a_person() {
    let site = Site::new();
    let xid = killed_after_the_decision(Process::embedded(&site));
    fs::rename(site.file("unanimous.redb"), site.file("lost.redb")).expect("it is lost");
    let again = Process::embedded(&site);
    again.run(async |world| {
        foreign(world, 3).await;
        assert_eq!(
            world.sums().await,
            [(FULL - 4, 4, 0); 3],
            "nothing is guessed"
        );
        decided_by_hand(world, &xid).await;
        assert_eq!(world.sums().await, sold(4));
        world.buy("d", 1).await.expect("it is served");
    });
    again.end();
}
