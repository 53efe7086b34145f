//! What runs when the outcome of a transaction is known: hooks, `after_commit`, `after_end`.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use unanimous_protocol::{Outcome, Xid};

use crate::Error;
use crate::context::{Ambient, Scope};
use crate::hooks::{Begun, Hooks};
use crate::runtime::WeakRuntime;

/// Runs a future once the surrounding transaction is committed.
///
/// It belongs to the transaction, that is to the scope that began, however deep below it this is
/// called, also in a block that is tolerated later: it runs if that transaction commits, and is
/// dropped unpolled if it rolls back. It runs once, in a task of this process's runtime and outside
/// the transaction, after whatever was registered before it has ended; nobody waits for it but
/// [`Runtime::shutdown`](crate::Runtime::shutdown), within the drain time. A caller that is dropped
/// after it asked for commit, or heard [`Error::Unknown`], changes nothing of that: the future runs
/// when the runtime hears the decision. A panic in it is logged.
///
/// **Lost in a crash**, and when the runtime is dropped before the decision is heard. What must
/// happen is the `commit` partner of an action.
///
/// ```
/// # use std::sync::Arc;
/// # use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
/// # use unanimous::{Error, Runtime, after_commit, global_transactional};
/// #[global_transactional]
/// async fn purchase(mails: Arc<AtomicU32>) -> Result<(), Error> {
///     after_commit(async move {
///         mails.fetch_add(1, SeqCst);
///     })
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = Runtime::builder().coordinator("memory:").build().await?;
/// # let mails = Arc::new(AtomicU32::new(0));
///
/// runtime.scope(purchase(mails.clone())).await?;
/// runtime.shutdown().await; // waits for it
/// assert_eq!(mails.load(SeqCst), 1);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::NotInTransaction`] outside a transaction, [`Error::NotBegunHere`] in a transaction that
/// began in another process, which alone hears its outcome, and [`Error::AlreadyDecided`] once it
/// has ended. The future is dropped then.
pub fn after_commit<F>(future: F) -> Result<(), Error>
where
    F: Future<Output = ()> + Send + 'static,
{
    register(
        "after_commit",
        Box::new(move |outcome| match outcome {
            Outcome::Committed => Box::pin(future),
            Outcome::RolledBack { .. } | Outcome::Unknown { .. } => Box::pin(async {}),
        }),
    )
}

/// Runs a closure and the future that it returns once the surrounding transaction has ended.
///
/// As [`after_commit`], but whatever the outcome, which it is given. That is
/// [`Outcome::Unknown`] only if the coordinator answered that it will never be told; while there is
/// no answer at all, the runtime goes on asking.
///
/// ```
/// # use unanimous::{Error, Outcome, Runtime, global_transactional};
/// #[global_transactional]
/// async fn purchase() -> Result<(), Error> {
///     unanimous::after_end(|outcome| async move { println!("it is over: {outcome}") })
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = Runtime::builder().coordinator("memory:").build().await?;
/// runtime.scope(purchase()).await?;
/// runtime.shutdown().await; // waits for it
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`after_commit`].
pub fn after_end<C, F>(closure: C) -> Result<(), Error>
where
    C: FnOnce(Outcome) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    register(
        "after_end",
        Box::new(move |outcome| Box::pin(closure(outcome))),
    )
}

fn register(what: &'static str, run: Registered) -> Result<(), Error> {
    let scope = Scope::current().ok_or(Error::NotInTransaction { what: what.into() })?;
    let xid = || scope.xid().clone();
    let Some(after) = scope.after() else {
        return Err(Error::NotBegunHere {
            what: what.into(),
            xid: xid(),
        });
    };
    if after.push(run) {
        return Ok(());
    }
    Err(Error::AlreadyDecided { xid: xid() })
}

type Registered = Box<dyn FnOnce(Outcome) -> BoxFuture<'static, ()> + Send>;

