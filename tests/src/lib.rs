//! Everything that needs more than one crate to be tested. The README's example is a doc test of
//! this crate.

#[doc = include_str!("../../README.md")]
#[cfg(doctest)]
pub struct Readme;

/// An `async unsafe fn`, committed and rolled back. It stands in a doc test because no code of the
/// workspace may be unsafe.
///
/// ```
/// use std::sync::atomic::{AtomicU8, Ordering};
/// use std::sync::Arc;
/// use std::time::Duration;
/// use unanimous::{Error, Runtime, global_transactional, participant};
///
/// #[derive(Default)]
/// struct Stock {
///     confirmed: AtomicU8,
///     cancelled: AtomicU8,
/// }
///
/// #[participant(name = "stock")]
/// impl Stock {
///     #[two_phase_action(commit = confirm, rollback = cancel)]
///     async fn take(&self, count: u8) -> Result<(), Error> {
///         Ok(())
///     }
///
///     async fn confirm(&self, count: u8) -> Result<(), Error> {
///         self.confirmed.fetch_add(count, Ordering::SeqCst);
///         Ok(())
///     }
///
///     async fn cancel(&self, count: u8) -> Result<(), Error> {
///         self.cancelled.fetch_add(count, Ordering::SeqCst);
///         Ok(())
///     }
/// }
///
/// #[global_transactional(map_err = |error| error.to_string())]
/// async unsafe fn purchase(stock: &Stock, count: *const u8) -> Result<u8, String> {
///     // SAFETY: the caller says that `count` can be read.
///     let count = unsafe { count.read() };
///     stock.take(count).await.map_err(|error| error.to_string())?;
///     if count > 5 { Err("too many".to_owned()) } else { Ok(count) }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let stock = Arc::new(Stock::default());
/// let runtime = Runtime::builder().coordinator("memory:").participant(stock.clone()).build().await?;
/// // SAFETY: both numbers live longer than the calls.
/// let (few, many) = unsafe { (purchase(&stock, &2), purchase(&stock, &7)) };
/// assert_eq!(runtime.scope(few).await, Ok(2));
/// assert_eq!(runtime.scope(many).await, Err("too many".to_owned()));
/// assert!(runtime.quiet(Duration::from_secs(20)).await);
/// assert_eq!(stock.confirmed.load(Ordering::SeqCst), 2);
/// assert_eq!(stock.cancelled.load(Ordering::SeqCst), 7);
/// # Ok(())
/// # }
/// ```
#[cfg(doctest)]
pub struct UnsafeFunction;
