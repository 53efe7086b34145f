//! No lint of rustc's or clippy's fires in generated code, whatever attributes stand beside ours.

use std::fmt::Display;

use unanimous::{Error, global_transactional};

/// A shop.
#[derive(Debug, Default)]
pub struct Shop {
    sold: u64,
}

impl Shop {
    /// Sells.
    ///
    /// # Errors
    ///
    /// When the transaction fails.
    #[must_use = "the outcome"]
    #[inline]
    #[global_transactional(
        name = "sell",
        timeout = "30000ms",
        settle = "10s",
        propagation = required,
        commit_on(Error::NoRuntime | Error::ShuttingDown),
        map_err = |error| error
    )]
    pub async fn sell(&mut self, #[allow(unused_variables)] count: u64) -> Result<&u64, Error> {
        self.sold += 1;
        Ok(&self.sold)
    }

    /// Shows, deprecated and conditional.
    ///
    /// # Errors
    ///
    /// When the transaction fails.
    #[cfg(not(any(windows, target_os = "none")))]
    #[deprecated(note = "look at the shelf")]
    #[global_transactional]
    pub async fn show(&self, _unused: u8) -> Result<impl Display + use<>, Error> {
        Ok(self.sold)
    }
}

/// A function whose parameters are not used.
///
/// # Errors
///
/// When the transaction fails.
#[global_transactional]
pub async fn idle(_: u8, _name: &str, (_first, _): (u8, u8)) -> Result<(), Error> {
    Ok(())
}

/// Generic, with raw identifiers.
///
/// # Errors
///
/// When the transaction fails.
#[global_transactional(propagation = mandatory)]
pub async fn r#loop<T>(r#move: T) -> Result<T, Error>
where
    T: Send,
{
    Ok(r#move)
}
