//! The future that begins a transaction, polls a body inside its scope, and finishes.
//!
//! The generic part, [`Run`], holds no logic: it stores the body's output and lends its poll to
//! the non-generic [`Driver`], so that an annotated function adds little code. The body is pinned
//! in the caller's frame and dropped inside its context *before* the abandonment is announced: a
//! destructor still sees its transaction, and no rollback overtakes a local transaction that the
//! body holds.

use std::borrow::Cow;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use unanimous_protocol::Outcome;
use unanimous_protocol::ids::Target;
use unanimous_protocol::message::Begin;
use unanimous_protocol::{CallId, TransactionName};

use super::Propagation;
use super::after::{After, Epilogue};
use super::calls::Ending;
use super::finish::{AbandonGuard, finish_joined, finish_root};
use crate::Error;
use crate::context::{Ambient, CallKind, OpenCall, Scope, Transaction};
use crate::hooks::Begun;
use crate::runtime::Runtime;

/// What is to be run: the arguments of an annotation.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) name: Cow<'static, str>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) settle: Option<Duration>,
    pub(crate) propagation: Propagation,
    pub(crate) runtime: Option<Runtime>,
}

/// What came of a run whose body ended or was dropped.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The outcome; none if it ran without a transaction, or never began.
    pub(crate) outcome: Option<Outcome>,
    /// A failure of the transaction itself; it replaces an `Ok` or a `commit_on` error.
    pub(crate) error: Option<Error>,
}

impl Finished {
    /// The body ran without a transaction: there is nothing to tell.
    pub(super) const PLAIN: Self = Self {
        outcome: None,
        error: None,
    };
}

/// A run that has begun.
pub(super) enum Started {
    /// This function began the transaction and will decide it.
    Root(Box<Root>),
    /// This function joined the transaction that surrounds it.
    Joined(OpenCall),
    /// This function runs without a transaction.
    Plain,
}

/// The scope that began, and what happens when it is dropped.
pub(super) struct Root {
    pub(super) scope: Scope,
    pub(super) guard: AbandonGuard,
    pub(super) settle: Duration,
}

impl Started {
    fn scope(&self) -> Option<&Scope> {
        match self {
            Self::Root(root) => Some(&root.scope),
            Self::Joined(call) => Some(call.scope()),
            Self::Plain => None,
        }
    }
}

