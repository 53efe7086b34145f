//! From a body's ending to a decision.

use std::time::Duration;

use unanimous_protocol::message::{Commit, DecisionAnswer};
use unanimous_protocol::{Outcome, RollbackReason, UnknownWhy, Xid, limits};

use super::after::Epilogue;
use super::calls::{Asking, Ending};
use super::driver::{Finished, Root};
use super::retry::{Ended, Noted};
use crate::backoff::Backoff;
use crate::context::{OpenCall, Scope};
use crate::coordinator::Answer;
use crate::runtime::{Job, OpenTransaction, Runtime, Undecided};
use crate::{CallFailure, Error};

/// What was asked about a transaction and what was heard. When its caller is dropped before a
/// decision was heard, the runtime's task goes on: with rollback before commit was asked, with the
/// very same commit afterwards (TM2).
pub(super) struct AbandonGuard {
    runtime: Runtime,
    asking: Asking,
    deadline: Duration,
    /// Taken by whoever hears the decision.
    epilogue: Option<Epilogue>,
    /// Of the attempt that this transaction is part of.
    noted: Option<Noted>,
    _open: OpenTransaction,
}

impl AbandonGuard {
    pub(super) fn new(
        runtime: Runtime,
        xid: Xid,
        deadline: Duration,
        epilogue: Epilogue,
        noted: Option<Noted>,
        open: OpenTransaction,
    ) -> Self {
        Self {
            runtime,
            asking: Asking::new(xid),
            deadline,
            epilogue: Some(epilogue),
            noted,
            _open: open,
        }
    }

    /// The transaction has begun.
    pub(super) fn begun(&self) {
        if let Some(epilogue) = &self.epilogue {
            epilogue.after_begin();
        }
    }

    /// What the user may be told now. If that is the coordinator's decision, the transaction has
    /// ended.
    fn told(&mut self) -> Outcome {
        let outcome = self.asking.outcome();
        tracing::debug!(xid = %self.asking.xid(), %outcome, "decision");
        if self.asking.is_decided()
            && let Some(epilogue) = self.epilogue.take()
            && let Some(registration) = epilogue.ended(&outcome)
        {
            self.runtime.decisions().hand_over(Job::After(registration));
        }
        outcome
    }

    /// Tells the attempt that this transaction is part of, if any.
    fn note(&mut self, ended: Ended) {
        if let Some(noted) = self.noted.take() {
            noted.ended(ended);
        }
    }
}

impl Drop for AbandonGuard {
    fn drop(&mut self) {
        if let Some(epilogue) = self.epilogue.take() {
            let undecided = Undecided {
                asking: self.asking.clone(),
                deadline: self.deadline,
                epilogue,
            };
            self.runtime.decisions().hand_over(Job::Decide(undecided));
        }
    }
}

/// Decides a transaction. `None`: its body was dropped at the deadline.
pub(super) async fn finish_root(mut root: Box<Root>, ending: Option<Ending>) -> Finished {
    let Some(ending) = ending else {
        let error = Error::TimedOut {
            xid: root.scope.xid().clone(),
        };
        return roll_back(root, RollbackReason::TimedOut, Some(error)).await;
    };
    if ending == Ending::Err {
        return roll_back(root, RollbackReason::Requested, None).await;
    }
    root.scope.join_spawned().await;
    let commit = match root.scope.commit_request() {
        Ok(commit) => commit,
        Err(refusal) => return roll_back(root, RollbackReason::Requested, Some(refusal)).await,
    };
    if let Some(epilogue) = &root.guard.epilogue {
        epilogue.before_commit();
    }
    match root.guard.asking.ask_commit(commit).cloned() {
        Some(commit) => decide(root, commit).await,
        None => roll_back(root, RollbackReason::Requested, None).await,
    }
}

