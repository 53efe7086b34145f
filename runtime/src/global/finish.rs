//! From a body's ending to a decision.

use std::time::Duration;

use unanimous_protocol::message::{Commit, DecisionAnswer};
use unanimous_protocol::{Outcome, RollbackReason, UnknownWhy, Xid, limits};

use super::calls::{Asking, Ending};
use super::driver::{Finished, Root};
use crate::Error;
use crate::backoff::Backoff;
use crate::context::{OpenCall, Scope};
use crate::runtime::{Job, OpenTransaction, Runtime};

/// What was asked about a transaction and what was heard. When its caller is dropped before a
/// decision was heard, the runtime's task goes on: with rollback before commit was asked, with the
/// very same commit afterwards (TM2).
pub(super) struct AbandonGuard {
    runtime: Runtime,
    asking: Asking,
    xid: Xid,
    deadline: Duration,
    _open: OpenTransaction,
}

impl AbandonGuard {
    pub(super) fn new(
        runtime: Runtime,
        xid: Xid,
        deadline: Duration,
        open: OpenTransaction,
    ) -> Self {
        Self {
            runtime,
            asking: Asking::new(xid.clone()),
            xid,
            deadline,
            _open: open,
        }
    }
}

impl Drop for AbandonGuard {
    fn drop(&mut self) {
        if self.asking.is_decided() {
            return;
        }
        let job = match self.asking.commit() {
            Some(commit) => Job::Commit(commit.clone()),
            None => Job::Rollback {
                xid: self.xid.clone(),
                deadline: self.deadline,
            },
        };
        self.runtime.decisions().hand_over(job);
    }
}

/// Decides a transaction. `None`: its body was dropped at the deadline.
pub(super) async fn finish_root(mut root: Root, ending: Option<Ending>) -> Finished {
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
    match root.scope.commit_request() {
        Ok(commit) => match root.guard.asking.ask_commit(commit).cloned() {
            Some(commit) => decide(root, commit).await,
            None => roll_back(root, RollbackReason::Requested, None).await,
        },
        Err(refusal) => roll_back(root, RollbackReason::Requested, Some(refusal)).await,
    }
}

/// Asks for rollback and waits a little for the answer, so that what was reserved is usually free
/// again when the caller goes on. The caller is told "rolled back" in any case: commit was never
/// asked and never will be (TM4).
async fn roll_back(mut root: Root, reason: RollbackReason, error: Option<Error>) -> Finished {
    root.guard.asking.ask_rollback(reason);
    let xid = root.scope.xid().clone();
    let runtime = root.scope.runtime();
    let answer = runtime.coordinator().rollback(xid.clone());
    tokio::select! {
        biased;
        answer = answer => if let Ok(answer) = answer {
            root.guard.asking.answered(answer);
        },
        () = runtime.clock().sleep(runtime.settings().decision_wait) => {}
    }
    let outcome = root.guard.asking.outcome();
    tracing::debug!(%xid, %outcome, "decision");
    Finished {
        outcome: Some(outcome),
        error,
    }
}

/// Waits for the answer to the commit that was asked, for the remaining time and at least
/// `decision_wait` (TM4). From here on this commit and no other is asked, whatever happens to the
/// caller.
async fn decide(mut root: Root, commit: Commit) -> Finished {
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
    let outcome = root.guard.asking.outcome();
    let xid = root.scope.xid();
    tracing::debug!(%xid, %outcome, "decision");
    if outcome == Outcome::Committed && !root.settle.is_zero() {
        runtime.settled(xid, root.settle).await;
    }
    Finished {
        error: failure(&root.scope, &outcome),
        outcome: Some(outcome),
    }
}

/// Repeats the same commit with back-off until it is answered.
async fn ask(runtime: &Runtime, commit: Commit) -> DecisionAnswer {
    let entropy = runtime.entropy().clone();
    let mut backoff = Backoff::new(limits::RECONNECT_MIN, limits::RECONNECT_MAX, entropy);
    loop {
        match runtime.coordinator().commit(commit.clone()).await {
            Ok(answer) => return answer,
            Err(error) => tracing::debug!(xid = %commit.xid, %error, "commit not answered yet"),
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
    if ending == Some(Ending::Ok) {
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
