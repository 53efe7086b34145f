//! Who waits for the write lock, and who would wait for himself.

use std::error::Error as _;
use std::time::Duration;

use futures_util::FutureExt as _;

use super::*;

fn called(row: &TryRow, call: &str) -> TryRow {
    let mut called = row.clone();
    called.key.call = call.parse().expect("a call id");
    called
}

async fn runs(pool: &SqlitePool, row: TryRow) -> OpenTransaction {
    match pool.begin_try(row, NOW_MS).await.expect("a step") {
        TryStep::Run(transaction) => transaction,
        _ => panic!("it has a row"),
    }
}

#[tokio::test]
async fn what_a_phase_one_calls_through_a_service_is_refused_on_its_own_pool() {
    let bench = Bench::new().await;
    let outer = bench.row();
    let running = runs(&bench.pool, outer.clone()).await;
    let inner = called(&outer, "account.debit:1/POST._debit:1/account.debit:1");
    let clone = bench.pool.clone();
    let refused = clone.begin_try(inner.clone(), NOW_MS).await;
    assert!(matches!(refused, Err(FenceError::Nested)));
    // Once it has ended, a late one is as good as any other.
    drop(running);
    drop(runs(&bench.pool, inner).await);
}

#[tokio::test]
async fn others_wait_for_their_turn() {
    let bench = Bench::new().await;
    let outer = bench.row();
    let beside = called(&outer, "account.debit:10");
    let mut elsewhere = called(&outer, "account.debit:1/account.debit:1");
    elsewhere.key.xid = bench.row().key.xid;
    // The very same call, delivered again; one beside it; another transaction's.
    for waits in [outer.clone(), beside, elsewhere] {
        let running = runs(&bench.pool, outer.clone()).await;
        let mut waiting = bench.pool.begin_try(waits, NOW_MS);
        assert!((&mut waiting).now_or_never().is_none());
        drop(running);
        assert!(matches!(waiting.await, Ok(TryStep::Run(_))));
    }
}

/// Another process, or another pool of this one, is not in the queue.
#[tokio::test]
async fn a_database_that_stays_locked_names_the_likely_cause() {
    let bench = Bench::new().await;
    let options = (*bench.pool.connect_options()).clone();
    let options = options.busy_timeout(Duration::from_millis(1));
    let impatient = SqlitePoolOptions::new().connect_with(options).await;
    let impatient = impatient.expect("a pool");
    let running = runs(&bench.pool, bench.row()).await;
    let Err(error) = impatient.begin_try(bench.row(), NOW_MS).await else {
        panic!("it is locked");
    };
    let cause = error.source().expect("a cause");
    let why = cause.to_string();
    assert!(why.contains("waits for itself"), "{why}");
    assert!(cause.source().is_some(), "what the database said is kept");
    drop(running);
}
