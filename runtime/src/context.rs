//! The current transaction: a task-local scope.
//!
//! A [`Scope`] is one scope of calls within a global transaction: the body that began it, a joined
//! function, an action's phase one, a `tolerate` block, a served request. Nothing is ever set and
//! unset: a scope is entered for the length of one poll and left when the poll returns, also by a
//! panic (C3).

mod ambient;

use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use unanimous_protocol::header::AnswerHeader;
use unanimous_protocol::ids::Target;
use unanimous_protocol::message::{Commit, TraceContext};
use unanimous_protocol::{Alias, CallId, Xid};

use crate::global::after::After;
use crate::global::calls::{Calls, CommitRefused, Ending, Verdict};
use crate::runtime::Runtime;
use crate::{CallFailure, Error};

use ambient::Fences;
pub(crate) use ambient::{Ambient, Entered};

/// What all scopes of one transaction in this process share.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) runtime: Runtime,
    pub(crate) xid: Xid,
    /// On the runtime's clock.
    pub(crate) deadline: Duration,
    pub(crate) trace: Option<TraceContext>,
    /// What runs after its end; none where it arrived from another process.
    pub(crate) after: Option<Arc<After>>,
}

/// One scope of calls. Cloning is cheap.
#[derive(Clone, Debug)]
pub(crate) struct Scope(Arc<ScopeInner>);

#[derive(Debug)]
struct ScopeInner {
    transaction: Arc<Transaction>,
    /// The call that this scope is.
    id: CallId,
    /// The scope that this one is a call of, in this process.
    parent: Option<Scope>,
    calls: Mutex<Calls>,
    /// The error that came with the first failed call.
    error: Mutex<Option<Arc<str>>>,
    /// Pools whose fenced phase is under way around this scope.
    fences: Fences,
    /// Tasks spawned here that have not ended; most scopes spawn none.
    spawned: OnceLock<watch::Sender<usize>>,
}

/// How strictly a new call is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CallKind {
    /// An action or a remote call: it has effects, so it is refused once the transaction can only
    /// roll back.
    Call,
    /// It only groups calls, which are looked at one by one.
    Block,
}

impl Scope {
    /// The scope of a transaction that begins here, or arrived with a call of this id.
    pub(crate) fn root(transaction: Transaction, id: CallId) -> Self {
        let fences = Ambient::current().fences();
        Self::new(Arc::new(transaction), None, id, fences)
    }

    fn new(
        transaction: Arc<Transaction>,
        parent: Option<Scope>,
        id: CallId,
        fences: Fences,
    ) -> Self {
        Self(Arc::new(ScopeInner {
            transaction,
            calls: Mutex::new(Calls::new(id.clone())),
            id,
            parent,
            error: Mutex::default(),
            fences,
            spawned: OnceLock::new(),
        }))
    }

    /// The scope that surrounds the caller.
    pub(crate) fn current() -> Option<Self> {
        Ambient::current_scope()
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.0.transaction.runtime
    }

    pub(crate) fn xid(&self) -> &Xid {
        &self.0.transaction.xid
    }

    /// Whether this scope, or one around it in this process, is this call of the transaction.
    #[cfg(feature = "tower")]
    pub(crate) fn is_within(&self, xid: &Xid, call: &CallId) -> bool {
        let mut scope = Some(self).filter(|scope| scope.xid() == xid);
        while let Some(at) = scope {
            if at.0.id == *call {
                return true;
            }
            scope = at.0.parent.as_ref();
        }
        false
    }

    /// The call that this scope is.
    pub(crate) fn id(&self) -> &CallId {
        &self.0.id
    }

    pub(crate) fn trace(&self) -> Option<TraceContext> {
        self.0.transaction.trace.clone()
    }

    /// What runs after the end of the transaction, where that is heard in this process.
    pub(crate) fn after(&self) -> Option<&After> {
        self.0.transaction.after.as_deref()
    }

    pub(crate) fn deadline(&self) -> Duration {
        self.0.transaction.deadline
    }

    /// The time left, none once the deadline has passed.
    pub(crate) fn remaining(&self) -> Option<Duration> {
        let left = self.deadline().saturating_sub(self.runtime().clock().now());
        (!left.is_zero()).then_some(left)
    }

    /// A future that runs in this scope.
    pub(crate) fn enter<F: Future>(&self, future: F) -> Entered<F> {
        Ambient::with_scope(self.clone()).enter(future)
    }

