//! No lint of rustc's or clippy's fires in generated code, whatever attributes stand beside ours.

use std::borrow::Cow;
use std::sync::Arc;

use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{BranchContext, Error, FenceTx, PhaseTwoError, participant};

/// Accounts.
#[derive(Clone, Debug)]
pub struct Accounts {
    db: SqlitePool,
}

#[participant(name = String::from("account"), fence = self.db, map_err = |error| error)]
impl Accounts {
    /// Takes money.
    ///
    /// # Errors
    ///
    /// When the transaction fails.
    #[must_use = "the outcome"]
    #[two_phase_action(commit = confirm, rollback = cancel)]
    pub async fn debit(
        &self,
        _tx: &mut FenceTx<Sqlite>,
        mut user: Cow<'_, str>,
        _amount: u64,
        note: Option<&str>,
    ) -> Result<String, Error> {
        if let Some(note) = note {
            user.to_mut().push_str(note);
        }
        Ok(user.into_owned())
    }

    /// Nothing is recorded.
    ///
    /// # Errors
    ///
    /// When the transaction fails.
    #[cfg(not(any(windows, target_os = "none")))]
    #[deprecated(note = "does nothing")]
    #[two_phase_action(commit = nothing, rollback = nothing, map_err = std::convert::identity)]
    pub async fn touch(self: Arc<Self>, _tx: &mut FenceTx<Sqlite>) -> Result<(), Error> {
        Ok(())
    }

    async fn confirm(
        &self,
        _amount: u64,
        context: &BranchContext,
        #[tried] user: &str,
    ) -> Result<(), PhaseTwoError> {
        if user.is_empty() {
            return Err(PhaseTwoError::give_up(context.key()));
        }
        Ok(())
    }

    async fn cancel(self: Arc<Self>, user: String, note: Option<&str>) -> Result<(), String> {
        note.map(drop).ok_or(user)
    }

    async fn nothing(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(())
    }
}
