//! Names of the prelude, and of what the expansion uses, that mean something else here.

#![allow(dead_code, missing_docs, unreachable_pub, unused_macros)]
#![allow(clippy::missing_errors_doc, clippy::wildcard_imports)]

use unanimous::sqlx::{Sqlite, SqlitePool};
use unanimous::{FenceTx, participant};

type Answer<T = ()> = Result<T, unanimous::Error>;
type Tx = FenceTx<Sqlite>;

mod decoys {
    pub enum Result {}
    pub enum Option {}
    pub enum Box {}
    pub enum Cow {}
    pub enum Arc {}
    pub enum Decision {}
    pub mod core {}
    pub mod std {}
    pub mod unanimous {}
    #[allow(non_camel_case_types)]
    pub enum str {}
}

#[derive(Debug)]
pub struct Accounts {
    db: SqlitePool,
}

mod shadowed {
    use super::decoys::*;
    use super::{Accounts, Answer, Tx, participant};

    macro_rules! file {
        () => {
            compile_error!("a macro of the user's was called")
        };
    }

    #[participant(name = "account", fence = self.db)]
    impl Accounts {
        #[two_phase_action(commit = name, rollback = fence)]
        pub async fn phase_two(&self, tx: &mut Tx, user: &::std::primitive::str) -> Answer<u8> {
            let _ = (tx, user);
            ::core::result::Result::Ok(1)
        }

        // Partners are called by their path, so methods of ours with these names are not meant.
        async fn name(&self, tx: &mut Tx, #[tried] value: &u8) -> Answer {
            let _ = (tx, value);
            ::core::result::Result::Ok(())
        }

        async fn fence(&self) -> Answer {
            ::core::result::Result::Ok(())
        }
    }

    fn unused(_: Result, _: Option, _: Box, _: Cow, _: Arc, _: Decision, _: str) {}
}
