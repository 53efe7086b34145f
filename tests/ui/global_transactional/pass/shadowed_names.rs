//! Names of the prelude, and of what the expansion uses, that mean something else here.

#![allow(dead_code, missing_docs, unreachable_pub)]
#![allow(clippy::missing_errors_doc, clippy::wildcard_imports)]

use unanimous::global_transactional;

type Answer<T = (), E = unanimous::Error> = Result<T, E>;

mod decoys {
    pub enum Result {}
    pub enum Option {}
    pub enum Box {}
    pub enum Future {}
    pub mod core {}
    pub mod std {}
    pub mod unanimous {}
}

mod shadowed {
    use super::decoys::*;
    use super::{Answer, global_transactional};

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

    decoy!(concat module_path pin matches file line stringify);

    #[global_transactional]
    pub async fn alias() -> Answer {
        ::core::result::Result::Ok(())
    }

    #[global_transactional(timeout = "1s", commit_on(_), map_err = |error| error)]
    pub async fn arguments() -> Answer<u8> {
        ::core::result::Result::Ok(1)
    }

    fn unused(_: Result, _: Option, _: Box, _: Future) {}
}

pub async fn run() -> Answer {
    shadowed::alias().await?;
    shadowed::arguments().await.map(drop)
}
