//! What else an action may be, by hand: a participant with several instances, and actions that keep
//! values, need only one partner, reach outside the database, or do without the fence.
//!
//! With annotations:
//!
//! ```text
//! #[participant(name = format!("safe-{}", self.city), fence = self.db)]
//! impl Safes {
//!     #[two_phase_action(name = "price", alias = ["set_price"], commit = none, rollback = restore)]
//!     pub async fn reprice(&self, tx: &mut FenceTx<Sqlite>, door: i64,
//!         #[recorded(name = "amount")] price: i64, #[skip] why: &mut Vec<String>) -> Result<(), BankError> { .. }
//!     async fn restore(&self, tx: &mut FenceTx<Sqlite>, door: i64, #[kept] before: i64) -> Result<(), sqlx::Error> { .. }
//!
//!     #[two_phase_action(commit = none, rollback = call_off, always_cancel)]
//!     pub async fn open(&self, tx: &mut FenceTx<Sqlite>, door: i64) -> Result<i64, BankError> { .. }
//!     async fn call_off(&self, door: i64, #[tried] count: Option<&i64>, branch: &BranchContext) -> Result<(), BankError> { .. }
//!
//!     #[two_phase_action(commit = sound, rollback = none, fence = none)]
//!     pub async fn ring(&self, times: u32, #[recorded(default)] loud: bool) -> Result<(), BankError> { .. }
//!     async fn sound(&self, times: u32, loud: bool) -> Result<(), BankError> { .. }
//! }
//! ```

use std::borrow::Cow;
use std::sync::Arc;

use sqlx::SqlitePool;
use unanimous::branch::fence::DynFence;
use unanimous::branch::{Action, ActionSpec, BoxFuture, LinkedParticipant, SourceLocation};
use unanimous::{Branch, BranchContext, Decision, Error, Fence as _, Participant, PhaseTwoError};

use crate::ledger::{self, BankError, Journal};

/// The safes of one city. Each city is a participant of its own name.
#[derive(Clone, Debug)]
pub struct Safes {
    /// Where they are.
    pub city: &'static str,
    /// The ledger of that city.
    pub db: SqlitePool,
    /// What was done with keys and bells.
    pub journal: Journal,
}

// An older version called it `set_price`: its branches are ended here too.
const PRICE: ActionSpec = ActionSpec::new("price", file!(), line!()).aliases(&["set_price"]);

// The locksmith comes whatever becomes of the local transaction, so it is called off even where no
// row tells that phase one ran.
const OPEN: ActionSpec = ActionSpec::new("open", file!(), line!()).always_cancel();

const RING: ActionSpec = ActionSpec::new("ring", file!(), line!());

const DECLARED: SourceLocation = SourceLocation {
    file: file!(),
    line: line!(),
};

impl Safes {
    /// Changes a price, and says what it was in `why`.
    ///
    /// # Errors
    ///
    /// The database's and the transaction's.
    pub async fn reprice(
        &self,
        door: i64,
        price: i64,
        why: &mut Vec<String>,
    ) -> Result<(), BankError> {
        // Recorded under the name it has always had. `why` is not recorded: `#[skip]`.
        let action = Action::new(&PRICE, self).argument("door", &door);
        let action = action.argument("amount", &price);
        let body = async |tx: &mut unanimous::FenceTx<sqlx::Sqlite>| {
            let before = ledger::price(tx, door, price).await?;
            // Read by phase two under its name: `#[kept]`.
            let branch = BranchContext::current().ok_or_else(no_branch)?;
            branch.keep("before", &before).map_err(Error::from)?;
            why.push(format!("was {before}"));
            Ok(())
        };
        action.run_fenced(&self.db, body).await
    }

    /// Sends the locksmith; returns how often the safe has been opened.
    ///
    /// # Errors
    ///
    /// As [`reprice`](Self::reprice); the locksmith is called off then.
    pub async fn open(&self, door: i64) -> Result<i64, BankError> {
        let action = Action::new(&OPEN, self).argument("door", &door);
        let body = async |tx: &mut unanimous::FenceTx<sqlx::Sqlite>| {
            self.journal.note(format!("locksmith sent to {door}"));
            Ok(ledger::open(tx, door).await?)
        };
        action.run_fenced(&self.db, body).await
    }

    /// Rings once it is decided.
    ///
    /// # Errors
    ///
    /// The transaction's.
    pub async fn ring(&self, times: u32, loud: bool) -> Result<(), BankError> {
        let action = Action::new(&RING, self).argument("times", &times);
        // `run` instead of `run_fenced`: nothing of it is in the database.
        action.argument("loud", &loud).run(async { Ok(()) }).await
    }

    async fn end(&self, branch: &mut Branch) -> Result<(), PhaseTwoError> {
        match (branch.action(), branch.decision()) {
            ("price" | "set_price", Decision::Rollback) => {
                let (door, before) = (branch.argument("door")?, branch.kept_or_missing("before")?);
                ledger::price(branch.transaction(&self.db)?, door, before).await?;
                Ok(())
            }
            ("open", Decision::Rollback) => {
                let door: i64 = branch.argument("door")?;
                // None where phase one left no row.
                let count: Option<i64> = branch.tried()?;
                let by = branch.context().call_id().clone();
                let what = format!("locksmith called off from {door}, {count:?}, by {by}");
                self.journal.note(what);
                Ok(())
            }
            ("ring", Decision::Commit) => {
                // An older version knew nothing of loud rings.
                let loud: bool = branch.argument_or_default("loud")?;
                let times: u32 = branch.argument("times")?;
                self.journal.note(format!("rings {times}, loud: {loud}"));
                Ok(())
            }
            // These need no partner: the decision alone ends the branch.
            ("price" | "set_price" | "open", Decision::Commit) | ("ring", Decision::Rollback) => {
                Ok(())
            }
            _ => Err(branch.unknown_action()),
        }
    }
}

fn no_branch() -> BankError {
    BankError::Notice("phase one has a branch".to_owned())
}

impl Participant for Safes {
    fn name(&self) -> Cow<'static, str> {
        format!("safe-{}", self.city).into()
    }

    fn actions(&self) -> &'static [ActionSpec] {
        &[PRICE, OPEN, RING]
    }

    fn fence(&self) -> Option<&dyn DynFence> {
        Some(self.db.erased())
    }

    fn declared_at(&self) -> Option<SourceLocation> {
        Some(DECLARED)
    }

    fn phase_two(self: Arc<Self>, branch: &mut Branch) -> BoxFuture<'_, Result<(), PhaseTwoError>> {
        Box::pin(async move { self.end(branch).await })
    }
}

unanimous::branch::inventory::submit! {
    LinkedParticipant::new("Safes", DECLARED.file, DECLARED.line)
}
