//! C4: no future of the fence leaves an open transaction in the pool, wherever it is dropped.

#![expect(
    clippy::async_yields_async,
    reason = "each future is polled by hand, so many times"
)]

use std::future::{Future, poll_fn};
use std::task::Poll;

use sqlx::SqlitePool;
use unanimous_protocol::message::Horizon;
use unanimous_protocol::{Decision, RowState};

use super::{
    Bench, Came, INCARNATION, NOW_MS, begin_phase_two, deliver, effect, finish_phase_two,
    finish_try, open_try, run_try,
};
use crate::branch::fence::{DynFence, PhaseTwoCause, PhaseTwoStep, StoredAnswer, TryStep};

/// The output of the future, unless it is not ready after so many polls; then it is dropped.
pub(super) async fn poll_at_most<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = Box::pin(future);
    let mut left = polls;
    poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Drops a future at each of its polls; after each the pool's only connection is outside any
/// transaction and another connection can write. In several rounds, until one was dropped half-way:
/// how often a future is polled depends on how fast the connection's thread answers.
async fn drop_at_every_poll<F>(bench: &Bench, what: &str, mut start: impl AsyncFnMut() -> F)
where
    F: Future,
{
    let other = bench.another_pool().await;
    let mut dropped_half_way = 0;
    for round in 0..500 {
        if round >= 5 && dropped_half_way > 0 {
            return;
        }
        for polls in 0.. {
            let output = poll_at_most(start().await, polls).await;
            let ended = output.is_some();
            // What was begun and handed out is the caller's to end.
            drop(output);
            assert_clean(bench, &other, &format!("{what}, {polls} polls")).await;
            if ended {
                break;
            }
            dropped_half_way += usize::from(polls > 0);
        }
    }
    panic!("{what} is never dropped half-way");
}

async fn assert_clean(bench: &Bench, other: &SqlitePool, what: &str) {
    let mut connection = bench
        .pool
        .acquire()
        .await
        .expect("the connection comes back");
    let begun = sqlx::Connection::begin_with(&mut *connection, "BEGIN IMMEDIATE").await;
    let begun = begun.unwrap_or_else(|error| panic!("{what}: {error}"));
    begun.rollback().await.expect("a rollback");
    drop(connection);
    sqlx::query("INSERT INTO effect VALUES ('', '', 'other')")
        .execute(other)
        .await
        .unwrap_or_else(|error| panic!("{what}: {error}"));
}

