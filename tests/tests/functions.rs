//! Free functions as actions: their state, how they are provided, and what becomes of them when
//! they are not.

#![allow(
    clippy::unused_async,
    reason = "the partner of a free function is async, also where it waits for nothing"
)]
#![allow(
    clippy::large_types_passed_by_value,
    reason = "futures are measured by their arguments"
)]

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;
use unanimous::sqlx::{self, Sqlite, SqlitePool};
use unanimous::{
    BranchContext, Error, FenceTx, GlobalTransaction, Runtime, RuntimeBuilder,
    global_transactional, participant, sqlite, two_phase_action,
};

const WITHIN: Duration = Duration::from_secs(20);

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0} does not have {1}")]
    NotEnoughMoney(String, i64),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Transaction(#[from] Error),
}

/// What happened, in order.
#[derive(Clone, Debug, Default)]
struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    fn write(&self, line: impl Into<String>) {
        self.0.lock().expect("nobody panics").push(line.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("nobody panics"))
    }
}

/// The shop's account service.
mod account {
    use super::*;

    #[two_phase_action(
        name = "account.debit",
        commit = confirm(tx, user, amount),
        rollback = cancel(tx, user, amount),
        fence = db
    )]
    pub(super) async fn debit(
        tx: &mut FenceTx<Sqlite>,
        #[state] db: &SqlitePool,
        user: &str,
        amount: i64,
    ) -> Result<i64, Failure> {
        let sql = "UPDATE account SET balance = balance - ?2, held = held + ?2 \
                   WHERE user = ?1 AND balance >= ?2 RETURNING balance";
        let left = sqlx::query_scalar(sql)
            .bind(user)
            .bind(amount)
            .fetch_optional(&mut *tx)
            .await?;
        left.ok_or_else(|| Failure::NotEnoughMoney(user.to_owned(), amount))
    }

    async fn confirm(tx: &mut FenceTx<Sqlite>, user: &str, amount: i64) -> Result<(), Failure> {
        let sql = "UPDATE account SET held = held - ?2 WHERE user = ?1";
        sqlx::query(sql)
            .bind(user)
            .bind(amount)
            .execute(&mut *tx)
            .await?;
        sqlx::query("UPDATE revenue SET total = total + ?")
            .bind(amount)
            .execute(&mut *tx)
            .await?;
        Ok(())
    }

    async fn cancel(tx: &mut FenceTx<Sqlite>, user: &str, amount: i64) -> Result<(), Failure> {
        let sql = "UPDATE account SET balance = balance + ?2, held = held - ?2 WHERE user = ?1";
        sqlx::query(sql)
            .bind(user)
            .bind(amount)
            .execute(&mut *tx)
            .await?;
        Ok(())
    }

    /// A fenced action that calls another one on the same pool.
    #[two_phase_action(commit = none, rollback = nothing, fence = db)]
    pub(super) async fn debit_inside(
        tx: &mut FenceTx<Sqlite>,
        #[state] db: &SqlitePool,
    ) -> Result<i64, Failure> {
        sqlx::query("UPDATE revenue SET total = total")
            .execute(&mut *tx)
            .await?;
        debit("ada", 1).await
    }

    async fn nothing(_: &mut FenceTx<Sqlite>, _: &SqlitePool) -> Result<(), Failure> {
        Ok(())
    }

    /// Its rollback is told also of a phase one that left nothing.
    #[two_phase_action(
        commit = none,
        rollback = fetched_back(&journal, tried, branch, parcel),
        fence = db,
        always_cancel
    )]
    pub(super) async fn send(
        tx: &mut FenceTx<Sqlite>,
        #[state] db: &SqlitePool,
        #[state] journal: Journal,
        #[recorded(name = "number", default)] parcel: u8,
        fails: bool,
    ) -> Result<u8, Failure> {
        sqlx::query("UPDATE revenue SET total = total + 1")
            .execute(&mut *tx)
            .await?;
        journal.write(format!("sent {parcel} of {}", db.size()));
        if fails {
            return Err(Failure::NotEnoughMoney("the carrier".to_owned(), 1));
        }
        Ok(parcel)
    }

    async fn fetched_back(
        journal: &Journal,
        sent: Option<&u8>,
        branch: &BranchContext,
        parcel: u8,
    ) -> Result<(), Failure> {
        assert!(branch.decision().is_some());
        journal.write(format!("fetched {parcel} back, sent {sent:?}"));
        Ok(())
    }

    pub(super) async fn database(folder: &tempfile::TempDir, name: &str) -> SqlitePool {
        let db = sqlite::durable(folder.path().join(name))
            .await
            .expect("a new file");
        let schema = "CREATE TABLE account (user TEXT PRIMARY KEY, balance INTEGER, held INTEGER); \
                      CREATE TABLE revenue (total INTEGER); \
                      INSERT INTO account VALUES ('ada', 100, 0), ('ben', 20, 0); \
                      INSERT INTO revenue VALUES (0)";
        sqlx::raw_sql(schema)
            .execute(&db)
            .await
            .expect("new tables");
        db
    }

    /// Balance and held part of each, and the revenue.
    pub(super) async fn state(db: &SqlitePool) -> Vec<(i64, i64, i64)> {
        let sql = "SELECT balance, held, total FROM account, revenue ORDER BY user";
        sqlx::query_as(sql).fetch_all(db).await.expect("the tables")
    }
}

