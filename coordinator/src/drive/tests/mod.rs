//! The driver with a manual clock and a store that loses what was not synced.

#![expect(clippy::disallowed_methods, reason = "tests run in no transaction")]

mod drops;
mod durability;
mod files;
mod panics;
mod people;
mod phase_two;
mod service;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use unanimous_protocol::message::{
    Attach, AttachResource, Begin, BranchResult, Commit, DecisionAnswer, PhaseTwo, Register,
};
use unanimous_protocol::{
    ActionName, Alias, BranchKind, DatabaseId, Digest, Incarnation, Resource, Xid,
};

use super::{Coordinator, Deliveries, Delivery, Options, Session};
use crate::clock::ManualClock;
use crate::store::{Counters, CountingStore, MemoryDisk};

/// One start of a coordinator on a disk in memory.
struct Rig {
    disk: MemoryDisk,
    clock: ManualClock,
    counters: Arc<Counters>,
    coordinator: Coordinator,
    session: Session,
}

impl Rig {
    async fn new() -> Self {
        Self::on(&MemoryDisk::new(), 1).await
    }

    async fn on(disk: &MemoryDisk, seed: u64) -> Self {
        let clock = ManualClock::new();
        let store = CountingStore::new(disk.open());
        let counters = store.counters();
        let options = Options::over(store)
            .clock(Arc::new(clock.clone()))
            .seed(seed);
        let coordinator = Coordinator::open(options).await.unwrap();
        Self {
            disk: disk.clone(),
            clock,
            counters,
            session: coordinator.session("shop", "anonymous"),
            coordinator,
        }
    }

    /// Loses power, keeping so many of the batches that were not synced, and starts again.
    async fn crash(self, kept: usize) -> Self {
        self.disk.crash(kept);
        Self::on(&self.disk, 2).await
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.coordinator.fire_due().await;
    }

    async fn begin(&self) -> Xid {
        let began = self.session.begin(begin(Duration::from_mins(1)));
        began.await.unwrap().unwrap().xid
    }

    async fn join(&self, xid: &Xid, call: &str, participant: &str, kind: BranchKind) -> Alias {
        let joined = self
            .session
            .register(register(xid, call, participant, kind));
        joined.await.unwrap().unwrap().alias
    }

    async fn fenced(&self, xid: &Xid, call: &str, participant: &str) -> Alias {
        self.join(xid, call, participant, BranchKind::Fenced).await
    }

    async fn commit(&self, xid: &Xid, succeeded: &[Alias]) -> DecisionAnswer {
        self.session.commit(commit(xid, succeeded)).await.unwrap()
    }

    /// Attaches a session of its own for one participant.
    async fn attach(&self, participant: &str) -> Member {
        let session = self.coordinator.session(participant, "anonymous");
        let (_, deliveries) = session
            .attach(attach(&[participant], None))
            .await
            .unwrap()
            .unwrap();
        Member {
            session,
            deliveries,
        }
    }
}

/// An attached instance of a participant.
struct Member {
    session: Session,
    deliveries: Deliveries,
}

impl Member {
    fn try_phase_two(&mut self) -> Option<Box<PhaseTwo>> {
        loop {
            match self.deliveries.try_next()? {
                Delivery::PhaseTwo(phase_two) => return Some(phase_two),
                Delivery::Horizon(..) => {}
            }
        }
    }

    fn answer(&self, phase_two: &PhaseTwo, result: BranchResult) {
        self.session
            .branch_result(phase_two.xid.clone(), phase_two.alias, result);
    }

    fn retry(&self, phase_two: &PhaseTwo, error: &str) {
        let (error, after) = (error.into(), None);
        self.answer(phase_two, BranchResult::Retry { error, after });
    }
}

fn begin(timeout: Duration) -> Begin {
    Begin {
        name: "purchase".parse().unwrap(),
        timeout,
        trace: None,
    }
}

fn resource(participant: &str) -> Resource {
    Resource {
        participant: participant.parse().unwrap(),
        database: Some(DatabaseId([1; 16])),
    }
}

fn action() -> ActionName {
    "debit".parse().unwrap()
}

fn register(xid: &Xid, call: &str, participant: &str, kind: BranchKind) -> Register {
    Register {
        xid: xid.clone(),
        call: call.parse().unwrap(),
        resource: resource(participant),
        action: action(),
        kind,
        digest: Digest([0; 32]),
        arguments: (kind == BranchKind::Unfenced).then(|| "{}".into()),
        trace: None,
    }
}

fn commit(xid: &Xid, succeeded: &[Alias]) -> Commit {
    Commit {
        xid: xid.clone(),
        succeeded: succeeded.iter().copied().collect(),
        abandoned: BTreeSet::new(),
    }
}

fn attach(participants: &[&str], newest: Option<Incarnation>) -> Attach {
    let resources = participants.iter().map(|participant| AttachResource {
        resource: resource(participant),
        actions: [action()].into(),
        horizons: Arc::default(),
    });
    Attach {
        application: "shop".to_owned(),
        principal: "anonymous".to_owned(),
        known_log: None,
        newest,
        resources: resources.collect(),
    }
}
