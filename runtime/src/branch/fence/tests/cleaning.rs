//! Local horizons, cleaning, questions and parked rows: RM6, RM8, RM10.

use unanimous_protocol::message::{Horizon, ParkReason};
use unanimous_protocol::{Decision, Incarnation, OwnXid, RowState, Xid, limits};

use super::{Bench, Came, INCARNATION, NOW_MS, deliver, participant, row, run_phase_two, run_try};
use crate::branch::fence::{DynFence, PhaseTwoCause, StoredAnswer, TryRow, TryStep};

fn horizon(counter: u64, listed: impl IntoIterator<Item = u64>) -> Horizon {
    Horizon {
        counter,
        listed: listed.into_iter().collect(),
    }
}

async fn clean(bench: &Bench, horizon: Horizon) {
    bench
        .pool
        .clean(INCARNATION, horizon)
        .await
        .expect("cleaned");
}

async fn local(bench: &Bench) -> Option<Horizon> {
    bench
        .pool
        .horizons()
        .await
        .expect("horizons")
        .remove(&INCARNATION)
}

#[tokio::test]
async fn rm8_only_ended_rows_that_the_horizon_has_passed_are_deleted() {
    let bench = Bench::new().await;
    for counter in 1..=5 {
        run_try(&bench.pool, &row(counter)).await;
    }
    for counter in [1, 2, 3, 5] {
        deliver(&bench.pool, &row(counter), Decision::Commit).await;
    }
    let mut other = row(1);
    let incarnation = Incarnation {
        number: 2,
        random: 9,
    };
    other.key.xid = Xid::from(OwnXid {
        incarnation,
        counter: 1,
    });
    deliver(&bench.pool, &other, Decision::Rollback).await;
    clean(&bench, horizon(4, [2])).await;
    let mut left = Vec::new();
    for counter in 1..=5 {
        left.push(bench.state(&row(counter).key).await);
    }
    let confirmed = Some(RowState::Confirmed);
    let tried = Some(RowState::Tried);
    assert_eq!(left, [None, confirmed, None, tried, confirmed]);
    assert_eq!(bench.state(&other.key).await, Some(RowState::Cancelled));
}

#[tokio::test]
async fn rm8_below_the_local_horizon_a_late_try_is_refused_and_phase_two_touches_nothing() {
    let bench = Bench::new().await;
    clean(&bench, horizon(10, [7])).await;
    let before = bench.contents().await;
    assert_eq!(run_try(&bench.pool, &row(10)).await, Came::BelowHorizon);
    for decision in [Decision::Commit, Decision::Rollback] {
        assert_eq!(deliver(&bench.pool, &row(9), decision).await, Came::Ended);
    }
    assert_eq!(bench.contents().await, before);
    assert_eq!(
        run_try(&bench.pool, &row(7)).await,
        Came::Applied,
        "it is listed"
    );
    assert_eq!(
        run_try(&bench.pool, &row(11)).await,
        Came::Applied,
        "it is above"
    );
}

#[tokio::test]
async fn rm8_the_local_horizon_never_goes_back_and_its_list_only_shrinks() {
    let bench = Bench::new().await;
    assert_eq!(local(&bench).await, None);
    let steps = [
        (horizon(10, [3, 7]), horizon(10, [3, 7])),
        (horizon(10, [3]), horizon(10, [3])),
        // A late announcement, older than what is stored.
        (horizon(10, [3, 7]), horizon(10, [3])),
        (horizon(5, [3]), horizon(10, [3])),
        (horizon(0, []), horizon(10, [3])),
        (horizon(20, [3, 15]), horizon(20, [3, 15])),
        (horizon(20, []), horizon(20, [])),
    ];
    for (announced, expected) in steps {
        clean(&bench, announced.clone()).await;
        assert_eq!(local(&bench).await, Some(expected), "after {announced:?}");
    }
}