/// Two versions of one action, the newer under a new name.
mod renamed {
    use super::*;

    /// The older one, a method then.
    pub(super) struct Notes(pub(super) Journal);

    #[participant(name = "note.write")]
    impl Notes {
        #[two_phase_action(name = "note.write", commit = refuse, rollback = erase)]
        pub(super) async fn write(&self, text: &str) -> Result<(), Error> {
            self.0.write(format!("wrote {text}"));
            Ok(())
        }

        async fn refuse(&self) -> Result<(), String> {
            Err("this version can no more".to_owned())
        }

        async fn erase(&self) -> Result<(), Error> {
            Ok(())
        }
    }

    #[two_phase_action(alias = ["note.write"], commit = keep, rollback = none)]
    pub(super) async fn put(#[state] journal: &Journal, text: &str) -> Result<(), Error> {
        journal.write(format!("put {text}"));
        Ok(())
    }

    async fn keep(journal: &Journal, text: &str) -> Result<(), Error> {
        journal.write(format!("kept {text}"));
        Ok(())
    }
}

async fn no_action() {}

fn builder() -> RuntimeBuilder {
    Runtime::builder().coordinator("memory:")
}

async fn refusal(builder: RuntimeBuilder) -> String {
    builder
        .build()
        .await
        .expect_err("it is refused")
        .to_string()
}

/// The message says all of this.
fn says(message: &str, texts: &[&str]) {
    for text in texts {
        assert!(message.contains(text), "`{text}` is not in: {message}");
    }
}

#[global_transactional(settle = "10s")]
async fn pay_together(amount: i64) -> Result<i64, Failure> {
    account::debit("ada", amount).await?;
    account::debit("ben", amount).await
}

#[tokio::test]
async fn the_account_service_of_functions_commits_and_rolls_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = account::database(&folder, "account.db").await;
    let log = format!("embedded:{}", folder.path().join("log.redb").display());
    let runtime = Runtime::builder()
        .coordinator(log)
        .state(db.clone())
        .action(account::debit)
        .build()
        .await
        .expect("a runtime");
    let left = runtime.scope(pay_together(20)).await.expect("it commits");
    assert_eq!(left, 0);
    assert_eq!(account::state(&db).await, [(80, 0, 40), (0, 0, 40)]);
    let error = runtime.scope(pay_together(1)).await.expect_err("too much");
    assert!(matches!(&error, Failure::NotEnoughMoney(user, 1) if user == "ben"));
    assert!(runtime.quiet(WITHIN).await);
    assert_eq!(account::state(&db).await, [(80, 0, 40), (0, 0, 40)]);
    runtime.shutdown().await;
}

#[tokio::test]
async fn missing_state_is_refused_with_the_function_its_file_and_its_line() {
    let line = line_of("pub(super) async fn debit(");
    let text = refusal(builder().state(7_u8).action(account::debit)).await;
    let place = format!("`debit` (tests/tests/functions.rs:{line})");
    says(
        &text,
        &[&place, "Pool<", "Sqlite", ".state(value)", "given are `u8`"],
    );
    // The value in another type is another state.
    let folder = tempfile::tempdir().expect("a folder");
    let db = Arc::new(account::database(&folder, "account.db").await);
    let text = refusal(builder().state(db).action(account::debit)).await;
    says(&text, &[&place, "given are `alloc::sync::Arc<"]);
}