/// What was registered in a transaction; nothing more once it has ended.
#[derive(Default)]
pub(crate) struct After(Mutex<Option<Vec<Registered>>>);

impl After {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Some(Vec::new()))))
    }

    /// Whether the transaction has not ended.
    fn push(&self, run: Registered) -> bool {
        let mut registered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(registered) = &mut *registered else {
            return false;
        };
        registered.push(run);
        true
    }

    fn close(&self) -> Vec<Registered> {
        let mut registered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        registered.take().unwrap_or_default()
    }
}

impl fmt::Debug for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("After")
    }
}

/// The end of a transaction, told by whoever hears its decision: its caller, or the runtime's task.
#[derive(Debug)]
pub(crate) struct Epilogue {
    begun: Begun,
    after: Arc<After>,
    hooks: Hooks,
    /// A decision that is waited for keeps no runtime alive.
    runtime: WeakRuntime,
    /// Whether `before_rollback` was called.
    rolling_back: bool,
}

impl Epilogue {
    pub(super) fn new(begun: Begun, after: Arc<After>, hooks: Hooks, runtime: WeakRuntime) -> Self {
        Self {
            begun,
            after,
            hooks,
            runtime,
            rolling_back: false,
        }
    }

    pub(super) fn after_begin(&self) {
        self.call("after_begin", |hook| hook.after_begin(&self.begun));
    }

    pub(super) fn before_commit(&self) {
        self.call("before_commit", |hook| hook.before_commit(&self.begun));
    }

    /// Rollback is asked, for the first time or again.
    pub(crate) fn before_rollback(&mut self) {
        if !std::mem::replace(&mut self.rolling_back, true) {
            self.call("before_rollback", |hook| hook.before_rollback(&self.begun));
        }
    }

    /// Calls the hooks, and returns what is to be run in a task of the runtime.
    pub(crate) fn ended(self, outcome: &Outcome) -> Option<Registration> {
        let begun = &self.begun;
        match outcome {
            Outcome::Committed => self.call("after_commit", |hook| hook.after_commit(begun)),
            Outcome::RolledBack { .. } => {
                self.call("after_rollback", |hook| hook.after_rollback(begun));
            }
            Outcome::Unknown { .. } => {}
        }
        self.call("after_completion", |hook| {
            hook.after_completion(begun, outcome)
        });
        let registered = self.after.close();
        (!registered.is_empty()).then(|| Registration {
            xid: self.begun.xid,
            outcome: outcome.clone(),
            registered,
            runtime: self.runtime,
        })
    }

    fn call(
        &self,
        moment: &'static str,
        call: impl Fn(&dyn crate::TransactionHook) -> crate::hooks::HookResult,
    ) {
        self.hooks.call(moment, &self.runtime, call);
    }
}

/// What users registered in a transaction that has ended, to be run once.
pub(crate) struct Registration {
    xid: Xid,
    outcome: Outcome,
    registered: Vec<Registered>,
    runtime: WeakRuntime,
}

impl Registration {
    pub(crate) fn xid(&self) -> &Xid {
        &self.xid
    }

    /// Runs them one after the other, each outside of any transaction. A panic ends none but its
    /// own.
    pub(crate) async fn run(self) {
        let mut ambient = Ambient::delivered(Some(self.runtime));
        for registered in self.registered {
            let outcome = self.outcome.clone();
            let made = catch_unwind(AssertUnwindSafe(|| ambient.within(|| registered(outcome))));
            let ended = match made {
                Ok(future) => {
                    AssertUnwindSafe(ambient.clone().enter(future))
                        .catch_unwind()
                        .await
                }
                Err(panic) => Err(panic),
            };
            if ended.is_err() {
                tracing::error!(xid = %self.xid, "what was to run after the transaction panicked");
            }
        }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("xid", &self.xid)
            .field("outcome", &self.outcome)
            .field("registered", &self.registered.len())
            .finish_non_exhaustive()
    }
}
