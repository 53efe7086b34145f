//! Blocks of calls: `tolerate`, `keyed`, `outside`.

use std::fmt;

use unanimous_protocol::ids::Target;

use super::calls::Ending;
use crate::CallFailure;
use crate::context::{Ambient, CallKind, OpenCall, Scope};

/// Runs a block that the transaction may commit without.
///
/// The block is **one** call. If it ends in `Err` or is dropped, it is abandoned with everything
/// below it: whatever it reserved stands until the decision and is then cancelled. If it
/// ends in `Ok` although a call below it failed, it has failed, and with it the transaction.
///
/// Outside a transaction the future simply runs.
///
/// ```
/// # use std::sync::Arc;
/// # use unanimous::{Runtime, global_transactional, participant, tolerate};
/// # type Failure = Box<dyn std::error::Error + Send + Sync>;
/// # struct Gifts;
/// # #[participant(name = "gifts")]
/// # impl Gifts {
/// #     #[two_phase_action(commit = none, rollback = put_back)]
/// #     async fn wrap(&self) -> Result<(), Failure> {
/// #         Err("there is no paper".into())
/// #     }
/// #     async fn put_back(&self) -> Result<(), Failure> {
/// #         Ok(())
/// #     }
/// # }
/// #[global_transactional]
/// async fn purchase(gifts: &Gifts) -> Result<bool, Failure> {
///     // Without `tolerate` the failed call would roll everything back, though its error is swallowed.
///     let wrapped = tolerate(gifts.wrap()).await;
///     Ok(wrapped.is_ok())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Failure> {
/// # let gifts = Arc::new(Gifts);
/// # let runtime =
/// #     Runtime::builder().coordinator("memory:").participant(gifts.clone()).build().await?;
///
/// assert_eq!(runtime.scope(purchase(&gifts)).await?, false);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// The block's own, unchanged.
pub async fn tolerate<T, E, F>(block: F) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    tolerate_when(block, |_| true).await
}

/// [`tolerate`] as a method of any future of a `Result`.
///
/// ```
/// # use std::sync::Arc;
/// # use unanimous::{Error, Runtime, TolerateExt as _, global_transactional, participant};
/// # #[derive(Debug)]
/// enum Failure {
///     NoPaper,
///     OnFire,
///     Transaction(Error),
/// }
/// # impl From<Error> for Failure {
/// #     fn from(error: Error) -> Self { Self::Transaction(error) }
/// # }
/// # impl std::fmt::Display for Failure {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "{self:?}") }
/// # }
/// # impl std::error::Error for Failure {}
/// # struct Gifts;
/// # #[participant(name = "gifts")]
/// # impl Gifts {
/// #     #[two_phase_action(commit = none, rollback = put_back)]
/// #     async fn wrap(&self, burns: bool) -> Result<(), Failure> {
/// #         Err(if burns { Failure::OnFire } else { Failure::NoPaper })
/// #     }
/// #     async fn put_back(&self) -> Result<(), Failure> {
/// #         Ok(())
/// #     }
/// # }
///
/// #[global_transactional]
/// async fn purchase(gifts: &Gifts, burns: bool) -> Result<(), Failure> {
///     let no_paper = |error: &Failure| matches!(error, Failure::NoPaper);
///     let _without_paper = gifts.wrap(burns).tolerate_if(no_paper).await;
///     let _without_gift = gifts.wrap(false).tolerate().await;
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let gifts = Arc::new(Gifts);
/// # let runtime =
/// #     Runtime::builder().coordinator("memory:").participant(gifts.clone()).build().await?;
///
/// runtime.scope(purchase(&gifts, false)).await?;
/// let burnt = runtime.scope(purchase(&gifts, true)).await;
/// assert!(matches!(burnt, Err(Failure::Transaction(Error::RollbackOnly { .. }))));
/// # Ok(())
/// # }
/// ```
pub trait TolerateExt<T, E>: Future<Output = Result<T, E>> + Sized {
    /// [`tolerate`].
    fn tolerate(self) -> impl Future<Output = Result<T, E>> {
        tolerate(self)
    }

    /// [`tolerate`], for the errors that `when` accepts; any other makes the call a failed one.
    fn tolerate_if<W>(self, when: W) -> impl Future<Output = Result<T, E>>
    where
        W: FnOnce(&E) -> bool,
    {
        tolerate_when(self, when)
    }
}

impl<T, E, F: Future<Output = Result<T, E>>> TolerateExt<T, E> for F {}

