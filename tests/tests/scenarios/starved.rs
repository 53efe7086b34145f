//! Row 34 of the fault matrix over a real connection: user code blocks every thread of its process
//! for longer than its coordinator waits for a sign of life.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use futures_util::future::{BoxFuture, ready};
use tokio::task::JoinHandle;
use unanimous::coordinator::grpc::{GrpcCoordinator, Resolve};
use unanimous::protocol::limits;
use unanimous::{Error, GlobalTransaction, Outcome, RollbackReason, Runtime};
use unanimous_coordinator::serve::Listener;
use unanimous_coordinator::{Coordinator as Core, Options};

use crate::logs;
use crate::process::Process;
use crate::vault::{Failure, Fault, Gate, Vault};
use crate::world::{LONG, Site, World, buy, take_all, until};

/// How long the process that starves may be silent before it is asked for a sign of life, and how
/// long that may take.
const KEEP_ALIVE: Duration = Duration::from_millis(250);
/// The first try of a timeout that passes while it is blocked.
const SHORT: Duration = Duration::from_secs(3);

/// Serves the coordinator at one more address.
fn served(server: &Process<Core>, keep_alive: Duration) -> SocketAddr {
    server.run(async |core| {
        let listener = Listener::bind("127.0.0.1:0").await.expect("a free port");
        let listener = listener.keep_alive(keep_alive);
        let address = listener.local_addr();
        tokio::spawn(listener.serve(core.clone(), std::future::pending()));
        address
    })
}

