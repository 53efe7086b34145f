//! Databases that cannot hold a fence, its tables, and their identity: E3, N5.

use std::path::Path;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use super::{NOW_MS, contents, row};
use crate::branch::fence::sqlite::prepare;
use crate::branch::fence::{DynFence, Fence, FenceError, TryStep};
use crate::sqlite::{SCHEMA, durable};

async fn open(path: &Path, pragmas: &[(&'static str, &'static str)]) -> SqlitePool {
    let mut options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    for (name, value) in pragmas {
        options = options.pragma(*name, *value);
    }
    SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await
        .expect("a pool")
}

#[tokio::test]
async fn e3_databases_that_may_lose_commits_are_refused_before_anything_is_written() {
    type Case<'a> = (&'a [(&'static str, &'static str)], Option<&'a str>);
    let cases: &[Case<'_>] = &[
        (&[], Some("journal_mode = delete, synchronous = FULL")),
        (&[("synchronous", "EXTRA")], None),
        (&[("synchronous", "OFF")], Some("synchronous = OFF")),
        (&[("journal_mode", "WAL")], None),
        (
            &[("journal_mode", "WAL"), ("synchronous", "NORMAL")],
            Some("wal, synchronous = NORMAL"),
        ),
        (
            &[("journal_mode", "MEMORY"), ("synchronous", "EXTRA")],
            Some("journal_mode = memory"),
        ),
        (
            &[("journal_mode", "OFF"), ("synchronous", "EXTRA")],
            Some("journal_mode = off"),
        ),
        (
            &[("journal_mode", "TRUNCATE")],
            Some("journal_mode = truncate"),
        ),
    ];
    for (pragmas, refusal) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.db");
        let pool = open(&file, pragmas).await;
        let before = contents(&pool).await;
        let prepared = pool.prepare(true, false).await;
        let Some(refusal) = refusal else {
            prepared.unwrap_or_else(|error| panic!("{pragmas:?}: {error}"));
            continue;
        };
        let error = prepared.expect_err("refused").to_string();
        assert!(error.contains(refusal), "{pragmas:?}: {error}");
        let line = format!(
            "unanimous::sqlite::durable({:?}).await?",
            file.display().to_string()
        );
        assert!(error.contains(&line), "{pragmas:?}: {error}");
        assert_eq!(contents(&pool).await, before, "{pragmas:?}");
        assert_eq!(before, "");
        pool.prepare(true, true)
            .await
            .expect("accepted where nothing needs to last");
        let begun = pool.begin_try(row(1), NOW_MS).await;
        assert!(matches!(begun, Ok(TryStep::Run(_))), "{begun:?}");
        // Somebody else may still insist.
        drop(begun);
        pool.prepare(true, false).await.expect_err("still refused");
    }
}

#[tokio::test]
async fn e3_a_database_in_memory_is_refused_and_accepted_beside_a_memory_coordinator() {
    for url in ["sqlite::memory:", "sqlite:"] {
        let options: SqliteConnectOptions = url.parse().expect("a url");
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options);
        let pool = pool.await.expect("a pool");
        let error = pool
            .prepare(true, false)
            .await
            .expect_err("refused")
            .to_string();
        assert!(error.contains("in-memory"), "{url}: {error}");
        assert_eq!(contents(&pool).await, "", "{url}");
        pool.prepare(true, true).await.expect("accepted");
        let begun = pool.begin_try(row(1), NOW_MS).await;
        assert!(matches!(begun, Ok(TryStep::Run(_))), "{url}: {begun:?}");
    }
}

#[tokio::test]
async fn e3_a_pool_is_asked_before_each_local_transaction_unless_it_was_opened_as_durable() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = open(&folder.path().join("a.db"), &[("journal_mode", "WAL")]).await;
    pool.prepare(true, false).await.expect("durable so far");
    let weaken = "PRAGMA synchronous = NORMAL";
    sqlx::query(weaken).execute(&pool).await.expect("a pragma");
    let begun = pool.begin_try(row(1), NOW_MS).await;
    assert!(matches!(begun, Err(FenceError::NotDurable(_))), "{begun:?}");
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM unanimous_fence")
        .fetch_one(&pool)
        .await
        .expect("a count");
    assert_eq!(rows, 0);

    let known = durable(folder.path().join("b.db")).await.expect("a pool");
    known.prepare(true, false).await.expect("durable");
    // Whoever weakens a connection of it by hand does so on purpose: clones are not asked either.
    let mut connections = Vec::new();
    for _ in 0..known.options().get_max_connections() {
        connections.push(known.acquire().await.expect("a connection"));
    }
    for connection in &mut connections {
        sqlx::query(weaken)
            .execute(&mut **connection)
            .await
            .expect("a pragma");
    }
    drop(connections);
    let begun = known
        .clone()
        .begin_try(row(1), NOW_MS)
        .await
        .map(|_: TryStep| ());
    assert!(begun.is_ok(), "{begun:?}");
}

