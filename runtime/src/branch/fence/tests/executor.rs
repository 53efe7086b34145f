//! What runs on `&mut *tx`, what is refused there, and what becomes of a transaction that somebody
//! ended or left half-way.

use futures_util::TryStreamExt as _;
use sqlx::{Connection as _, Executor as _, Row as _, Sqlite, SqliteConnection, SqliteExecutor};
use unanimous_protocol::RowState;

use super::{Bench, Came, effect_in, finish_try, open_try, run_try};
use crate::branch::fence::{DynFence, FenceError, FenceTx, RowKey, StoredAnswer};

async fn finish(bench: &Bench, tx: FenceTx<Sqlite>, key: &RowKey) -> Result<(), FenceError> {
    finish_try(
        &bench.pool,
        Box::new(tx),
        key.clone(),
        StoredAnswer::default(),
    )
    .await
}

async fn count(executor: impl SqliteExecutor<'_>) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM effect")
        .fetch_one(executor)
        .await
        .expect("a count")
}

async fn insert_with(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut nested = connection.begin().await?;
    nested
        .execute("INSERT INTO effect VALUES ('', '', 'nested')")
        .await?;
    nested.commit().await
}

#[tokio::test]
async fn every_form_of_a_query_runs_in_the_local_transaction() {
    let bench = Bench::new().await;
    let row = bench.row();
    let mut tx = open_try(&bench.pool, &row).await;
    let tx_ = &mut tx;
    let what = "INSERT INTO effect VALUES (?, ?, ?)";
    let done = sqlx::query(what)
        .bind("a")
        .bind("b")
        .bind("query")
        .execute(&mut *tx_)
        .await;
    assert_eq!(done.expect("inserted").rows_affected(), 1);
    sqlx::raw_sql("INSERT INTO effect VALUES ('', '', 'raw 1'); ; INSERT INTO effect VALUES ('', '', 'raw 2')")
        .execute(&mut *tx_)
        .await
        .expect("two statements");
    (&mut *tx_)
        .execute("INSERT INTO effect VALUES ('', '', 'text')")
        .await
        .expect("text");
    let statement = (&mut *tx_)
        .prepare(sqlx::SqlStr::from_static(
            "INSERT INTO effect VALUES ('', '', ?)",
        ))
        .await
        .expect("prepared");
    sqlx::Statement::query(&statement)
        .bind("prepared")
        .execute(&mut *tx_)
        .await
        .expect("run");
    let mut builder = sqlx::QueryBuilder::<Sqlite>::new("INSERT INTO effect ");
    builder.push_values(["built 1", "built 2"], |mut values, what| {
        values.push_bind("").push_bind("").push_bind(what);
    });
    builder.build().execute(&mut *tx_).await.expect("built");
    insert_with(tx.connection())
        .await
        .expect("a function that takes the connection");

    let expected = [
        "query", "raw 1", "raw 2", "text", "prepared", "built 1", "built 2", "nested",
    ];
    let all: Vec<(String,)> = sqlx::query_as("SELECT what FROM effect")
        .fetch_all(&mut tx)
        .await
        .expect("rows");
    assert_eq!(all.iter().map(|(what,)| what).collect::<Vec<_>>(), expected);
    let streamed: Vec<String> = sqlx::query("SELECT what FROM effect")
        .map(|row: sqlx::sqlite::SqliteRow| row.get(0))
        .fetch(&mut tx)
        .try_collect()
        .await
        .expect("a stream");
    assert_eq!(streamed, expected);
    assert_eq!(count(&mut tx).await, 8);
    assert_eq!(count(&bench.pool).await, 0, "nothing is visible outside");
    let none = sqlx::query("SELECT 1 WHERE 0")
        .fetch_optional(&mut tx)
        .await
        .expect("no row");
    assert!(none.is_none());
    finish(&bench, tx, &row.key).await.expect("a commit");
    assert_eq!(count(&bench.pool).await, 8);
}

#[tokio::test]
async fn a_local_transaction_can_move_between_threads() {
    fn sendable<T: Send + 'static>(value: T) -> T {
        value
    }
    let bench = Bench::new().await;
    let row = bench.row();
    let mut tx = sendable(open_try(&bench.pool, &row).await);
    let key = row.key.clone();
    let tx = tokio::spawn(async move {
        effect_in(&mut tx, &key, "elsewhere")
            .await
            .expect("an effect");
        tx
    });
    let tx = tx.await.expect("no panic");
    finish(&bench, tx, &row.key).await.expect("a commit");
    assert_eq!(bench.effects(&row.key).await, ["elsewhere"]);
}

