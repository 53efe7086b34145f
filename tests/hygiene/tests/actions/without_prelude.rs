//! Nothing of the prelude is there.

#![no_implicit_prelude]

use ::std::borrow::Cow;
use ::std::option::Option::{self, None, Some};
use ::std::result::Result::{self, Err, Ok};
use ::std::string::String;
use ::std::sync::Arc;

use ::tx::sqlx::{Sqlite, SqlitePool};
use ::tx::{
    global_transactional, participant, two_phase_action, BranchContext, Error, FenceTx,
    RuntimeBuilder,
};

use crate::Counts;

#[two_phase_action(
    name = "without_prelude.hold",
    alias = ["without_prelude.reserve"],
    commit = confirm,
    rollback = cancel(user, counts, *tried),
    fence = db,
    crate = ::tx
)]
async fn hold(
    _tx: &mut FenceTx<Sqlite>,
    #[state] db: &SqlitePool,
    #[state] counts: Counts,
    user: &str,
    #[recorded(name = "memo", default)] note: Option<&str>,
    bank: Cow<'_, str>,
) -> Result<u8, Error> {
    ::std::mem::drop((db.is_closed(), user, note, bank));
    counts.tried();
    Ok(7)
}

async fn confirm(
    _: &mut FenceTx<Sqlite>,
    _: &SqlitePool,
    counts: Counts,
    user: &str,
    note: Option<&str>,
    bank: Cow<'_, str>,
) -> Result<(), Error> {
    ::std::assert_eq!((user, note, &*bank), ("ann", Some("memo"), "b"));
    counts.confirms().await;
    Ok(())
}

async fn cancel(user: &str, counts: Counts, tried: u8) -> Result<(), Error> {
    ::std::assert_eq!((user, tried), ("ann", 7));
    counts.cancels().await;
    Ok(())
}

#[two_phase_action(commit = none, rollback = erase(counts, branch), crate = ::tx)]
async fn jot(#[state] counts: &Counts, word: String) -> Result<(), Error> {
    ::std::mem::drop(word);
    counts.tried();
    Ok(())
}

async fn erase(counts: &Counts, branch: &BranchContext) -> Result<(), Error> {
    ::std::mem::drop(branch.key());
    counts.cancels().await;
    Ok(())
}

/// A participant without a fence.
#[derive(::std::fmt::Debug)]
pub(crate) struct Shelf {
    counts: Counts,
}

#[participant(name = "shelf", crate = ::tx)]
impl Shelf {
    #[two_phase_action(commit = sell, rollback = put_back, alias = ["deduct"])]
    async fn take(
        &self,
        #[recorded(name = "sku")] article: &str,
        #[recorded(default)] note: Option<&str>,
    ) -> Result<(), Error> {
        let _ = note;
        if let Some(branch) = BranchContext::current() {
            branch.keep("code", &7_u8)?;
            branch.keep("words", &[article])?;
        }
        self.counts.tried();
        Ok(())
    }

    async fn sell(
        &self,
        article: String,
        #[kept] code: u8,
        #[kept] words: Cow<'_, [String]>,
        #[kept] absent: Option<&str>,
        #[recorded(name = "colour", default)] colour: &str,
    ) -> Result<(), Error> {
        ::std::assert_eq!((&*article, code, words.len()), ("tea", 7, 1));
        ::std::assert_eq!((absent, colour), (None, ""));
        self.counts.confirmed();
        Ok(())
    }

    async fn put_back(&self, article: &str, #[kept] code: Option<u8>) -> Result<(), Error> {
        let _ = (article, code);
        self.counts.cancelled();
        Ok(())
    }

    #[two_phase_action(commit = none, rollback = forget)]
    async fn remember(&self, words: &[u8]) -> Result<(), Error> {
        let _ = words;
        self.counts.tried();
        Ok(())
    }

    async fn forget(&self) -> Result<(), Error> {
        self.counts.cancelled();
        Ok(())
    }
}

#[global_transactional(crate = ::tx)]
async fn sell(shelf: &Shelf, fails: bool) -> Result<(), Error> {
    let held = hold("ann", Some("memo"), Cow::Borrowed("b")).await?;
    ::std::assert_eq!(held, 7);
    jot(String::new()).await?;
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
        counts: ::std::clone::Clone::clone(&counts),
    });
    let builder = builder.state(db).state(counts).action(hold).action(jot);
    let builder = builder.participant(<Arc<Shelf> as ::std::clone::Clone>::clone(&shelf));
    (builder, shelf)
}

/// Calls them.
pub(crate) async fn run(shelf: &Shelf, fails: bool) -> bool {
    sell(shelf, fails).await.is_ok()
}