#[tokio::test]
async fn doubled_state_is_refused_with_both_places_and_the_functions_that_take_it() {
    let (first, second) = (Journal::default(), Journal::default());
    let at = line!() + 1;
    let doubled = builder().state(first).state(second);
    let place = format!("tests/tests/functions.rs:{at}:");
    let line = line_of("pub(super) async fn put(");
    let taker = format!("`put` (tests/tests/functions.rs:{line})");
    let text = refusal(doubled.action(renamed::put)).await;
    says(&text, &["Journal", &place, &taker, "type of its own"]);
    assert_eq!(text.matches(&place).count(), 2, "{text}");
    // Nobody need take it.
    let text = refusal(builder().state(1_u8).state(2_u8)).await;
    says(&text, &["`u8`", &place[..place.len() - 4]]);
}

#[tokio::test]
async fn what_is_no_action_is_refused() {
    let text = refusal(builder().action(no_action)).await;
    says(&text, &["functions::no_action", "#[two_phase_action"]);
    let text = refusal(builder().action(|| async {})).await;
    says(&text, &["closure"]);
}

#[tokio::test]
async fn an_action_that_is_not_provided_is_refused_before_anything_is_registered() {
    let journal = Journal::default();
    // Its state alone provides nothing.
    let runtime = builder()
        .state(journal.clone())
        .build()
        .await
        .expect("a runtime");
    let call = async { renamed::put("lost").await };
    let ran = GlobalTransaction::named("stray")
        .runtime(&runtime)
        .run(call);
    let completed = ran.await.expect("it begins");
    let error = completed.body.expect_err("it is not provided");
    let Error::NotProvided { action, file, line } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(&**action, "functions::renamed::put");
    assert_eq!(*file, "tests/tests/functions.rs");
    assert_eq!(*line, line_of("pub(super) async fn put("));
    says(&error.to_string(), &[".action(..)"]);
    assert_eq!(journal.take(), Vec::<String>::new(), "its body ran");
    runtime.shutdown().await;
}

#[tokio::test]
async fn all_linked_actions_are_provided_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = account::database(&folder, "account.db").await;
    let journal = Journal::default();
    let runtime = builder()
        .state(db.clone())
        .state(journal.clone())
        .linked_actions()
        .action(renamed::put)
        .build()
        .await
        .expect("a runtime");
    let both = async {
        renamed::put("a note").await?;
        account::debit("ada", 5).await
    };
    let both = GlobalTransaction::named("both").runtime(&runtime).run(both);
    both.await
        .and_then(|completed| completed.into_result().map_err(|_| Error::NoRuntime))
        .expect("it commits");
    assert!(runtime.quiet(WITHIN).await);
    assert_eq!(journal.take(), ["put a note", "kept a note"]);
    assert_eq!(account::state(&db).await[0], (95, 0, 5));
    runtime.shutdown().await;
}

#[tokio::test]
async fn what_is_linked_and_not_provided_is_warned_of_or_refused() {
    let text = refusal(builder().require_linked()).await;
    let line = line_of("pub(super) async fn put(");
    let place = format!("`put` (tests/tests/functions.rs:{line})");
    says(&text, &[&place, "`debit`", ".action(..)", "require_linked"]);
    let seen = Seen::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(seen.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let journal = Journal::default();
    let given = builder().state(journal).action(renamed::put);
    let runtime = given.build().await.expect("a runtime");
    drop(guard);
    let warned = seen.text();
    says(&warned, &["WARN", "`debit`", "not provided"]);
    assert!(!warned.contains(&place), "it is provided: {warned}");
    runtime.shutdown().await;
}

#[tokio::test]
async fn two_runtimes_have_state_and_handlers_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let (left, right) = tokio::join!(
        account::database(&folder, "left.db"),
        account::database(&folder, "right.db")
    );
    let start = async |db: &SqlitePool| {
        let given = builder().state(db.clone()).action(account::debit);
        given.build().await.expect("a runtime")
    };
    let (first, second) = (start(&left).await, start(&right).await);
    let (one, other) = tokio::join!(first.scope(pay_together(5)), second.scope(pay_together(20)));
    assert_eq!((one.expect("left"), other.expect("right")), (15, 0));
    assert_eq!(account::state(&left).await, [(95, 0, 10), (15, 0, 10)]);
    assert_eq!(account::state(&right).await, [(80, 0, 40), (0, 0, 40)]);
    first.shutdown().await;
    second.shutdown().await;
}