#[tokio::test]
async fn statements_about_the_transaction_are_refused_and_nothing_else_changes() {
    let bench = Bench::new().await;
    let refused = [
        ("BEGIN", "BEGIN"),
        ("begin immediate", "BEGIN"),
        ("COMMIT", "COMMIT"),
        (" \n\t-- now\n/* really */ ;; Commit Transaction", "COMMIT"),
        ("END", "END"),
        ("ROLLBACK", "ROLLBACK"),
        ("ROLLBACK TO unanimous_fence", "ROLLBACK"),
        ("SAVEPOINT a", "SAVEPOINT"),
        ("RELEASE unanimous_fence", "RELEASE"),
        ("\u{feff}COMMIT", "COMMIT"),
        ("INSERT INTO effect VALUES ('', '', ';'); COMMIT", "COMMIT"),
        ("SELECT 1; SELECT 2; END; SELECT 3", "END"),
    ];
    for (sql, keyword) in refused {
        let row = bench.row();
        let mut tx = open_try(&bench.pool, &row).await;
        let expected = format!("{keyword} is refused here");
        let raw = sqlx::raw_sql(sql).execute(&mut tx).await;
        let query = sqlx::query(sql).fetch_optional(&mut tx).await.map(|_| ());
        let stream = sqlx::query(sql).fetch_all(&mut tx).await.map(|_| ());
        let prepared = (&mut tx)
            .prepare(sqlx::SqlStr::from_static(sql))
            .await
            .map(|_| ());
        for result in [raw.map(|_| ()), query, stream, prepared] {
            let error = result.expect_err(sql).to_string();
            assert!(error.starts_with(&expected), "{sql}: {error}");
        }
        assert_eq!(count(&mut tx).await, 0, "{sql}");
        finish(&bench, tx, &row.key)
            .await
            .expect("the transaction is still there");
        assert_eq!(bench.state(&row.key).await, Some(RowState::Tried), "{sql}");
    }
}

#[tokio::test]
async fn rm3_a_transaction_that_was_ended_on_the_raw_connection_is_never_success() {
    let bench = Bench::with_connections(1).await;
    let endings = [
        "COMMIT",
        "ROLLBACK",
        "COMMIT; BEGIN IMMEDIATE",
        "ROLLBACK; BEGIN IMMEDIATE",
        "COMMIT; BEGIN IMMEDIATE; SAVEPOINT another",
        "ROLLBACK TO unanimous_fence; RELEASE unanimous_fence",
    ];
    for ending in endings {
        let row = bench.row();
        let mut tx = open_try(&bench.pool, &row).await;
        sqlx::raw_sql(ending)
            .execute(tx.connection())
            .await
            .expect("an ending");
        let finished = finish(&bench, tx, &row.key).await;
        assert!(
            matches!(finished, Err(FenceError::EndedEarly)),
            "{ending}: {finished:?}"
        );
        // A repeat of the same call is no success either, where its row was committed.
        let repeated = bench.pool.begin_try(row.clone(), super::NOW_MS).await;
        let refused = matches!(&repeated, Err(FenceError::EndedEarly));
        drop(repeated);
        assert_eq!(refused, bench.state(&row.key).await.is_some(), "{ending}");
        // The pool's only connection is a new one, outside any transaction.
        assert_eq!(
            run_try(&bench.pool, &bench.row()).await,
            Came::Applied,
            "{ending}"
        );
    }
}

#[tokio::test]
async fn rm3_an_end_that_no_keyword_showed_is_never_success() {
    let bench = Bench::with_connections(1).await;
    let row = bench.row();
    let mut tx = open_try(&bench.pool, &row).await;
    // To SQLite the first quote belongs to the variable's name.
    let hidden = "SELECT $a('); COMMIT; BEGIN IMMEDIATE; --'";
    sqlx::raw_sql(hidden)
        .execute(&mut tx)
        .await
        .expect("an ending that was not seen");
    let finished = finish(&bench, tx, &row.key).await;
    assert!(
        matches!(finished, Err(FenceError::EndedEarly)),
        "{finished:?}"
    );
    assert_eq!(run_try(&bench.pool, &bench.row()).await, Came::Applied);
}

#[tokio::test]
async fn rm3_a_nested_transaction_that_was_leaked_is_never_success() {
    let bench = Bench::with_connections(1).await;
    let row = bench.row();
    let mut tx = open_try(&bench.pool, &row).await;
    let mut nested = tx.connection().begin().await.expect("a savepoint");
    nested
        .execute("INSERT INTO effect VALUES ('', '', 'leaked')")
        .await
        .expect("an effect");
    std::mem::forget(nested);
    let finished = finish(&bench, tx, &row.key).await;
    assert!(
        matches!(finished, Err(FenceError::EndedEarly)),
        "{finished:?}"
    );
    assert_eq!(bench.state(&row.key).await, None);
    assert_eq!(count(&bench.pool).await, 0);
    assert_eq!(run_try(&bench.pool, &row).await, Came::Applied);
}

