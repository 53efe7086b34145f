//! Committed transactions per second, embedded: in memory and durable, with branches that do no
//! database work, beside what the disk and redb do by themselves in the same run.
//!
//! A transaction with branches counts once every branch has ended. `c` clients run side by side,
//! each one transaction after the other, on two threads.

#![expect(
    clippy::disallowed_methods,
    reason = "measures time, in no transaction"
)]

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;
use tokio::sync::{oneshot, watch};
use unanimous_coordinator::drive::{Delivery, Session};
use unanimous_coordinator::{Coordinator, Options};
use unanimous_protocol::message::{
    Attach, AttachResource, Begin, BranchResult, Commit, DecisionAnswer, Register,
};
use unanimous_protocol::{BranchKind, DatabaseId, Digest, Resource};

const CLIENTS: [u64; 3] = [1, 16, 256];
const BRANCHES: [u32; 3] = [0, 1, 3];
/// What one record of a transaction with a branch takes, roughly.
const RECORD_BYTES: usize = 200;

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = disk, redb_alone, memory, durable
}
criterion_main!(benches);

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// A file that is gone when the next run makes it anew; on the disk that holds the build.
fn fresh(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    for suffix in ["", ".reserve", ".new"] {
        let mut path = path.clone().into_os_string();
        path.push(suffix);
        // It may not be there.
        let _ = std::fs::remove_file(path);
    }
    path
}

fn memory(criterion: &mut Criterion) {
    transactions(criterion, "memory", |_| Options::memory());
}

fn durable(criterion: &mut Criterion) {
    transactions(criterion, "durable", |name| Options::redb(fresh(name)));
}

fn transactions(criterion: &mut Criterion, name: &str, options: impl Fn(&str) -> Options) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(1));
    for branches in BRANCHES {
        for clients in CLIENTS {
            let file = format!("{name}-{branches}-{clients}.redb");
            let coordinator = runtime.block_on(Coordinator::open(options(&file))).unwrap();
            let participant = coordinator.session("participant", "anonymous");
            let mut ended = runtime.block_on(participate(participant));
            let mut joined = 0;
            let id = BenchmarkId::new(format!("{branches} branches"), format!("c={clients}"));
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|transactions| {
                    let started = Instant::now();
                    runtime.block_on(async {
                        run(&coordinator, transactions, clients, branches).await;
                        joined += transactions * u64::from(branches);
                        ended.wait_for(|ended| *ended == joined).await.unwrap();
                    });
                    started.elapsed()
                });
            });
            runtime.block_on(coordinator.stop());
        }
    }
    group.finish();
}

/// Ends every branch as soon as it is delivered; tells how many have ended.
async fn participate(session: Session) -> watch::Receiver<u64> {
    let resource = AttachResource {
        resource: resource(),
        actions: ["debit".parse().unwrap()].into(),
        horizons: Arc::default(),
    };
    let attach = Attach {
        application: "participant".to_owned(),
        principal: "anonymous".to_owned(),
        known_log: None,
        newest: None,
        resources: vec![resource],
    };
    let (_, mut deliveries) = session.attach(attach).await.unwrap().unwrap();
    let (count, ended) = watch::channel(0);
    tokio::spawn(async move {
        while let Some(delivery) = deliveries.next().await {
            if let Delivery::PhaseTwo(phase_two) = delivery {
                session.branch_result(phase_two.xid, phase_two.alias, BranchResult::Ended);
                count.send_modify(|count| *count += 1);
            }
        }
    });
    ended
}

fn resource() -> Resource {
    Resource {
        participant: "participant".parse().unwrap(),
        database: Some(DatabaseId([1; 16])),
    }
}