    /// Whether a fenced phase on this pool is under way around this scope.
    pub(crate) fn is_inside_fence(&self, pool_key: usize) -> bool {
        self.0.fences.hold(pool_key)
    }

    /// Opens the record of a call (N3).
    ///
    /// # Errors
    ///
    /// `RollbackOnly` once a call of this scope or around it has failed, and the limits of a call
    /// id; both before any effect.
    pub(crate) fn open_call(&self, target: &Target, kind: CallKind) -> Result<OpenCall, Error> {
        self.open(target, kind, None)
    }

    /// The same for a fenced phase one on this pool.
    pub(crate) fn open_fenced_call(
        &self,
        target: &Target,
        pool_key: usize,
    ) -> Result<OpenCall, Error> {
        self.open(target, CallKind::Call, Some(pool_key))
    }

    fn open(
        &self,
        target: &Target,
        kind: CallKind,
        fence: Option<usize>,
    ) -> Result<OpenCall, Error> {
        if kind == CallKind::Call
            && let Some(refusal) = self.rollback_only()
        {
            return Err(refusal);
        }
        let opened = self.calls().open(target);
        let id = match opened {
            Ok(id) => id,
            Err(error) => {
                if kind == CallKind::Call {
                    self.cannot_call(CallFailure::Refused, &error);
                }
                return Err(error.into());
            }
        };
        let transaction = Arc::clone(&self.0.transaction);
        let fences = match fence {
            Some(pool_key) => self.0.fences.and(pool_key),
            None => self.0.fences.clone(),
        };
        let child = Self::new(transaction, Some(self.clone()), id, fences);
        Ok(OpenCall { child, open: true })
    }

    /// A call cannot be made: it has failed, as its absence counts as a failure (TM1).
    pub(crate) fn cannot_call(&self, cause: CallFailure, error: &dyn Display) {
        keep_first(self, || Some(error.to_string().into()));
        self.calls().cannot_call(cause);
    }

    /// The failure that makes everything here roll back, in this scope or around it. A `tolerate`
    /// or `retry_call` block keeps its failures in a scope of its own, below this one.
    pub(crate) fn rollback_only(&self) -> Option<Error> {
        let mut scope = Some(self);
        while let Some(at) = scope {
            let failure = at.calls().first_failure().cloned();
            if let Some((call, cause)) = failure {
                return Some(at.rollback_only_error(call, cause));
            }
            scope = at.0.parent.as_ref();
        }
        None
    }

    /// How the first call that failed here did so.
    pub(crate) fn failure_cause(&self) -> Option<CallFailure> {
        self.calls().first_failure().map(|(_, cause)| *cause)
    }

    fn rollback_only_error(&self, call: CallId, cause: CallFailure) -> Error {
        let error = lock(&self.0.error).clone();
        Error::RollbackOnly {
            xid: self.xid().clone(),
            call,
            cause,
            error,
        }
    }

    /// Notes that something joined here (calls-and-wire section 2), and so around here.
    pub(crate) fn joined(&self) {
        let mut scope = Some(self);
        while let Some(at) = scope {
            at.calls().joined();
            scope = at.0.parent.as_ref();
        }
    }

    /// Waits for the tasks spawned in this scope, within the remaining time.
    pub(crate) async fn join_spawned(&self) {
        let Some(spawned) = self.0.spawned.get().filter(|_| self.has_spawned()) else {
            return;
        };
        let mut spawned = spawned.subscribe();
        tokio::select! {
            _ = spawned.wait_for(|running| *running == 0) => {}
            () = self.runtime().clock().sleep_until(self.deadline()) => {}
        }
    }

    /// Whether a task spawned here still runs.
    pub(crate) fn has_spawned(&self) -> bool {
        let spawned = self.0.spawned.get();
        spawned.is_some_and(|spawned| *spawned.borrow() > 0)
    }

    /// Counts a spawned task until the guard is dropped.
    pub(crate) fn count_spawned(&self) -> SpawnedTask {
        let spawned = self.0.spawned.get_or_init(|| watch::Sender::new(0));
        spawned.send_modify(|running| *running += 1);
        SpawnedTask(self.clone())
    }

    /// What this scope answers to its caller, judged like a handler.
    pub(crate) fn end(&self, ending: Ending) -> AnswerHeader {
        self.calls().end(ending)
    }

    /// What a block that contains failures tells its parent.
    fn end_block(&self, ok: bool) -> Verdict {
        self.calls().end_block(ok)
    }

