//! What surrounds a piece of code, entered for one poll at a time.

use std::cell::RefCell;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use pin_project_lite::pin_project;
use unanimous_protocol::message::TraceContext;

use super::Scope;
use crate::global::retry::Attempt;
use crate::runtime::{Runtime, WeakRuntime};

thread_local! {
    static AMBIENT: RefCell<Ambient> = const { RefCell::new(Ambient::NOTHING) };
}

/// What surrounds the code that is being polled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ambient {
    scope: Option<Scope>,
    runtime: Option<Runtime>,
    /// In phase two: whose deliveries run it. It does not keep that runtime alive.
    deliveries_of: Option<WeakRuntime>,
    /// Without a scope: pools whose fenced phase is under way around the caller all the same.
    fences: Fences,
    /// The attempt of a `retry_transaction` that hears how what begins here ends.
    attempt: Option<Attempt>,
    /// The trace that what begins here belongs to: phase two is linked to it.
    trace: Option<TraceContext>,
}

/// Pools by their keys: mostly none or one, and cloned at every poll.
#[derive(Clone, Debug, Default)]
pub(super) struct Fences {
    first: Option<usize>,
    more: Option<Arc<[usize]>>,
}

impl Fences {
    const NONE: Self = Self {
        first: None,
        more: None,
    };

    /// These and one more.
    pub(super) fn and(&self, pool_key: usize) -> Self {
        let mut all = self.clone();
        if all.first.is_none() {
            all.first = Some(pool_key);
        } else {
            let more = all.more.iter().flat_map(|more| more.iter().copied());
            all.more = Some(more.chain([pool_key]).collect());
        }
        all
    }

    pub(super) fn hold(&self, pool_key: usize) -> bool {
        let more = self.more.as_ref();
        self.first == Some(pool_key) || more.is_some_and(|more| more.contains(&pool_key))
    }
}

impl Ambient {
    const NOTHING: Self = Self {
        scope: None,
        runtime: None,
        deliveries_of: None,
        fences: Fences::NONE,
        attempt: None,
        trace: None,
    };

    /// What surrounds the caller.
    pub(crate) fn current() -> Self {
        AMBIENT
            .try_with(|ambient| ambient.borrow().clone())
            .unwrap_or_default()
    }

    /// The scope that surrounds the caller.
    pub(super) fn current_scope() -> Option<Scope> {
        AMBIENT
            .try_with(|ambient| ambient.borrow().scope.clone())
            .ok()
            .flatten()
    }

    /// Whether a scope surrounds the caller.
    pub(crate) fn has_scope() -> bool {
        AMBIENT
            .try_with(|ambient| ambient.borrow().scope.is_some())
            .unwrap_or(false)
    }

    /// The same runtime, another scope, and the trace of its transaction.
    pub(crate) fn with_scope(scope: Scope) -> Self {
        let around = AMBIENT.try_with(|ambient| ambient.borrow().around(&scope));
        Self {
            scope: Some(scope),
            ..around.unwrap_or_default()
        }
    }

    /// A copy of what is still true within this scope, less the scope itself.
    fn around(&self, scope: &Scope) -> Self {
        Self {
            scope: None,
            runtime: self.runtime.clone(),
            deliveries_of: self.deliveries_of.clone(),
            fences: self.fences.clone(),
            attempt: self.attempt.as_ref().map(Attempt::inner),
            trace: scope.trace().or_else(|| self.trace.clone()),
        }
    }

    /// The same, heard by an attempt of a `retry_transaction`.
    pub(crate) fn attempted(attempt: Attempt) -> Self {
        Self {
            attempt: Some(attempt),
            ..Self::current()
        }
    }

    /// The same in this trace, or in none.
    pub(crate) fn traced(mut self, trace: Option<TraceContext>) -> Self {
        self.trace = trace;
        self
    }

    pub(crate) fn trace(&self) -> Option<TraceContext> {
        self.trace.clone()
    }

    pub(crate) fn attempt(&self) -> Option<&Attempt> {
        self.attempt.as_ref()
    }

    /// The same runtime, and no scope: the surrounding transaction is suspended. Nothing is taken
    /// away from it, and it is back when what runs here returns, panics or is dropped.
    pub(crate) fn suspended() -> Self {
        let current = Self::current();
        let runtime = current.scope.as_ref().map(Scope::runtime).cloned();
        Self {
            fences: current.fences(),
            runtime: runtime.or_else(|| current.runtime.clone()),
            scope: None,
            ..current
        }
    }

    /// Another runtime, and no scope.
    pub(crate) fn with_runtime(runtime: Runtime) -> Self {
        let current = Self::current();
        Self {
            fences: current.fences(),
            attempt: current.attempt,
            trace: current.trace,
            runtime: Some(runtime),
            ..Self::NOTHING
        }
    }

    /// Phase two, delivered to this runtime: no scope.
    pub(crate) fn delivered(deliveries_of: Option<WeakRuntime>) -> Self {
        Self {
            deliveries_of,
            ..Self::NOTHING
        }
    }

    /// The same within a fenced phase on this pool.
    pub(crate) fn inside_fence(mut self, pool_key: usize) -> Self {
        self.fences = self.fences.and(pool_key);
        self
    }

    /// Pools whose fenced phase is under way around the caller: whatever it begins, a transaction
    /// of its own included, a fenced action on one of them would wait for the caller.
    pub(super) fn fences(&self) -> Fences {
        let scope = self.scope.as_ref();
        scope.map_or_else(|| self.fences.clone(), |scope| scope.0.fences.clone())
    }

    pub(crate) fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    pub(crate) fn runtime(&self) -> Option<Runtime> {
        let scope = self.scope.as_ref().map(Scope::runtime);
        let named = scope.or(self.runtime.as_ref()).cloned();
        named.or_else(|| self.deliveries_of.as_ref()?.upgrade())
    }

    /// Runs `f` surrounded by this.
    pub(crate) fn within<R>(&mut self, f: impl FnOnce() -> R) -> R {
        /// Puts back what was there before, also when `f` panics.
        struct Restore<'a>(&'a mut Ambient);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.swap();
            }
        }
        self.swap();
        let _restore = Restore(self);
        f()
    }

    /// Changes places with what surrounds the caller: nothing is counted up and down, as a copy of
    /// every part would be at every poll.
    fn swap(&mut self) {
        // A thread that is ending has no ambient left, neither to enter nor to restore.
        let _ = AMBIENT.try_with(|ambient| std::mem::swap(&mut *ambient.borrow_mut(), self));
    }

    /// A future that is surrounded by this in every poll, and while it is dropped.
    pub(crate) fn enter<F: Future>(self, future: F) -> Entered<F> {
        Entered {
            ambient: self,
            future: Some(future),
        }
    }
}

pin_project! {
    /// A future that runs inside an [`Ambient`].
    pub(crate) struct Entered<F: Future> {
        ambient: Ambient,
        #[pin]
        future: Option<F>,
    }

    impl<F: Future> PinnedDrop for Entered<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() {
                this.ambient.within(|| this.future.set(None));
            }
        }
    }
}

impl<F: Future> fmt::Debug for Entered<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered")
            .field("ambient", &self.ambient)
            .finish_non_exhaustive()
    }
}

impl<F: Future> Future for Entered<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        this.ambient
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