async fn run(coordinator: &Coordinator, transactions: u64, clients: u64, branches: u32) {
    let tasks: Vec<_> = shares(transactions, clients)
        .map(|share| {
            let session = coordinator.session("shop", "anonymous");
            tokio::spawn(async move {
                for _ in 0..share {
                    transaction(&session, branches).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn transaction(session: &Session, branches: u32) {
    let begin = Begin {
        name: "purchase".parse().unwrap(),
        timeout: Duration::from_mins(1),
        trace: None,
    };
    let xid = session.begin(begin).await.unwrap().unwrap().xid;
    let mut succeeded = BTreeSet::new();
    for branch in 1..=branches {
        let register = Register {
            xid: xid.clone(),
            call: format!("account.debit:{branch}").parse().unwrap(),
            resource: resource(),
            action: "debit".parse().unwrap(),
            kind: BranchKind::Fenced,
            digest: Digest([0; 32]),
            arguments: None,
            trace: None,
        };
        succeeded.insert(session.register(register).await.unwrap().unwrap().alias);
    }
    let commit = Commit {
        xid,
        succeeded,
        abandoned: BTreeSet::new(),
    };
    let answer = session.commit(commit).await.unwrap();
    assert_eq!(answer, DecisionAnswer::Committed);
}

fn shares(all: u64, clients: u64) -> impl Iterator<Item = u64> {
    (0..clients).map(move |client| all / clients + u64::from(client < all % clients))
}

/// The limit line: one record for each client and turn, written over zeroed blocks, with one
/// `fdatasync` for whatever is queued.
fn disk(criterion: &mut Criterion) {
    const FILE_BYTES: usize = 64 * 1024 * 1024;
    let path = fresh("disk.raw");
    let mut file = File::options()
        .create(true)
        .truncate(true)
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    file.write_all(&vec![0; FILE_BYTES]).unwrap();
    file.sync_all().unwrap();
    let mut at = 0;
    group_commit(criterion, "disk", move |records| {
        let bytes = vec![7; records * RECORD_BYTES];
        if at + bytes.len() > FILE_BYTES {
            at = 0;
        }
        file.seek(SeekFrom::Start(at as u64)).unwrap();
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
        at += bytes.len();
    });
}

/// redb by itself: one insert for each client and turn, one durable commit for whatever is queued.
fn redb_alone(criterion: &mut Criterion) {
    const RECORDS: redb::TableDefinition<'_, u128, &[u8]> = redb::TableDefinition::new("records");
    let database = redb::Database::create(fresh("redb-alone.redb")).unwrap();
    let mut key = 0;
    group_commit(criterion, "redb", move |records| {
        let transaction = database.begin_write().unwrap();
        {
            let mut table = transaction.open_table(RECORDS).unwrap();
            for _ in 0..records {
                key += 1;
                table.insert(key, &[7; RECORD_BYTES][..]).unwrap();
            }
        }
        transaction.commit().unwrap();
    });
}

/// Clients hand a record to one writer thread and wait for it; the writer takes what is queued.
fn group_commit(
    criterion: &mut Criterion,
    name: &str,
    mut commit: impl FnMut(usize) + Send + 'static,
) {
    let runtime = runtime();
    let (queue, queued) = mpsc::channel::<oneshot::Sender<()>>();
    let writer = std::thread::spawn(move || {
        while let Ok(first) = queued.recv() {
            let batch: Vec<_> = std::iter::once(first).chain(queued.try_iter()).collect();
            commit(batch.len());
            for client in batch {
                client.send(()).unwrap();
            }
        }
    });
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(1));
    for clients in CLIENTS {
        group.bench_function(format!("c={clients}"), |bencher| {
            bencher.iter_custom(|records| {
                let started = Instant::now();
                runtime.block_on(async {
                    let tasks: Vec<_> = shares(records, clients)
                        .map(|share| tokio::spawn(write(queue.clone(), share)))
                        .collect();
                    for task in tasks {
                        task.await.unwrap();
                    }
                });
                started.elapsed()
            });
        });
    }
    group.finish();
    drop(queue);
    writer.join().unwrap();
}

async fn write(queue: mpsc::Sender<oneshot::Sender<()>>, records: u64) {
    for _ in 0..records {
        let (sender, written) = oneshot::channel();
        queue.send(sender).unwrap();
        written.await.unwrap();
    }
}
