//! One sequence of deliveries, in a world of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;
use unanimous_protocol::message::BranchResult;
use unanimous_protocol::{Alias, Decision, Xid};

use super::{Problem, Subjected};
use crate::branch::deliver::panic_text;
use crate::testing::{Fault, Harness, Phase, Point};

/// How often phase two is repeated before it counts as failing for ever.
const REPEATS: usize = 4;

/// A participant in a world of its own.
pub(super) trait Instance {
    fn run_try(&self) -> LocalBoxFuture<'_, Result<(), String>>;
    fn state(&self) -> LocalBoxFuture<'_, String>;
}

/// One transaction whose phases are delivered one by one.
pub(super) struct Session<'a> {
    harness: Harness,
    instance: Box<dyn Instance + 'a>,
    xid: Xid,
    patience: Duration,
    log: Mutex<Vec<String>>,
}

/// How one delivery ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// `Ok`, or the branch has ended.
    Done,
    /// An error, which means "repeat" in phase two.
    Failed(String),
    /// Phase two cannot read what phase one recorded, returned or kept.
    Unreadable(String),
    /// Parked for an operator.
    Parked(String),
    /// It stopped at the planned point and was dropped there.
    Dropped,
}

impl<'a> Session<'a> {
    pub(super) async fn open(subjected: &Subjected<'a>) -> Result<Self, Problem> {
        let Subjected { subject, patience } = *subjected;
        let (builder, instance) = subject.make(crate::Runtime::builder()).await;
        let harness = Harness::launch(builder).await.map_err(Problem::Build)?;
        Ok(Self {
            xid: harness.begin().await,
            harness,
            instance,
            patience,
            log: Mutex::default(),
        })
    }

    /// What the user's closure reads.
    pub(super) async fn state(&self) -> Result<String, Problem> {
        self.watched("reading the state", self.instance.state())
            .await
    }

    /// What was delivered so far.
    pub(super) fn delivered(&self) -> Vec<String> {
        lock(&self.log).clone()
    }

    /// The phase that comes to this point for this time, counted from one, meets this fault.
    pub(super) fn plan(&self, Place { phase, point, time }: Place, fault: Fault) {
        let passes = time.saturating_sub(1);
        self.harness
            .faults()
            .plan_after(phase, point, passes, fault);
        let what = match fault {
            Fault::Fail => "fails",
            Fault::Stop => "is dropped",
        };
        lock(&self.log).push(match time {
            0 | 1 => format!("[the next {phase} {what} {point}]"),
            time => format!("[time {time} that a {phase} comes there, it {what} {point}]"),
        });
    }

    /// How often each point was reached since the last count.
    pub(super) fn count(&self) -> BTreeMap<(Phase, Point), usize> {
        let mut counts = BTreeMap::new();
        for reached in self.harness.faults().take_reached() {
            *counts.entry(reached).or_default() += 1;
        }
        counts
    }

    /// Whether every planned fault has happened.
    pub(super) fn all_happened(&self) -> bool {
        self.harness.faults().pending().is_empty()
    }

    /// Whether a phase one has committed a local transaction.
    pub(super) fn is_fenced(&self) -> bool {
        let reached = self.harness.faults().reached();
        reached.contains(&(Phase::Try, Point::AfterLocalCommit))
    }

    /// Whether a phase one has reported its value.
    pub(super) fn reports(&self) -> bool {
        let reached = self.harness.faults().reached();
        reached.contains(&(Phase::Try, Point::AfterReport))
    }

    /// Every point that was reached.
    pub(super) fn reached(&self) -> BTreeSet<(Phase, Point)> {
        self.harness.faults().reached()
    }

    /// Whether every branch that joined has a fence row.
    pub(super) fn all_have_rows(&self) -> bool {
        let message = |alias| {
            let stage = self.harness.stage();
            stage.message(&self.xid, alias, Decision::Commit)
        };
        let mut messages = self.branches().into_iter().filter_map(message);
        messages.all(|message| message.kind.has_row())
    }

    pub(super) fn branches(&self) -> Vec<Alias> {
        self.harness.stage().branches(&self.xid)
    }

