//! A client that speaks frames by hand, over real sockets.

#![allow(
    clippy::disallowed_methods,
    reason = "what a test starts belongs to nobody's transaction"
)]

mod limits_of_clients;
mod unread;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, IntoStreamingRequest as _, Request, Status, Streaming};
use tonic_prost::ProstCodec;
use unanimous_protocol::message::{
    AdminAnswer, AdminRequest, Attach, AttachResource, Begin, BranchResult, Commit, DecisionAnswer,
    Register,
};
use unanimous_protocol::wire::{
    self, FailureKind, FromClient, FromServer, ServerAnswer, ServerRequest, v1,
};
use unanimous_protocol::{BranchKind, Digest, Resource, Xid};

use super::*;
use crate::Options;

/// How long a test waits for what does not come if the product is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// A coordinator served at an address of its own.
struct Served {
    coordinator: Coordinator,
    address: SocketAddr,
    task: AbortHandle,
}

impl Served {
    async fn start() -> Self {
        Self::with(Options::memory()).await
    }

    async fn with(options: Options) -> Self {
        let coordinator = Coordinator::open(options).await.unwrap();
        let listener = Listener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr();
        let serving = listener.serve(coordinator.clone(), std::future::pending());
        let task = tokio::spawn(async move { serving.await.unwrap() }).abort_handle();
        Self {
            coordinator,
            address,
            task,
        }
    }

    /// Everything that there is to see.
    async fn state(&self) -> AdminAnswer {
        let list = AdminRequest::List {
            finished: true,
            limit: 1_000,
            after: None,
        };
        let mut answer = self.coordinator.admin(list).await.unwrap();
        if let AdminAnswer::Transactions(all) = &mut answer {
            for one in all {
                one.age = Duration::ZERO;
            }
        }
        answer
    }

    async fn client(&self) -> Client {
        Client::connect(self.address).await
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One stream.
struct Client {
    frames: mpsc::UnboundedSender<v1::ClientFrame>,
    answers: Streaming<v1::ServerFrame>,
}

async fn grpc(address: SocketAddr) -> Grpc<Channel> {
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut grpc = Grpc::new(channel.connect().await.unwrap());
    grpc.ready().await.unwrap();
    grpc
}

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        let mut grpc = grpc(address).await;
        let (frames, queue) = mpsc::unbounded_channel::<v1::ClientFrame>();
        let outgoing = unfold(queue, |mut queue| async {
            queue.recv().await.map(|frame| (frame, queue))
        });
        let path = PathAndQuery::from_static("/unanimous.v1.Coordinator/Connect");
        let codec = ProstCodec::<v1::ClientFrame, v1::ServerFrame>::default();
        let answers = grpc
            .streaming(outgoing.into_streaming_request(), path, codec)
            .await
            .unwrap();
        Self {
            frames,
            answers: answers.into_inner(),
        }
    }

    /// A client that was welcomed.
    async fn welcomed(served: &Served) -> Self {
        let mut client = served.client().await;
        client.send(0, &hello(wire::VERSION));
        let version = wire::VERSION;
        assert_eq!(
            client.next().await,
            Some((0, FromServer::Welcome { version }))
        );
        client
    }

    fn send(&self, id: u64, frame: &FromClient) {
        self.send_frame(frame.to_frame(id));
    }

    fn send_frame(&self, frame: v1::ClientFrame) {
        self.frames.send(frame).unwrap();
    }

    async fn next(&mut self) -> Option<(u64, FromServer)> {
        let frame = self.answers.message().await.unwrap()?;
        Some((frame.id, FromServer::of_frame(frame).unwrap()))
    }

    async fn begin(&mut self, id: u64) -> Xid {
        self.send(id, &begin());
        match self.next().await {
            Some((answered, FromServer::Answer(ServerAnswer::Begin(Ok(began))))) => {
                assert_eq!(answered, id);
                began.xid
            }
            other => panic!("{other:?}"),
        }
    }
}

fn hello(version: u32) -> FromClient {
    FromClient::Hello {
        version,
        application: "test".into(),
    }
}

fn begin() -> FromClient {
    FromClient::Request(ServerRequest::Begin(Begin {
        name: "purchase".parse().unwrap(),
        timeout: Duration::from_secs(60),
        trace: None,
    }))
}

fn commit(xid: &Xid) -> FromClient {
    let (succeeded, abandoned) = ([].into(), [].into());
    FromClient::Request(ServerRequest::Commit(Commit {
        xid: xid.clone(),
        succeeded,
        abandoned,
    }))
}

fn raw(id: u64, body: v1::client_frame::Body) -> v1::ClientFrame {
    v1::ClientFrame {
        id,
        body: Some(body),
    }
}