async fn tolerate_when<T, E, F>(block: F, when: impl FnOnce(&E) -> bool) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let Some(call) = open(&Target::new("~tolerate")) else {
        return block.await;
    };
    let call = Tolerated(Some(call));
    let result = call.scope().enter(block).await;
    match &result {
        Ok(_) => {
            call.scope().join_spawned().await;
            call.end(true);
        }
        Err(error) if when(error) => call.end(false),
        Err(_) => call.fail(),
    }
    result
}

/// A `tolerate` block under way: dropped, it is abandoned rather than failed.
struct Tolerated(Option<OpenCall>);

impl Tolerated {
    fn scope(&self) -> Scope {
        match &self.0 {
            Some(call) => call.scope().clone(),
            None => unreachable!("only `end`, `fail` and `drop` take the call"),
        }
    }

    fn end(mut self, ok: bool) {
        self.take(ok);
    }

    fn fail(mut self) {
        if let Some(call) = self.0.take() {
            call.failed(CallFailure::Failed, None);
        }
    }

    fn take(&mut self, ok: bool) {
        if let Some(call) = self.0.take() {
            call.close_tolerate(ok);
        }
    }
}

impl Drop for Tolerated {
    fn drop(&mut self) {
        self.take(false);
    }
}

/// Gives the calls of a block a key of the user's instead of their place among their siblings, so
/// that an unordered fan-out gets the same call ids when it is repeated.
///
/// The block is one call; it is judged by the calls below it, by panic and by drop. Its value is
/// not looked at. Outside a transaction the future simply runs.
///
/// ```
/// # use std::sync::{Arc, Mutex};
/// # use futures_util::future::try_join_all;
/// # use unanimous::{BranchContext, Error, Runtime, global_transactional, keyed, participant};
/// # #[derive(Default)]
/// # struct Shelf {
/// #     calls: Mutex<Vec<(String, String)>>,
/// # }
/// # #[participant(name = "shelf")]
/// # impl Shelf {
/// #     #[two_phase_action(commit = none, rollback = put_back)]
/// #     async fn take(&self, sku: &str) -> Result<(), Error> {
/// #         let call = BranchContext::current().map(|branch| branch.call_id().to_string());
/// #         self.calls.lock().unwrap().push((sku.to_owned(), call.unwrap_or_default()));
/// #         Ok(())
/// #     }
/// #     async fn put_back(&self) -> Result<(), Error> {
/// #         Ok(())
/// #     }
/// # }
/// #[global_transactional]
/// async fn purchase(shelf: &Shelf, skus: &[&str]) -> Result<(), Error> {
///     let lines = skus.iter().map(|sku| keyed(sku, shelf.take(sku)));
///     try_join_all(lines).await?;
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let shelf = Arc::new(Shelf::default());
/// # let runtime =
/// #     Runtime::builder().coordinator("memory:").participant(shelf.clone()).build().await?;
/// # let calls = || {
/// #     let mut calls = std::mem::take(&mut *shelf.calls.lock().unwrap());
/// #     calls.sort();
/// #     calls
/// # };
///
/// runtime.scope(purchase(&shelf, &["milk", "tea"])).await?;
/// let first = calls(); // each line and the id of its call
/// runtime.scope(purchase(&shelf, &["tea", "milk"])).await?;
/// assert_eq!(calls(), first);
/// # Ok(())
/// # }
/// ```
pub async fn keyed<F: Future>(key: impl fmt::Display, block: F) -> F::Output {
    let Some(call) = open(&Target::new(&key.to_string())) else {
        return block.await;
    };
    let output = call.scope().enter(block).await;
    call.scope().join_spawned().await;
    call.close(Ending::Ok);
    output
}

/// Runs a future outside the surrounding transaction: no header travels with its calls and no
/// record is kept of them. For third parties.
///
/// The transaction is suspended for the length of each poll of this future; it needs no resuming,
/// whether the future ends, panics or is dropped.
///
/// ```
/// # use unanimous::{Error, Runtime, Xid, global_transactional, outside, xid};
/// # async fn exchange_rate() -> Option<Xid> {
/// #     xid()
/// # }
/// #[global_transactional]
/// async fn purchase() -> Result<(), Error> {
///     assert!(xid().is_some());
///     let seen = outside(exchange_rate()).await; // a request to someone else's server, say
///     assert_eq!(seen, None);
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = Runtime::builder().coordinator("memory:").build().await?;
/// # runtime.scope(purchase()).await?;
/// # Ok(())
/// # }
/// ```
pub async fn outside<F: Future>(future: F) -> F::Output {
    Ambient::suspended().enter(future).await
}

/// The record of a block, or none outside a transaction or at the limits of a call id; there the
/// calls of the block are looked at one by one.
fn open(target: &Target) -> Option<OpenCall> {
    Scope::current()?.open_call(target, CallKind::Block).ok()
}
