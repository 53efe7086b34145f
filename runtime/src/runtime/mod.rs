//! The runtime as a value: a coordinator, the provided participants, and the tasks that serve
//! them.

mod builder;
mod decisions;
mod functions;
mod open;
mod operate;
mod pace;
#[cfg(feature = "tower")]
mod readiness;
mod settings;
mod url;

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use unanimous_protocol::message::{AdminAnswer, AdminRequest, DecisionAnswer};
use unanimous_protocol::{Outcome, UnknownWhy, Xid};

use crate::Error;
use crate::backoff::Entropy;
use crate::branch::deliver::Deliveries;
use crate::clock::Clock;
use crate::context::Ambient;
use crate::coordinator::{Attachment, Coordinator, CoordinatorError};
use crate::events::{Event, Events};
use crate::global::calls::Asking;
use crate::hooks::Hooks;
use crate::points::Points;

pub use builder::{BuildError, InstallError, RuntimeBuilder};
pub use operate::{Admin, AdminError, Health};
pub use url::UrlError;

pub(crate) use decisions::{Decisions, Job, Undecided};
pub(crate) use open::OpenTransaction;
pub(crate) use pace::Pace;
pub(crate) use settings::Settings;
#[cfg(feature = "embedded")]
pub(crate) use url::EmbeddedUrl;
pub(crate) use url::Url;

/// The process-wide default, set by [`Runtime::install`].
static INSTALLED: OnceLock<Runtime> = OnceLock::new();

/// Takes part in global transactions: begins them, carries them, performs their phase two.
///
/// A runtime is a value; cloning is cheap and clones are the same runtime. Several may coexist in
/// one process: one may be [installed](Runtime::install) as the default, others surround a future
/// with [`Runtime::scope`]. Without [`Runtime::shutdown`] open transactions roll back, and decided
/// ones finish after the next start.
///
/// ```
/// # use std::time::Duration;
/// use unanimous::{Error, Outcome, Runtime, Xid, global_transactional, xid};
///
/// #[global_transactional]
/// async fn purchase() -> Result<Option<Xid>, Error> {
///     Ok(xid()) // may be stored with a job, to ask later
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = Runtime::builder().coordinator("memory:").build().await?;
/// let xid = runtime.scope(purchase()).await?.ok_or("no transaction")?;
///
/// assert_eq!(runtime.outcome(&xid).await, Outcome::Committed); // decides nothing
/// assert_eq!(runtime.resolve(&xid).await, Outcome::Committed); // would roll it back were it open
/// assert!(runtime.settled(&xid, Duration::from_secs(10)).await); // its branches have ended
/// runtime.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Runtime {
    inner: Arc<Inner>,
}

/// A runtime that is not kept alive.
#[derive(Clone, Debug)]
pub(crate) struct WeakRuntime(Weak<Inner>);

impl WeakRuntime {
    /// The runtime, while anybody else holds it.
    pub(crate) fn upgrade(&self) -> Option<Runtime> {
        let inner = self.0.upgrade()?;
        Some(Runtime { inner })
    }
}

pub(crate) struct Inner {
    application: Arc<str>,
    coordinator: Arc<dyn Coordinator>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
    settings: Settings,
    events: Events,
    hooks: Hooks,
    decisions: Decisions,
    deliveries: Arc<Deliveries>,
    attachment: Mutex<Option<Attachment>>,
    open: open::Open,
    points: Points,
    pace: Arc<dyn Pace>,
    _tasks: Tasks,
}

/// Background tasks that end with the runtime.
struct Tasks(Vec<tokio::task::AbortHandle>);

impl Drop for Tasks {
    fn drop(&mut self) {
        self.0.iter().for_each(tokio::task::AbortHandle::abort);
    }
}

