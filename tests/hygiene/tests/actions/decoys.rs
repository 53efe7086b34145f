//! Crates, types, variants, traits and macros that mean something else here: those of
//! [`crate::decoys`].

use std::sync::Arc;

use tx::sqlx::{Sqlite, SqlitePool};
use tx::{global_transactional, participant, BranchContext, FenceTx, RuntimeBuilder};

use crate::Counts;

type Answer<T = ()> = Result<T, tx::Error>;
type Tx = FenceTx<Sqlite>;
type Text = str;
type Maybe<T> = Option<T>;
const NOTHING: Maybe<&str> = None;
const FAILS: Answer = Err(tx::Error::ShuttingDown);
const DONE: Answer = Ok(());

/// A participant without a fence.
pub(crate) struct Shelf {
    counts: Counts,
}

fn keep() -> Answer {
    if let Some(branch) = BranchContext::current() {
        branch.keep("code", &7_u8)?;
        branch.keep("words", &["w"])?;
    }
    DONE
}

pub(crate) mod shadowed {
    #![allow(
        clippy::wildcard_imports,
        unused_imports,
        reason = "decoys are there and not used"
    )]

    use super::{global_transactional, participant, Answer, Counts, Maybe, Shelf, Text, Tx};
    use crate::decoys::names::*;

    macro_rules! decoy {
        ($($name:ident)*) => {
            $(
                #[allow(unused_macros)]
                macro_rules! $name {
                    ($d:tt) => {
                        compile_error!("a macro of the user's was called")
                    };
                }
            )*
        };
    }

    decoy!(assert column concat const_format file format line matches module_path pin stringify);

    #[::tx::two_phase_action(
        alias = ["decoys.reserve"],
        commit = confirm,
        rollback = cancel(__states, tried),
        fence = linked,
        crate = ::tx
    )]
    pub(crate) async fn hold(
        __lent: &mut Tx,
        #[state] linked: &super::SqlitePool,
        #[state] __states: Counts,
        #[recorded(name = "note", default)] __branch: Maybe<u8>,
        __owned: &Text,
        #[skip] __recorder: Maybe<&Text>,
    ) -> Answer<u8> {
        let _ = (__lent, linked, __branch, __owned, __recorder);
        __states.tried();
        ::core::result::Result::Ok(1)
    }

    async fn confirm(
        _: &mut Tx,
        _: &super::SqlitePool,
        counts: Counts,
        _: Maybe<u8>,
        _: &Text,
    ) -> Answer {
        counts.confirms().await;
        super::DONE
    }

    async fn cancel(counts: Counts, tried: &u8) -> Answer {
        let _ = tried;
        counts.cancels().await;
        super::DONE
    }

    #[::tx::two_phase_action(commit = none, rollback = erase, crate = ::tx)]
    pub(crate) async fn jot(#[state] counts: &Counts) -> Answer {
        counts.tried();
        super::DONE
    }

    async fn erase(counts: &Counts) -> Answer {
        counts.cancels().await;
        super::DONE
    }

    #[participant(name = "shelf", crate = ::tx)]
    impl Shelf {
        #[two_phase_action(commit = sell, rollback = put_back, alias = ["deduct"])]
        async fn take(
            &self,
            #[recorded(name = "sku")] __branch: &Text,
            #[recorded(default)] note: ::core::option::Option<&::core::primitive::str>,
        ) -> Answer {
            let _ = (__branch, note);
            super::keep()?;
            self.counts.tried();
            super::DONE
        }

        async fn sell(
            &self,
            __branch: ::std::string::String,
            #[kept] code: u8,
            #[kept] words: &[::std::string::String],
            #[kept] absent: ::core::option::Option<&::core::primitive::str>,
            #[recorded(name = "colour", default)] colour: &Text,
        ) -> Answer {
            let _ = (code, words, absent, colour);
            ::core::mem::drop(__branch);
            self.counts.confirmed();
            super::DONE
        }

        async fn put_back(
            &self,
            #[kept] code: ::core::option::Option<u8>,
            __branch: &Text,
        ) -> Answer {
            let _ = (__branch, code);
            self.counts.cancelled();
            super::DONE
        }

        #[two_phase_action(commit = none, rollback = forget)]
        async fn remember(&self, words: &[u8]) -> Answer {
            let _ = words;
            self.counts.tried();
            super::DONE
        }

        async fn forget(&self) -> Answer {
            self.counts.cancelled();
            super::DONE
        }
    }

    #[global_transactional(crate = ::tx)]
    pub(super) async fn sell(shelf: &Shelf, fails: bool) -> Answer {
        let _ = hold(super::NOTHING.map(|_| 1), "ann", super::NOTHING).await?;
        jot().await?;
        shelf.take("tea", super::NOTHING).await?;
        shelf.remember(&[1]).await?;
        if fails {
            super::FAILS?;
        }
        super::DONE
    }
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
    let builder = builder.state(db).state(counts);
    let builder = builder.action(shadowed::hold).action(shadowed::jot);
    (builder.participant(shelf.clone()), shelf)
}

/// Calls them.
pub(crate) async fn run(shelf: &Shelf, fails: bool) -> bool {
    shadowed::sell(shelf, fails).await.is_ok()
}