    /// The next attempt of a `retry_call` begins.
    pub(crate) fn restart(&self) {
        self.calls().restart();
        *lock(&self.0.error) = None;
    }

    /// The commit that the scope that began asks for, if it may (TM2).
    pub(crate) fn commit_request(&self) -> Result<Commit, Error> {
        let request = self.calls().commit_request(self.xid());
        request.map_err(|refused| match refused {
            CommitRefused::RollbackOnly { call, cause } => self.rollback_only_error(call, cause),
            CommitRefused::TooManyAbandoned => Error::TooMany {
                xid: self.xid().clone(),
                what: "abandoned calls",
                max: unanimous_protocol::limits::ABANDONED_CALLS_MAX,
            },
        })
    }

    fn calls(&self) -> MutexGuard<'_, Calls> {
        lock(&self.0.calls)
    }
}

/// A spawned task that its scope waits for.
#[derive(Debug)]
pub(crate) struct SpawnedTask(Scope);

impl Drop for SpawnedTask {
    fn drop(&mut self) {
        if let Some(spawned) = self.0.0.spawned.get() {
            spawned.send_modify(|running| *running -= 1);
        }
    }
}

/// One call under way: its record is Running. Dropped without an answer, it has failed (TM1).
#[derive(Debug)]
pub(crate) struct OpenCall {
    child: Scope,
    open: bool,
}

impl OpenCall {
    pub(crate) fn id(&self) -> &CallId {
        self.child.id()
    }

    /// The scope that this is a call of. Only a root has none, and no root is a call.
    fn parent(&self) -> &Scope {
        self.child.0.parent.as_ref().unwrap_or(&self.child)
    }

    /// The scope for what runs below this call.
    pub(crate) fn scope(&self) -> &Scope {
        &self.child
    }

    /// A registration was sent for it.
    pub(crate) fn joined(&self) {
        self.child.joined();
    }

    /// The call is an action that succeeded as this branch: its scope's answer names it.
    pub(crate) fn end_named(&self, alias: Alias) -> AnswerHeader {
        let mut calls = self.child.calls();
        calls.own_name(alias);
        calls.end(Ending::Ok)
    }

    /// It answered.
    pub(crate) fn answered(mut self, answer: AnswerHeader) {
        self.open = false;
        if let AnswerHeader::Mark { .. } = &answer {
            keep_first(self.parent(), || lock(&self.child.0.error).clone());
        }
        self.parent().calls().answered(self.id(), answer);
    }

    /// It answered from another process: what the answer names has joined around it, too.
    pub(crate) fn answered_elsewhere(self, answer: AnswerHeader) {
        if let AnswerHeader::Ok { names, .. } = &answer
            && !names.is_empty()
        {
            self.parent().joined();
        }
        self.answered(answer);
    }

    /// It failed.
    pub(crate) fn failed(mut self, cause: CallFailure, error: Option<Arc<str>>) {
        self.open = false;
        keep_first(self.parent(), || {
            error.or_else(|| lock(&self.child.0.error).clone())
        });
        self.parent().calls().failed(self.id(), cause);
    }

    /// It succeeded without telling any names (TM5).
    #[cfg(any(feature = "reqwest", feature = "tower"))]
    pub(crate) fn unanswered_success(mut self) {
        self.open = false;
        self.parent().joined();
        self.parent().calls().unanswered_success(self.id());
    }

    /// Its scope ended in this process.
    pub(crate) fn close(self, ending: Ending) {
        let answer = self.child.end(ending);
        let parent = self.parent().clone();
        self.answered(answer);
        if ending == Ending::CommitOn {
            parent.calls().excuse();
        }
    }

    /// Its scope, a `tolerate` block, ended.
    pub(crate) fn close_tolerate(mut self, ok: bool) {
        self.open = false;
        let verdict = self.child.end_block(ok);
        if let Verdict::Failed { .. } = &verdict {
            keep_first(self.parent(), || lock(&self.child.0.error).clone());
        }
        self.parent().calls().block_ended(self.id(), verdict);
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        if self.open {
            self.parent()
                .calls()
                .failed(self.id(), CallFailure::Dropped);
        }
    }
}

fn keep_first(scope: &Scope, error: impl FnOnce() -> Option<Arc<str>>) {
    let mut kept = lock(&scope.0.error);
    if kept.is_none() {
        *kept = error();
    }
}

/// A panic of user code never happens while one of our locks is held, so a poisoned lock holds a
/// whole value.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