/// Asks for rollback and waits a little for the answer, so that what was reserved is usually free
/// again when the caller goes on. The caller is told "rolled back" in any case: commit was never
/// asked and never will be (TM4).
async fn roll_back(mut root: Box<Root>, reason: RollbackReason, error: Option<Error>) -> Finished {
    root.guard.asking.ask_rollback(reason);
    if let Some(epilogue) = &mut root.guard.epilogue {
        epilogue.before_rollback();
    }
    let runtime = root.scope.runtime();
    let answer = runtime.coordinator().rollback(root.scope.xid().clone());
    tokio::select! {
        biased;
        answer = answer => if let Ok(answer) = answer {
            root.guard.asking.answered(answer);
        },
        () = runtime.clock().sleep(runtime.settings().decision_wait) => {}
    }
    let outcome = root.guard.told();
    let in_time = reason != RollbackReason::TimedOut;
    root.guard
        .note(if in_time && !root.guard.asking.is_decided() {
            Ended::Unanswered
        } else if !in_time || root.scope.failure_cause() == Some(CallFailure::LostAnswer) {
            Ended::RolledBackByItself
        } else {
            Ended::RolledBack
        });
    Finished {
        outcome: Some(outcome),
        error,
    }
}

/// Waits for the answer to the commit that was asked, for the remaining time and at least
/// `decision_wait` (TM4). From here on this commit and no other is asked, whatever happens to the
/// caller.
async fn decide(mut root: Box<Root>, commit: Commit) -> Finished {
    let runtime = root.scope.runtime().clone();
    let wait = root
        .scope
        .remaining()
        .unwrap_or_default()
        .max(runtime.settings().decision_wait);
    tokio::select! {
        biased;
        answer = ask(&runtime, commit) => root.guard.asking.answered(answer),
        () = runtime.clock().sleep(wait) => root.guard.asking.silence(),
    }
    if root.guard.noted.is_some() && root.guard.asking.outcome().may_be_known_later() {
        resolve(&mut root, &runtime).await;
    }
    let outcome = root.guard.told();
    root.guard.note(match &outcome {
        Outcome::Committed => Ended::Committed,
        Outcome::RolledBack { .. } => Ended::RolledBackByItself,
        Outcome::Unknown { .. } => Ended::Unanswered,
    });
    if outcome == Outcome::Committed && !root.settle.is_zero() {
        runtime.settled(root.scope.xid(), root.settle).await;
    }
    Finished {
        error: failure(&root.scope, &outcome),
        outcome: Some(outcome),
    }
}

/// A repeated transaction settles what is unknown before anything is repeated: it asks for rollback,
/// and whichever decision holds is told (TM3).
async fn resolve(root: &mut Root, runtime: &Runtime) {
    let xid = root.scope.xid();
    let answer = until_answered(runtime, || runtime.coordinator().rollback(xid.clone()));
    tokio::select! {
        biased;
        answer = answer => root.guard.asking.answered(answer),
        () = runtime.clock().sleep(runtime.settings().decision_wait) => {}
    }
}

/// Repeats the same commit with back-off until it is answered.
async fn ask(runtime: &Runtime, commit: Commit) -> DecisionAnswer {
    until_answered(runtime, || runtime.coordinator().commit(commit.clone())).await
}

async fn until_answered(
    runtime: &Runtime,
    ask: impl Fn() -> Answer<DecisionAnswer>,
) -> DecisionAnswer {
    let entropy = runtime.entropy().clone();
    let mut backoff = Backoff::new(limits::RECONNECT_MIN, limits::RECONNECT_MAX, entropy);
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) => tracing::debug!(%error, "decision not answered yet"),
        }
        runtime.clock().sleep(backoff.wait()).await;
    }
}

fn failure(scope: &Scope, outcome: &Outcome) -> Option<Error> {
    match outcome {
        Outcome::Committed => None,
        Outcome::RolledBack { reason } => Some(Error::RolledBack {
            xid: scope.xid().clone(),
            reason: *reason,
        }),
        Outcome::Unknown { xid, why } => {
            scope.runtime().unknown(xid, *why);
            Some(Error::Unknown {
                xid: xid.clone(),
                why: *why,
            })
        }
    }
}

/// Answers the surrounding scope, which decides. What an inner scope returns is not touched (TM5).
pub(super) async fn finish_joined(call: OpenCall, ending: Option<Ending>) -> Finished {
    if matches!(ending, Some(Ending::Ok | Ending::CommitOn)) {
        call.scope().join_spawned().await;
    }
    let xid = call.scope().xid().clone();
    call.close(ending.unwrap_or(Ending::Err));
    Finished {
        outcome: Some(Outcome::Unknown {
            xid,
            why: UnknownWhy::Open,
        }),
        error: None,
    }
}
