//! Every path of phase two, with a scripted fence, participant and coordinator.

mod attach;
mod in_doubt;
mod perform;
mod provided;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use unanimous_protocol::message::{
    Attached, BranchResult, ByOperator, Horizon, InDoubtQuestion, IncarnationInfo, PhaseTwo,
};
use unanimous_protocol::{Alias, BranchKind, Decision, Incarnation, LogId};

use super::{Deliveries, Provided, Registry};
use crate::branch::Participant;
use crate::branch::fakes::{DATABASE, FakeCoordinator, FakeFence, FakeParticipant, Log, key};
use crate::branch::fence::InDoubtRow;
use crate::clock::ManualClock;
use crate::coordinator::PhaseTwoHandler as _;
use crate::events::{Event, Events};

/// One process with one participant, `bank`.
struct Process {
    log: Log,
    fence: Arc<FakeFence>,
    participant: Arc<FakeParticipant>,
    deliveries: Arc<Deliveries>,
    coordinator: Arc<FakeCoordinator>,
    questions: mpsc::UnboundedReceiver<Vec<InDoubtQuestion>>,
    clock: ManualClock,
    events: Arc<Mutex<Vec<Event>>>,
    task: JoinHandle<()>,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Process {
    fn fenced() -> Self {
        let log = Log::default();
        let fence = FakeFence::new(1, &log);
        Self::start(&log, FakeParticipant::fenced(&fence), fence)
    }

    fn unfenced() -> Self {
        let log = Log::default();
        Self::start(
            &log,
            FakeParticipant::unfenced(&log),
            FakeFence::new(1, &log),
        )
    }

    fn start(log: &Log, participant: Arc<FakeParticipant>, fence: Arc<FakeFence>) -> Self {
        let database = participant.fence.as_ref().map(|_| DATABASE);
        let erased = Arc::clone(&participant) as Arc<dyn Participant>;
        let registry = Registry::new(vec![Provided::new(erased, database).unwrap()]).unwrap();
        let (coordinator, questions) = FakeCoordinator::new(log);
        let events = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&events);
        let handler = Arc::new(move |event: &Event| heard.lock().unwrap().push(event.clone()));
        let clock = ManualClock::new();
        let (deliveries, served) = Deliveries::new(
            "test".into(),
            registry,
            Arc::clone(&coordinator) as _,
            Arc::new(clock.clone()),
            Events::new(Some(handler)),
        );
        let task = tokio::runtime::Handle::current().spawn(served);
        let log = log.clone();
        Self {
            log,
            fence,
            participant,
            deliveries,
            coordinator,
            questions,
            clock,
            events,
            task,
        }
    }

    fn delivery(&self, decision: Decision) -> PhaseTwo {
        let provided = self.deliveries.provided().next().unwrap();
        PhaseTwo {
            xid: key(1).xid,
            call: key(1).call,
            alias: Alias(1),
            resource: provided.resource().clone(),
            action: "debit".parse().unwrap(),
            kind: if self.participant.fence.is_some() {
                BranchKind::Fenced
            } else {
                BranchKind::Unfenced
            },
            decision,
            arguments: self
                .participant
                .fence
                .is_none()
                .then(|| r#"{"amount":7}"#.into()),
            reported: None,
            trace: None,
            by_operator: ByOperator::No,
        }
    }

    async fn deliver(&self, decision: Decision) -> BranchResult {
        self.deliveries.phase_two(self.delivery(decision)).await
    }

    fn attach(&self) {
        self.deliveries.attached(attached(Vec::new()));
    }

    fn row(&self, counter: u64, created_ms: i64) {
        let row = InDoubtRow {
            key: key(counter),
            action: "debit".parse().unwrap(),
            created_ms,
        };
        self.fence.script().rows.push(row);
    }

    /// The transactions that the next question asks about.
    async fn asked(&mut self) -> Vec<u64> {
        let questions = self.questions.recv().await.unwrap();
        let provided = self.deliveries.provided().next().unwrap();
        let counter = |question: InDoubtQuestion| {
            assert_eq!(question.resource, *provided.resource());
            question.xid.own().unwrap().counter
        };
        questions.into_iter().map(counter).collect()
    }

    fn events(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap())
    }
}

fn incarnation(number: u64) -> Incarnation {
    Incarnation {
        number,
        random: 0xaa,
    }
}

fn horizon(counter: u64) -> Horizon {
    Horizon {
        counter,
        ..Horizon::default()
    }
}

fn attached(horizons: Vec<(u64, u64)>) -> Attached {
    let info = |(number, counter)| IncarnationInfo {
        incarnation: incarnation(number),
        horizon: horizon(counter),
    };
    Attached {
        log: LogId([3; 16]),
        incarnations: horizons.into_iter().map(info).collect(),
    }
}

fn retry(error: &str) -> BranchResult {
    BranchResult::Retry {
        error: error.into(),
        after: None,
    }
}

const SECOND: Duration = Duration::from_secs(1);
