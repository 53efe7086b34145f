//! What a branch is, for the user's functions, and the future that shows it to them.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use unanimous_protocol::message::Kept;
use unanimous_protocol::{ActionName, CallId, Decision, Xid, limits};

use super::fence::RowKey;
use super::record::readable;

thread_local! {
    static CURRENT: RefCell<Option<BranchContext>> = const { RefCell::new(None) };
}

/// What a branch is, for the user's functions: in phase one by [`BranchContext::current`], in
/// phase two also as a parameter.
///
/// Cloning is cheap.
#[derive(Clone, Debug)]
pub struct BranchContext {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    key: RowKey,
    action: ActionName,
    /// None in phase one.
    decision: Option<Decision>,
    attempt: u32,
    kept: Mutex<Keeping>,
}

/// What phase one keeps for phase two.
#[derive(Default)]
struct Keeping {
    values: Kept,
    /// What was kept is on its way: more would be lost.
    closed: bool,
}

impl fmt::Debug for Keeping {
    /// Users' values never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeping").finish_non_exhaustive()
    }
}

/// Why a value cannot be kept for phase two.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeepError {
    /// Its serialisation failed.
    #[error("`{name}` cannot be kept: {why}")]
    Serialize {
        /// The name.
        name: String,
        /// What its `Serialize` said.
        why: String,
    },
    /// Names and values of one branch are longer than the limit.
    #[error(
        "with `{0}` more than {max} bytes would be kept; keep a reference to large data instead, such as its key",
        max = limits::ARGUMENTS_BYTES_MAX
    )]
    TooLarge(String),
    /// Its name is longer than names may be, and would not travel.
    #[error("`{0}` is too long a name: at most {max} bytes", max = limits::NAME_BYTES_MAX)]
    LongName(String),
    /// Phase one has ended: the value would reach nobody.
    #[error("`{0}` cannot be kept: phase one has ended")]
    TooLate(String),
}

