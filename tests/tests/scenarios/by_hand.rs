//! Actions by hand, dropped at each poll: what an annotation writes is no safer than what a person
//! does with the same builder.

use std::borrow::Cow;

use std::sync::{Arc, Mutex};

use unanimous::branch::fence::DynFence;
use unanimous::branch::{Action, ActionSpec, BoxFuture};
use unanimous::sqlx::{self, Sqlite, SqlitePool};
use unanimous::{
    Branch, BranchContext, CallFailure, Decision, Error, Fence as _, GlobalTransaction, Outcome,
    Participant, PhaseTwoError, sqlite,
};

use crate::cancellation::{MANY, polled};
use crate::vault::{Failure, POLLS, SCHEMA};
use crate::world::{LONG, Site, builder};

const PLAIN: ActionSpec = ActionSpec::new("plain", file!(), line!());
const STORED: ActionSpec = ActionSpec::new("stored", file!(), line!());
const FENCED: ActionSpec = ActionSpec::new("fenced", file!(), line!());

/// What each phase did, by label.
#[derive(Default)]
struct Seen(Mutex<Vec<(String, &'static str)>>);

impl Seen {
    fn note(&self, label: &str, what: &'static str) {
        let mut seen = self.0.lock().expect("nobody panics with it");
        seen.push((label.to_owned(), what));
    }

    fn times(&self, label: &str, what: &str) -> usize {
        let seen = self.0.lock().expect("nobody panics with it");
        let of = |(own, did): &&(String, &'static str)| own == label && *did == what;
        seen.iter().filter(of).count()
    }
}

/// Without a fence: phase one may have been left in the middle, and phase two hears of it.
struct Mailer(Seen);

async fn linger() {
    for _ in 0..POLLS {
        tokio::task::yield_now().await;
    }
}

impl Mailer {
    async fn send(&self, label: &str, spec: &ActionSpec) -> Result<usize, Failure> {
        let body = async {
            assert!(BranchContext::current().is_some(), "it is inside");
            self.0.note(label, "begun");
            linger().await;
            self.0.note(label, "tried");
            Ok(7)
        };
        let action = Action::new(spec, self).argument("label", label);
        if spec.name() == STORED.name() {
            action.run_stored(body).await
        } else {
            action.run(body).await
        }
    }
}

impl Participant for Mailer {
    fn name(&self) -> Cow<'static, str> {
        "mailer".into()
    }

    fn actions(&self) -> &'static [ActionSpec] {
        &[PLAIN, STORED]
    }

    fn phase_two(self: Arc<Self>, branch: &mut Branch) -> BoxFuture<'_, Result<(), PhaseTwoError>> {
        Box::pin(async move {
            let label: String = branch.argument("label")?;
            if branch.action() == STORED.name() && branch.decision() == Decision::Commit {
                assert_eq!(branch.tried::<usize>()?, Some(7));
            }
            match branch.decision() {
                Decision::Commit => self.0.note(&label, "spent"),
                Decision::Rollback => self.0.note(&label, "released"),
            }
            Ok(())
        })
    }
}

/// With a fence: phase one was done, or it was not.
struct Ledger(SqlitePool);

impl Ledger {
    async fn write(&self, label: &str) -> Result<(), Failure> {
        let body = async |tx: &mut unanimous::FenceTx<Sqlite>| {
            note(tx, label, "held").await?;
            linger().await;
            Ok(())
        };
        let action = Action::new(&FENCED, self).argument("label", label);
        action.run_fenced(&self.0, body).await
    }

    async fn times(&self, label: &str, what: &str) -> i64 {
        let sql = "SELECT count(*) FROM effect WHERE label = ? AND what = ?";
        let counted = sqlx::query_scalar(sql).bind(label).bind(what);
        counted.fetch_one(&self.0).await.expect("a count")
    }
}

async fn note(
    tx: &mut unanimous::FenceTx<Sqlite>,
    label: &str,
    what: &str,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO effect VALUES (?, ?, 1)";
    let query = sqlx::query(sql).bind(label).bind(what);
    query.execute(&mut *tx).await.map(drop)
}

