//! The transaction carried by hand: into a thread pool or a queue of this process, and through
//! messages to another one.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use unanimous_protocol::header::{AnswerHeader, CallHeader, HeaderError};
use unanimous_protocol::ids::Target;
use unanimous_protocol::{CallId, Xid, limits};

use crate::context::{Ambient, CallKind, OpenCall, Scope, Transaction};
use crate::global::calls::Ending;
use crate::{CallFailure, Error, Runtime, outside};

/// The transaction that surrounds a piece of code, as a value. Cloning is cheap.
///
/// Within a process [`attach`](Self::attach) runs a future in it, on whatever task or thread; where
/// a task can simply be spawned, [`spawn`](crate::spawn) does more: the transaction waits for it.
/// Across processes [`send`](Self::send) makes one message of a work queue a call of the
/// transaction, and [`ReceivedCall`] is its other end.
///
/// ```
/// # use unanimous::{Context, Error, Runtime, global_transactional, xid};
/// #[global_transactional]
/// async fn purchase() -> Result<(), Error> {
///     let context = Context::current().ok_or(Error::NoRuntime)?;
///     let own = xid();
///     // On another task, which a plain `tokio::spawn` leaves without a transaction.
///     let work = tokio::spawn(async move { (xid(), context.attach(async { xid() }).await) });
///     assert_eq!(work.await.ok(), Some((None, own)));
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = Runtime::builder().coordinator("memory:").build().await?;
/// # runtime.scope(purchase()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Context {
    scope: Scope,
}

impl Context {
    /// What surrounds the caller; none outside a transaction.
    #[must_use]
    pub fn current() -> Option<Self> {
        Scope::current().map(|scope| Self { scope })
    }

    /// The transaction.
    #[must_use]
    pub fn xid(&self) -> &Xid {
        self.scope.xid()
    }

    /// The call that surrounds the code, [`CallId::root`] in the body that began.
    #[must_use]
    pub fn call_id(&self) -> CallId {
        self.scope.id().clone()
    }

    /// The time that the transaction has left, none once its deadline has passed.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.scope.remaining()
    }

    /// Runs a future as a part of the scope that this is, on the task that polls it.
    ///
    /// It is no call of its own: its calls are calls of that scope, in the order in which they are
    /// made. Nobody waits for it, and the deadline does not drop it: see that it ends before the
    /// scope does. What registers after the decision is refused with [`Error::AlreadyDecided`], and
    /// a branch that joins behind the back of its scope makes the transaction roll back.
    ///
    /// Dropping the future drops its calls under way, which have then failed.
    pub async fn attach<F: Future>(&self, future: F) -> F::Output {
        self.scope.enter(future).await
    }

    /// Runs a future without the surrounding transaction: [`outside`].
    pub async fn clear<F: Future>(future: F) -> F::Output {
        outside(future).await
    }

    /// Makes a message, or anything else that another process is asked by, one call of the
    /// transaction. `target` names what is called, such as `"mail.queue"`; repeats of the program
    /// that call the same targets in the same order get the same call ids.
    ///
    /// # Errors
    ///
    /// [`Error::RollbackOnly`] after a failure, [`Error::TimedOut`] without time left, and the
    /// limits of a call id: nothing must be sent.
    pub fn send(&self, target: &str) -> Result<SentCall, Error> {
        if self.scope.remaining().is_none() {
            let xid = self.scope.xid().clone();
            return Err(Error::TimedOut { xid });
        }
        let call = self.scope.open_call(&Target::new(target), CallKind::Call)?;
        Ok(SentCall { call })
    }
}

/// A call that was sent by hand. Dropped without an answer it has failed, and with it the
/// transaction, unless a `tolerate` is around it.
///
/// [`Display`](fmt::Display) writes what travels with the message, as one line of printable ASCII:
/// version, xid, call id and the milliseconds that are left at that moment. Time that the message
/// lies in a queue is not taken off; the coordinator's deadline holds all the same.
#[derive(Debug)]
#[must_use = "dropped without an answer, the call has failed"]
pub struct SentCall {
    call: OpenCall,
}

impl SentCall {
    /// The transaction.
    #[must_use]
    pub fn xid(&self) -> &Xid {
        self.call.scope().xid()
    }

    /// The call that the message is: the same however often the message is delivered.
    #[must_use]
    pub fn call_id(&self) -> &CallId {
        self.call.id()
    }

    /// The answer came: what [`Answered::answer`] wrote at the other end. It may say that something
    /// failed there; then the transaction can only roll back.
    ///
    /// # Errors
    ///
    /// What is wrong with a malformed answer, which counts as a lost one: what it named is not
    /// known.
    pub fn answered(self, answer: &str) -> Result<(), HeaderError> {
        match answer.parse::<AnswerHeader>() {
            Ok(answer) => {
                self.call.answered_elsewhere(answer);
                Ok(())
            }
            Err(error) => {
                self.lost(&error);
                Err(error)
            }
        }
    }

