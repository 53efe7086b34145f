//! Nothing of the prelude is needed.

#![no_implicit_prelude]
#![allow(missing_docs, clippy::missing_errors_doc)]

use ::std::borrow::{Cow, ToOwned};
use ::std::option::Option;
use ::std::result::Result::{self, Ok};
use ::std::string::String;
use ::std::sync::Arc;
use ::unanimous::sqlx::{Sqlite, SqlitePool};
use ::unanimous::{BranchContext, Error, FenceTx, participant};

#[derive(::std::fmt::Debug)]
pub struct Accounts {
    db: SqlitePool,
}

#[participant(name = "account".to_owned(), fence = self.db, map_err = |error| error)]
impl Accounts {
    #[two_phase_action(commit = confirm, rollback = cancel)]
    pub async fn debit(
        self: Arc<Self>,
        _tx: &mut FenceTx<Sqlite>,
        user: &str,
        memo: Option<&str>,
        bank: Cow<'_, str>,
    ) -> Result<String, Error> {
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
        ::std::mem::drop((context.key(), user, memo, answer));
        Ok(())
    }

    async fn cancel(&self, user: String, bank: String) -> Result<(), Error> {
        ::std::mem::drop((user, bank));
        Ok(())
    }
}
