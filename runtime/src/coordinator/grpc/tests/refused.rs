//! What a client hears that is not attached, and where it looks for its coordinator.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use unanimous_protocol::Incarnation;
use unanimous_protocol::message::{
    Attach, AttachRefused, AttachResource, Attached, BranchResult, Horizon, PhaseTwo,
};

use super::proxy::Proxy;
use super::*;
use crate::clock::ManualClock;

/// Presents what a test wants, and remembers what it heard.
struct Presents {
    attach: watch::Receiver<Attach>,
    heard: watch::Sender<Vec<String>>,
}

/// The test's end of it.
struct Presenting {
    attach: watch::Sender<Attach>,
    heard: watch::Receiver<Vec<String>>,
    _attachment: Attachment,
}

const ATTACHED: &str = "attached";

impl Presenting {
    fn new(client: &GrpcCoordinator, attach: Attach) -> Self {
        let (attach, presented) = watch::channel(attach);
        let (heard, told) = watch::channel(Vec::new());
        let attachment = client.attach(Arc::new(Presents {
            attach: presented,
            heard,
        }));
        Self {
            attach,
            heard: told,
            _attachment: attachment,
        }
    }

    /// The next thing it hears.
    async fn next(&mut self, nth: usize) -> String {
        let heard = self.heard.wait_for(|heard| heard.len() > nth).await;
        heard.unwrap()[nth].clone()
    }
}

impl PhaseTwoHandler for Presents {
    fn attach(&self) -> BoxFuture<'static, Attach> {
        Box::pin(ready(self.attach.borrow().clone()))
    }

    fn attached(&self, _: Attached) {
        self.heard
            .send_modify(|heard| heard.push(ATTACHED.to_owned()));
    }

    fn refused(&self, why: AttachRefused) {
        self.heard.send_modify(|heard| heard.push(why.to_string()));
    }

    fn detached(&self) {}

    fn phase_two(&self, _: PhaseTwo) -> BoxFuture<'static, BranchResult> {
        unreachable!("nothing is decided")
    }

    fn horizon(&self, _: Incarnation, _: Horizon) -> BoxFuture<'static, bool> {
        unreachable!("nothing is announced")
    }
}

/// So many participants, each with so many actions of the longest names.
fn presents(participants: usize, actions: usize) -> Attach {
    let long = limits::NAME_BYTES_MAX;
    let actions = (0..actions).map(|n| format!("{n:0long$}").parse().unwrap());
    let actions: std::collections::BTreeSet<ActionName> = actions.collect();
    let resources = (0..participants).map(|n| AttachResource {
        resource: resource(&format!("account-{n}")),
        actions: actions.clone(),
        horizons: Arc::default(),
    });
    Attach {
        application: "test".to_owned(),
        principal: "anonymous".to_owned(),
        known_log: None,
        newest: None,
        resources: resources.collect(),
    }
}

#[tokio::test]
async fn a_malformed_attachment_is_told_and_presented_again() {
    let core = core().await;
    let served = Served::start(&core).await;
    let clock = ManualClock::new();
    let resolver = Told::at(served.address);
    let client = GrpcCoordinator::builder("unanimous://test:1", Arc::new(resolver))
        .clock(Arc::new(clock.clone()))
        .open();
    let mut presenting = Presenting::new(&client, presents(limits::RESOURCES_MAX + 1, 1));
    let why = presenting.next(0).await;
    assert!(
        why.starts_with("the field `resources` has 1001 elements"),
        "{why}"
    );
    assert_eq!(core.health().attached, 0);
    presenting.attach.send_replace(presents(1, 1));
    clock.advance(limits::RECONNECT_MAX);
    assert_eq!(presenting.next(1).await, ATTACHED);
    assert_eq!(core.health().attached, 1);
}

#[tokio::test]
async fn what_fits_no_frame_is_told_and_the_stream_goes_on() {
    let core = core().await;
    let served = Served::start(&core).await;
    let proxy = Proxy::start(served.address).await;
    let client = client(&Told::at(proxy.address));
    let mut presenting = Presenting::new(&client, presents(500, 100));
    let why = presenting.next(0).await;
    assert!(why.contains("at most 4194304 are taken"), "{why}");
    assert!(why.contains("provide fewer participants"), "{why}");
    begun(&client).await;
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn attachments_that_fit_no_frame_together_are_presented_each_in_its_own() {
    let core = core().await;
    let served = Served::start(&core).await;
    let proxy = Proxy::start(served.address).await;
    let resolver = Told::at(proxy.address);
    let client = client(&resolver);
    let mut each: Vec<_> = (0..3)
        .map(|_| Presenting::new(&client, presents(150, 100)))
        .collect();
    for presenting in &mut each {
        assert_eq!(presenting.next(0).await, ATTACHED);
    }
    assert_eq!(proxy.connections(), 1);
    // All at once, on the next stream.
    proxy.cut();
    for presenting in &mut each {
        assert_eq!(presenting.next(1).await, ATTACHED);
    }
    assert_eq!(proxy.connections(), 2);
}

/// A gRPC server of other services.
#[derive(Clone)]
struct SomethingElse;

impl Service<http::Request<Body>> for SomethingElse {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        ready(Ok(tonic::Status::unimplemented("not here").into_http()))
    }
}

async fn something_else() -> (SocketAddr, AbortHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let incoming = TcpIncoming::from(listener);
    let serving = Server::builder().serve_with_incoming(SomethingElse, incoming);
    let task = tokio::spawn(async move { serving.await.unwrap() });
    (address, task.abort_handle())
}

#[tokio::test]
async fn who_finds_no_coordinator_hears_so_and_each_address_of_a_name_is_tried() {
    let (elsewhere, other) = something_else().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let resolver = Told::at(elsewhere);
    let client = client(&resolver);
    let mut presenting = Presenting::new(&client, presents(1, 1));
    let error = client.begin(begin()).await.unwrap_err();
    assert!(
        matches!(error, CoordinatorError::Protocol { .. }),
        "{error}"
    );
    assert_eq!(presenting.next(0).await, "no coordinator is served there");

    let core = core().await;
    let served = Served::start(&core).await;
    let another_machine = "192.0.2.1:7070".parse().unwrap();
    *resolver.0.lock().unwrap() = vec![another_machine, nobody, elsewhere, served.address];
    let attached = presenting
        .heard
        .wait_for(|heard| heard.last().is_some_and(|last| last == ATTACHED));
    attached.await.unwrap();
    begun(&client).await;
    other.abort();
}
