//! What the expansion of `#[global_transactional]` calls.

use std::borrow::{Borrow, Cow};
use std::fmt::Display;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::global::Propagation;
use crate::global::calls::Ending;
use crate::global::driver::{Plan, Run};
use crate::{Error, Runtime};

/// The arguments of an annotation, as plain data.
#[derive(Clone, Debug)]
pub struct GlobalSpec {
    name: Cow<'static, str>,
    timeout: Option<Duration>,
    settle: Option<Duration>,
    propagation: Propagation,
    runtime: Option<Runtime>,
}

impl GlobalSpec {
    /// A transaction of this name, with the defaults of the runtime.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            timeout: None,
            settle: None,
            propagation: Propagation::Required,
            runtime: None,
        }
    }

    /// `timeout = "30s"`, turned to a number at expansion.
    #[must_use]
    pub fn timeout_ms(self, timeout_ms: u64) -> Self {
        self.timeout(Duration::from_millis(timeout_ms))
    }

    /// `timeout = EXPR`.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// `settle = "1s"`.
    #[must_use]
    pub fn settle_ms(self, settle_ms: u64) -> Self {
        self.settle(Duration::from_millis(settle_ms))
    }

    /// `settle = EXPR`.
    #[must_use]
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = Some(settle);
        self
    }

    /// `propagation = ..`.
    #[must_use]
    pub fn propagation(mut self, propagation: Propagation) -> Self {
        self.propagation = propagation;
        self
    }

    /// `runtime = EXPR`.
    #[must_use]
    pub fn runtime(mut self, runtime: &impl AsRuntime) -> Self {
        self.runtime = Some(runtime.as_runtime().clone());
        self
    }

    fn plan(self) -> Plan {
        let Self {
            name,
            timeout,
            settle,
            propagation,
            runtime,
        } = self;
        Plan {
            name,
            timeout,
            settle,
            propagation,
            runtime,
        }
    }
}

/// What `runtime = EXPR` may be: a [`Runtime`], or what lends one.
#[diagnostic::on_unimplemented(
    message = "`runtime` takes a `unanimous::Runtime`, and `{Self}` is none",
    label = "is no `Runtime`",
    note = "write an expression of type `Runtime`, `&Runtime`, `Arc<Runtime>` or another that lends \
            one: `impl Borrow<Runtime>`"
)]
pub trait AsRuntime {
    /// The runtime.
    fn as_runtime(&self) -> &Runtime;
}

#[diagnostic::do_not_recommend]
impl<T: Borrow<Runtime>> AsRuntime for T {
    fn as_runtime(&self) -> &Runtime {
        self.borrow()
    }
}

/// An error type that can carry a failure of the transaction itself.
///
/// Every `E: From<unanimous::Error>` is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot carry a failure of the transaction itself",
    label = "needs `impl From<unanimous::Error> for {Self}`",
    note = "add a variant to it: `#[error(transparent)] Transaction(#[from] unanimous::Error)`",
    note = "or convert at the boundary: `map_err = path::to::function`"
)]
pub trait FromTransactionError {
    /// Wraps it.
    fn from_transaction_error(error: Error) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Error>> FromTransactionError for E {
    fn from_transaction_error(error: Error) -> Self {
        error.into()
    }
}

/// What a transactional function returns: a `Result`, under whatever alias.
#[diagnostic::on_unimplemented(
    message = "a transactional function returns a `Result`, not `{Self}`",
    label = "`Ok` commits, `Err` rolls back"
)]
pub trait Fallible: Sized {
    /// What `Ok` holds.
    type Value;

    /// The result, lent.
    fn ending(&self) -> Ending;

    /// The value, if it is `Ok`.
    fn value(&self) -> Option<&Self::Value>;

    /// The value, if it is `Ok`.
    fn into_value(self) -> Option<Self::Value>;

    /// An `Ok` again.
    fn from_value(value: Self::Value) -> Self;
}

impl<T, E> Fallible for Result<T, E> {
    type Value = T;

    fn ending(&self) -> Ending {
        if self.is_ok() {
            Ending::Ok
        } else {
            Ending::Err
        }
    }

    fn value(&self) -> Option<&T> {
        self.as_ref().ok()
    }

    fn into_value(self) -> Option<T> {
        self.ok()
    }

    fn from_value(value: T) -> Self {
        Ok(value)
    }
}

/// A `Result` whose error can carry a failure of the transaction.
#[diagnostic::on_unimplemented(
    message = "a transactional function returns a `Result`, not `{Self}`",
    label = "`Ok` commits, `Err` rolls back"
)]
pub trait Transactional: Fallible {
    /// The failure, as the function's own result.
    fn from_failure(error: Error) -> Self;
}

