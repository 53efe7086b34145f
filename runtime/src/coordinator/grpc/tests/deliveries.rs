use tokio::sync::{mpsc, watch};
use unanimous_protocol::message::{
    AdminAnswer, Attach, AttachRefused, AttachResource, Attached, BranchResult, Horizon, PhaseTwo,
};
use unanimous_protocol::{Decision, Incarnation};

use unanimous_protocol::wire::{FromClient, v1};

use super::super::attachments::{Delivery, perform};
use super::super::connection::Connection;
use super::proxy::Proxy;
use super::*;

/// A participant whose deliveries a test receives.
struct Handler {
    name: &'static str,
    /// Presents its resource only once this is true.
    open: watch::Receiver<bool>,
    attached: watch::Sender<usize>,
    delivered: mpsc::UnboundedSender<(PhaseTwo, oneshot::Sender<BranchResult>)>,
}

struct Participant {
    open: watch::Sender<bool>,
    attached: watch::Receiver<usize>,
    delivered: mpsc::UnboundedReceiver<(PhaseTwo, oneshot::Sender<BranchResult>)>,
    _attachment: Attachment,
}

impl Participant {
    fn new(client: &GrpcCoordinator, name: &'static str) -> Self {
        let (open, opened) = watch::channel(true);
        let (attached, seen) = watch::channel(0);
        let (deliver, delivered) = mpsc::unbounded_channel();
        let handler = Handler {
            name,
            open: opened,
            attached,
            delivered: deliver,
        };
        let attachment = client.attach(Arc::new(handler));
        Self {
            open,
            attached: seen,
            delivered,
            _attachment: attachment,
        }
    }

    async fn attached(&mut self, times: usize) {
        self.attached
            .wait_for(|attached| *attached >= times)
            .await
            .unwrap();
    }

    /// From here on every delivery is answered by `Ended`.
    fn end_all(mut self) -> AbortHandle {
        let ending = async move {
            // All of it, the attachment too.
            let this = &mut self;
            while let Some((_, answer)) = this.delivered.recv().await {
                drop(answer.send(BranchResult::Ended));
            }
        };
        tokio::spawn(ending).abort_handle()
    }

    async fn next(&mut self) -> (PhaseTwo, oneshot::Sender<BranchResult>) {
        self.delivered.recv().await.unwrap()
    }
}

impl PhaseTwoHandler for Handler {
    fn attach(&self) -> BoxFuture<'static, Attach> {
        let attach = Attach {
            application: "test".to_owned(),
            principal: "anonymous".to_owned(),
            known_log: None,
            newest: None,
            resources: vec![AttachResource {
                resource: resource(self.name),
                actions: [action()].into(),
                horizons: Arc::default(),
            }],
        };
        let mut open = self.open.clone();
        Box::pin(async move {
            open.wait_for(|open| *open).await.unwrap();
            attach
        })
    }

    fn attached(&self, _: Attached) {
        self.attached.send_modify(|attached| *attached += 1);
    }

    fn refused(&self, why: AttachRefused) {
        panic!("{why}");
    }

    fn detached(&self) {}

    fn phase_two(&self, phase_two: PhaseTwo) -> BoxFuture<'static, BranchResult> {
        let (answer, answered) = oneshot::channel();
        self.delivered.send((phase_two, answer)).unwrap();
        Box::pin(async move { answered.await.expect("the test answers") })
    }

    fn horizon(&self, _: Incarnation, _: Horizon) -> BoxFuture<'static, bool> {
        Box::pin(std::future::ready(true))
    }
}

/// A transaction with one branch of each participant, committed.
async fn committed(client: &GrpcCoordinator, participants: &[&str]) -> Xid {
    let xid = begun(client).await;
    let mut commit = empty_commit(&xid);
    for participant in participants {
        let joined = client
            .register(branch(&xid, participant))
            .await
            .unwrap()
            .unwrap();
        commit.succeeded.insert(joined.alias);
    }
    assert_eq!(
        client.commit(commit).await.unwrap(),
        DecisionAnswer::Committed
    );
    xid
}

