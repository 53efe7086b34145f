//! Connects, attaches, reads; and again, when the stream is lost.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::StreamExt as _;
use tokio::sync::watch;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};
use unanimous_protocol::message::BranchResult;
use unanimous_protocol::wire::frame::AttachmentId;
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
        let (client, mut incoming, epoch) = match self.open().await {
            Ok(opened) => opened,
            Err(failure) => return failure,
        };
        match self.first(&mut incoming).await {
            Ok(()) => *was_welcomed = true,
            Err(failure) => return failure,
        }
        self.shared.link.0.send_replace(Some(client));
        self.shared.table.welcomed();
        tracing::info!(coordinator = %self.shared.address, "connected");
        tokio::select! {
            failure = self.read(&mut incoming) => failure,
            never = self.attach(epoch) => match never {},
        }
    }

    async fn open(&self) -> Result<(Client, Streaming<v1::ServerFrame>, Epoch), Failure> {
        let channel = self.channel().await?;
        let mut client = CoordinatorClient::new(channel)
            .max_decoding_message_size(limits::FRAME_BYTES_MAX)
            .max_encoding_message_size(limits::FRAME_BYTES_MAX);
        let hello = FromClient::Hello {
            version: wire::VERSION,
            application: Arc::clone(&self.shared.application),
        };
        let epoch = self.shared.table.open(hello);
        let outgoing = Outgoing::new(Arc::clone(&self.shared), epoch);
        let opened = client
            .connect(outgoing)
            .await
            .map_err(|status| failure(&status))?;
        Ok((client, opened.into_inner(), epoch))
    }

    /// Resolves the address anew and takes the first that answers.
    async fn channel(&self) -> Result<Channel, Failure> {
        let resolved = self.resolver.resolve().await;
        let addresses = resolved.map_err(|error| Failure::unavailable(error.to_string()))?;
        let mut last = Failure::unavailable("its name has no address");
        for address in addresses {
            if !address.ip().is_loopback() {
                let why = not_loopback(&address.to_string()).into();
                return Err(Failure {
                    kind: FailureKind::Refused,
                    why,
                });
            }
            match endpoint(address) {
                Ok(endpoint) => match endpoint.connect().await {
                    Ok(channel) => return Ok(channel),
                    Err(error) => last = Failure::unavailable(chain(&error)),
                },
                Err(error) => last = Failure::unavailable(chain(&error)),
            }
        }
        Err(last)
    }

    /// The coordinator's first frame.
    async fn first(&self, incoming: &mut Streaming<v1::ServerFrame>) -> Result<(), Failure> {
        let first = tokio::select! {
            biased;
            first = next(incoming) => first?,
            () = self.shared.clock.sleep(limits::RECONNECT_MAX) => {
                return Err(Failure::unavailable("it does not welcome the stream"));
            }
        };
        match FromServer::of_frame(first) {
            Ok(FromServer::Welcome { version }) if (1..=wire::VERSION).contains(&version) => Ok(()),
            Ok(FromServer::Welcome { version }) => Err(protocol(&format!(
                "it speaks version {version} of the protocol, this client version {}; upgrade this \
                 client first",
                wire::VERSION
            ))),
            Ok(FromServer::Failure { kind, why }) => Err(Failure { kind, why }),
            Ok(_) => Err(protocol("its first frame is not `welcome`")),
            Err(error) => Err(protocol(&error.to_string())),
        }
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
                    None => self.shared.table.answered(id, Err(protocol(&why))),
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
            FromServer::Attached(verdicts) => self.attached(verdicts),
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

    fn failed(&self, id: u64, failure: Failure) {
        // A coordinator that has stopped ends the stream; what it did not answer is asked again.
        if failure.kind != FailureKind::Unavailable {
            self.shared.table.answered(id, Err(failure));
        }
    }

    fn attached(
        &self,
        verdicts: Vec<(
            u64,
            Result<
                unanimous_protocol::message::Attached,
                unanimous_protocol::message::AttachRefused,
            >,
        )>,
    ) {
        for (id, verdict) in verdicts {
            let Some(handler) = self.shared.attachments.handler(id) else {
                // It was dropped while it was being presented, so its farewell came too early.
                self.shared.table.detach(id);
                continue;
            };
            match verdict {
                Ok(attached) => handler.attached(attached),
                Err(refused) => {
                    handler.refused(refused);
                    self.shared.attachments.again(id);
                }
            }
        }
    }

    /// Attaches all handlers at once, and later those that are added, were refused or have changed.
    async fn attach(&self, epoch: Epoch) -> std::convert::Infallible {
        let Shared {
            table,
            attachments,
            clock,
            ..
        } = &*self.shared;
        loop {
            let untold = attachments.untold().await;
            if !untold.is_empty() {
                table.attach(epoch, FromClient::Attach(untold));
            }
            tokio::select! {
                () = attachments.added.notified() => {}
                changed = attachments.changed() => attachments.again(changed),
                () = clock.sleep(limits::RECONNECT_MAX) => {}
            }
        }
    }
}

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
