//! Crates, types, variants, traits and macros that mean something else here.

#![allow(
    dead_code,
    unused_macros,
    missing_debug_implementations,
    clippy::wildcard_imports,
    clippy::wrong_self_convention,
    reason = "decoys are there and not used"
)]

use tx::sqlx::{Sqlite, SqlitePool};
use tx::{global_transactional, participant, FenceTx};

use crate::Counts;

type Answer<T = ()> = Result<T, tx::Error>;
type Tx = FenceTx<Sqlite>;
type Text = str;
type Maybe<T> = Option<T>;
const SOME: Maybe<&str> = Some("memo");
const COUNT: Maybe<u8> = Some(7);
const FAILS: Answer = Err(tx::Error::ShuttingDown);
const DONE: Answer = Ok(());

pub(crate) mod names {
    pub(crate) enum Result {}
    pub(crate) enum Option {}
    pub(crate) enum Box {}
    pub(crate) enum Future {}
    pub(crate) enum Pin {}
    pub(crate) enum Cow {}
    pub(crate) enum Arc {}
    pub(crate) enum String {}
    pub(crate) enum Decision {}
    pub(crate) enum Participant {}
    pub(crate) enum Branch {}
    pub(crate) mod core {}
    pub(crate) mod std {}
    pub(crate) mod unanimous {}
    pub(crate) mod tx {}
    #[allow(non_camel_case_types)]
    pub(crate) enum str {}
    #[allow(non_camel_case_types)]
    pub(crate) enum u64 {}
    pub(crate) struct Ok;
    pub(crate) struct Err;
    pub(crate) struct Some;
    pub(crate) struct None;

    /// Methods that the generated code calls, on every type.
    pub(crate) trait Methods {
        fn as_ref(&self) {}
        fn as_deref(&self) {}
        fn await_(&self) {}
        fn borrow(&self) {}
        fn clone(&self) {}
        fn into(&self) {}
        fn into_owned(&self) {}
        fn map_err(&self) {}
        fn to_owned(&self) {}
        fn transaction(&self) {}
    }

    impl<T: ?Sized> Methods for T {}
}

/// A participant.
pub(crate) struct Till {
    db: SqlitePool,
    counts: Counts,
}

impl Till {
    pub(crate) fn new(db: SqlitePool, counts: Counts) -> Self {
        Self { db, counts }
    }
}

mod shadowed {
    use super::names::*;
    use super::{global_transactional, participant, Answer, Maybe, Text, Till, Tx};

    macro_rules! decoy {
        ($($name:ident)*) => {
            $(
                macro_rules! $name {
                    ($d:tt) => {
                        compile_error!("a macro of the user's was called")
                    };
                }
            )*
        };
    }

    decoy!(assert column concat const_format file format line matches module_path pin stringify);

    #[participant(name = "till", fence = self.db, crate = ::tx)]
    impl Till {
        #[two_phase_action(commit = name, rollback = fence)]
        async fn phase_two(
            &self,
            tx: &mut Tx,
            user: &Text,
            memo: Maybe<u8>,
            #[skip] unused: Maybe<&Text>,
        ) -> Answer<u8> {
            let _ = (tx, user, memo, unused);
            self.counts.tried();
            ::core::result::Result::Ok(1)
        }

        // Partners are called by their path, so methods of ours with these names are not meant.
        async fn name(&self, tx: &mut Tx, #[tried] value: &u8) -> Answer {
            let _ = (tx, value);
            self.counts.confirmed();
            super::DONE
        }

        async fn fence(&self, user: ::std::string::String) -> Answer {
            ::std::mem::drop(user);
            self.counts.cancelled();
            super::DONE
        }
    }

    #[global_transactional(timeout = "30s", commit_on(_), map_err = |error| error, crate = ::tx)]
    async fn commits_always(till: &Till) -> Answer<u8> {
        till.phase_two("ann", super::COUNT, super::SOME).await
    }

    type Types = (Result, Option, Box, Future, Pin, Cow, Arc, String, str, u64);

    fn decoys(_: Types, _: Decision) -> (Ok, Err, Some, None) {
        ().transaction();
        (Ok, Err, Some, None)
    }

    #[global_transactional(crate = ::tx)]
    pub(super) async fn sell(till: &Till, fails: bool) -> Answer<u8> {
        let value = commits_always(till).await?;
        if fails {
            super::FAILS?;
        }
        ::core::result::Result::Ok(value)
    }
}

/// Calls it.
pub(crate) async fn run(till: &Till, fails: bool) -> bool {
    shadowed::sell(till, fails).await.is_ok()
}