#[tokio::test]
async fn rm8_rows_go_in_batches_and_the_first_batch_stores_the_horizon() {
    let bench = Bench::new().await;
    let rows = limits::CLEAN_BATCH_MAX + 10;
    sqlx::query(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?1)
         INSERT INTO unanimous_fence (xid, call_id, participant, action, incarnation, counter, state, created_ms)
         SELECT 'u1.3.000000000000feed.' || n, 'a.b:1', 'a', 'b', ?2, n, 3, 0 FROM n",
    )
    .bind(i64::try_from(rows).expect("a small number"))
    .bind(&INCARNATION.to_bytes()[..])
    .execute(&bench.pool)
    .await
    .expect("rows");
    // Each deletion notes how many rows its batch had left, and which horizon was stored by then.
    sqlx::raw_sql(
        "CREATE TABLE seen (stored INTEGER, n INTEGER);
         CREATE TRIGGER note AFTER DELETE ON unanimous_fence BEGIN
             INSERT INTO seen SELECT max(counter), 1 FROM unanimous_horizon;
         END;",
    )
    .execute(&bench.pool)
    .await
    .expect("a trigger");
    let announced = horizon(u64::try_from(rows).expect("a small number"), []);
    let mut batches = Vec::new();
    let clean = bench.pool.clean(INCARNATION, announced.clone());
    let mut clean = Box::pin(clean);
    let other = bench.another_pool().await;
    // Looks at the database between polls: every state it can see is one of a whole batch.
    loop {
        let done = super::cancellation::poll_at_most(&mut clean, 2)
            .await
            .is_some();
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM unanimous_fence")
            .fetch_one(&other)
            .await
            .expect("a count");
        if batches.last() != Some(&left) {
            batches.push(left);
        }
        if done {
            break;
        }
    }
    let whole = i64::try_from(rows).expect("a small number");
    assert_eq!(batches.last(), Some(&0));
    assert!(
        batches.iter().all(|left| [whole, 10, 0].contains(left)),
        "{batches:?}"
    );
    let early: i64 = sqlx::query_scalar("SELECT count(*) FROM seen WHERE stored IS NOT ?")
        .bind(whole)
        .fetch_one(&bench.pool)
        .await
        .expect("a count");
    assert_eq!(early, 0, "no row went before the horizon was stored");
}

#[tokio::test]
async fn rm10_horizons_and_the_newest_incarnation_are_found_in_rows_and_horizons() {
    let bench = Bench::new().await;
    let newest = async || bench.pool.newest_incarnation().await.expect("an answer");
    assert_eq!(newest().await, None);
    run_try(&bench.pool, &row(1)).await;
    assert_eq!(newest().await, Some(INCARNATION));
    let newer = Incarnation {
        number: 300,
        random: 0,
    };
    let mut marker = row(1);
    marker.key.xid = Xid::from(OwnXid {
        incarnation: newer,
        counter: 1,
    });
    deliver(&bench.pool, &marker, Decision::Rollback).await;
    assert_eq!(newest().await, Some(newer));
    let newest_of_all = Incarnation {
        number: 301,
        random: u64::MAX,
    };
    bench
        .pool
        .clean(newest_of_all, horizon(4, [2]))
        .await
        .expect("cleaned");
    bench
        .pool
        .clean(newer, horizon(1, []))
        .await
        .expect("cleaned");
    assert_eq!(newest().await, Some(newest_of_all));
    let horizons = bench.pool.horizons().await.expect("horizons");
    let expected = [(newer, horizon(1, [])), (newest_of_all, horizon(4, [2]))];
    assert_eq!(horizons, expected.into());
}

async fn asked(bench: &Bench, before_ms: i64) -> Vec<TryRow> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = bench
            .pool
            .in_doubt(participant(), before_ms, after, 2)
            .await
            .expect("a page");
        let Some(last) = page.last() else { return all };
        after = Some(last.clone());
        for found in page {
            let mut row = row(1);
            row.key = found.key;
            row.action = found.action;
            all.push(row);
        }
    }
}