impl BranchContext {
    pub(crate) fn new(
        key: RowKey,
        action: ActionName,
        decision: Option<Decision>,
        attempt: u32,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                key,
                action,
                decision,
                attempt,
                kept: Mutex::new(Keeping {
                    values: Kept::new(),
                    closed: decision.is_some(),
                }),
            }),
        }
    }

    /// The transaction and the call, which together are the branch.
    pub(crate) fn row_key(&self) -> &RowKey {
        &self.inner.key
    }

    /// The branch whose phase one or phase two surrounds the caller.
    ///
    /// None outside, and in tasks spawned there.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT
            .try_with(|current| current.borrow().clone())
            .ok()
            .flatten()
    }

    /// The transaction.
    #[must_use]
    pub fn xid(&self) -> &Xid {
        &self.inner.key.xid
    }

    /// The call that the branch is.
    #[must_use]
    pub fn call_id(&self) -> &CallId {
        &self.inner.key.call
    }

    /// The action.
    #[must_use]
    pub fn action(&self) -> &str {
        self.inner.action.as_str()
    }

    /// What was decided about the branch; none in phase one.
    #[must_use]
    pub fn decision(&self) -> Option<Decision> {
        self.inner.decision
    }

    /// The number of this run of this phase of this call, as far as this process knows: 1 for the
    /// first, from 2 where a call is repeated, whichever process ran it first. For logs only.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.inner.attempt
    }

    /// An idempotency key of this phase of this call: 32 hex digits, the same in every repeat and
    /// in every process, another in the other phase. Made for `Idempotency-Key` headers.
    #[must_use]
    pub fn key(&self) -> String {
        self.key_of(match self.inner.decision {
            None => TRY,
            Some(Decision::Commit) => "commit",
            Some(Decision::Rollback) => "rollback",
        })
    }

    /// The [`key`](Self::key) that phase one of this call had: tells phase two what to confirm or
    /// cancel at a third party.
    #[must_use]
    pub fn try_key(&self) -> String {
        self.key_of(TRY)
    }

    /// Keeps a value for phase two, where a `#[kept]` parameter of this name, or
    /// [`Branch::kept`](crate::Branch::kept), reads it back. A value kept again under one name
    /// replaces the earlier one.
    ///
    /// Behind a fence it is stored in the branch's row, in the same local transaction as what
    /// phase one did; without one the coordinator keeps it, and it is on its way only once phase
    /// one has ended, so a rollback may not know it. Names and values of a branch are at most
    /// [`limits::ARGUMENTS_BYTES_MAX`] bytes, a name at most [`limits::NAME_BYTES_MAX`].
    ///
    /// # Errors
    ///
    /// When the value cannot be serialised or is too large, and outside phase one. Nothing is kept
    /// then. The error never shows a value.
    pub fn keep<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), KeepError> {
        let json = serde_json::to_string(value);
        let json = json.and_then(|json| readable(value, json.as_bytes()).map(|()| json));
        let json = json.map_err(|error| KeepError::Serialize {
            name: name.to_owned(),
            why: error.to_string(),
        })?;
        if name.len() > limits::NAME_BYTES_MAX {
            return Err(KeepError::LongName(name.to_owned()));
        }
        let mut kept = self.keeping();
        if kept.closed {
            return Err(KeepError::TooLate(name.to_owned()));
        }
        let others = kept.values.iter().filter(|(other, _)| ***other != *name);
        let bytes: usize = others.map(|(name, json)| name.len() + json.len()).sum();
        if bytes + name.len() + json.len() > limits::ARGUMENTS_BYTES_MAX {
            return Err(KeepError::TooLarge(name.to_owned()));
        }
        kept.values.insert(name.into(), json.into());
        Ok(())
    }

    /// Whether phase one kept nothing; then from here on it can keep nothing.
    pub(crate) fn closes_empty(&self) -> bool {
        let mut kept = self.keeping();
        kept.closed |= kept.values.is_empty();
        kept.closed
    }

    /// What phase one kept; from here on it can keep no more.
    pub(crate) fn take_kept(&self) -> Kept {
        let mut kept = self.keeping();
        kept.closed = true;
        std::mem::take(&mut kept.values)
    }

    fn keeping(&self) -> MutexGuard<'_, Keeping> {
        // Nothing panics while the lock is held.
        self.inner
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn key_of(&self, phase: &str) -> String {
        let mut hasher = Sha256::new();
        // Neither an xid nor a call id holds a line break.
        let RowKey { xid, call } = self.row_key();
        for part in [xid.as_str(), call.as_str(), phase] {
            hasher.update(part);
            hasher.update("\n");
        }
        let digest = hasher.finalize();
        digest
            .iter()
            .take(16)
            .fold(String::with_capacity(32), |mut key, byte| {
                // Writing to a string cannot fail.
                let _ = write!(key, "{byte:02x}");
                key
            })
    }

    /// Runs `f` with this as the current branch.
    fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        /// Puts back what was there before, also when `f` panics.
        struct Restore {
            entered: bool,
            before: Option<BranchContext>,
        }
        impl Drop for Restore {
            fn drop(&mut self) {
                if self.entered {
                    let before = self.before.take();
                    // A thread that is ending has nothing left to restore.
                    let _ = CURRENT.try_with(|current| current.replace(before));
                }
            }
        }
        let replaced = CURRENT.try_with(|current| current.replace(Some(self.clone())));
        let entered = replaced.is_ok();
        let _restore = Restore {
            entered,
            before: replaced.ok().flatten(),
        };
        f()
    }
}

const TRY: &str = "try";

/// A branch and the span of its phase.
#[derive(Debug)]
pub(crate) struct BranchScope {
    pub(crate) context: BranchContext,
    pub(crate) span: tracing::Span,
}

impl BranchScope {
    /// A future that runs as this branch in every poll, and while it is dropped.
    pub(crate) fn enter<F: Future>(&self, future: F) -> InBranch<'_, F> {
        InBranch {
            scope: self,
            future: Some(future),
        }
    }

    fn within<R>(&self, f: impl FnOnce() -> R) -> R {
        let _span = self.span.enter();
        self.context.within(f)
    }
}

pin_project_lite::pin_project! {
    /// A future that runs as a branch.
    pub(crate) struct InBranch<'a, F: Future> {
        scope: &'a BranchScope,
        #[pin]
        future: Option<F>,
    }

    impl<F: Future> PinnedDrop for InBranch<'_, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                this.scope.within(|| this.future.set(None));
            }
        }
    }
}

