//! A process with one bank, and everything that can be seen of what it did. Xids are the only thing
//! that differs between two runs; they are told by their order.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use by_hand::ledger;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Row as _, SqlitePool};
use unanimous::{Event, Runtime, RuntimeBuilder, Xid};

const LONG: Duration = Duration::from_secs(60);

#[derive(Debug, PartialEq)]
pub(crate) struct Observed {
    /// What the customers were told.
    pub(crate) answers: Vec<String>,
    /// Customer, free and held money.
    pub(crate) balances: Vec<(String, i64, i64)>,
    /// Door, price, and how often it was opened.
    pub(crate) safes: Vec<(i64, i64, i64)>,
    /// What was done outside the databases.
    pub(crate) outside: Vec<String>,
    /// All columns that hold neither a time nor an xid.
    pub(crate) fence_rows: Vec<String>,
    /// What the coordinator lists: transactions and their branches.
    pub(crate) listed: String,
    pub(crate) events: Vec<String>,
}

pub(crate) struct World {
    runtime: Runtime,
    events: Arc<Mutex<Vec<String>>>,
}

/// A ledger in memory.
pub(crate) async fn ledger() -> SqlitePool {
    let one = SqlitePoolOptions::new().max_connections(1);
    let db = one
        .connect("sqlite::memory:")
        .await
        .expect("SQLite is compiled in");
    ledger::create(&db).await.expect("the tables are new");
    db
}

impl World {
    pub(crate) async fn start(describe: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder) -> Self {
        let events = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&events);
        let memory = Runtime::builder().coordinator("memory:");
        let runtime = describe(memory)
            .application("bank")
            .on_event(move |event| {
                let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
                heard.push(spelled(event));
            })
            .build()
            .await
            .expect("a runtime in memory can be built");
        runtime.ready().await;
        Self { runtime, events }
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Runs to the end of phase two.
    pub(crate) async fn play(&self, request: impl Future<Output = String>) -> String {
        let answer = self.runtime.scope(request).await;
        assert!(self.runtime.quiet(LONG).await, "phase two does not end");
        answer
    }

    pub(crate) async fn observe(
        &self,
        answers: Vec<String>,
        ledgers: &[SqlitePool],
        mut outside: Vec<String>,
    ) -> Observed {
        let listed = self.runtime.admin().list(true, 100).await;
        let mut listed = listed.expect("the coordinator is in this process");
        // The oldest first, and each of them by its place.
        listed.sort_by_key(|summary| counter(&summary.xid));
        let xids: Vec<Xid> = listed.iter().map(|summary| summary.xid.clone()).collect();
        let anonymous = |text: &str| {
            let mut text = text.to_owned();
            for (place, xid) in xids.iter().enumerate() {
                text = text.replace(xid.as_str(), &format!("xid {place}"));
            }
            text
        };
        let events = self.heard();
        let events = events.iter().map(|event| anonymous(event)).collect();
        let answers = answers.iter().map(|answer| anonymous(answer)).collect();
        let (mut balances, mut safes, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for db in ledgers {
            balances.extend(ledger::balances(db).await.expect("the table is there"));
            safes.extend(ledger::safes(db).await.expect("the table is there"));
            rows.extend(fence_rows(db).await);
        }
        // Branches end side by side, in no order.
        outside.sort();
        Observed {
            answers,
            balances,
            safes,
            outside: outside.iter().map(|what| anonymous(what)).collect(),
            fence_rows: rows.iter().map(|row| anonymous(row)).collect(),
            listed: self.show(&xids).await,
            events,
        }
    }

    fn heard(&self) -> Vec<String> {
        let heard = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        heard.clone()
    }

    async fn show(&self, xids: &[Xid]) -> String {
        let mut shown = String::new();
        for xid in xids {
            let detail = self.runtime.admin().show(xid).await;
            let detail = detail.expect("what is listed can be shown");
            let summary = &detail.summary;
            writeln!(
                shown,
                "{} by {}: {:?} {:?}, {} branches, {} wait, {} parked",
                summary.name,
                summary.application,
                summary.state,
                summary.reason,
                summary.branches,
                summary.waiting,
                summary.parked,
            )
            .expect("a string takes it");
            for branch in &detail.branches {
                writeln!(
                    shown,
                    "  {} {} {} {} {:?} {:?} {:?} {:?} {:?}",
                    branch.alias,
                    branch.call,
                    branch.resource.participant,
                    branch.action,
                    branch.kind,
                    branch.state,
                    branch.decision,
                    branch.last_error,
                    branch.parked,
                )
                .expect("a string takes it");
            }
        }
        shown
    }
}

/// Without the identity of the database, which is drawn anew for each.
fn spelled(event: &Event) -> String {
    match event {
        Event::Parked {
            xid,
            call,
            resource,
            action,
            reason,
        } => format!(
            "parked {xid} {call} {} {action} {reason:?}",
            resource.participant
        ),
        other => format!("{other:?}"),
    }
}

/// Transactions are numbered as they begin.
fn counter(xid: &Xid) -> u64 {
    let counter = xid.as_str().rsplit('.').next();
    counter
        .and_then(|counter| counter.parse().ok())
        .expect("an xid of ours ends in a number")
}

async fn fence_rows(db: &SqlitePool) -> Vec<String> {
    let sql = "SELECT call_id, participant, action, CAST(state AS TEXT), hex(digest), arguments,
                      answer, names, abandoned, CAST(marked AS TEXT), kept, parked
               FROM unanimous_fence ORDER BY counter, call_id";
    // None where nothing is behind a fence of this database.
    let rows = sqlx::query(sql).fetch_all(db).await.unwrap_or_default();
    rows.iter()
        .map(|row| {
            let columns: Vec<Option<String>> = (0..row.len()).map(|at| row.get(at)).collect();
            format!("{columns:?}")
        })
        .collect()
}

/// An answer in words.
pub(crate) fn told<T: std::fmt::Debug, E: std::fmt::Debug>(result: Result<T, E>) -> String {
    format!("{result:?}")
}

/// What became of each notice.
pub(crate) fn notices(outbox: &by_hand::Outbox) -> Vec<String> {
    let all = outbox.all().into_iter();
    all.map(|notice| format!("{notice:?}")).collect()
}
