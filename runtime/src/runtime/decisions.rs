//! The task that owns decisions whose caller has gone, and what is to run after a transaction.
//!
//! A caller waits for the answer to its own commit. If it is dropped meanwhile, or the answer does
//! not come in time, the request moves here and is repeated until it is answered: a dropped caller
//! never halves a commit, and nobody turns a commit into a rollback (TM2, TM3). A transaction that
//! was dropped before it asked for anything is rolled back from here.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use unanimous_protocol::{RollbackReason, limits};

use crate::backoff::{Backoff, Entropy};
use crate::clock::Clock;
use crate::coordinator::Coordinator;
use crate::global::after::{Epilogue, Registration};
use crate::global::calls::Asking;

/// What is done without its caller.
#[derive(Debug)]
pub(crate) enum Job {
    /// Ask until it is answered.
    Decide(Undecided),
    /// Run what was registered in a transaction that has ended.
    After(Registration),
}

/// A transaction whose caller went, or heard that the outcome is unknown.
#[derive(Debug)]
pub(crate) struct Undecided {
    /// What was asked: the very same commit, or else rollback, which is asked until the deadline
    /// has passed: from then on the coordinator's own timer has done it.
    pub(crate) asking: Asking,
    /// The transaction's deadline, on the runtime's clock.
    pub(crate) deadline: Duration,
    pub(crate) epilogue: Epilogue,
}

/// Takes jobs over without waiting, so that a `Drop` can hand one over from any thread.
#[derive(Clone, Debug)]
pub(crate) struct Decisions {
    jobs: mpsc::UnboundedSender<Job>,
    /// Counted from the moment a job is handed over, so that a shutdown right behind a drop waits
    /// for it.
    pending: Arc<watch::Sender<usize>>,
}

impl Decisions {
    /// The handle, and the task to spawn. The task ends when every handle is gone.
    pub(crate) fn new(
        coordinator: Arc<dyn Coordinator>,
        clock: Arc<dyn Clock>,
        entropy: Entropy,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (jobs, queue) = mpsc::unbounded_channel();
        let pending = Arc::new(watch::Sender::new(0));
        let worker = Worker {
            coordinator,
            clock,
            entropy,
        };
        let run = worker.run(queue, Arc::clone(&pending));
        (Self { jobs, pending }, run)
    }

    /// Hands a job over. A runtime that is gone ignores it: an undecided transaction dies with
    /// its coordinator's timer (presumed abort).
    pub(crate) fn hand_over(&self, job: Job) {
        self.pending.send_modify(|pending| *pending += 1);
        if self.jobs.send(job).is_err() {
            self.pending.send_modify(|pending| *pending -= 1);
        }
    }

    /// Completes when no job is under way.
    pub(crate) async fn drained(&self) {
        // The sender lives as long as `self`.
        let mut pending = self.pending.subscribe();
        let _ = pending.wait_for(|pending| *pending == 0).await;
    }
}

struct Worker {
    coordinator: Arc<dyn Coordinator>,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
}

impl Worker {
    async fn run(self, mut queue: mpsc::UnboundedReceiver<Job>, count: Arc<watch::Sender<usize>>) {
        let mut under_way = FuturesUnordered::new();
        loop {
            tokio::select! {
                job = queue.recv() => match job {
                    Some(job) => under_way.push(self.perform(job)),
                    None => break,
                },
                Some(()) = under_way.next() => count.send_modify(|pending| *pending -= 1),
            }
        }
    }

    fn perform(&self, job: Job) -> BoxFuture<'static, ()> {
        let (coordinator, clock) = (Arc::clone(&self.coordinator), Arc::clone(&self.clock));
        let entropy = self.entropy.clone();
        Box::pin(async move {
            let registration = match job {
                Job::Decide(undecided) => undecided.decide(&*coordinator, &*clock, entropy).await,
                Job::After(registration) => Some(registration),
            };
            if let Some(registration) = registration {
                let xid = registration.xid().clone();
                // A task of its own: user code that blocks delays no decision. It ends with this
                // runtime.
                let mut task = JoinSet::new();
                task.spawn(registration.run());
                task.join_next().await;
                tracing::debug!(%xid, "what was registered has run");
            }
        })
    }
}

impl Undecided {
    /// Asks until it is answered, and tells the end.
    async fn decide(
        mut self,
        coordinator: &dyn Coordinator,
        clock: &dyn Clock,
        entropy: Entropy,
    ) -> Option<Registration> {
        let xid = self.asking.xid().clone();
        let commit = self.asking.commit().cloned();
        if commit.is_none() {
            self.asking.ask_rollback(RollbackReason::Requested);
            self.epilogue.before_rollback();
        }
        let (min, max) = (limits::PHASE_TWO_RETRY_MIN, limits::PHASE_TWO_RETRY_MAX);
        let mut backoff = Backoff::new(min, max, entropy);
        loop {
            let answer = match &commit {
                Some(commit) => coordinator.commit(commit.clone()).await,
                None => coordinator.rollback(xid.clone()).await,
            };
            let error = match answer {
                Ok(answer) => {
                    tracing::debug!(%xid, ?answer, "decision without its caller");
                    self.asking.answered(answer);
                    break;
                }
                Err(error) => error,
            };
            tracing::debug!(%xid, %error, "a decision was not answered yet");
            if commit.is_none() && clock.now() >= self.deadline {
                break;
            }
            clock.sleep(backoff.wait()).await;
        }
        self.epilogue.ended(&self.asking.outcome())
    }
}