impl Runtime {
    /// Starts to describe a runtime.
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder::new()
    }

    /// Makes this runtime the default of the process.
    ///
    /// # Errors
    ///
    /// When another one is installed already; nothing changes then.
    pub fn install(&self) -> Result<(), InstallError> {
        INSTALLED.set(self.clone()).map_err(|_| InstallError)
    }

    /// Runs a future in which this runtime is the default.
    pub async fn scope<F: Future>(&self, future: F) -> F::Output {
        Ambient::with_runtime(self.clone()).enter(future).await
    }

    /// Completes when the participants are attached to the coordinator for the first time.
    pub async fn ready(&self) {
        self.inner.deliveries.ready().await;
    }

    /// The name of this process for people.
    #[must_use]
    pub fn application(&self) -> &str {
        &self.inner.application
    }

    /// The coordinator, to be shared with another runtime of this process
    /// ([`RuntimeBuilder::coordinator_value`]) or asked by hand.
    #[must_use]
    pub fn coordinator_value(&self) -> Arc<dyn Coordinator> {
        Arc::clone(&self.inner.coordinator)
    }

    /// Asks for the outcome of a transaction and decides nothing.
    ///
    /// Answers `Unknown` while the transaction is open or the coordinator is away; asking again
    /// is always safe. Cancel safe.
    pub async fn outcome(&self, xid: &Xid) -> Outcome {
        told(xid, self.inner.coordinator.outcome(xid.clone()).await)
    }

    /// Settles a transaction: asks for its rollback and tells whichever decision holds.
    pub async fn resolve(&self, xid: &Xid) -> Outcome {
        told(xid, self.inner.coordinator.rollback(xid.clone()).await)
    }

    /// Waits at most `within` until every branch of a decided transaction has ended; tells whether
    /// that was seen.
    pub async fn settled(&self, xid: &Xid, within: Duration) -> bool {
        let seen = || async {
            let answer = self
                .inner
                .coordinator
                .admin(AdminRequest::Settled(xid.clone()))
                .await;
            matches!(answer, Ok(AdminAnswer::Settled(true)))
        };
        self.poll_until(within, seen).await
    }

    /// Waits at most `within` until the coordinator is quiet: nothing open, every branch ended or
    /// parked. Tells whether that was seen.
    ///
    /// After a start, and after each new connection to the coordinator, the rows that this
    /// process's participants tried before come first: each is asked about, and confirmed or
    /// given back. Those of other processes are not known here.
    pub async fn quiet(&self, within: Duration) -> bool {
        let seen = || async {
            let unfinished = self.admin().list(false, usize::MAX).await;
            unfinished.is_ok_and(|all| all.iter().all(operate::is_quiet))
                && self.inner.deliveries.has_asked()
        };
        self.poll_until(within, seen).await
    }

    /// Stops: begins nothing more, waits for what is open within the drain time, detaches, and
    /// stops an embedded coordinator, which rolls back what is still open. What it has delivered
    /// to be confirmed or cancelled is finished, within the drain time again; what failed, or
    /// hangs, is repeated after the next start.
    ///
    /// Dropping the future leaves the runtime refusing to begin.
    pub async fn shutdown(&self) {
        self.inner.open.close();
        let drain = self.inner.clock.sleep(self.inner.settings.drain);
        tokio::select! {
            biased;
            () = async {
                self.inner.open.drained().await;
                self.inner.decisions.drained().await;
            } => {}
            () = drain => tracing::warn!(open = self.inner.open.count(), "shutdown did not drain"),
        }
        self.inner.coordinator.stop().await;
        self.inner
            .attachment
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }

    /// Completes when no decision is under way.
    #[cfg(feature = "testing")]
    pub(crate) async fn decisions_made(&self) {
        self.inner.decisions.drained().await;
    }

    /// The runtime that surrounds the caller, or the installed one.
    pub(crate) fn ambient(ambient: &Ambient) -> Option<Self> {
        ambient.runtime().or_else(|| INSTALLED.get().cloned())
    }

    /// Lets phase two arrive, which runs in this runtime.
    fn attach(&self) {
        let inner = &self.inner;
        inner.deliveries.belong_to(self.downgrade());
        let attachment = inner.coordinator.attach(Arc::clone(&inner.deliveries) as _);
        let mut attached = inner
            .attachment
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *attached = Some(attachment);
    }

    /// Counts a transaction as open until the guard is dropped.
    pub(crate) fn count_open(&self) -> Result<OpenTransaction, Error> {
        self.inner
            .open
            .begin(self.inner.clock.now())
            .ok_or(Error::ShuttingDown)
    }

    pub(crate) fn downgrade(&self) -> WeakRuntime {
        WeakRuntime(Arc::downgrade(&self.inner))
    }

    pub(crate) fn coordinator(&self) -> &dyn Coordinator {
        &*self.inner.coordinator
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    pub(crate) fn entropy(&self) -> &Entropy {
        &self.inner.entropy
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        &self.inner.hooks
    }

    pub(crate) fn points(&self) -> &Points {
        &self.inner.points
    }

    pub(crate) fn decisions(&self) -> &Decisions {
        &self.inner.decisions
    }

    pub(crate) fn deliveries(&self) -> &Arc<Deliveries> {
        &self.inner.deliveries
    }

    /// Tells whoever listens that an outcome is unknown.
    pub(crate) fn unknown(&self, xid: &Xid, why: UnknownWhy) {
        self.inner.events.emit(&Event::Unknown {
            xid: xid.clone(),
            why,
        });
    }
}

/// What a user may be told after one question.
pub(crate) fn told(xid: &Xid, answer: Result<DecisionAnswer, CoordinatorError>) -> Outcome {
    let mut asking: Asking = Asking::new(xid.clone());
    match answer {
        Ok(answer) => asking.answered(answer),
        Err(error) => tracing::debug!(%xid, %error, "outcome not answered"),
    }
    asking.outcome()
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("application", &self.inner.application)
            .field("coordinator", &self.inner.coordinator)
            .finish_non_exhaustive()
    }
}