impl<T, E: FromTransactionError> Transactional for Result<T, E> {
    fn from_failure(error: Error) -> Self {
        Err(E::from_transaction_error(error))
    }
}

/// How a function's result is judged and made: function pointers only, so that a bound that is
/// not met is reported once, where the witness is spanned.
pub struct How<R> {
    pub(crate) fail: fn(Error) -> R,
    pub(crate) ending: fn(&R) -> Ending,
    pub(crate) commit_on: Option<fn(&R) -> bool>,
    /// Tells an error that `commit_on` matched and that the caller does not get.
    pub(crate) text: Option<fn(&R) -> String>,
    pub(crate) codec: Option<Codec<R>>,
}

/// What is stored of an answer; nothing of an error.
type Encode<R> = fn(&R) -> Option<Result<Cow<'static, str>, serde_json::Error>>;

/// How an answer is stored in a fence row and read back.
pub(crate) struct Codec<R> {
    pub(crate) encode: Encode<R>,
    pub(crate) decode: fn(&str) -> Result<R, serde_json::Error>,
}

impl<R> How<R> {
    /// `commit_on(PATTERN)`, and how an error that it matches is told.
    #[must_use]
    pub const fn commit_on(mut self, matches: fn(&R) -> bool, text: fn(&R) -> String) -> Self {
        self.commit_on = Some(matches);
        self.text = Some(text);
        self
    }
}

impl<R> std::fmt::Debug for How<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("How").finish_non_exhaustive()
    }
}

/// A body's own error as text, where its type has one: then this method is found before that of
/// [`WithoutText`].
#[derive(Debug)]
pub struct Text<'a, R>(pub &'a R);

impl<T, E: Display> Text<'_, Result<T, E>> {
    /// What the error says; nothing of an `Ok`.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.as_ref().err().map(E::to_string).unwrap_or_default()
    }
}

/// An error that does not implement `Display`.
pub trait WithoutText {
    /// Says so.
    fn text(&self) -> String;
}

impl<R> WithoutText for Text<'_, R> {
    fn text(&self) -> String {
        "its type does not implement `Display`".to_owned()
    }
}

/// The witness of a function whose error converts by itself.
#[must_use]
pub const fn how<R: Transactional>() -> How<R> {
    how_mapped(R::from_failure)
}

/// The witness of a function with `map_err`.
#[must_use]
pub const fn how_mapped<R: Fallible>(fail: fn(Error) -> R) -> How<R> {
    How {
        fail,
        ending: R::ending,
        commit_on: None,
        text: None,
        codec: None,
    }
}

/// Runs a body as a global transaction.
///
/// No `async fn`: that would hold its arguments twice, and the future of every annotated function
/// with them.
pub fn run_global<F: Future>(
    spec: GlobalSpec,
    how: How<F::Output>,
    body: Pin<&mut Option<F>>,
) -> impl Future<Output = F::Output> {
    RunGlobal {
        run: Run::new(spec.plan(), body, how.ending, how.commit_on),
        fail: how.fail,
        text: how.text,
    }
}

struct RunGlobal<'a, F: Future> {
    run: Run<'a, F>,
    fail: fn(Error) -> F::Output,
    text: Option<fn(&F::Output) -> String>,
}

impl<F: Future> Future for RunGlobal<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if let Some(error) = self.run.refusal() {
            return Poll::Ready((self.fail)(error));
        }
        // One after the other: a pair would move both, and errors are large.
        if let Err(error) = ready!(self.run.poll_ended(cx)) {
            return Poll::Ready((self.fail)(error));
        }
        if let Some(error) = self.run.take_error() {
            return Poll::Ready(self.failed(error));
        }
        match self.run.take_output() {
            Some(output) => Poll::Ready(output),
            // Polled after completion.
            None => Poll::Pending,
        }
    }
}

impl<F: Future> RunGlobal<'_, F> {
    #[cold]
    fn failed(&mut self, error: Error) -> F::Output {
        let lost = self.run.take_output();
        let lost = lost.filter(|output| (self.run.ending())(output) == Ending::Err);
        if let (Some(lost), Some(text)) = (lost, self.text) {
            tell_lost(&error, &text(&lost));
        }
        (self.fail)(error)
    }
}

/// The caller hears what became of the transaction instead of the body's own error.
fn tell_lost(instead: &Error, text: &str) {
    tracing::warn!(
        error = text,
        instead = %instead,
        "an error that `commit_on` matches is not returned, as nothing was committed"
    );
}
