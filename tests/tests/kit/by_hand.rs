//! Actions that are free functions, by hand, dropped at each poll.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use unanimous::branch::function::{FunctionAction, LinkedFunction, Need, States, type_of};
use unanimous::branch::{ActionSpec, BoxFuture, inventory};
use unanimous::sqlx::{self, SqlitePool};
use unanimous::testing::{Harness, database};
use unanimous::{
    Branch, BranchContext, Decision, Fence as _, GlobalTransaction, Outcome, PhaseTwoError,
};

use crate::drops::{POLLS, linger, polled};
use crate::participants::Failure;

/// What was done, in order.
type Seen = Arc<Mutex<Vec<&'static str>>>;

fn note(states: &States, what: &'static str) {
    let seen: &Seen = states.get();
    seen.lock().expect("nobody panics with it").push(what);
}

const PLAIN: ActionSpec = ActionSpec::new("hand.plain", file!(), line!());
const STORED: ActionSpec = ActionSpec::new("hand.stored", file!(), line!());
const FENCED: ActionSpec = ActionSpec::new("hand.fenced", file!(), line!());

async fn body(states: &States) -> Result<i64, Failure> {
    assert!(BranchContext::current().is_some(), "it is inside");
    note(states, "begun");
    linger().await;
    note(states, "tried");
    Ok(7)
}

async fn plain() -> Result<i64, Failure> {
    FunctionAction::new(&PLAIN).run(body).await
}

async fn stored() -> Result<i64, Failure> {
    FunctionAction::new(&STORED).run_stored(body).await
}

async fn fenced() -> Result<i64, Failure> {
    let writes = async |tx: &mut unanimous::FenceTx<sqlx::Sqlite>, states: &States| {
        sqlx::query("UPDATE hand SET held = held + 1")
            .execute(&mut *tx)
            .await?;
        body(states).await
    };
    FunctionAction::new(&FENCED).run_fenced(pool, writes).await
}

fn pool(states: &States) -> &SqlitePool {
    states.get()
}

fn ends<'a>(
    states: &'a States,
    branch: &'a mut Branch,
) -> BoxFuture<'a, Result<(), PhaseTwoError>> {
    Box::pin(async move {
        if branch.action() == FENCED.name() {
            let tx = branch.transaction(pool(states))?;
            let sql = "UPDATE hand SET ended = ended + 1";
            sqlx::query(sql).execute(&mut *tx).await?;
        }
        note(
            states,
            match branch.decision() {
                Decision::Commit => "spent",
                Decision::Rollback => "released",
            },
        );
        Ok(())
    })
}

inventory::submit! {
    LinkedFunction::new(PLAIN, type_of(plain), "plain")
        .needs(&[Need::of::<Seen>()]).commit(ends).rollback(ends)
}

inventory::submit! {
    LinkedFunction::new(STORED, type_of(stored), "stored")
        .needs(&[Need::of::<Seen>()]).commit(ends).rollback(ends)
}

inventory::submit! {
    LinkedFunction::new(FENCED, type_of(fenced), "fenced")
        .needs(&[Need::of::<Seen>(), Need::of::<SqlitePool>()])
        .fence(|states| pool(states).erased()).commit(ends).rollback(ends)
}

/// Calls it in a transaction, dropped after so many polls; tells whether it ended.
async fn dropped_after(polls: usize, name: &str) -> bool {
    let schema = "CREATE TABLE hand (held INTEGER, ended INTEGER); INSERT INTO hand VALUES (0, 0);";
    let db = database(schema).await.expect("a database");
    let (seen, states) = (Seen::default(), db.clone());
    let state = Arc::clone(&seen);
    let harness = Harness::start(|builder| {
        let builder = builder.state(states).state(state);
        builder.action(plain).action(stored).action(fenced)
    });
    let harness = harness.await.expect("a harness");
    harness.open();
    let body = async {
        Ok::<_, Failure>(match name {
            "plain" => polled(polls, plain()).await.is_some(),
            "stored" => polled(polls, stored()).await.is_some(),
            _ => polled(polls, fenced()).await.is_some(),
        })
    };
    let run = GlobalTransaction::named("by hand").run(body);
    let ran = harness.scope(run).await.expect("it begins");
    while !harness.runtime().quiet(Duration::ZERO).await {
        tokio::task::yield_now().await;
    }
    let ended = *ran.body.as_ref().expect("it swallows everything");
    let committed = ran.outcome == Some(Outcome::Committed);
    assert_eq!(committed, ended || polls == 0, "{name} {polls}: {ran:?}");
    let seen = seen.lock().expect("nobody panics with it").clone();
    let times = |what| seen.iter().filter(|seen| **seen == what).count();
    assert_eq!(
        times("spent"),
        usize::from(ended),
        "{name} {polls}: {seen:?}"
    );
    assert!(times("tried") >= times("spent"), "{name} {polls}: {seen:?}");
    let both: (i64, i64) = sqlx::query_as("SELECT held, ended FROM hand")
        .fetch_one(&db)
        .await
        .expect("the row");
    assert_eq!(both.0, both.1, "{name} {polls}: {seen:?}");
    if name != "fenced" {
        // Where it had begun, it is told how it ended.
        assert!(times("begun") <= times("spent") + times("released"));
    }
    ended
}

#[tokio::test]
async fn c4_a_function_by_hand_may_be_dropped_at_any_poll() {
    for name in ["plain", "stored", "fenced"] {
        let mut polls = 0;
        while !dropped_after(polls, name).await {
            polls += 1;
            assert!(polls < 1_000, "{name} never ends");
        }
        assert!(polls > POLLS, "{name} has {polls} polls only");
    }
}