impl Participant for Ledger {
    fn name(&self) -> Cow<'static, str> {
        "ledger".into()
    }

    fn actions(&self) -> &'static [ActionSpec] {
        &[FENCED]
    }

    fn fence(&self) -> Option<&dyn DynFence> {
        Some(self.0.erased())
    }

    fn phase_two(self: Arc<Self>, branch: &mut Branch) -> BoxFuture<'_, Result<(), PhaseTwoError>> {
        Box::pin(async move {
            let label: String = branch.argument("label")?;
            let what = match branch.decision() {
                Decision::Commit => "spent",
                Decision::Rollback => "released",
            };
            note(branch.transaction(&self.0)?, &label, what).await?;
            Ok(())
        })
    }
}

#[tokio::test]
async fn c4_an_action_by_hand_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let db = sqlite::durable(site.file("ledger.db")).await;
    let db = db.expect("a database");
    let tables = sqlx::raw_sql(SCHEMA).execute(&db).await;
    tables.expect("the tables");
    let (ledger, mailer) = (Arc::new(Ledger(db)), Arc::new(Mailer(Seen::default())));
    let builder = builder().coordinator(site.embedded());
    let builder = builder.participant(ledger.clone());
    let runtime = builder.participant(mailer.clone()).build().await;
    let runtime = runtime.expect("a runtime");
    for action in [&PLAIN, &STORED, &FENCED] {
        for polls in 0..MANY {
            let label = format!("{} after {polls}", action.name());
            let body = async {
                let ended = if action.name() == FENCED.name() {
                    polled(polls, ledger.write(&label)).await.is_some()
                } else {
                    polled(polls, mailer.send(&label, action)).await.is_some()
                };
                Ok::<_, Failure>(ended)
            };
            let run = GlobalTransaction::named("by hand").run(body);
            let ran = runtime.scope(run).await.expect("it begins");
            assert!(runtime.quiet(LONG).await);
            assert_eq!(unanimous::xid(), None, "{label}");
            assert!(BranchContext::current().is_none(), "{label}");
            let ended = *ran.body.as_ref().expect("it swallows everything");
            let committed = ran.outcome == Some(Outcome::Committed);
            assert_eq!(committed, ended || polls == 0, "{label}: {ran:?}");
            if !committed {
                let failure = ran.failure();
                let dropped = CallFailure::Dropped;
                assert!(
                    matches!(failure, Some(Error::RollbackOnly { cause, .. }) if *cause == dropped),
                    "{label}: {failure:?}"
                );
            }
            if action.name() == FENCED.name() {
                let held = ledger.times(&label, "held").await;
                assert_eq!(ledger.times(&label, "spent").await, i64::from(ended));
                let released = i64::from(held == 1 && !ended);
                assert_eq!(ledger.times(&label, "released").await, released, "{label}");
            } else {
                let seen = |what| mailer.0.times(&label, what);
                assert!(seen("tried") >= usize::from(ended), "{label}");
                assert_eq!(seen("spent"), usize::from(ended), "{label}");
                // Where it had begun, or only joined, it is told that it is not to be.
                assert!(seen("released") <= 1, "{label}");
                assert!(seen("begun") == 0 || seen("spent") + seen("released") == 1);
            }
            if ended {
                assert!(polls > POLLS, "it has {polls} polls only");
                break;
            }
            assert!(polls < MANY - 1, "{label}: it never ends");
        }
    }
    let every = (0..ledger.0.options().get_max_connections()).map(|_| ledger.0.acquire());
    let every = futures_util::future::try_join_all(every).await;
    drop(every.expect("every connection of the pool is free"));
    runtime.shutdown().await;
}

/// A pool that is dropped while it opens leaves a file that the next one opens.
#[tokio::test]
async fn c4_opening_a_database_may_be_dropped_at_any_poll() {
    let site = Site::new();
    let (mut polls, mut half_way) = (0, false);
    for round in 0..MANY {
        let file = site.file(&format!("{}.db", round / 40));
        let Some(opened) = polled(polls, sqlite::durable(&file)).await else {
            half_way |= polls > 0;
            polls += 1;
            continue;
        };
        let db = opened.expect("it opens");
        let written = sqlx::raw_sql(SCHEMA).execute(&db).await;
        written.expect("it can be written");
        db.close().await;
        if half_way {
            return;
        }
        // Its threads were faster than the polls: once more.
        polls = 0;
    }
    panic!("it is never dropped half-way, or never ends");
}
