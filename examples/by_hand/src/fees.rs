//! Actions that are free functions, by hand. What a method reads off its `self` is state, found by
//! its type among what the builder was given.
//!
//! With annotations:
//!
//! ```text
//! #[two_phase_action(name = "fee.charge", alias = ["fee.take"], commit = earn, rollback = refund, fence = db)]
//! pub async fn charge(tx: &mut FenceTx<Sqlite>, #[state] db: &SqlitePool, user: &str, amount: i64) -> Result<i64, BankError> { .. }
//!
//! async fn earn(tx: &mut FenceTx<Sqlite>, db: &SqlitePool, user: &str, amount: i64) -> Result<(), PhaseTwoError> { .. }
//! async fn refund(tx: &mut FenceTx<Sqlite>, db: &SqlitePool, user: &str, amount: i64) -> Result<(), sqlx::Error> { .. }
//!
//! #[two_phase_action(name = "fee.stamp", commit = none, rollback = peel(&journal, tried), map_err = |error| error.to_string())]
//! pub async fn stamp(#[state] journal: Journal, text: &str) -> Result<usize, String> { .. }
//!
//! #[two_phase_action(name = "fee.insure", commit = none, rollback = call_off(&journal, tried, branch), fence = db, always_cancel)]
//! pub async fn insure(tx: &mut FenceTx<Sqlite>, #[state] db: &SqlitePool, #[state] journal: Journal, door: i64) -> Result<i64, BankError> { .. }
//! ```

use sqlx::SqlitePool;
use unanimous::branch::function::{FunctionAction, LinkedFunction, Need, States, type_of};
use unanimous::branch::{ActionSpec, BoxFuture, inventory};
use unanimous::{Branch, Fence as _, PhaseTwoError};

use crate::ledger::{self, BankError, Journal};

const CHARGE: ActionSpec = ActionSpec::new("fee.charge", file!(), line!());

/// The same function under the name that an older version registers.
const TAKE: ActionSpec = ActionSpec::new("fee.take", file!(), line!());

/// Holds a fee; returns what is left.
///
/// # Errors
///
/// As [`Accounts::debit`](crate::Accounts::debit).
pub async fn charge(user: &str, amount: i64) -> Result<i64, BankError> {
    FunctionAction::new(&CHARGE)
        .argument("user", user)
        .argument("amount", &amount)
        // The fence is found among the state, in phase one and in phase two.
        .run_fenced(ledger_of, async |tx, _| {
            ledger::hold(tx, user, amount).await
        })
        .await
}

fn ledger_of(states: &States) -> &SqlitePool {
    states.get()
}

fn earn<'a>(
    states: &'a States,
    branch: &'a mut Branch,
) -> BoxFuture<'a, Result<(), PhaseTwoError>> {
    Box::pin(async move {
        let (user, amount): (String, i64) = (branch.argument("user")?, branch.argument("amount")?);
        ledger::spend(branch.transaction(ledger_of(states))?, &user, amount).await
    })
}

fn refund<'a>(
    states: &'a States,
    branch: &'a mut Branch,
) -> BoxFuture<'a, Result<(), PhaseTwoError>> {
    Box::pin(async move {
        let (user, amount): (String, i64) = (branch.argument("user")?, branch.argument("amount")?);
        ledger::release(branch.transaction(ledger_of(states))?, &user, amount).await?;
        Ok(())
    })
}

// By this the builder finds the function: `.action(charge)`, or `.linked_actions()`.
inventory::submit! {
    LinkedFunction::new(CHARGE, type_of(charge), "charge")
        .aliases(&[TAKE])
        .needs(&[Need::of::<SqlitePool>()])
        .fence(|states| ledger_of(states).erased())
        .commit(earn)
        .rollback(refund)
}

const STAMP: ActionSpec = ActionSpec::new("fee.stamp", file!(), line!());

/// Stamps a paper at once; returns the number of the stamp.
///
/// # Errors
///
/// An empty paper, or a failure of the transaction, as text.
pub async fn stamp(text: &str) -> Result<usize, String> {
    FunctionAction::mapped(&STAMP, |error| Err(error.to_string()))
        .argument("text", text)
        .run_stored(async |states| {
            if text.is_empty() {
                return Err("nothing to stamp".to_owned());
            }
            Ok(states.cloned::<Journal>().note(format!("stamped {text}")))
        })
        .await
}

fn peel<'a>(
    states: &'a States,
    branch: &'a mut Branch,
) -> BoxFuture<'a, Result<(), PhaseTwoError>> {
    Box::pin(async move {
        if let Some(number) = branch.tried::<usize>()? {
            let journal: Journal = states.cloned();
            journal.note(format!("peeled number {number}"));
        }
        Ok(())
    })
}

inventory::submit! {
    // No partner for a commit: it ends the branch by itself.
    LinkedFunction::new(STAMP, type_of(stamp), "stamp")
        .needs(&[Need::of::<Journal>()])
        .rollback(peel)
}

const INSURE: ActionSpec = ActionSpec::new("fee.insure", file!(), line!()).always_cancel();

/// Asks for an insurance of the safe behind a door; returns how often it was opened.
///
/// # Errors
///
/// The database's and the transaction's; the insurance is called off then.
pub async fn insure(door: i64) -> Result<i64, BankError> {
    FunctionAction::new(&INSURE)
        .argument("door", &door)
        .run_fenced(ledger_of, async |tx, states| {
            let journal: Journal = states.cloned();
            journal.note(format!("insurance for {door}"));
            Ok(ledger::open(tx, door).await?)
        })
        .await
}

fn call_off<'a>(
    states: &'a States,
    branch: &'a mut Branch,
) -> BoxFuture<'a, Result<(), PhaseTwoError>> {
    Box::pin(async move {
        let (count, by): (Option<i64>, _) = (branch.tried()?, branch.context().call_id().clone());
        let journal: &Journal = states.get();
        journal.note(format!("no insurance, {count:?}, by {by}"));
        Ok(())
    })
}

inventory::submit! {
    LinkedFunction::new(INSURE, type_of(insure), "insure")
        .needs(&[Need::of::<SqlitePool>(), Need::of::<Journal>()])
        .fence(|states| ledger_of(states).erased())
        .rollback(call_off)
}
