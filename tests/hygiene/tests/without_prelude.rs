//! Nothing of the prelude is there.

#![no_implicit_prelude]

use ::std::borrow::{Cow, ToOwned};
use ::std::option::Option::{self, Some};
use ::std::result::Result::{self, Err, Ok};
use ::std::string::String;
use ::std::sync::Arc;

use ::tx::sqlx::{Sqlite, SqlitePool};
use ::tx::{global_transactional, participant, BranchContext, Error, FenceTx};

use crate::Counts;

/// A participant.
#[derive(::std::fmt::Debug)]
pub(crate) struct Till {
    db: SqlitePool,
    counts: Counts,
}

impl Till {
    pub(crate) fn new(db: SqlitePool, counts: Counts) -> Self {
        Self { db, counts }
    }
}

#[participant(name = "till".to_owned(), fence = self.db, map_err = |error| error, crate = ::tx)]
impl Till {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    async fn hold(
        self: Arc<Self>,
        _tx: &mut FenceTx<Sqlite>,
        user: &str,
        memo: Option<&str>,
        bank: Cow<'_, str>,
    ) -> Result<String, Error> {
        self.counts.tried();
        ::std::mem::drop((memo, bank));
        Ok(user.to_owned())
    }

    async fn confirm(
        self: Arc<Self>,
        _tx: &mut FenceTx<Sqlite>,
        context: &BranchContext,
        user: Cow<'_, str>,
        memo: Option<&str>,
        #[tried] answer: &str,
    ) -> Result<(), Error> {
        ::std::assert_eq!((&*user, memo), (answer, Some("memo")));
        ::std::mem::drop((context.key(), user));
        self.counts.confirmed();
        Ok(())
    }

    async fn cancel(&self, user: String, bank: String) -> Result<(), Error> {
        ::std::mem::drop((user, bank));
        self.counts.cancelled();
        Ok(())
    }
}

#[global_transactional(
    timeout = "30s",
    settle = "1s",
    propagation = requires_new,
    commit_on(Error::NoRuntime),
    map_err = |error| error,
    crate = ::tx
)]
async fn sell(till: Arc<Till>, fails: bool) -> Result<String, Error> {
    let held = till.hold("ann", Some("memo"), Cow::Borrowed("b")).await?;
    if fails {
        return Err(Error::ShuttingDown);
    }
    Ok(held)
}

/// Calls it.
pub(crate) async fn run(till: &Till, fails: bool) -> bool {
    // A clone shares the pool, so it belongs to the provided participant.
    let till = Arc::new(Till {
        db: ::std::clone::Clone::clone(&till.db),
        counts: ::std::clone::Clone::clone(&till.counts),
    });
    sell(till, fails).await.is_ok()
}