fn failure(answer: Option<(u64, FromServer)>) -> (u64, FailureKind, String) {
    match answer {
        Some((id, FromServer::Failure { kind, why })) => (id, kind, why.to_string()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn requests_are_answered_under_their_ids() {
    let served = Served::start().await;
    let mut client = Client::welcomed(&served).await;
    let xid = client.begin(7).await;
    client.send(9, &commit(&xid));
    let committed = FromServer::Answer(ServerAnswer::Decision(DecisionAnswer::Committed));
    assert_eq!(client.next().await, Some((9, committed)));
}

#[tokio::test]
async fn a_first_frame_that_is_no_hello_of_this_version_ends_the_stream() {
    let cases = [
        (begin(), "the first frame is not `hello`"),
        (hello(0), "the client speaks version 0"),
        (
            hello(3),
            "the client speaks version 3 of the protocol, this coordinator version 2; upgrade the coordinator first",
        ),
    ];
    let served = Served::start().await;
    let before = served.state().await;
    for (frame, message) in cases {
        let mut client = served.client().await;
        client.send(1, &frame);
        let (id, kind, why) = failure(client.next().await);
        assert_eq!((id, kind), (0, FailureKind::Protocol));
        assert!(why.starts_with(message), "{why}");
        assert_eq!(client.next().await, None);
    }
    assert_eq!(served.state().await, before);
}

#[tokio::test]
async fn malformed_frames_get_a_clear_answer_and_change_nothing() {
    use v1::client_frame::Body;

    let served = Served::start().await;
    let mut client = Client::welcomed(&served).await;
    let xid = client.begin(1).await;
    let before = served.state().await;
    let wrong = |text: &str| v1::XidOnly {
        xid: text.to_owned(),
    };
    let cases = [
        (None, "the field `body` is missing"),
        (
            Some(Body::Rollback(wrong(""))),
            "the field `xid` is refused: an xid must not be empty",
        ),
        (
            Some(Body::Rollback(wrong("a b"))),
            "the field `xid` is refused",
        ),
        (
            Some(Body::Register(v1::Register {
                xid: xid.to_string(),
                ..v1::Register::default()
            })),
            "the field `resource` is missing",
        ),
        (
            Some(Body::Commit(v1::Commit {
                xid: xid.to_string(),
                succeeded: vec![1; 1_001],
                abandoned: vec![],
            })),
            "the field `succeeded` has 1001 elements",
        ),
        (
            Some(Body::Begin(v1::Begin {
                name: "n".to_owned(),
                timeout_ms: u64::MAX,
                trace: None,
            })),
            "the field `timeout_ms` is refused",
        ),
        (
            Some(Body::Attach(v1::AttachAll {
                attachments: vec![v1::Attach::default()],
            })),
            "the field `id` is missing",
        ),
    ];
    for (id, (body, message)) in (2..).zip(cases) {
        client.send_frame(v1::ClientFrame { id, body });
        let (answered, kind, why) = failure(client.next().await);
        assert_eq!((answered, kind), (id, FailureKind::Protocol));
        assert!(why.starts_with(message), "{why}");
    }
    assert_eq!(served.state().await, before);
    // The stream goes on.
    client.begin(99).await;
}

#[tokio::test]
async fn a_second_hello_and_a_malformed_frame_without_id_end_the_stream() {
    let served = Served::start().await;
    let mut client = Client::welcomed(&served).await;
    client.send(0, &hello(1));
    assert_eq!(failure(client.next().await).2, "`hello` was sent twice");
    assert_eq!(client.next().await, None);

    let mut client = Client::welcomed(&served).await;
    client.send_frame(v1::ClientFrame { id: 0, body: None });
    assert_eq!(failure(client.next().await).0, 0);
    assert_eq!(client.next().await, None);
}

#[tokio::test]
async fn a_frame_beyond_the_limit_ends_the_stream_with_its_size() {
    let served = Served::start().await;
    let before = served.state().await;
    let mut client = Client::welcomed(&served).await;
    let name = "n".repeat(limits::FRAME_BYTES_MAX);
    let begin = v1::Begin {
        name,
        timeout_ms: 1,
        trace: None,
    };
    client.send_frame(raw(1, v1::client_frame::Body::Begin(begin)));
    let (id, kind, why) = failure(client.next().await);
    assert_eq!((id, kind), (0, FailureKind::Protocol));
    assert!(why.contains("4194304"), "{why}");
    assert_eq!(served.state().await, before);
}

#[tokio::test]
async fn a_client_that_goes_away_is_detached() {
    let served = Served::start().await;
    let mut client = Client::welcomed(&served).await;
    client.send(3, &attach_account());
    match client.next().await {
        Some((3, FromServer::Attached(verdicts))) => {
            assert!(matches!(verdicts.as_slice(), [(5, Ok(_))]), "{verdicts:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(served.coordinator.health().attached, 1);
    // An answer that nobody asked for changes nothing.
    let xid = "u1.1.0000000000000000.1".parse().unwrap();
    let alias = unanimous_protocol::Alias(1);
    let result = BranchResult::Ended;
    client.send(
        0,
        &FromClient::BranchAnswer {
            attachment: 5,
            xid,
            alias,
            result,
        },
    );
    drop(client);
    while served.coordinator.health().attached > 0 {
        tokio::task::yield_now().await;
    }
}

fn account() -> Resource {
    Resource {
        participant: "account".parse().unwrap(),
        database: None,
    }
}

fn attach_account() -> FromClient {
    let attach = Attach {
        application: "test".to_owned(),
        principal: "somebody".to_owned(),
        known_log: None,
        newest: None,
        resources: vec![AttachResource {
            resource: account(),
            actions: ["debit".parse().unwrap()].into(),
            horizons: Arc::default(),
        }],
    };
    FromClient::Attach(vec![(5, attach)])
}

#[tokio::test]
async fn phase_two_goes_by_preference_to_the_process_that_ran_phase_one() {
    let served = Served::start().await;
    // Whoever attached first would be the least busy.
    let mut other = Client::welcomed(&served).await;
    other.send(1, &attach_account());
    other.next().await;
    let mut home = Client::welcomed(&served).await;
    home.send(1, &attach_account());
    home.next().await;

    let xid = home.begin(2).await;
    let register = ServerRequest::Register(Register {
        xid: xid.clone(),
        call: "account.debit:1".parse().unwrap(),
        resource: account(),
        action: "debit".parse().unwrap(),
        kind: BranchKind::Fenced,
        digest: Digest([0; 32]),
        arguments: None,
        trace: None,
    });
    home.send(3, &FromClient::Request(register));
    home.next().await;
    home.send(
        4,
        &FromClient::Request(ServerRequest::Rollback(xid.clone())),
    );
    let said = [home.next().await.unwrap().1, home.next().await.unwrap().1];
    let delivered = said
        .iter()
        .any(|frame| matches!(frame, FromServer::PhaseTwo(5, two) if two.xid == xid));
    assert!(delivered, "{said:?}");
}

async fn admin(address: SocketAddr, request: v1::AdminRequest) -> Result<AdminAnswer, Status> {
    let path = PathAndQuery::from_static("/unanimous.v1.Coordinator/Admin");
    let codec = ProstCodec::<v1::AdminRequest, v1::AdminAnswer>::default();
    let answer = grpc(address)
        .await
        .unary(Request::new(request), path, codec)
        .await?;
    Ok(answer.into_inner().try_into().unwrap())
}

#[tokio::test]
async fn an_operator_is_answered_and_a_malformed_request_is_refused() {
    let served = Served::start().await;
    let mut client = Client::welcomed(&served).await;
    let xid = client.begin(1).await;
    let list = AdminRequest::List {
        finished: false,
        limit: usize::MAX,
        after: None,
    };
    match admin(served.address, (&list).into()).await.unwrap() {
        AdminAnswer::Transactions(all) => assert_eq!(all[0].xid, xid),
        other => panic!("{other:?}"),
    }
    let roll_back = AdminRequest::RollBack(xid);
    let done = admin(served.address, (&roll_back).into()).await.unwrap();
    assert!(matches!(done, AdminAnswer::Done(_)), "{done:?}");
    let status = admin(served.address, v1::AdminRequest::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(
        status.message().contains("the field `request` is missing"),
        "{status}"
    );
}

#[tokio::test]
async fn the_end_is_told_to_clients() {
    let coordinator = Coordinator::open(Options::memory()).await.unwrap();
    let listener = Listener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(listener.serve(coordinator, async move { drop(stopped.await) }));
    let mut client = Client::connect(address).await;
    client.send(0, &hello(1));
    client.next().await;
    stop.send(()).unwrap();
    let (id, kind, _) = failure(client.next().await);
    assert_eq!((id, kind), (0, FailureKind::Unavailable));
    assert_eq!(client.next().await, None);
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_to_a_coordinator_that_has_stopped_ends() {
    let served = Served::start().await;
    let mut client = Client::welcomed(&served).await;
    served.coordinator.stop().await;
    client.send(2, &commit(&"u1.1.0000000000000000.1".parse().unwrap()));
    let (id, kind, why) = failure(client.next().await);
    assert_eq!((id, kind), (0, FailureKind::Unavailable));
    assert_eq!(why, "the coordinator has stopped");
    assert_eq!(client.next().await, None);
}

#[tokio::test]
async fn addresses_that_others_could_reach_are_refused_with_the_way_out() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:7070"] {
        let error = Listener::bind(listen).await.unwrap_err().to_string();
        assert!(error.contains("needs TLS and a credential"), "{error}");
        assert!(error.contains("such as 127.0.0.1:7070"), "{error}");
    }
    for listen in ["", "127.0.0.1", "127.0.0.1:high", "127.0.0.1:70707"] {
        let error = Listener::bind(listen).await.unwrap_err().to_string();
        assert!(error.contains("is not an address to listen at"), "{error}");
    }
    let taken = Listener::bind("127.0.0.1:0").await.unwrap();
    let again = Listener::bind(&taken.local_addr().to_string())
        .await
        .unwrap_err();
    assert!(
        again.to_string().starts_with("cannot listen at 127.0.0.1:"),
        "{again}"
    );
}
