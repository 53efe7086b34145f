//! Actions that are free functions.
#![allow(
    clippy::unused_async,
    reason = "a partner is `async`, whether it waits or not"
)]

use by_hand::{BankError, Journal, ledger};
use sqlx::{Sqlite, SqlitePool};
use unanimous::{BranchContext, FenceTx, PhaseTwoError, two_phase_action};

#[two_phase_action(
    name = "fee.charge",
    alias = ["fee.take"],
    commit = earn,
    rollback = refund,
    fence = db,
    crate = ::unanimous
)]
pub(crate) async fn charge(
    tx: &mut FenceTx<Sqlite>,
    #[state] db: &SqlitePool,
    user: &str,
    amount: i64,
) -> Result<i64, BankError> {
    ledger::hold(tx, user, amount).await
}

async fn earn(
    tx: &mut FenceTx<Sqlite>,
    _db: &SqlitePool,
    user: &str,
    amount: i64,
) -> Result<(), PhaseTwoError> {
    ledger::spend(tx, user, amount).await
}

async fn refund(
    tx: &mut FenceTx<Sqlite>,
    _db: &SqlitePool,
    user: &str,
    amount: i64,
) -> Result<(), sqlx::Error> {
    ledger::release(tx, user, amount).await
}

#[two_phase_action(
    name = "fee.stamp",
    commit = none,
    rollback = peel(&journal, tried),
    map_err = |error| error.to_string()
)]
pub(crate) async fn stamp(#[state] journal: Journal, text: &str) -> Result<usize, String> {
    if text.is_empty() {
        return Err("nothing to stamp".to_owned());
    }
    Ok(journal.note(format!("stamped {text}")))
}

async fn peel(journal: &Journal, tried: Option<&usize>) -> Result<(), BankError> {
    if let Some(number) = tried {
        journal.note(format!("peeled number {number}"));
    }
    Ok(())
}

#[two_phase_action(
    name = "fee.insure",
    commit = none,
    rollback = call_off(&journal, tried, branch),
    fence = db,
    always_cancel
)]
pub(crate) async fn insure(
    tx: &mut FenceTx<Sqlite>,
    #[state] db: &SqlitePool,
    #[state] journal: Journal,
    door: i64,
) -> Result<i64, BankError> {
    journal.note(format!("insurance for {door}"));
    Ok(ledger::open(tx, door).await?)
}

async fn call_off(
    journal: &Journal,
    count: Option<&i64>,
    branch: &BranchContext,
) -> Result<(), BankError> {
    let by = branch.call_id();
    journal.note(format!("no insurance, {count:?}, by {by}"));
    Ok(())
}