#[tokio::test]
async fn c4_a_dropped_begin_of_a_try_leaves_no_transaction() {
    let bench = Bench::with_connections(1).await;
    let pool = bench.pool.clone();
    drop_at_every_poll(&bench, "begin_try", async || {
        let row = bench.row();
        pool.begin_try(row, NOW_MS)
    })
    .await;
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM unanimous_fence")
        .fetch_one(&bench.pool)
        .await
        .expect("a count");
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn c4_a_dropped_end_of_a_try_commits_all_or_nothing() {
    let bench = Bench::with_connections(1).await;
    let pool = bench.pool.clone();
    let mut keys = Vec::new();
    drop_at_every_poll(&bench, "finish_try", async || {
        let row = bench.row();
        keys.push(row.key.clone());
        let TryStep::Run(mut transaction) = pool.begin_try(row.clone(), NOW_MS).await.expect("")
        else {
            panic!("a new row runs")
        };
        effect(&mut transaction, &row.key, "tried").await;
        finish_try(&pool, transaction, row.key, StoredAnswer::default())
    })
    .await;
    let mut committed = 0;
    for key in &keys {
        let both = (bench.state(key).await, bench.effects(key).await.len());
        assert!(
            [(None, 0), (Some(RowState::Tried), 1)].contains(&both),
            "{key:?}: {both:?}"
        );
        committed += both.1;
    }
    assert!(committed >= 1, "the last one was not dropped");
    assert!(committed < keys.len(), "the first one was");
}

#[tokio::test]
async fn c4_a_dropped_phase_two_leaves_no_transaction_and_can_be_repeated() {
    let bench = Bench::with_connections(1).await;
    let pool = bench.pool.clone();
    let row = bench.row();
    run_try(&bench.pool, &row).await;
    drop_at_every_poll(&bench, "begin_phase_two", async || {
        begin_phase_two(&pool, &row, Decision::Commit, PhaseTwoCause::Delivered)
    })
    .await;
    assert_eq!(bench.state(&row.key).await, Some(RowState::Tried));
    drop_at_every_poll(&bench, "begin_phase_two of a marker", async || {
        let row = bench.row();
        let pool = pool.clone();
        async move {
            begin_phase_two(&pool, &row, Decision::Rollback, PhaseTwoCause::Delivered).await
        }
    })
    .await;
    let mut rows = Vec::new();
    drop_at_every_poll(&bench, "finish_phase_two", async || {
        let row = bench.row();
        run_try(&pool, &row).await;
        rows.push(row.clone());
        let begun = begin_phase_two(&pool, &row, Decision::Commit, PhaseTwoCause::Delivered).await;
        let Ok(PhaseTwoStep::Run {
            mut transaction, ..
        }) = begun
        else {
            panic!("{begun:?}")
        };
        effect(&mut transaction, &row.key, "confirmed").await;
        finish_phase_two(&pool, transaction, row.key, Decision::Commit)
    })
    .await;
    for row in &rows {
        assert_eq!(
            deliver(&bench.pool, row, Decision::Commit).await,
            Came::Ended
        );
        assert_eq!(bench.effects(&row.key).await, ["tried", "confirmed"]);
    }
}

#[tokio::test]
async fn c4_dropped_parking_cleaning_and_preparing_leave_no_transaction() {
    let bench = Bench::with_connections(1).await;
    let pool = bench.pool.clone();
    let row = bench.row();
    run_try(&bench.pool, &row).await;
    drop_at_every_poll(&bench, "park", async || {
        pool.park(row.key.clone(), Decision::Commit, "no".into())
    })
    .await;
    drop_at_every_poll(&bench, "clean", async || {
        let row = bench.row();
        let counter = row.key.xid.own().expect("an xid of ours").counter;
        deliver(&pool, &row, Decision::Rollback).await;
        pool.clean(
            INCARNATION,
            Horizon {
                counter,
                listed: [1].into(),
            },
        )
    })
    .await;
    drop_at_every_poll(&bench, "prepare", async || pool.prepare(true, false)).await;
    let ended: i64 = sqlx::query_scalar("SELECT count(*) FROM unanimous_fence WHERE state <> 1")
        .fetch_one(&bench.pool)
        .await
        .expect("a count");
    assert_eq!(
        ended, 0,
        "what a dropped cleaning left, the next one takes along"
    );
}

#[tokio::test]
async fn c4_a_try_that_is_dropped_between_any_two_statements_leaves_no_transaction() {
    let bench = Bench::with_connections(1).await;
    let pool = bench.pool.clone();
    drop_at_every_poll(&bench, "a whole try", async || {
        let row = bench.row();
        let pool = pool.clone();
        async move {
            let mut tx = open_try(&pool, &row).await;
            super::effect_in(&mut tx, &row.key, "tried")
                .await
                .expect("an effect");
            finish_try(&pool, Box::new(tx), row.key, StoredAnswer::default())
                .await
                .expect("a commit");
        }
    })
    .await;
}

#[tokio::test]
async fn c4_dropped_questions_leave_no_transaction() {
    let bench = Bench::with_connections(1).await;
    let pool = bench.pool.clone();
    let row = bench.row();
    run_try(&bench.pool, &row).await;
    let name = row.participant.clone();
    drop_at_every_poll(&bench, "in_doubt", async || {
        pool.in_doubt(name.clone(), i64::MAX, None, 9)
    })
    .await;
    drop_at_every_poll(&bench, "given_up", async || {
        pool.given_up(name.clone(), None, 9)
    })
    .await;
    drop_at_every_poll(&bench, "parked", async || pool.parked(name.clone())).await;
    drop_at_every_poll(&bench, "horizons", async || pool.horizons()).await;
    drop_at_every_poll(&bench, "newest_incarnation", async || {
        pool.newest_incarnation()
    })
    .await;
    let left = pool.in_doubt(name, i64::MAX, None, 9).await.expect("rows");
    assert_eq!(left.len(), 1, "its row is still tried");
}

#[tokio::test]
async fn c4_a_statement_may_be_dropped_while_it_is_prepared_or_fetched() {
    use sqlx::{Executor as _, SqlSafeStr as _};
    let bench = Bench::with_connections(1).await;
    let pool = bench.pool.clone();
    for what in ["fetch", "prepare", "describe"] {
        drop_at_every_poll(&bench, what, async || {
            let row = bench.row();
            let mut tx = open_try(&pool, &row).await;
            async move {
                let sql = "SELECT count(*) FROM effect";
                match what {
                    "fetch" => drop(sqlx::query(sql).fetch_optional(&mut tx).await),
                    "prepare" => drop((&mut tx).prepare(sql.into_sql_str()).await),
                    _ => drop((&mut tx).describe(sql.into_sql_str()).await),
                }
            }
        })
        .await;
    }
}