#[tokio::test]
async fn rm6_tried_rows_of_the_participant_are_asked_about_oldest_first_page_by_page() {
    let bench = Bench::new().await;
    for (counter, created_ms) in [(1, 50), (2, 40), (3, 40), (4, 30), (5, 60), (6, 99)] {
        let opened = bench
            .pool
            .begin_try(row(counter), created_ms)
            .await
            .expect("a step");
        let TryStep::Run(transaction) = opened else {
            panic!("new rows run")
        };
        let key = row(counter).key;
        super::finish_try(&bench.pool, transaction, key, StoredAnswer::default())
            .await
            .expect("a commit");
    }
    deliver(&bench.pool, &row(5), Decision::Commit).await;
    let mut foreign = row(7);
    foreign.participant = "storage".parse().expect("a name");
    run_try(&bench.pool, &foreign).await;
    let counters: Vec<u64> = asked(&bench, 99)
        .await
        .iter()
        .map(|row| row.key.xid.own().expect("an xid of ours").counter)
        .collect();
    assert_eq!(
        counters,
        [4, 2, 3, 1],
        "neither the ended one, nor the young, nor another's"
    );
    assert!(asked(&bench, 30).await.is_empty());
}

#[tokio::test]
async fn rm6_a_parked_row_is_not_asked_about_until_an_operator_retries_it() {
    let bench = Bench::new().await;
    let row = row(1);
    run_try(&bench.pool, &row).await;
    let parked = async || bench.pool.parked(participant()).await.expect("a count");
    assert_eq!(
        (asked(&bench, NOW_MS + 1).await.len(), parked().await),
        (1, 0)
    );
    bench
        .pool
        .park(row.key.clone(), Decision::Commit, "a: b".into())
        .await
        .expect("parked");
    assert_eq!(
        (asked(&bench, NOW_MS + 1).await.len(), parked().await),
        (0, 1)
    );
    let came = deliver(&bench.pool, &row, Decision::Commit).await;
    assert_eq!(came, Came::Park(ParkReason::GaveUp("a: b".into())));
    assert_eq!(bench.effects(&row.key).await, ["tried"]);
    // The retry fails once more: the row stays unparked, so that a repeat needs no operator.
    let retry = PhaseTwoCause::OperatorRetry;
    let step = super::begin_phase_two(&bench.pool, &row, Decision::Commit, retry).await;
    drop(step.expect("a step"));
    assert_eq!(parked().await, 0);
    let came = run_phase_two(
        &bench.pool,
        &row,
        Decision::Commit,
        PhaseTwoCause::Delivered,
    )
    .await;
    assert_eq!(came, Came::Ended);
    assert_eq!(bench.effects(&row.key).await, ["tried", "confirmed"]);
}

#[tokio::test]
async fn op2_tried_rows_that_were_given_up_are_found_page_by_page() {
    let bench = Bench::new().await;
    for counter in 1..=4 {
        run_try(&bench.pool, &row(counter)).await;
    }
    for counter in [1, 2, 4] {
        let parked = bench
            .pool
            .park(row(counter).key, Decision::Rollback, "no".into());
        parked.await.expect("parked");
    }
    let ended = begin_and_end_by_retry(&bench, &row(2)).await;
    assert_eq!(ended, Came::Ended);
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = bench.pool.given_up(participant(), after, 1).await;
        let page = page.expect("a page");
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        found.extend(page.into_iter().map(|row| row.key));
    }
    assert_eq!(found, [row(1).key, row(4).key]);
    let other = "storage".parse().expect("a name");
    let none = bench.pool.given_up(other, None, 10).await;
    assert_eq!(none.expect("a page"), []);
}

async fn begin_and_end_by_retry(bench: &Bench, row: &TryRow) -> Came {
    let retry = PhaseTwoCause::OperatorRetry;
    run_phase_two(&bench.pool, row, Decision::Rollback, retry).await
}

#[tokio::test]
async fn rm6_an_ended_row_cannot_be_parked() {
    let bench = Bench::new().await;
    let row = row(1);
    run_try(&bench.pool, &row).await;
    deliver(&bench.pool, &row, Decision::Commit).await;
    bench
        .pool
        .park(row.key.clone(), Decision::Commit, "late".into())
        .await
        .expect("no error");
    assert_eq!(bench.pool.parked(participant()).await.expect("a count"), 0);
    assert_eq!(
        deliver(&bench.pool, &row, Decision::Commit).await,
        Came::Ended
    );
}
