//! What a branch is, for the user's functions, and the future that shows it to them.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use sha2::{Digest as _, Sha256};
use unanimous_protocol::{ActionName, CallId, Decision, Xid};

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
    xid: Xid,
    call: CallId,
    action: ActionName,
    /// None in phase one.
    decision: Option<Decision>,
    attempt: u32,
}

impl BranchContext {
    pub(crate) fn new(
        xid: Xid,
        call: CallId,
        action: ActionName,
        decision: Option<Decision>,
        attempt: u32,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                xid,
                call,
                action,
                decision,
                attempt,
            }),
        }
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
        &self.inner.xid
    }

    /// The call that the branch is.
    #[must_use]
    pub fn call_id(&self) -> &CallId {
        &self.inner.call
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

    /// How often this process has run this phase of this call, from 1. For logs only.
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

    fn key_of(&self, phase: &str) -> String {
        let mut hasher = Sha256::new();
        // Neither an xid nor a call id holds a line break.
        for part in [self.inner.xid.as_str(), self.inner.call.as_str(), phase] {
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
            this.scope.within(|| this.future.set(None));
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
        let xid = "u1.1.0000000000000001.7".parse().unwrap();
        let action = "debit".parse().unwrap();
        BranchContext::new(xid, call.parse().unwrap(), action, decision, 1)
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