#[tokio::test]
async fn rm3_after_a_statement_rolled_everything_back_no_other_commits_itself() {
    let bench = Bench::with_connections(1).await;
    sqlx::query("CREATE TABLE stock (sku TEXT PRIMARY KEY)")
        .execute(&bench.pool)
        .await
        .expect("");
    let row = bench.row();
    let mut tx = open_try(&bench.pool, &row).await;
    let twice = "INSERT OR ROLLBACK INTO stock VALUES ('a'), ('a')";
    sqlx::query(twice)
        .execute(&mut tx)
        .await
        .expect_err("a conflict");
    let next = effect_in(&mut tx, &row.key, "alone")
        .await
        .expect_err("refused")
        .to_string();
    assert!(next.contains("has ended"), "{next}");
    let finished = finish(&bench, tx, &row.key).await;
    assert!(
        matches!(finished, Err(FenceError::EndedEarly)),
        "{finished:?}"
    );
    assert_eq!(count(&bench.pool).await, 0);
    assert_eq!(run_try(&bench.pool, &row).await, Came::Applied);
}

#[tokio::test]
async fn a_failed_statement_that_the_action_handles_costs_nothing() {
    let bench = Bench::new().await;
    sqlx::query("CREATE TABLE stock (sku TEXT PRIMARY KEY)")
        .execute(&bench.pool)
        .await
        .expect("");
    let row = bench.row();
    let mut tx = open_try(&bench.pool, &row).await;
    sqlx::query("INSERT INTO stock VALUES ('a')")
        .execute(&mut tx)
        .await
        .expect("one");
    sqlx::query("INSERT INTO stock VALUES ('a')")
        .execute(&mut tx)
        .await
        .expect_err("twice");
    effect_in(&mut tx, &row.key, "tried")
        .await
        .expect("an effect");
    finish(&bench, tx, &row.key).await.expect("a commit");
    assert_eq!(bench.effects(&row.key).await, ["tried"]);
}

#[tokio::test]
async fn rm3_a_statement_that_was_dropped_half_way_is_never_success() {
    let bench = Bench::with_connections(1).await;
    // The statement runs on a thread of its own, which may be faster: then once more.
    let (row, mut tx) = loop {
        let row = bench.row();
        let mut tx = open_try(&bench.pool, &row).await;
        // Two statements: one that has answered is known to have run.
        let insert =
            "INSERT INTO effect VALUES ('', '', 'a'); INSERT INTO effect VALUES ('', '', 'b')";
        let insert = sqlx::raw_sql(insert).execute(&mut tx);
        if super::cancellation::poll_at_most(insert, 1).await.is_none() {
            break (row, tx);
        }
    };
    let next = effect_in(&mut tx, &row.key, "next")
        .await
        .expect_err("refused")
        .to_string();
    assert!(next.contains("was dropped before it answered"), "{next}");
    let finished = finish(&bench, tx, &row.key).await;
    assert!(
        matches!(finished, Err(FenceError::StatementDropped)),
        "{finished:?}"
    );
    assert_eq!(count(&bench.pool).await, 0);
    assert_eq!(run_try(&bench.pool, &row).await, Came::Applied);
}

#[tokio::test]
async fn a_select_may_be_dropped_half_way() {
    let bench = Bench::new().await;
    let row = bench.row();
    let mut tx = open_try(&bench.pool, &row).await;
    let _ = super::cancellation::poll_at_most(sqlx::query("SELECT 1").execute(&mut tx), 1).await;
    for what in ["a", "b", "c"] {
        effect_in(&mut tx, &row.key, what).await.expect("an effect");
    }
    let mut rows =
        sqlx::query("DELETE FROM effect WHERE what <> 'c' RETURNING what").fetch(&mut tx);
    assert!(rows.try_next().await.expect("a row").is_some());
    drop(rows);
    finish(&bench, tx, &row.key).await.expect("a commit");
    assert_eq!(bench.effects(&row.key).await, ["c"]);
}

#[tokio::test]
async fn a_transaction_of_another_fence_is_not_committed() {
    let bench = Bench::new().await;
    let row = bench.row();
    let stranger: crate::branch::fence::OpenTransaction = Box::new("no transaction");
    let finished = finish_try(&bench.pool, stranger, row.key, StoredAnswer::default()).await;
    assert!(
        matches!(finished, Err(FenceError::EndedEarly)),
        "{finished:?}"
    );
}