/// Counts how often a process connects.
#[derive(Clone, Debug)]
struct Counted {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Counted {
    fn at(address: SocketAddr) -> Self {
        Self {
            address,
            connections: Arc::default(),
        }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Resolve for Counted {
    fn resolve(&self) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        self.connections.fetch_add(1, Ordering::SeqCst);
        Box::pin(ready(Ok(vec![self.address])))
    }
}

/// A process that is attached over a connection of its own, on the clock of the system.
fn attached(site: &Site, resolver: &Counted) -> Process<World> {
    logs::start();
    Process::start(async {
        let name = format!("unanimous://{}", resolver.address);
        let coordinator = GrpcCoordinator::builder(&name, Arc::new(resolver.clone())).open();
        let builder = Runtime::builder().application("scenario");
        let world = World::with(site, builder.coordinator_value(Arc::new(coordinator))).await;
        world.runtime.ready().await;
        world
    })
}

/// What a caller hears in the end.
type Told = JoinHandle<Result<Outcome, Error>>;

/// Begins a transaction that takes from two vaults and then goes on with `then`; with a longer
/// timeout if this one was over before it came to that.
fn begin<F>(
    process: &Process<World>,
    label: &'static str,
    mut timeout: Duration,
    then: impl Fn() -> F + Clone + Send + 'static,
) -> Told
where
    F: Future<Output = ()> + Send,
{
    loop {
        let there = Arc::new(AtomicBool::new(false));
        let (then, arrives) = (then.clone(), Arc::clone(&there));
        let told = process.spawn(async move |world: Arc<World>| {
            let vaults: Vec<Vault> = world.vaults[1..].to_vec();
            let body = async move {
                take_all(&vaults, label, 1).await?;
                // Whatever this woke on its thread runs before the thread is blocked: the one after
                // it would wait for it.
                for _ in 0..10 {
                    tokio::task::yield_now().await;
                }
                arrives.store(true, Ordering::SeqCst);
                then().await;
                Ok::<_, Failure>(())
            };
            let run = GlobalTransaction::named(label).timeout(timeout).run(body);
            let ran = world.run(run).await?;
            Ok(ran.outcome.expect("it began"))
        });
        while !there.load(Ordering::SeqCst) && !told.is_finished() {
            std::thread::yield_now();
        }
        if there.load(Ordering::SeqCst) {
            return told;
        }
        timeout *= 2;
    }
}

/// One that blocks a thread of its process until its sender is dropped.
fn block(
    process: &Process<World>,
    label: &'static str,
    timeout: Duration,
) -> (mpsc::Sender<()>, Told) {
    let (sender, receiver) = mpsc::channel::<()>();
    let receiver = Arc::new(Mutex::new(receiver));
    let told = begin(process, label, timeout, move || {
        // Nothing is sent: this ends when the sender is dropped.
        let _ = receiver.lock().expect("nobody panics with it").recv();
        ready(())
    });
    (sender, told)
}

fn rolled_back(told: &Result<Outcome, Error>) -> bool {
    matches!(
        told,
        Ok(Outcome::RolledBack { .. }) | Err(Error::TimedOut { .. } | Error::RolledBack { .. })
    )
}

/// Matrix 34: the process is taken for dead, rightly: it does nothing. What it began without a
/// decision rolls back at its deadline, others are served meanwhile, and once it breathes again it
/// is attached, ends what was decided, commits what still may, and hears the truth of everything.
#[test]
fn matrix_34_a_frozen_process_is_detached_and_goes_on_where_it_was_when_it_thaws() {
    let (site, elsewhere) = (Site::new(), Site::new());
    let server = Process::start(async {
        let opened = Core::open(Options::redb(site.file("unanimous.redb"))).await;
        opened.expect("a coordinator")
    });
    let resolver = Counted::at(served(&server, KEEP_ALIVE));
    let frozen = attached(&site, &resolver);
    // On a connection that is never taken for dead here, with databases of its own.
    let other = Counted::at(served(&server, limits::KEEP_ALIVE));
    let other = attached(&elsewhere, &other);
    let attached = || server.inside.health().attached;
    assert_eq!((attached(), resolver.connections()), (2, 1));

    // Decided, and in the middle of a confirm.
    let gate = Gate::new();
    frozen.run(async |world| {
        let stock = &world.vaults[..1];
        stock[0].script.confirms.then(Fault::Stop(gate.clone()));
        let bought = world.run(buy(stock, "decided", 1)).await;
        bought.expect("it commits");
        gate.reached().await;
    });
    let never = Gate::new();
    let open = begin(&frozen, "open", SHORT, move || {
        let never = never.clone();
        async move { never.pass().await }
    });
    let (late, late_told) = block(&frozen, "late", SHORT);
    let (long, long_told) = block(&frozen, "long", LONG);
    // Both of its threads do nothing else now.
    other.run(async |world| {
        until("it is detached", async || attached() == 1).await;
        for nth in 0..20 {
            let bought = world.buy(&format!("other {nth}"), 1).await;
            bought.expect("nobody is in its way");
        }
        until("their deadline", async || {
            let all = world.runtime.admin().list(true, 100).await;
            let all = all.expect("the coordinator answers");
            let over = |name: &str| {
                all.iter().any(|one| {
                    one.name.as_str() == name && one.reason == Some(RollbackReason::TimedOut)
                })
            };
            over("open") && over("late")
        })
        .await;
    });
    gate.open();
    drop((late, long));

    frozen.run(async |world| {
        let told = long_told.await.expect("it ends").expect("it began");
        assert_eq!(told, Outcome::Committed);
        for told in [late_told, open] {
            let told = told.await.expect("it ends");
            assert!(rolled_back(&told), "{told:?}");
        }
        world.settle().await;
        assert_eq!(world.vaults[0].history("decided").await, [1, 1, 0]);
        for vault in &world.vaults[1..] {
            assert_eq!(vault.history("long").await, [1, 1, 0]);
            for label in ["late", "open"] {
                let [held, spent, released] = vault.history(label).await;
                assert_eq!((held, spent), (released, 0), "{label}");
            }
        }
        until("it is attached again", async || attached() == 2).await;
        world.buy("afterwards", 1).await.expect("it is served");
    });
    assert!(resolver.connections() > 1, "it was detached");
    other.end();
    frozen.end();
    server.run(async |core| core.stop().await);
}
