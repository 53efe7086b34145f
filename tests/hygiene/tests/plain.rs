//! Everything that an annotation takes, under the strictest lints.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

use tx::sqlx::{Sqlite, SqlitePool};
use tx::{global_transactional, participant, BranchContext, Error, FenceTx, PhaseTwoError};

use crate::Counts;

/// A participant.
#[derive(Debug)]
pub(crate) struct Till {
    db: SqlitePool,
    counts: Counts,
}

#[participant(
    name = String::from("till"),
    fence = self.db,
    map_err = |error| error,
    crate = ::tx
)]
impl Till {
    pub(crate) fn new(db: SqlitePool, counts: Counts) -> Self {
        Self { db, counts }
    }

    /// Holds an amount.
    #[must_use = "the outcome"]
    #[two_phase_action(commit = confirm, rollback = cancel)]
    pub(crate) async fn hold(
        &self,
        _tx: &mut FenceTx<Sqlite>,
        mut user: Cow<'_, str>,
        _amount: u64,
        note: Option<&str>,
        #[skip] shown: impl Display + Send,
    ) -> Result<String, Error> {
        self.counts.tried();
        user.to_mut().push_str(note.unwrap_or_default());
        Ok(format!("{user} {shown}"))
    }

    async fn confirm(
        &self,
        _amount: u64,
        context: &BranchContext,
        #[tried] held: &str,
    ) -> Result<(), PhaseTwoError> {
        if held.is_empty() {
            return Err(PhaseTwoError::give_up(context.key()));
        }
        self.counts.confirmed();
        Ok(())
    }

    async fn cancel(
        self: Arc<Self>,
        tx: &mut FenceTx<Sqlite>,
        user: String,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let _ = tx::sqlx::query("SELECT ?").bind(user).execute(tx).await?;
        self.counts.cancelled();
        Ok(())
    }
}

/// Sells.
#[must_use = "the outcome"]
#[global_transactional(
    name = "sell",
    timeout = "30000ms",
    settle = "10s",
    propagation = required,
    commit_on(Error::NoRuntime | Error::NestedFence { .. }),
    map_err = |error| error,
    crate = ::tx
)]
async fn sell<'a, const N: usize>(
    till: &Till,
    words: &'a [&str; N],
    (_first, _): (u8, u8),
    fails: bool,
) -> Result<&'a str, Error> {
    let user = Cow::Borrowed(words[0]);
    let held = till.hold(user, 7, Some("!"), N).await?;
    assert_eq!(held, format!("{}! {N}", words[0]));
    if fails {
        return Err(Error::ShuttingDown);
    }
    Ok(words[0])
}

/// Calls it.
pub(crate) async fn run(till: &Till, fails: bool) -> bool {
    sell(till, &["ann", "bob"], (0, 1), fails).await.is_ok()
}
