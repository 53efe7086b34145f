//! Hooks on all transactions that a runtime begins: `builder.hook(..)`.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use unanimous_protocol::{Outcome, Xid};

use crate::context::Ambient;
use crate::runtime::WeakRuntime;

/// What a hook answers: an error is logged and changes nothing.
pub type HookResult = Result<(), Box<dyn StdError + Send + Sync>>;

/// A transaction that began, as a hook sees it.
#[derive(Clone, Debug)]
pub struct Begun {
    pub(crate) xid: Xid,
    pub(crate) name: Cow<'static, str>,
}

impl Begun {
    /// The transaction.
    #[must_use]
    pub fn xid(&self) -> &Xid {
        &self.xid
    }

    /// Its name, for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Watches the transactions that a runtime begins, given to
/// [`RuntimeBuilder::hook`](crate::RuntimeBuilder::hook). Every method has a default that does
/// nothing.
///
/// * **Which.** Transactions that begin in this runtime; not those that it only joins or serves.
///   Each is told with its own xid: an inner transaction's calls are never the outer one's.
/// * **Order.** `before_begin`, `after_begin`; then `before_commit` or `before_rollback`; then
///   `after_commit` or `after_rollback`; last `after_completion`, once for each `after_begin` whose
///   end this process hears. A commit that the coordinator answers with "rolled back" goes from
///   `before_commit` to `after_rollback`. Several hooks are called in the order in which they were
///   given to the builder. What [`after_commit`](crate::after_commit) and
///   [`after_end`](crate::after_end) registered runs after all hooks.
/// * **Where.** In the task that runs the transaction, before its caller hears the outcome. If that
///   caller was dropped or heard [`Error::Unknown`](crate::Error::Unknown), the rest is called in
///   the runtime's own task when the decision is heard. Outside of any transaction: neither the one
///   that is told nor the one around it surrounds a hook.
/// * **What may go wrong.** An error or a panic is logged; it changes no outcome and stops no other
///   hook. Hooks must not block: what takes time is spawned, or registered with
///   [`after_end`](crate::after_end). They are synchronous, so no drop leaves one half done. A
///   process that dies calls no hook any more.
///
/// ```
/// # use std::sync::{Arc, Mutex};
/// use unanimous::{Begun, Error, HookResult, Outcome, Runtime, TransactionHook};
/// # use unanimous::global_transactional;
///
/// #[derive(Clone, Default)]
/// struct Journal(Arc<Mutex<Vec<String>>>);
///
/// impl TransactionHook for Journal {
///     fn after_begin(&self, begun: &Begun) -> HookResult {
///         self.0.lock().unwrap().push(format!("{} begins", begun.name()));
///         Ok(())
///     }
///
///     fn after_completion(&self, begun: &Begun, outcome: &Outcome) -> HookResult {
///         self.0.lock().unwrap().push(format!("{}: {outcome}", begun.name()));
///         Ok(())
///     }
/// }
///
/// # #[global_transactional(name = "purchase")]
/// # async fn purchase() -> Result<(), Error> {
/// #     Ok(())
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let journal = Journal::default();
/// let runtime =
///     Runtime::builder().coordinator("memory:").hook(journal.clone()).build().await?;
/// runtime.scope(purchase()).await?;
/// assert_eq!(*journal.0.lock().unwrap(), ["purchase begins", "purchase: committed"]);
/// # Ok(())
/// # }
/// ```
pub trait TransactionHook: Send + Sync {
    /// A transaction of this name is about to begin.
    fn before_begin(&self, name: &str) -> HookResult {
        let _ = name;
        Ok(())
    }

    /// It has begun; its body has not run.
    fn after_begin(&self, begun: &Begun) -> HookResult {
        let _ = begun;
        Ok(())
    }

    /// Its body ended well and commit is about to be asked.
    fn before_commit(&self, begun: &Begun) -> HookResult {
        let _ = begun;
        Ok(())
    }

    /// It is committed: decided, its branches confirm a moment later.
    fn after_commit(&self, begun: &Begun) -> HookResult {
        let _ = begun;
        Ok(())
    }

    /// Rollback is about to be asked.
    fn before_rollback(&self, begun: &Begun) -> HookResult {
        let _ = begun;
        Ok(())
    }

    /// It is rolled back.
    fn after_rollback(&self, begun: &Begun) -> HookResult {
        let _ = begun;
        Ok(())
    }

    /// It has ended; `Unknown` only if the coordinator answered that it will never be told.
    fn after_completion(&self, begun: &Begun, outcome: &Outcome) -> HookResult {
        let _ = (begun, outcome);
        Ok(())
    }
}

/// All hooks of a runtime, in order.
#[derive(Clone, Default)]
pub(crate) struct Hooks(Vec<Arc<dyn TransactionHook>>);

impl Hooks {
    pub(crate) fn push(&mut self, hook: Arc<dyn TransactionHook>) {
        self.0.push(hook);
    }

    /// Calls each, outside of any transaction; `moment` is for the log.
    pub(crate) fn call(
        &self,
        moment: &'static str,
        runtime: &WeakRuntime,
        call: impl Fn(&dyn TransactionHook) -> HookResult,
    ) {
        if self.0.is_empty() {
            return;
        }
        let mut ambient = Ambient::delivered(Some(runtime.clone()));
        for hook in &self.0 {
            let called = catch_unwind(AssertUnwindSafe(|| {
                // Its error's text is the hook's code as well.
                if let Err(error) = ambient.within(|| call(&**hook)) {
                    tracing::error!(moment, %error, "a hook failed");
                }
            }));
            if called.is_err() {
                tracing::error!(moment, "a hook panicked");
            }
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hooks").field(&self.0.len()).finish()
    }
}