    /// The answer will never come: the call has failed.
    pub fn lost(self, why: impl fmt::Display) {
        let why: Arc<str> = why.to_string().into();
        self.call.failed(CallFailure::LostAnswer, Some(why));
    }
}

impl fmt::Display for SentCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = self.call.scope();
        let header = CallHeader {
            xid: scope.xid().clone(),
            call: self.call.id().clone(),
            left: scope.remaining().unwrap_or_default(),
        };
        header.fmt(f)
    }
}

/// A call that arrived by hand: what a [`SentCall`] wrote, parsed and checked.
///
/// Parsing refuses what is malformed, of another version, or half understood; a message that is
/// refused must not be worked on, in the transaction or without it. One that carried nothing is no
/// call: it is for the worker to say what such a message means.
///
/// ```
/// # use unanimous::{Context, Error, Runtime, carry::ReceivedCall, global_transactional};
/// /// One worker of a queue: a message in, an answer out.
/// async fn worker(message: &str) -> Result<String, Box<dyn std::error::Error>> {
///     let call: ReceivedCall = message.parse()?;
///     let answered = call.attach(async {
///         // Actions called here are branches of the sender's transaction.
///         Ok::<_, Error>(())
///     });
///     Ok(answered.await?.answer())
/// }
///
/// #[global_transactional]
/// async fn purchase() -> Result<(), Error> {
///     let call = Context::current().ok_or(Error::NoRuntime)?.send("mail.queue")?;
///     let message = call.to_string();
///     match worker(&message).await {
///         Ok(answer) => drop(call.answered(&answer)),
///         Err(error) => call.lost(error),
///     }
///     Ok(())
/// }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = Runtime::builder().coordinator("memory:").build().await?;
/// # runtime.scope(purchase()).await?;
/// assert!("1;xid=;call=".parse::<ReceivedCall>().is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ReceivedCall {
    header: CallHeader,
}

impl FromStr for ReceivedCall {
    type Err = HeaderError;

    fn from_str(text: &str) -> Result<Self, HeaderError> {
        Ok(Self {
            header: text.parse()?,
        })
    }
}

impl ReceivedCall {
    /// The transaction.
    #[must_use]
    pub fn xid(&self) -> &Xid {
        &self.header.xid
    }

    /// The call: the same in every delivery of the message, so that a fenced action called below it
    /// takes effect once.
    #[must_use]
    pub fn call_id(&self) -> &CallId {
        &self.header.call
    }

    /// The time that was left when the message was written.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.header.left
    }

    /// Runs the work of the message in its transaction, in the surrounding runtime or else the
    /// installed one. It is judged as a server's handler is: marked if a call below it failed, or
    /// if it ends in an error after anything joined.
    ///
    /// At the deadline the work is dropped inside its transaction. Dropping the future drops the
    /// work; its calls under way have failed.
    ///
    /// # Errors
    ///
    /// [`Error::NoRuntime`], and [`Error::TimedOut`] where no time was left or it ran out: then
    /// there is no answer, and the sender is told so by other means, or not at all.
    pub async fn attach<T, E, F>(self, work: F) -> Result<Answered<T, E>, Error>
    where
        F: Future<Output = Result<T, E>>,
    {
        let ambient = Ambient::current();
        let runtime = Runtime::ambient(&ambient).ok_or(Error::NoRuntime)?;
        let CallHeader { xid, call, left } = self.header;
        let timed_out = || Error::TimedOut { xid: xid.clone() };
        if left.is_zero() {
            return Err(timed_out());
        }
        let left = left.min(limits::TIMEOUT_MAX);
        let deadline = runtime.clock().now().saturating_add(left);
        let transaction = Transaction {
            runtime: runtime.clone(),
            xid: xid.clone(),
            deadline,
            trace: ambient.trace(),
            after: None,
        };
        let scope = Scope::root(transaction, call);
        let body = tokio::select! {
            biased;
            body = scope.enter(work) => body,
            () = runtime.clock().sleep_until(deadline) => return Err(timed_out()),
        };
        let ending = if body.is_ok() {
            scope.join_spawned().await;
            Ending::Ok
        } else {
            Ending::Err
        };
        let answer = scope.end(ending);
        Ok(Answered { body, answer })
    }
}

/// Work that has ended, and what is answered to its sender.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answered<T, E> {
    /// What the work returned.
    pub body: Result<T, E>,
    answer: AnswerHeader,
}

impl<T, E> Answered<T, E> {
    /// What travels back to [`SentCall::answered`], as one line of printable ASCII of at most
    /// 6 KiB: the branches that succeeded, or the mark that something failed.
    #[must_use]
    pub fn answer(&self) -> String {
        self.answer.to_string()
    }
}
