//! Over real sockets, on free loopback ports.

#![allow(
    clippy::disallowed_methods,
    reason = "what a test starts belongs to no transaction"
)]

mod away;
mod deliveries;
mod drops;
mod proxy;
mod refused;
mod streams;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::task::AbortHandle;
use unanimous_coordinator::serve::Listener;
use unanimous_coordinator::{Coordinator as Core, Options};
use unanimous_protocol::message::{Begin, Commit};
use unanimous_protocol::{ActionName, BranchKind, Digest, Resource};

use super::*;

/// A coordinator served at an address of its own.
struct Served {
    address: SocketAddr,
    task: AbortHandle,
}

impl Served {
    async fn start(core: &Core) -> Self {
        let listener = Listener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr();
        let serving = listener.serve(core.clone(), std::future::pending());
        let task = tokio::spawn(async move { serving.await.unwrap() }).abort_handle();
        Self { address, task }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn core() -> Core {
    Core::open(Options::memory()).await.unwrap()
}

/// A resolver that answers what it was last told.
#[derive(Clone, Debug)]
struct Told(Arc<Mutex<Vec<SocketAddr>>>);

impl Told {
    fn at(address: SocketAddr) -> Self {
        Self(Arc::new(Mutex::new(vec![address])))
    }

    fn now_at(&self, address: SocketAddr) {
        *self.0.lock().unwrap() = vec![address];
    }
}

impl Resolve for Told {
    fn resolve(&self) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(std::future::ready(Ok(self.0.lock().unwrap().clone())))
    }
}

fn client(resolver: &Told) -> GrpcCoordinator {
    GrpcCoordinator::builder("unanimous://test:1", Arc::new(resolver.clone()))
        .application("test")
        .open()
}

fn begin() -> Begin {
    Begin {
        name: "purchase".parse().unwrap(),
        timeout: Duration::from_secs(60),
        trace: None,
    }
}

async fn begun(client: &GrpcCoordinator) -> Xid {
    client.begin(begin()).await.unwrap().unwrap().xid
}

fn empty_commit(xid: &Xid) -> Commit {
    Commit {
        xid: xid.clone(),
        succeeded: [].into(),
        abandoned: [].into(),
    }
}

fn resource(name: &str) -> Resource {
    Resource {
        participant: name.parse().unwrap(),
        database: None,
    }
}

fn action() -> ActionName {
    "debit".parse().unwrap()
}

fn branch(xid: &Xid, participant: &str) -> Register {
    Register {
        xid: xid.clone(),
        call: format!("{participant}.debit:1").parse().unwrap(),
        resource: resource(participant),
        action: action(),
        kind: BranchKind::Fenced,
        digest: Digest([7; 32]),
        arguments: None,
        trace: None,
    }
}

#[cfg(feature = "testing")]
#[tokio::test(flavor = "multi_thread")]
async fn the_coordinator_in_another_process_keeps_the_protocol() {
    let core = core().await;
    let served = Served::start(&core).await;
    let client = Arc::new(client(&Told::at(served.address)));
    let report = crate::coordinator::conformance::check(client).await;
    assert!(report.failures.is_empty(), "{report}");
    assert!(!report.passed.is_empty(), "{report}");
}

#[test]
fn addresses_of_other_machines_are_refused_with_the_way_out() {
    for host in ["10.0.0.1", "0.0.0.0", "::", "[2001:db8::1]", "192.168.1.1"] {
        let error = Dns::new(host, 7070).unwrap_err();
        assert!(error.contains("need TLS and a credential"), "{error}");
        assert!(error.contains("unanimous://127.0.0.1:PORT"), "{error}");
    }
    for host in ["127.0.0.1", "127.8.8.8", "[::1]", "::1", "localhost"] {
        assert!(Dns::new(host, 7070).is_ok(), "{host}");
    }
}

#[tokio::test]
async fn a_name_that_resolves_to_another_machine_is_refused() {
    let elsewhere = Told::at("192.0.2.1:7070".parse().unwrap());
    let error = client(&elsewhere).begin(begin()).await.unwrap_err();
    assert!(matches!(error, CoordinatorError::Refused { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("`192.0.2.1:7070` is not on this machine"),
        "{error}"
    );
}