    /// Participant and action of the first branch.
    pub(super) fn action(&self) -> String {
        let first = self.branches().into_iter().next();
        let message = first.and_then(|alias| {
            let stage = self.harness.stage();
            stage.message(&self.xid, alias, Decision::Commit)
        });
        message.map_or_else(
            || "the action".to_owned(),
            |message| format!("{}.{}", message.resource.participant, message.action),
        )
    }

    /// Lets the branch join, and nothing else: the try is on its way and has not arrived.
    pub(super) async fn join(&self) -> Result<(), Problem> {
        let point = Point::AfterRegister;
        self.harness.faults().plan(Phase::Try, point, Fault::Fail);
        // It fails: that was planned.
        self.attempt().await.map(drop)
    }

    /// Delivers phase one.
    pub(super) async fn deliver_try(&self) -> Result<End, Problem> {
        lock(&self.log).push("try".to_owned());
        self.attempt().await
    }

    async fn attempt(&self) -> Result<End, Problem> {
        let attempt = self.harness.run_in(&self.xid, self.instance.run_try());
        let ended = self.watched("the try", self.or_dropped(attempt)).await?;
        Ok(match ended {
            Some(Ok(())) => End::Done,
            Some(Err(error)) => End::Failed(error),
            None => End::Dropped,
        })
    }

    /// Delivers phase two to every branch, once.
    pub(super) async fn deliver(&self, decision: Decision) -> Result<End, Problem> {
        let phase = Phase::from(decision).to_string();
        lock(&self.log).push(phase.clone());
        if decision == Decision::Rollback {
            // From now on a coordinator lets nothing join.
            self.harness.stage().shut(&self.xid);
        }
        let mut end = End::Done;
        for alias in self.branches() {
            let stage = self.harness.stage();
            let Some(message) = stage.message(&self.xid, alias, decision) else {
                continue;
            };
            let performed = self.or_dropped(stage.perform(message));
            let this = match self.watched(&format!("the {phase}"), performed).await? {
                Some(BranchResult::Ended) => End::Done,
                Some(BranchResult::Retry { error, .. }) => End::Failed(error.to_string()),
                Some(BranchResult::NotHere { error }) => End::Unreadable(error.to_string()),
                Some(BranchResult::Park(reason)) => End::Parked(reason.to_string()),
                None => End::Dropped,
            };
            if this != End::Done {
                end = this;
            }
        }
        Ok(end)
    }

    /// Delivers phase two as a coordinator does: again after an error or a lost answer.
    pub(super) async fn deliver_until_ended(&self, decision: Decision) -> Result<End, Problem> {
        let mut end = self.deliver(decision).await?;
        for _ in 0..REPEATS {
            if matches!(end, End::Done | End::Parked(_)) {
                break;
            }
            end = self.deliver(decision).await?;
        }
        Ok(end)
    }

    /// The output, unless the user's code panics or does not end: then nothing more is proved.
    async fn watched<F: Future>(&self, what: &str, future: F) -> Result<F::Output, Problem> {
        let caught = AssertUnwindSafe(future).catch_unwind();
        let (what, delivered) = (what.to_owned(), self.delivered());
        match tokio::time::timeout(self.patience, caught).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(panic)) => Err(Problem::Panicked {
                what,
                delivered,
                text: panic_text(&*panic).to_owned(),
            }),
            Err(_) => Err(Problem::Endless {
                what,
                delivered,
                patience: self.patience,
            }),
        }
    }

    /// The output, or none once a phase has stopped at its point; it is dropped there.
    async fn or_dropped<F: Future>(&self, future: F) -> Option<F::Output> {
        let stops = self.harness.faults().stops();
        tokio::select! {
            biased;
            output = future => Some(output),
            () = self.harness.faults().stopped(stops + 1) => None,
        }
    }
}

/// A point at which a fault is put.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) phase: Phase,
    pub(super) point: Point,
    /// Which time that the point is reached, counted from one.
    pub(super) time: usize,
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Done => f.write_str("it ended"),
            Self::Failed(error) => write!(f, "it failed: {error}"),
            Self::Unreadable(error) => write!(f, "it could not be read: {error}"),
            Self::Parked(reason) => write!(f, "it was parked: {reason}"),
            Self::Dropped => f.write_str("it was dropped"),
        }
    }
}

fn lock(log: &Mutex<Vec<String>>) -> std::sync::MutexGuard<'_, Vec<String>> {
    log.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
