//! A participant with a fence, by hand.
//!
//! With annotations:
//!
//! ```text
//! #[participant(name = "account", fence = self.db)]
//! impl Accounts {
//!     #[two_phase_action(commit = confirm, rollback = cancel)]
//!     pub async fn debit(&self, tx: &mut FenceTx<Sqlite>, user: &str, amount: i64) -> Result<i64, BankError> {
//!         ledger::hold(tx, user, amount).await
//!     }
//!     // confirm, cancel
//! }
//! ```

use std::borrow::Cow;
use std::sync::Arc;

use sqlx::SqlitePool;
use unanimous::branch::fence::DynFence;
use unanimous::branch::{Action, ActionSpec, BoxFuture, LinkedParticipant, SourceLocation};
use unanimous::{Branch, Decision, Fence as _, Participant, PhaseTwoError};

use crate::ledger::{self, BankError};

/// What customers have. Clones share a pool, so each is an instance of what was provided.
#[derive(Clone, Debug)]
pub struct Accounts {
    /// The ledger.
    pub db: SqlitePool,
}

/// The action as data. Its name is part of the wire format: a branch that was registered by this
/// version is ended by the next one under the same name.
const DEBIT: ActionSpec = ActionSpec::new("debit", file!(), line!());

/// Where the participant is declared.
const DECLARED: SourceLocation = SourceLocation {
    file: file!(),
    line: line!(),
};

impl Accounts {
    /// Phase one: holds the money, and returns what is left of the balance.
    ///
    /// # Errors
    ///
    /// [`BankError::NotEnough`], or a failure of the database or the transaction; nothing is held
    /// in any of these cases.
    pub async fn debit(&self, user: &str, amount: i64) -> Result<i64, BankError> {
        Action::new(&DEBIT, self)
            // Whatever phase two needs. It is written before anything is registered.
            .argument("user", user)
            .argument("amount", &amount)
            // The fence row and the statements of the body are one local transaction. A repeated
            // call is answered from the row, so what the action returns is serialisable.
            .run_fenced(&self.db, async |tx| ledger::hold(tx, user, amount).await)
            .await
    }

    /// Phase two of a branch that was decided: whichever partner ends it, called with what it
    /// takes. The runtime opens the local transaction before and closes the row after it.
    async fn end(&self, branch: &mut Branch) -> Result<(), PhaseTwoError> {
        match (branch.action(), branch.decision()) {
            ("debit", Decision::Commit) => {
                let (user, amount): (String, i64) = debited(branch)?;
                ledger::spend(branch.transaction(&self.db)?, &user, amount).await
            }
            ("debit", Decision::Rollback) => {
                let (user, amount): (String, i64) = debited(branch)?;
                // Any error means: again, with back-off.
                ledger::release(branch.transaction(&self.db)?, &user, amount).await?;
                Ok(())
            }
            // Registered by a version that knows more than this one: another instance is tried.
            _ => Err(branch.unknown_action()),
        }
    }
}

fn debited(branch: &Branch) -> Result<(String, i64), PhaseTwoError> {
    Ok((branch.argument("user")?, branch.argument("amount")?))
}

impl Participant for Accounts {
    fn name(&self) -> Cow<'static, str> {
        "account".into()
    }

    fn actions(&self) -> &'static [ActionSpec] {
        &[DEBIT]
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

// Lets `build()` warn of a participant that is linked into the program and was not provided.
unanimous::branch::inventory::submit! {
    LinkedParticipant::new("Accounts", DECLARED.file, DECLARED.line)
}