#[tokio::test]
async fn e3_what_cannot_be_opened_as_durable_says_so() {
    for path in [":memory:", ""] {
        let refused = durable(path).await.expect_err("refused");
        assert!(
            matches!(refused, FenceError::NotDurable(_)),
            "{path:?}: {refused}"
        );
    }
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("missing").join("a.db");
    let refused = durable(&missing).await.expect_err("refused");
    assert!(matches!(refused, FenceError::Open { .. }), "{refused}");
    assert!(refused.to_string().contains("missing"), "{refused}");
    let file = folder.path().join("text.db");
    let text = "this is no database, though it is long enough to be one of several pages".repeat(9);
    std::fs::write(&file, &text).expect("a file");
    durable(&file).await.expect_err("refused");
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), text);
}

#[tokio::test]
async fn n5_an_identity_is_drawn_once_and_two_databases_have_two() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut identities = Vec::new();
    for name in ["a.db", "b.db"] {
        let pool = durable(folder.path().join(name)).await.expect("a pool");
        let first = pool.prepare(true, false).await.expect("an identity");
        assert_eq!(pool.prepare(true, false).await.expect("an identity"), first);
        let again = durable(folder.path().join(name)).await.expect("a pool");
        assert_eq!(
            again.prepare(false, false).await.expect("an identity"),
            first
        );
        identities.push(first);
    }
    assert_ne!(identities[0], identities[1]);
}

#[tokio::test]
async fn n5_the_identity_is_what_the_source_of_randomness_drew() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = durable(folder.path().join("a.db")).await.expect("a pool");
    let failing = prepare(&pool, true, false, |_| Err(getrandom::Error::UNSUPPORTED)).await;
    failing.expect_err("no identity");
    assert_eq!(contents(&pool).await, "", "no tables without an identity");
    let drawn = prepare(&pool, true, false, |bytes| {
        bytes.fill(7);
        Ok(())
    });
    assert_eq!(drawn.await.expect("an identity").0, [7; 16]);
}

#[tokio::test]
async fn tables_are_only_created_where_that_is_allowed() {
    let folder = tempfile::tempdir().expect("a folder");
    let pool = durable(folder.path().join("a.db")).await.expect("a pool");
    let error = pool
        .prepare(false, false)
        .await
        .expect_err("no tables")
        .to_string();
    for needle in [
        "unanimous_fence",
        "unanimous_horizon",
        "unanimous_database",
        "sqlite::SCHEMA",
    ] {
        assert!(error.contains(needle), "{error}");
    }
    assert_eq!(contents(&pool).await, "");
    for _ in 0..2 {
        sqlx::raw_sql(SCHEMA)
            .execute(&pool)
            .await
            .expect("the schema runs, again and again");
    }
    pool.prepare(false, false).await.expect("tables");
    sqlx::query("DROP TABLE unanimous_horizon")
        .execute(&pool)
        .await
        .expect("dropped");
    let error = pool
        .prepare(false, false)
        .await
        .expect_err("a table is missing")
        .to_string();
    assert!(
        error.contains("the table unanimous_horizon of the fence is missing"),
        "{error}"
    );
    assert!(!error.contains("unanimous_fence"), "{error}");
    pool.prepare(true, false).await.expect("created");
}

#[tokio::test]
async fn tables_of_another_version_are_refused_and_left_alone() {
    let cases = [
        (
            "UPDATE unanimous_database SET schema = 2",
            "of version 2, newer than version 1",
        ),
        (
            "UPDATE unanimous_database SET schema = 0",
            "of version 0, older than version 1",
        ),
        (
            "UPDATE unanimous_database SET identity = x'00'",
            "has 1 bytes instead of 16",
        ),
        (
            "UPDATE unanimous_database SET schema = 2; DROP TABLE unanimous_horizon",
            "of version 2, newer than version 1",
        ),
    ];
    for (change, expected) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let pool = durable(folder.path().join("a.db")).await.expect("a pool");
        pool.prepare(true, false).await.expect("tables");
        sqlx::raw_sql(change).execute(&pool).await.expect("changed");
        let before = contents(&pool).await;
        for create_tables in [true, false] {
            let error = pool
                .prepare(create_tables, false)
                .await
                .expect_err(change)
                .to_string();
            assert!(error.contains(expected), "{change}: {error}");
        }
        assert_eq!(contents(&pool).await, before, "{change}");
    }
}

#[tokio::test]
async fn clones_of_a_pool_have_one_key_and_other_pools_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.db");
    let pool = durable(&file).await.expect("a pool");
    let same_file = durable(&file).await.expect("a pool");
    assert_eq!(pool.pool_key(), pool.clone().pool_key());
    assert_ne!(pool.pool_key(), same_file.pool_key());
    let shared = std::sync::Arc::new(pool.clone());
    assert_eq!(shared.erased().pool_key(), pool.pool_key());
}

#[tokio::test]
async fn only_a_file_outlives_the_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.db");
    assert!(durable(&file).await.expect("a pool").outlives_process());
    let named = SqliteConnectOptions::new().filename("a.db").in_memory(true);
    let mut volatile = vec![named, SqliteConnectOptions::new()];
    for url in ["sqlite::memory:", "sqlite:", "sqlite:a.db?mode=memory"] {
        volatile.push(url.parse().expect("a url"));
    }
    for options in volatile {
        let what = format!("{options:?}");
        assert!(
            !SqlitePool::connect_lazy_with(options).outlives_process(),
            "{what}"
        );
    }
}
