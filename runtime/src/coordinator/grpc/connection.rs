//! Connects, attaches, reads; and again, when the stream is lost.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::StreamExt as _;
use tokio::sync::watch;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};
use unanimous_protocol::message::{Attach, AttachRefused, Attached, BranchResult};
use unanimous_protocol::wire::frame::{AttachmentId, FrameId};
use unanimous_protocol::wire::{self, FailureKind, FromClient, FromServer, v1};
use unanimous_protocol::{Alias, limits};

use super::generated::coordinator_client::CoordinatorClient;
use super::outgoing::Outgoing;
use super::resolve::{Resolve, not_loopback};
use super::table::Epoch;
use super::{Failure, Shared};
use crate::backoff::{Backoff, Entropy};

/// Bytes that may be under way before the reader has taken them: a whole burst of answers.
const WINDOW: u32 = 4 * 1024 * 1024;

type Client = CoordinatorClient<Channel>;

/// A stream whose coordinator has said its first word.
struct Opened {
    client: Client,
    incoming: Streaming<v1::ServerFrame>,
    epoch: Epoch,
}

/// The client of the current connection, for an operator's requests.
pub(super) struct Link(watch::Sender<Option<Client>>);

impl Default for Link {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Link {
    /// Waits for a connection.
    pub(super) async fn client(&self) -> Client {
        let mut link = self.0.subscribe();
        loop {
            let client = link.borrow_and_update().clone();
            if let Some(client) = client {
                return client;
            }
            if link.changed().await.is_err() {
                // The sender lives as long as this link.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// The task that owns the connection.
pub(super) struct Connection {
    shared: Arc<Shared>,
    resolver: Arc<dyn Resolve>,
    entropy: Entropy,
}

impl Connection {
    pub(super) fn new(shared: Arc<Shared>, resolver: Arc<dyn Resolve>, entropy: Entropy) -> Self {
        Self {
            shared,
            resolver,
            entropy,
        }
    }

    /// Never ends by itself.
    pub(super) async fn run(self) {
        tokio::join!(self.connect(), self.expire());
    }

    /// Gives up requests that have waited long enough.
    async fn expire(&self) {
        let Shared { table, clock, .. } = &*self.shared;
        loop {
            match table.expire(clock.now()) {
                None => table.added.notified().await,
                Some(at) => tokio::select! {
                    () = table.added.notified() => {}
                    () = clock.sleep_until(at) => {}
                },
            }
        }
    }

    async fn connect(&self) {
        let fresh = || {
            Backoff::new(
                limits::RECONNECT_MIN,
                limits::RECONNECT_MAX,
                self.entropy.clone(),
            )
        };
        let mut backoff = fresh();
        let mut is_told = false;
        loop {
            let mut was_welcomed = false;
            let failure = self.stream(&mut was_welcomed).await;
            self.shared.link.0.send_replace(None);
            self.shared.table.lost(&failure);
            self.shared.attachments.lost();
            if failure.kind != FailureKind::Unavailable {
                let why = Arc::clone(&failure.why);
                let refused = AttachRefused::NotTaken { why };
                self.shared.attachments.unattachable(&refused);
            }
            if was_welcomed {
                tracing::warn!(coordinator = %self.shared.address, why = %failure.why, "the stream is lost");
                backoff = fresh();
                is_told = false;
            } else if !is_told {
                tracing::warn!(coordinator = %self.shared.address, why = %failure.why, "not connected, and tried again until it is: is `unanimous serve` running there?");
                is_told = true;
            } else {
                tracing::debug!(coordinator = %self.shared.address, why = %failure.why, "not connected");
            }
            self.shared.clock.sleep(backoff.wait()).await;
        }
    }

    /// One stream, from its opening to its end; tells why it ended.
    async fn stream(&self, was_welcomed: &mut bool) -> Failure {
        let Opened {
            client,
            mut incoming,
            epoch,
        } = match self.open().await {
            Ok(opened) => opened,
            Err(failure) => return failure,
        };
        *was_welcomed = true;
        self.shared.link.0.send_replace(Some(client));
        self.shared.table.welcomed();
        tracing::info!(coordinator = %self.shared.address, "connected");
        tokio::select! {
            failure = self.read(&mut incoming) => failure,
            never = self.attach(epoch) => match never {},
        }
    }

    /// Resolves the address anew, and takes the first of its addresses where a coordinator answers:
    /// something else may be listening at another.
    async fn open(&self) -> Result<Opened, Failure> {
        let resolved = self.resolver.resolve().await;
        let resolved = resolved.map_err(|error| Failure::unavailable(error.to_string()))?;
        let here = resolved.iter().filter(|address| address.ip().is_loopback());
        let mut failure = None;
        for address in here {
            match self.open_at(*address).await {
                Ok(opened) => return Ok(opened),
                // As long as one of them may come back, all is not lost.
                Err(found) if found.kind == FailureKind::Unavailable => failure = Some(found),
                Err(found) => failure = failure.or(Some(found)),
            }
        }
        Err(failure.unwrap_or_else(|| match resolved.first() {
            None => Failure::unavailable("its name has no address"),
            Some(elsewhere) => Failure {
                kind: FailureKind::Refused,
                why: not_loopback(&elsewhere.to_string()).into(),
            },
        }))
    }

    async fn open_at(&self, address: SocketAddr) -> Result<Opened, Failure> {
        let connected = async { endpoint(address)?.connect().await };
        let channel = connected.await;
        let channel = channel.map_err(|error| Failure::unavailable(chain(&error)))?;
        let client = CoordinatorClient::new(channel)
            .max_decoding_message_size(limits::FRAME_BYTES_MAX)
            .max_encoding_message_size(limits::FRAME_BYTES_MAX);
        tokio::select! {
            biased;
            opened = self.welcomed(client) => opened,
            () = self.shared.clock.sleep(limits::RECONNECT_MAX) => {
                Err(Failure::unavailable("it does not welcome the stream"))
            }
        }
    }

    /// Opens a stream, up to the coordinator's first frame.
    async fn welcomed(&self, mut client: Client) -> Result<Opened, Failure> {
        let hello = FromClient::Hello {
            version: wire::VERSION,
            application: Arc::clone(&self.shared.application),
        };
        let epoch = self.shared.table.open(hello);
        let outgoing = Outgoing::new(Arc::clone(&self.shared), epoch);
        let opened = client.connect(outgoing).await;
        let mut incoming = opened.map_err(|status| failure(&status))?.into_inner();
        let first = next(&mut incoming).await?;
        let (version, who) = match FromServer::of_frame(first) {
            Ok(FromServer::Welcome { version }) if version == wire::VERSION => {
                return Ok(Opened {
                    client,
                    incoming,
                    epoch,
                });
            }
            Ok(FromServer::Welcome { version }) if version < wire::VERSION => {
                (version, "the coordinator")
            }
            Ok(FromServer::Welcome { version }) => (version, "this client"),
            Ok(FromServer::Failure { kind, why }) => return Err(Failure { kind, why }),
            Ok(_) => return Err(protocol("its first frame is not `welcome`")),
            Err(error) => return Err(protocol(&error.to_string())),
        };
        Err(protocol(&format!(
            "it speaks version {version} of the protocol, this client version {}; upgrade {who} first",
            wire::VERSION
        )))
    }

    async fn read(&self, incoming: &mut Streaming<v1::ServerFrame>) -> Failure {
        loop {
            let frame = match next(incoming).await {
                Ok(frame) => frame,
                Err(failure) => return failure,
            };
            if let Err(failure) = self.take(frame) {
                return failure;
            }
        }
    }

    /// Does what a frame says; tells why the stream has ended, if it has.
    pub(super) fn take(&self, frame: v1::ServerFrame) -> Result<(), Failure> {
        let (id, delivered) = (frame.id, delivered(&frame));
        let frame = match FromServer::of_frame(frame) {
            Ok(frame) => frame,
            Err(error) => {
                tracing::error!(%error, id, "the coordinator sent what is not understood");
                let why = error.to_string();
                match delivered {
                    Some(delivered) => self.not_here(delivered, &why),
                    None => self.failed(id, protocol(&why)),
                }
                return Ok(());
            }
        };
        match frame {
            FromServer::Answer(answer) => self.shared.table.answered(id, Ok(answer)),
            FromServer::Failure { kind, why } => {
                let failure = Failure { kind, why };
                if id == 0 {
                    return Err(failure);
                }
                self.failed(id, failure);
            }
            FromServer::Attached(verdicts) => self.attached(id, verdicts),
            FromServer::PhaseTwo(id, phase_two) => {
                self.shared.attachments.phase_two(id, phase_two);
            }
            FromServer::Horizon(id, incarnation, horizon) => {
                self.shared.attachments.horizon(id, incarnation, horizon);
            }
            FromServer::Welcome { .. } => return Err(protocol("it welcomed the stream twice")),
        }
        Ok(())
    }

    /// A phase two that this version cannot read: another instance may be of a version that can.
    fn not_here(&self, (attachment, xid, alias): Delivered, why: &str) {
        let Ok(xid) = xid.parse() else { return };
        let error = format!("this version cannot read the delivery: {why}").into();
        self.shared.table.tell(FromClient::BranchAnswer {
            attachment,
            xid,
            alias,
            result: BranchResult::NotHere { error },
        });
    }

    fn failed(&self, id: FrameId, failure: Failure) {
        // A coordinator that has stopped ends the stream; what it did not answer is asked again.
        if failure.kind == FailureKind::Unavailable {
            return;
        }
        match self.shared.table.presented(id) {
            Some(ids) => {
                let why = failure.why;
                let refused = AttachRefused::NotTaken { why };
                self.shared.attachments.refused(&ids, &refused);
            }
            None => self.shared.table.answered(id, Err(failure)),
        }
    }

    fn attached(&self, id: FrameId, verdicts: Vec<Verdict>) {
        let Shared {
            attachments, table, ..
        } = &*self.shared;
        table.presented(id);
        for (id, verdict) in verdicts {
            let Some(handler) = attachments.handler(id) else {
                // It was dropped while it was being presented, so its farewell came too early.
                table.detach(id);
                continue;
            };
            match verdict {
                Ok(attached) => handler.attached(attached),
                Err(refused) => attachments.refused(&[id], &refused),
            }
        }
    }

    /// Attaches all handlers at once, and later those that are added, were refused or have changed.
    async fn attach(&self, epoch: Epoch) -> std::convert::Infallible {
        let Shared {
            attachments, clock, ..
        } = &*self.shared;
        loop {
            let untold = attachments.untold().await;
            self.present(epoch, untold);
            tokio::select! {
                () = attachments.added.notified() => {}
                changed = attachments.changed() => attachments.again(changed),
                () = clock.sleep(limits::RECONNECT_MAX) => {}
            }
        }
    }

    /// Presents them in one frame or, where they are too many for that, each in its own. One that
    /// fits no frame would end the stream, time and again.
    fn present(&self, epoch: Epoch, presented: Vec<(AttachmentId, Attach)>) {
        if presented.is_empty() {
            return;
        }
        let ids: Vec<_> = presented.iter().map(|(id, _)| *id).collect();
        let frame = FromClient::Attach(presented);
        let bytes = frame.frame_bytes();
        if bytes <= limits::FRAME_BYTES_MAX {
            return self.shared.table.attach(epoch, ids, frame);
        }
        match frame {
            FromClient::Attach(presented) if presented.len() > 1 => {
                for one in presented {
                    self.present(epoch, vec![one]);
                }
            }
            _ => {
                let max = limits::FRAME_BYTES_MAX;
                let why = format!(
                    "what this process presents to the coordinator has {bytes} bytes, at most {max} \
                     are taken: provide fewer participants or databases in one runtime"
                );
                let refused = AttachRefused::NotTaken { why: why.into() };
                self.shared.attachments.refused(&ids, &refused);
            }
        }
    }
}

/// What the coordinator says of one attachment.
type Verdict = (AttachmentId, Result<Attached, AttachRefused>);

/// Which phase two a frame delivers, as far as its answer needs it.
type Delivered = (AttachmentId, String, Alias);

fn delivered(frame: &v1::ServerFrame) -> Option<Delivered> {
    match &frame.body {
        Some(v1::server_frame::Body::PhaseTwo(phase_two)) => {
            let alias = Alias(phase_two.alias);
            Some((phase_two.attachment, phase_two.xid.clone(), alias))
        }
        _ => None,
    }
}

async fn next(incoming: &mut Streaming<v1::ServerFrame>) -> Result<v1::ServerFrame, Failure> {
    match incoming.next().await {
        Some(Ok(frame)) => Ok(frame),
        Some(Err(status)) => Err(failure(&status)),
        None => Err(Failure::unavailable("it closed the stream")),
    }
}

fn endpoint(address: SocketAddr) -> Result<Endpoint, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
    Ok(endpoint
        .connect_timeout(limits::RECONNECT_MAX)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(limits::KEEP_ALIVE)
        .keep_alive_timeout(limits::KEEP_ALIVE)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW))
}

fn protocol(why: &str) -> Failure {
    Failure {
        kind: FailureKind::Protocol,
        why: why.into(),
    }
}

/// Why a stream has no more frames. Only a server that serves something else is no coordinator;
/// all others may come back.
fn failure(status: &Status) -> Failure {
    match status.code() {
        Code::Unimplemented => protocol("no coordinator is served there"),
        _ => Failure::unavailable(match status.message() {
            "" => format!("the stream ended with {:?}", status.code()),
            message => message.to_owned(),
        }),
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