/// The non-generic part of a run.
pub(crate) enum Driver {
    /// Nothing begins and nothing surrounds, so the body simply runs, at no cost.
    Plain,
    /// Nothing surrounds what must be surrounded: the function of this name does not run.
    Refused(Cow<'static, str>),
    /// It begins, joins or suspends. Boxed, so that a caller's future grows little.
    Works(Box<Work>),
}

/// A run that begins, joins or suspends.
pub(crate) struct Work {
    state: State,
    ambient: Ambient,
    /// Around every poll of the body.
    span: tracing::Span,
}

enum State {
    Beginning(BoxFuture<'static, Result<Started, Error>>),
    Running {
        started: Started,
        deadline: Option<BoxFuture<'static, ()>>,
    },
    Finishing(BoxFuture<'static, Finished>),
    Finished(Finished),
    Done,
}

impl Driver {
    pub(crate) fn new(plan: Plan) -> Self {
        if !Ambient::has_scope() {
            match plan.propagation {
                Propagation::Supports | Propagation::NotSupported | Propagation::Never => {
                    return Self::Plain;
                }
                Propagation::Mandatory => return Self::Refused(plan.name),
                Propagation::Required | Propagation::RequiresNew => {}
            }
        }
        Self::Works(Box::new(Work::new(plan, Ambient::current())))
    }

    fn poll_begun(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        match self {
            Self::Plain => Poll::Ready(Ok(())),
            Self::Refused(name) => Poll::Ready(Err(outside(name.clone()))),
            Self::Works(work) => work.poll_begun(cx),
        }
    }

    fn poll_body(
        &mut self,
        cx: &mut TaskContext<'_>,
        body: &mut dyn FnMut(&mut TaskContext<'_>) -> Poll<()>,
    ) -> Poll<bool> {
        match self {
            Self::Works(work) => work.poll_body(cx, body),
            Self::Plain | Self::Refused(_) => plainly(|| body(cx)).map(|()| true),
        }
    }

    fn within(&mut self, f: impl FnOnce()) {
        match self {
            Self::Works(work) => work.within(f),
            Self::Plain | Self::Refused(_) => plainly(f),
        }
    }

    fn finish(&mut self, ending: Option<Ending>) {
        if let Self::Works(work) = self {
            work.finish(ending);
        }
    }

    /// Completes once; what came of it is then to be taken. It is not handed out here: a caller's
    /// error is large, and this is what a call without a transaction would spend its time on.
    fn poll_finished(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        match self {
            Self::Works(work) => work.poll_finished(cx),
            Self::Plain | Self::Refused(_) => Poll::Ready(()),
        }
    }
}

impl Work {
    fn new(plan: Plan, ambient: Ambient) -> Self {
        let beginning = Box::pin(begin(plan, ambient.clone()));
        Self {
            state: State::Beginning(beginning),
            ambient,
            span: tracing::Span::none(),
        }
    }

    /// Completes when the body may be polled.
    fn poll_begun(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        let State::Beginning(beginning) = &mut self.state else {
            return Poll::Ready(Ok(()));
        };
        match std::task::ready!(beginning.as_mut().poll(cx)) {
            Ok(started) => {
                if let Some(scope) = started.scope() {
                    self.span = tracing::debug_span!("global_transaction", xid = %scope.xid());
                    self.ambient = Ambient::with_scope(scope.clone());
                } else {
                    self.ambient = Ambient::suspended();
                }
                self.state = State::Running {
                    started,
                    deadline: None,
                };
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                self.state = State::Done;
                Poll::Ready(Err(error))
            }
        }
    }

    /// Polls the body in its scope: `true` when it ended, `false` when its deadline passed first.
    fn poll_body(
        &mut self,
        cx: &mut TaskContext<'_>,
        body: &mut dyn FnMut(&mut TaskContext<'_>) -> Poll<()>,
    ) -> Poll<bool> {
        if self.within(|| body(cx)).is_ready() {
            return Poll::Ready(true);
        }
        match &mut self.state {
            // Only the scope that began has a deadline of its own.
            State::Running {
                started: Started::Root(root),
                deadline,
            } => {
                let sleep = || {
                    root.scope
                        .runtime()
                        .clock()
                        .sleep_until(root.scope.deadline())
                };
                deadline
                    .get_or_insert_with(sleep)
                    .as_mut()
                    .poll(cx)
                    .map(|()| false)
            }
            _ => Poll::Pending,
        }
    }

    /// Runs `f` as part of the body.
    fn within<R>(&mut self, f: impl FnOnce() -> R) -> R {
        let Self { span, ambient, .. } = self;
        span.in_scope(|| ambient.within(f))
    }

    /// Starts to finish; the body is gone.
    fn finish(&mut self, ending: Option<Ending>) {
        let state = std::mem::replace(&mut self.state, State::Done);
        if let State::Running { started, .. } = state {
            self.state = State::Finishing(match started {
                Started::Root(root) => Box::pin(finish_root(root, ending)),
                Started::Joined(call) => Box::pin(finish_joined(call, ending)),
                Started::Plain => Box::pin(ready(Finished::PLAIN)),
            });
        }
    }

    fn poll_finished(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        match &mut self.state {
            State::Finishing(finishing) => {
                let finished = std::task::ready!(finishing.as_mut().poll(cx));
                self.state = State::Finished(finished);
                Poll::Ready(())
            }
            // Polled after completion.
            _ => Poll::Pending,
        }
    }

    fn take_finished(&mut self) -> Option<Finished> {
        match std::mem::replace(&mut self.state, State::Done) {
            State::Finished(finished) => Some(finished),
            _ => None,
        }
    }
}

/// Nothing surrounds the function of this name, which wants to be surrounded.
fn outside(name: Cow<'static, str>) -> Error {
    Error::NotInTransaction { what: name.into() }
}

/// What began without a transaction goes on without one, also where a transaction polls it later.
fn plainly<R>(f: impl FnOnce() -> R) -> R {
    if Ambient::has_scope() {
        Ambient::suspended().within(f)
    } else {
        f()
    }
}

/// Begins, joins, or does neither, as the plan says.
async fn begin(plan: Plan, ambient: Ambient) -> Result<Started, Error> {
    let surrounding = ambient.scope().cloned();
    match (plan.propagation, surrounding) {
        (Propagation::Required | Propagation::Supports | Propagation::Mandatory, Some(scope)) => {
            let call = scope.open_call(&Target::new(function(&plan.name)), CallKind::Block)?;
            Ok(Started::Joined(call))
        }
        (Propagation::Mandatory, None) => Err(Error::NotInTransaction {
            what: plan.name.into(),
        }),
        (Propagation::Never, Some(scope)) => Err(Error::InTransaction {
            what: plan.name.into(),
            xid: scope.xid().clone(),
        }),
        (Propagation::NotSupported, _) | (Propagation::Supports | Propagation::Never, None) => {
            Ok(Started::Plain)
        }
        (Propagation::Required | Propagation::RequiresNew, _) => {
            let runtime = match &plan.runtime {
                Some(runtime) => runtime.clone(),
                None => Runtime::ambient(&ambient).ok_or(Error::NoRuntime)?,
            };
            begin_root(plan, runtime, &ambient)
                .await
                .map(|root| Started::Root(Box::new(root)))
        }
    }
}

/// The function's own name, the last part of the default name.
fn function(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}

async fn begin_root(plan: Plan, runtime: Runtime, ambient: &Ambient) -> Result<Root, Error> {
    let open = runtime.count_open()?;
    let (hooks, weak) = (runtime.hooks().clone(), runtime.downgrade());
    hooks.call("before_begin", &weak, |hook| hook.before_begin(&plan.name));
    let timeout = plan.timeout.unwrap_or(runtime.settings().timeout);
    let timeout = timeout.min(unanimous_protocol::limits::TIMEOUT_MAX);
    let settle = plan.settle.unwrap_or(runtime.settings().settle);
    let deadline = runtime.clock().now() + timeout;
    let request = Begin {
        name: transaction_name(&plan.name),
        timeout,
        trace: ambient.trace(),
    };
    let answer = runtime.coordinator().begin(request);
    let began = tokio::select! {
        biased;
        answer = answer => answer?,
        () = runtime.clock().sleep_until(deadline) => {
            return Err(crate::coordinator::CoordinatorError::Unavailable {
                coordinator: runtime.coordinator().address(),
                why: "it did not begin the transaction within its timeout".into(),
            }.into());
        }
    };
    let xid = began.map_err(Error::BeginRefused)?.xid;
    tracing::debug!(%xid, name = %plan.name, "begin");
    let begun = Begun {
        xid: xid.clone(),
        name: plan.name,
    };
    let after = After::new();
    let epilogue = Epilogue::new(begun, Arc::clone(&after), hooks, weak);
    let noted = ambient.attempt().map(|attempt| attempt.began(&runtime));
    let guard = AbandonGuard::new(
        runtime.clone(),
        xid.clone(),
        deadline,
        epilogue,
        noted,
        open,
    );
    guard.begun();
    let transaction = Transaction {
        runtime,
        xid,
        deadline,
        trace: ambient.trace(),
        after: Some(after),
    };
    Ok(Root {
        scope: Scope::root(transaction, CallId::root()),
        guard,
        settle,
    })
}

/// The end of a name that is too long says more than its beginning.
fn transaction_name(name: &str) -> TransactionName {
    let fits = |text: &str| text.parse::<TransactionName>().ok();
    let tail = || {
        let from = name
            .len()
            .saturating_sub(unanimous_protocol::limits::NAME_BYTES_MAX);
        let from = (from..=name.len())
            .find(|at| name.is_char_boundary(*at))
            .unwrap_or(name.len());
        fits(&name[from..])
    };
    let clean = || fits(&name.escape_default().to_string());
    fits(name)
        .or_else(tail)
        .or_else(clean)
        .or_else(|| fits("unnamed"))
        .unwrap_or_else(|| unreachable!("`unnamed` is a name"))
}

/// A run over a body that is pinned in the caller's frame.
pub(crate) struct Run<'a, F: Future> {
    driver: Driver,
    body: Pin<&'a mut Option<F>>,
    ending: fn(&F::Output) -> Ending,
    commit_on: Option<fn(&F::Output) -> bool>,
    output: Option<F::Output>,
}

/// Nothing of it is structurally pinned but the body, which is pinned elsewhere.
impl<F: Future> Unpin for Run<'_, F> {}

impl<'a, F: Future> Run<'a, F> {
    pub(crate) fn new(
        plan: Plan,
        body: Pin<&'a mut Option<F>>,
        ending: fn(&F::Output) -> Ending,
        commit_on: Option<fn(&F::Output) -> bool>,
    ) -> Self {
        Self {
            driver: Driver::new(plan),
            body,
            ending,
            commit_on,
            output: None,
        }
    }

    /// How an output is judged, `commit_on` apart.
    pub(crate) fn ending(&self) -> fn(&F::Output) -> Ending {
        self.ending
    }

    fn judge(&self, output: &F::Output) -> Ending {
        match (self.ending)(output) {
            Ending::Err if self.commit_on.is_some_and(|matches| matches(output)) => {
                Ending::CommitOn
            }
            ending => ending,
        }
    }

    fn drop_body(&mut self) {
        if self.body.is_none() {
            return;
        }
        let body = &mut self.body;
        self.driver.within(|| body.set(None));
    }
}

impl<F: Future> Run<'_, F> {
    /// Why it does not run at all, in short: [`Self::poll_ended`] says the same, and hands the
    /// error on more often.
    pub(crate) fn refusal(&mut self) -> Option<Error> {
        let Driver::Refused(name) = &self.driver else {
            return None;
        };
        let error = outside(name.clone());
        self.drop_body();
        Some(error)
    }

    /// Completes when the run has ended; [`Self::take_output`] and [`Self::take_finished`] then tell how.
    pub(crate) fn poll_ended(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Error>> {
        if let Err(error) = std::task::ready!(self.driver.poll_begun(cx)) {
            self.drop_body();
            return Poll::Ready(Err(error));
        }
        if self.body.is_some() {
            let (body, output) = (&mut self.body, &mut self.output);
            let mut poll = |cx: &mut TaskContext<'_>| match body.as_mut().as_pin_mut() {
                Some(body) => body.poll(cx).map(|ended| *output = Some(ended)),
                None => Poll::Pending,
            };
            std::task::ready!(self.driver.poll_body(cx, &mut poll));
            self.drop_body();
            let ending = self.output.as_ref().map(|output| self.judge(output));
            self.driver.finish(ending);
        }
        self.driver.poll_finished(cx).map(Ok)
    }

    /// The body's output, unless the body was dropped.
    pub(crate) fn take_output(&mut self) -> Option<F::Output> {
        self.output.take()
    }

    /// The failure of the transaction, if it failed.
    pub(crate) fn take_error(&mut self) -> Option<Error> {
        match &mut self.driver {
            Driver::Works(work) => work.take_finished()?.error,
            Driver::Plain | Driver::Refused(_) => None,
        }
    }

    /// What came of the whole; none where nothing was begun or joined.
    pub(crate) fn take_finished(&mut self) -> Option<Finished> {
        match &mut self.driver {
            Driver::Works(work) => work.take_finished(),
            Driver::Plain | Driver::Refused(_) => None,
        }
    }
}

impl<F: Future> Drop for Run<'_, F> {
    fn drop(&mut self) {
        self.drop_body();
    }
}
