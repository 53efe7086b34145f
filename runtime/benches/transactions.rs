//! Committed transactions per second through the `Coordinator` trait: the coordinator embedded in
//! memory, and the same one over one stream. Branches do no database work; a transaction counts
//! once its commit is answered.
//!
//! `c` clients run side by side, each one transaction after the other; client, server and load
//! share two threads.

#![allow(missing_docs, reason = "criterion generates the entry point")]
#![expect(
    clippy::disallowed_methods,
    reason = "measures time, in no transaction"
)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::{BoxFuture, ready};
use unanimous::Runtime;
use unanimous::coordinator::{Attachment, Coordinator, PhaseTwoHandler};
use unanimous_coordinator::serve::Listener;
use unanimous_coordinator::{Coordinator as Server, Options};
use unanimous_protocol::message::{
    Attach, AttachRefused, AttachResource, Attached, Begin, BranchResult, Commit, DecisionAnswer,
    Horizon, PhaseTwo, Register,
};
use unanimous_protocol::{BranchKind, DatabaseId, Digest, Incarnation, Resource};

const CLIENTS: [u64; 3] = [1, 16, 256];
const BRANCHES: [u32; 3] = [0, 1, 3];

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = embedded, stream
}
criterion_main!(benches);

fn tokio_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

fn embedded(criterion: &mut Criterion) {
    measure(criterion, "embedded memory", async || "memory:".to_owned());
}

fn stream(criterion: &mut Criterion) {
    measure(criterion, "stream memory", async || {
        let server = Server::open(Options::memory()).await.unwrap();
        let listener = Listener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr();
        tokio::spawn(listener.serve(server, std::future::pending()));
        format!("unanimous://{address}")
    });
}

fn measure(criterion: &mut Criterion, name: &str, url: impl AsyncFn() -> String) {
    let tokio = tokio_runtime();
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(1));
    for branches in BRANCHES {
        for clients in CLIENTS {
            let (runtime, attachment) = tokio.block_on(async {
                let runtime = Runtime::builder()
                    .coordinator(url().await)
                    .build()
                    .await
                    .unwrap();
                let attachment = attach(&runtime).await;
                (runtime, attachment)
            });
            let coordinator = runtime.coordinator_value();
            let id = BenchmarkId::new(format!("{branches} branches"), clients);
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|transactions| {
                    tokio.block_on(run(&coordinator, transactions, clients, branches))
                });
            });
            drop(attachment);
            tokio.block_on(runtime.shutdown());
        }
    }
}

async fn attach(runtime: &Runtime) -> Attachment {
    let (attached, seen) = tokio::sync::oneshot::channel();
    let handler = Handler(std::sync::Mutex::new(Some(attached)));
    let attachment = runtime.coordinator_value().attach(Arc::new(handler));
    seen.await.unwrap();
    attachment
}

/// How long so many transactions take, shared among the clients.
async fn run(
    coordinator: &Arc<dyn Coordinator>,
    transactions: u64,
    clients: u64,
    branches: u32,
) -> Duration {
    let begun = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let share = transactions / clients + u64::from(client < transactions % clients);
            let coordinator = Arc::clone(coordinator);
            tokio::spawn(async move {
                for _ in 0..share {
                    transaction(&*coordinator, branches).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    begun.elapsed()
}

async fn transaction(coordinator: &dyn Coordinator, branches: u32) {
    let begin = Begin {
        name: "bench".parse().unwrap(),
        timeout: Duration::from_secs(60),
        trace: None,
    };
    let xid = coordinator.begin(begin).await.unwrap().unwrap().xid;
    let mut succeeded = BTreeSet::new();
    for number in 1..=branches {
        let register = Register {
            xid: xid.clone(),
            call: format!("bench.act:{number}").parse().unwrap(),
            resource: resource(),
            action: "act".parse().unwrap(),
            kind: BranchKind::Fenced,
            digest: Digest([7; 32]),
            arguments: None,
            trace: None,
        };
        succeeded.insert(coordinator.register(register).await.unwrap().unwrap().alias);
    }
    let commit = Commit {
        xid,
        succeeded,
        abandoned: BTreeSet::new(),
    };
    let answer = coordinator.commit(commit).await.unwrap();
    assert_eq!(answer, DecisionAnswer::Committed);
}

fn resource() -> Resource {
    Resource {
        participant: "bench".parse().unwrap(),
        database: Some(DatabaseId([1; 16])),
    }
}

/// Ends every branch at once.
struct Handler(std::sync::Mutex<Option<tokio::sync::oneshot::Sender<()>>>);

impl PhaseTwoHandler for Handler {
    fn attach(&self) -> BoxFuture<'static, Attach> {
        let resource = AttachResource {
            resource: resource(),
            actions: ["act".parse().unwrap()].into(),
            horizons: Arc::default(),
        };
        Box::pin(ready(Attach {
            application: "bench".to_owned(),
            principal: "anonymous".to_owned(),
            known_log: None,
            newest: None,
            resources: vec![resource],
        }))
    }

    fn attached(&self, _: Attached) {
        if let Some(attached) = self.0.lock().unwrap().take() {
            attached.send(()).unwrap();
        }
    }

    fn refused(&self, why: AttachRefused) {
        panic!("{why}");
    }

    fn detached(&self) {}

    fn phase_two(&self, _: PhaseTwo) -> BoxFuture<'static, BranchResult> {
        Box::pin(ready(BranchResult::Ended))
    }

    fn horizon(&self, _: Incarnation, _: Horizon) -> BoxFuture<'static, bool> {
        Box::pin(ready(true))
    }
}