#[tokio::test]
async fn a_renamed_action_ends_the_branches_of_its_old_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = format!("embedded:{}", folder.path().join("log.redb").display());
    let journal = Journal::default();
    let start = || {
        Runtime::builder()
            .coordinator(log.clone())
            .state(journal.clone())
    };
    let notes = Arc::new(renamed::Notes(journal.clone()));
    let given = start().participant(notes.clone());
    let old = given.build().await.expect("the old version");
    let write = GlobalTransaction::named("write").runtime(&old);
    let wrote = write.run(notes.write("home")).await.expect("it begins");
    wrote.into_result().expect("it commits");
    assert!(
        !old.quiet(Duration::from_millis(50)).await,
        "nobody ends it"
    );
    old.shutdown().await;
    drop(old);

    let new = start()
        .action(renamed::put)
        .build()
        .await
        .expect("the new version");
    assert!(new.quiet(WITHIN).await, "the branch of the old name ends");
    assert_eq!(journal.take(), ["wrote home", "kept home"]);
    new.shutdown().await;
}

#[tokio::test]
async fn a_function_calls_no_other_on_its_pool_inside_its_fence() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = account::database(&folder, "account.db").await;
    let runtime = builder()
        .state(db.clone())
        .action(account::debit)
        .action(account::debit_inside)
        .build()
        .await
        .expect("a runtime");
    let nested = GlobalTransaction::named("nested").runtime(&runtime);
    let completed = nested
        .run(account::debit_inside())
        .await
        .expect("it begins");
    let error = completed.body.expect_err("it would wait for itself");
    assert!(
        matches!(&error, Failure::Transaction(Error::NestedFence { action }) if &**action == "account.debit"),
        "{error:?}"
    );
    assert_eq!(account::state(&db).await, [(100, 0, 0), (20, 0, 0)]);
    runtime.shutdown().await;
}

#[tokio::test]
async fn always_cancel_is_told_of_a_phase_one_that_left_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let db = account::database(&folder, "account.db").await;
    let journal = Journal::default();
    let runtime = builder()
        .state(db.clone())
        .state(journal.clone())
        .action(account::send)
        .build()
        .await
        .expect("a runtime");
    for (fails, left) in [(true, "None"), (false, "Some(7)")] {
        let send = async {
            account::send(7, fails).await?;
            Err::<(), _>(Failure::NotEnoughMoney("nobody".to_owned(), 0))
        };
        let sending = GlobalTransaction::named("send").runtime(&runtime).run(send);
        sending
            .await
            .expect("it begins")
            .body
            .expect_err("it rolls back");
        assert!(runtime.quiet(WITHIN).await);
        let lines = journal.take();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(lines[1], format!("fetched 7 back, sent {left}"));
    }
    runtime.shutdown().await;
}

#[test]
fn the_future_of_a_function_is_little_larger_than_a_plain_one() {
    let plain = size_of_val(&sized::plain([0; 1024]));
    let of_action = size_of_val(&sized::action([0; 1024]));
    assert!(of_action * 100 <= plain * 125, "{of_action}, plain {plain}");
}

/// An action and the same function without an annotation, at an argument of 1 KiB.
mod sized {
    use super::*;

    pub(super) async fn plain(data: [u8; 1024]) -> Result<u8, Failure> {
        std::future::ready(()).await;
        Ok(data[1023])
    }

    #[two_phase_action(commit = none, rollback = cancel(_tx), fence = db)]
    pub(super) async fn action(
        _tx: &mut FenceTx<Sqlite>,
        #[state] db: &SqlitePool,
        #[skip] data: [u8; 1024],
    ) -> Result<u8, Failure> {
        std::future::ready(()).await;
        Ok(data[1023])
    }

    async fn cancel(_: &mut FenceTx<Sqlite>) -> Result<(), Failure> {
        Ok(())
    }
}

/// The line of this file that contains the text; the first, as tests that look for it follow.
fn line_of(text: &str) -> u32 {
    let lines = include_str!("functions.rs").lines();
    let found = lines.zip(1..).find(|(line, _)| line.contains(text));
    found.expect("the text stands in this file").1
}

/// What was logged.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<u8>>>);

impl Seen {
    fn text(&self) -> String {
        let bytes = self.0.lock().expect("nobody panics").clone();
        String::from_utf8(bytes).expect("text")
    }
}

impl Write for Seen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("nobody panics").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Seen {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
