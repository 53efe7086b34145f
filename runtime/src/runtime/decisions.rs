//! The task that owns decisions whose caller has gone.
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
use unanimous_protocol::message::Commit;
use unanimous_protocol::{Xid, limits};

use crate::backoff::{Backoff, Entropy};
use crate::clock::Clock;
use crate::coordinator::Coordinator;

/// What a caller left behind.
#[derive(Debug)]
pub(crate) enum Job {
    /// Repeat the commit until it is answered.
    Commit(Commit),
    /// Ask for rollback until it is answered or the transaction's deadline has passed: from then
    /// on the coordinator's own timer has done it.
    Rollback {
        /// The transaction.
        xid: Xid,
        /// Its deadline, on the runtime's clock.
        deadline: Duration,
    },
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
        let min = limits::PHASE_TWO_RETRY_MIN;
        let mut backoff = Backoff::new(min, limits::PHASE_TWO_RETRY_MAX, self.entropy.clone());
        let (coordinator, clock) = (Arc::clone(&self.coordinator), Arc::clone(&self.clock));
        Box::pin(async move {
            loop {
                let answer = match &job {
                    Job::Commit(commit) => coordinator.commit(commit.clone()).await,
                    Job::Rollback { xid, .. } => coordinator.rollback(xid.clone()).await,
                };
                let error = match answer {
                    Ok(answer) => {
                        tracing::debug!(xid = %job.xid(), ?answer, "decision without its caller");
                        return;
                    }
                    Err(error) => error,
                };
                tracing::debug!(xid = %job.xid(), %error, "a decision was not answered yet");
                if matches!(job, Job::Rollback { deadline, .. } if clock.now() >= deadline) {
                    return;
                }
                clock.sleep(backoff.wait()).await;
            }
        })
    }
}

impl Job {
    fn xid(&self) -> &Xid {
        match self {
            Self::Commit(commit) => &commit.xid,
            Self::Rollback { xid, .. } => xid,
        }
    }
}
