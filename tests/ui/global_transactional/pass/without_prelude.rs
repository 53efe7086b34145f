//! Nothing of the prelude is needed.

#![no_implicit_prelude]
#![allow(missing_docs, clippy::missing_errors_doc)]

use ::std::result::Result::{self, Ok};
use ::unanimous::{Error, global_transactional};

#[global_transactional(
    timeout = "30s",
    settle = "1s",
    propagation = requires_new,
    commit_on(Error::NoRuntime),
    map_err = |error| error
)]
pub async fn purchase(count: u8) -> Result<u8, Error> {
    ::std::future::ready(()).await;
    Ok(count)
}