async fn settled(client: &GrpcCoordinator, xid: &Xid) {
    let settled = || client.admin(AdminRequest::Settled(xid.clone()));
    while settled().await.unwrap() != AdminAnswer::Settled(true) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn tc10_phase_two_is_delivered_again_on_the_next_stream_until_it_has_ended() {
    let core = core().await;
    let served = Served::start(&core).await;
    let proxy = Proxy::start(served.address).await;
    let client = client(&Told::at(proxy.address));
    let mut account = Participant::new(&client, "account");
    account.attached(1).await;
    let xid = committed(&client, &["account"]).await;
    let (first, answer) = account.next().await;
    assert_eq!((first.decision, &first.xid), (Decision::Commit, &xid));

    // The answer to the first delivery gets lost with the stream.
    proxy.hold();
    proxy.cut();
    account.attached(2).await;
    drop(answer.send(BranchResult::Retry {
        error: "not yet".into(),
        after: None,
    }));
    loop {
        let (phase_two, answer) = account.next().await;
        assert_eq!(phase_two.call, first.call);
        if answer.send(BranchResult::Ended).is_ok() {
            break;
        }
    }
    settled(&client, &xid).await;
}

#[tokio::test]
async fn r1_nothing_is_delivered_on_a_new_stream_before_all_resources_are_attached() {
    let core = core().await;
    let served = Served::start(&core).await;
    let proxy = Proxy::start(served.address).await;
    let client = client(&Told::at(proxy.address));
    let mut account = Participant::new(&client, "account");
    let mut storage = Participant::new(&client, "storage");
    account.attached(1).await;
    storage.attached(1).await;
    let xid = committed(&client, &["account", "storage"]).await;
    let (_, account_answer) = account.next().await;
    let (_, storage_answer) = storage.next().await;
    drop(storage_answer.send(BranchResult::Ended));

    // On the next stream storage's database takes its time.
    storage.open.send_replace(false);
    proxy.cut();
    proxy.made(2).await;
    // Requests do not wait for it, deliveries do.
    assert_eq!(
        client.outcome(xid.clone()).await.unwrap(),
        DecisionAnswer::Committed
    );
    assert_eq!(*account.attached.borrow(), 1);
    assert!(account.delivered.try_recv().is_err());
    storage.open.send_replace(true);
    account.attached(2).await;
    storage.attached(2).await;
    // Finished although its stream is gone, and answered on the next.
    drop(account_answer.send(BranchResult::Ended));
    let ending = [account.end_all(), storage.end_all()];
    settled(&client, &xid).await;
    ending.iter().for_each(AbortHandle::abort);
}

#[tokio::test]
async fn a_client_that_is_killed_is_detached_and_another_instance_takes_over() {
    let core = core().await;
    let served = Served::start(&core).await;
    let proxy = Proxy::start(served.address).await;
    let first = client(&Told::at(proxy.address));
    let mut killed = Participant::new(&first, "account");
    killed.attached(1).await;
    let xid = committed(&first, &["account"]).await;
    drop(killed.next().await.1);

    let second = client(&Told::at(served.address));
    let mut survivor = Participant::new(&second, "account");
    survivor.attached(1).await;
    // Without a word of farewell.
    drop(proxy);
    let (phase_two, answer) = survivor.next().await;
    assert_eq!(phase_two.xid, xid);
    answer.send(BranchResult::Ended).unwrap();
    settled(&second, &xid).await;
    while core.health().attached > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_dropped_attachment_receives_nothing_more() {
    let core = core().await;
    let served = Served::start(&core).await;
    let client = client(&Told::at(served.address));
    let mut account = Participant::new(&client, "account");
    account.attached(1).await;
    assert_eq!(core.health().attached, 1);
    drop(account);
    while core.health().attached > 0 {
        tokio::task::yield_now().await;
    }
}

/// Its farewell came before it was presented: the coordinator would deliver to nobody.
#[tokio::test]
async fn an_attachment_that_is_dropped_while_it_is_presented_is_detached() {
    let core = core().await;
    let served = Served::start(&core).await;
    let client = client(&Told::at(served.address));
    let account = Participant::new(&client, "account");
    account.open.send_replace(false);
    // The handler holds one, what it is about to present another.
    while account.open.receiver_count() < 2 {
        tokio::task::yield_now().await;
    }
    let Participant {
        open,
        _attachment: attachment,
        ..
    } = account;
    drop(attachment);
    open.send_replace(true);
    let mut storage = Participant::new(&client, "storage");
    storage.attached(1).await;
    while core.health().attached > 1 {
        tokio::task::yield_now().await;
    }
}

/// What a frame says in answer, and which.
fn said(shared: &Shared, epoch: u64) -> Option<FromClient> {
    let waker = futures_util::task::noop_waker();
    let mut cx = std::task::Context::from_waker(&waker);
    match shared.table.poll_outgoing(epoch, &mut cx) {
        std::task::Poll::Ready(frame) => Some(FromClient::of_frame(frame?).unwrap()),
        std::task::Poll::Pending => None,
    }
}

/// A newer coordinator knows kinds of branches that this version does not: repeated for ever, the
/// branch would never reach an instance that does, nor an operator.
#[tokio::test]
async fn a_phase_two_that_cannot_be_read_is_answered_as_not_here() {
    let resolver = Told::at("127.0.0.1:1".parse().unwrap());
    let client = client(&resolver);
    let connection = Connection::new(
        Arc::clone(&client.shared),
        Arc::new(resolver),
        Entropy::system(),
    );
    let table = &client.shared.table;
    let hello = FromClient::Hello {
        version: 1,
        application: "test".into(),
    };
    let epoch = table.open(hello.clone());
    table.welcomed();
    assert_eq!(said(&client.shared, epoch), Some(hello));
    let xid: Xid = "u1.1.00000000000000aa.7".parse().unwrap();
    let unheard_of = v1::PhaseTwo {
        attachment: 3,
        xid: xid.to_string(),
        call: "account.debit:1".to_owned(),
        alias: 2,
        kind: 1_000,
        ..v1::PhaseTwo::default()
    };
    let frame = v1::ServerFrame {
        id: 0,
        body: Some(v1::server_frame::Body::PhaseTwo(unheard_of)),
    };
    assert!(connection.take(frame).is_ok());
    match said(&client.shared, epoch) {
        Some(FromClient::BranchAnswer {
            attachment: 3,
            xid: of,
            alias,
            result: BranchResult::NotHere { error },
        }) => {
            assert_eq!((of, alias.0), (xid, 2));
            assert!(error.contains("cannot read the delivery"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

/// A database that is presented since was not cleaned: counted as if it were, it would be found
/// restored (RM10).
#[tokio::test]
async fn rm10_a_horizon_is_acknowledged_for_what_was_presented_when_it_came_alone() {
    let nowhere = client(&Told::at("127.0.0.1:1".parse().unwrap()));
    let account = Participant::new(&nowhere, "account");
    let shared = &nowhere.shared;
    let came = || {
        let incarnation = Incarnation {
            number: 1,
            random: 7,
        };
        let horizon = Horizon {
            counter: 9,
            ..Horizon::default()
        };
        perform(shared, Delivery::Horizon(1, incarnation, horizon)).unwrap()
    };
    let presented = shared.attachments.untold().await;
    assert_eq!(presented.len(), 1);
    let acked = came().await;
    assert!(
        matches!(acked, Some(FromClient::HorizonAck { counter: 9, .. })),
        "{acked:?}"
    );
    let before = came();
    shared.attachments.again(1);
    let between = came();
    shared.attachments.untold().await;
    for late in [before, between] {
        assert!(late.await.is_none());
    }
    assert!(came().await.is_some());
    drop(account);
}
