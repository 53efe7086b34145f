//! Everything that these annotations take, under the strictest lints.

use std::borrow::Cow;
use std::sync::Arc;

use tx::sqlx::{Sqlite, SqlitePool};
use tx::{
    global_transactional, participant, two_phase_action, BranchContext, Error, FenceTx,
    PhaseTwoError, RuntimeBuilder,
};

use crate::Counts;

/// Holds an amount.
#[must_use = "the outcome"]
#[two_phase_action(
    name = "plain.hold",
    alias = ["plain.reserve", "plain.freeze"],
    commit = confirm,
    rollback = cancel(tx, &counts, user.into_owned(), tried, branch),
    fence = *db,
    always_cancel,
    map_err = |error| error,
    crate = ::tx
)]
pub(crate) async fn hold(
    tx: &mut FenceTx<Sqlite>,
    #[state] db: &Arc<SqlitePool>,
    #[state] counts: Counts,
    mut user: Cow<'_, str>,
    #[recorded(name = "type")] _kind: Option<&str>,
    #[recorded(default)] words: &[String],
    #[skip] (_row, shown): (u8, &dyn ToString),
) -> Result<String, Error> {
    let _ = (tx.connection(), db.is_closed(), words);
    counts.tried();
    user.to_mut().push_str(&shown.to_string());
    Ok(user.into_owned())
}

async fn confirm(
    tx: &mut FenceTx<Sqlite>,
    db: &Arc<SqlitePool>,
    counts: Counts,
    user: Cow<'_, str>,
    kind: Option<&str>,
    words: &[String],
) -> Result<(), PhaseTwoError> {
    let done = tx::sqlx::query("SELECT ?").bind(&*user).execute(&mut *tx);
    let _ = done.await.map_err(|error| error.to_string())?;
    assert_eq!((kind, words.len(), db.is_closed()), (Some("k"), 1, false));
    counts.confirmed();
    Ok(())
}

async fn cancel(
    tx: &mut FenceTx<Sqlite>,
    counts: &Counts,
    user: String,
    tried: Option<&String>,
    branch: &BranchContext,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let _ = tx::sqlx::query("SELECT ?").bind(user).execute(tx).await?;
    assert!(tried.is_none_or(|tried| tried != branch.key().as_str()));
    counts.cancelled();
    Ok(())
}

/// Jots something down.
#[deprecated(note = "is one of many")]
#[two_phase_action(commit = none, rollback = erase(counts), crate = ::tx)]
pub(crate) async fn jot(#[state] counts: &Counts, _word: &str) -> Result<(), Error> {
    counts.tried();
    Ok(())
}

async fn erase(counts: &Counts) -> Result<(), Error> {
    counts.cancels().await;
    Ok(())
}

/// A participant without a fence.
#[derive(Debug)]
pub(crate) struct Shelf {
    counts: Counts,
}

#[participant(name = "shelf", any_instance, crate = ::tx)]
impl Shelf {
    /// Takes an article.
    #[two_phase_action(commit = sell, rollback = put_back, alias = ["deduct"])]
    async fn take(
        &self,
        #[recorded(name = "sku")] article: &str,
        #[recorded(name = "type", default)] _kind: Option<&str>,
    ) -> Result<(), Error> {
        if let Some(branch) = BranchContext::current() {
            branch.keep("code", &7_u8)?;
            branch.keep("words", &[article])?;
        }
        self.counts.tried();
        Ok(())
    }

    async fn sell(
        &self,
        article: Cow<'_, str>,
        #[kept] code: u8,
        #[kept] words: &[String],
        #[kept] absent: Option<&str>,
        #[recorded(name = "colour", default)] colour: &str,
    ) -> Result<(), Error> {
        assert_eq!((&*article, code, words.len()), ("tea", 7, 1));
        assert_eq!((absent, colour), (None, ""));
        self.counts.confirmed();
        Ok(())
    }

    async fn put_back(
        self: Arc<Self>,
        #[recorded(name = "sku")] _what: String,
        #[kept]
        #[recorded(name = "code")]
        number: Option<u8>,
    ) -> Result<(), Error> {
        assert!(number.is_none_or(|number| number == 7));
        self.counts.cancelled();
        Ok(())
    }

    #[two_phase_action(commit = none, rollback = forget)]
    async fn remember(&self, _words: &[u8]) -> Result<(), Error> {
        self.counts.tried();
        Ok(())
    }

    async fn forget(&self) -> Result<(), Error> {
        self.counts.cancelled();
        Ok(())
    }
}

/// Sells.
#[global_transactional(crate = ::tx)]
async fn sell(shelf: &Shelf, fails: bool) -> Result<(), Error> {
    let words = ["w".to_owned()];
    let held = hold(Cow::Borrowed("ann"), Some("k"), &words, (0, &5_u8)).await?;
    assert_eq!(held, "ann5");
    #[allow(deprecated)]
    jot("note").await?;
    shelf.take("tea", None).await?;
    shelf.remember(&[1]).await?;
    if fails {
        return Err(Error::ShuttingDown);
    }
    Ok(())
}

/// Provides the actions.
pub(crate) fn provide(
    builder: RuntimeBuilder,
    db: SqlitePool,
    counts: Counts,
) -> (RuntimeBuilder, Arc<Shelf>) {
    let shelf = Arc::new(Shelf {
        counts: counts.clone(),
    });
    let builder = builder.state(Arc::new(db)).state(counts).action(hold);
    #[allow(deprecated)]
    let builder = builder.action(jot).participant(shelf.clone());
    (builder, shelf)
}

/// Calls them.
pub(crate) async fn run(shelf: &Shelf, fails: bool) -> bool {
    sell(shelf, fails).await.is_ok()
}