impl<F: Future> Future for InBranch<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        this.scope
            .within(|| match this.future.as_mut().as_pin_mut() {
                Some(future) => {
                    let polled = future.poll(cx);
                    if polled.is_ready() {
                        this.future.set(None);
                    }
                    polled
                }
                // Polled after completion: a caller's mistake that must not become a panic of ours.
                None => Poll::Pending,
            })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn context(call: &str, decision: Option<Decision>) -> BranchContext {
        let (xid, call) = ("u1.1.0000000000000001.7".parse(), call.parse());
        let (xid, call) = (xid.unwrap(), call.unwrap());
        BranchContext::new(RowKey { xid, call }, "debit".parse().unwrap(), decision, 1)
    }

    #[test]
    fn keys_are_stable_and_differ_by_call_and_phase() {
        let tried = context("account.debit:1", None);
        // Fixed for ever: a redelivery may be performed by another version.
        assert_eq!(tried.key(), "89d713ab9b991b040a04c1bad57fbee3");
        assert_eq!(tried.key(), tried.try_key());
        let committed = context("account.debit:1", Some(Decision::Commit));
        assert_eq!(committed.try_key(), tried.key());
        let keys = [
            tried.key(),
            committed.key(),
            context("account.debit:1", Some(Decision::Rollback)).key(),
            context("account.debit:2", None).key(),
        ];
        let distinct: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(distinct.len(), keys.len());
        assert!(
            keys.iter()
                .all(|key| key.len() == 32 && key.bytes().all(|b| b.is_ascii_hexdigit()))
        );
    }

    #[test]
    fn what_is_kept_is_taken_once_and_only_phase_one_keeps() {
        let tried = context("account.debit:1", None);
        tried.keep("number", &1).unwrap();
        tried.clone().keep("number", &2).unwrap();
        tried.keep("card", "canary").unwrap();
        let shown = format!("{tried:?}");
        assert!(!shown.contains("canary"), "{shown}");
        let kept = tried.take_kept();
        let texts: Vec<_> = kept.iter().map(|(name, json)| (&**name, &**json)).collect();
        assert_eq!(texts, [("card", "\"canary\""), ("number", "2")]);
        let late = KeepError::TooLate("card".to_owned());
        assert_eq!(tried.keep("card", &1), Err(late.clone()));
        assert!(tried.take_kept().is_empty());
        let committed = context("account.debit:1", Some(Decision::Commit));
        assert_eq!(committed.keep("card", &1), Err(late));
    }

    #[test]
    fn what_is_kept_has_a_limit_that_counts_every_name_and_value_once() {
        let tried = context("account.debit:1", None);
        // A text of JSON has two bytes beside its letters.
        let half = "x".repeat(limits::ARGUMENTS_BYTES_MAX / 2 - 3);
        tried.keep("a", &half).unwrap();
        tried.keep("a", &half).unwrap();
        tried.keep("b", &half).unwrap();
        assert_eq!(
            tried.keep("c", ""),
            Err(KeepError::TooLarge("c".to_owned()))
        );
        let keys = std::collections::HashMap::from([((1, 2), 3)]);
        let error = tried.keep("b", &keys).unwrap_err().to_string();
        assert!(error.starts_with("`b` cannot be kept"), "{error}");
        let long = "n".repeat(limits::NAME_BYTES_MAX + 1);
        assert_eq!(tried.keep(&long, &1), Err(KeepError::LongName(long)));
        let error = tried.keep("b", &Some(f64::NAN)).unwrap_err().to_string();
        assert!(error.starts_with("`b` cannot be kept"), "{error}");
        assert_eq!(tried.take_kept().len(), 2);
    }

    #[test]
    fn the_current_branch_is_seen_while_polled_and_while_dropped_and_not_after() {
        struct SeesOnDrop<'a>(&'a RefCell<Vec<Option<String>>>);
        impl Drop for SeesOnDrop<'_> {
            fn drop(&mut self) {
                let seen = BranchContext::current().map(|context| context.call_id().to_string());
                self.0.borrow_mut().push(seen);
            }
        }
        let seen = RefCell::new(Vec::new());
        let scope = |call| BranchScope {
            context: context(call, None),
            span: tracing::Span::none(),
        };
        let (outer, inner) = (scope("a.b:1"), scope("c.d:1"));
        let body = outer.enter(async {
            let _guard = SeesOnDrop(&seen);
            inner.enter(async { drop(SeesOnDrop(&seen)) }).await;
            drop(SeesOnDrop(&seen));
            std::future::pending::<()>().await;
        });
        let mut body = Box::pin(body);
        assert!(body.as_mut().now_or_never().is_none());
        assert!(BranchContext::current().is_none());
        drop(body);
        assert!(BranchContext::current().is_none());
        let outer = || Some("a.b:1".to_owned());
        assert_eq!(seen.take(), [Some("c.d:1".to_owned()), outer(), outer()]);
    }
}
