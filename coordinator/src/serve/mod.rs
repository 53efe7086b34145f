//! The coordinator served to other processes.
//!
//! ```text
//!  client process ══ one stream ══► stream ── Session ──► drive
//!                 ◄════════════════    └───── Deliveries ◄──┘
//! ```
//!
//! Each client process has one bidirectional stream (the module `stream`): its frames are decided in
//! the order in which they come, and answers go back as they are ready. Nothing is spawned for a
//! frame: whoever sends the response body also reads the requests, so a client that does not
//! read is not read from. What is delivered meanwhile is kept for it up to a bound, then its
//! connection is closed (the module `wire`).
//!
//! Loopback addresses only: other machines need TLS and a credential, which do not exist yet.

mod service;
mod stream;
mod wire;

#[cfg(test)]
mod tests;

/// The generated server.
#[allow(
    missing_debug_implementations,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::pedantic,
    reason = "generated"
)]
mod generated {
    include!("generated/unanimous.v1.rs");
}

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{Stream, unfold};
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::watch;
use unanimous_protocol::limits;

use self::generated::coordinator_server::CoordinatorServer;
use self::service::Service;
use self::wire::Wire;
use crate::Coordinator;
use crate::clock::Clock;

/// Streams of one connection: a client process needs one, and one for an operator's requests.
const STREAMS_MAX: u32 = 256;
/// How long a connection that could not be accepted keeps the next one waiting.
const ACCEPT_AGAIN: Duration = Duration::from_millis(20);
/// How long the end waits for clients to take their last answers.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// An address at which a coordinator is served. Clients that connect before it serves wait.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    keep_alive: Duration,
}

/// Why a coordinator cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The text is no address, or names no host that is known here.
    #[error(
        "`{listen}` is not an address to listen at: {source}; write 127.0.0.1:7070, or port 0 for a free one"
    )]
    Address {
        /// The text.
        listen: String,
        /// What is wrong with it.
        source: io::Error,
    },
    /// Other machines could reach the address.
    #[error(
        "`{listen}` can be reached from other machines, which needs TLS and a credential; neither exists yet: listen at a loopback address, such as 127.0.0.1:7070"
    )]
    NotLoopback {
        /// The text.
        listen: String,
    },
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The listener failed while it served.
    #[error("the server failed: {0}")]
    Transport(#[from] tonic::transport::Error),
}

impl Listener {
    /// Listens at `listen`, `HOST:PORT`; port 0 picks a free one.
    ///
    /// # Errors
    ///
    /// When it is no loopback address, or is in use.
    pub async fn bind(listen: &str) -> Result<Self, ServeError> {
        let wrong = |source| ServeError::Address {
            listen: listen.to_owned(),
            source,
        };
        let addresses: Vec<_> = lookup_host(listen).await.map_err(wrong)?.collect();
        let Some(first) = addresses.first().copied() else {
            return Err(wrong(io::ErrorKind::NotFound.into()));
        };
        if addresses.iter().any(|address| !address.ip().is_loopback()) {
            return Err(ServeError::NotLoopback {
                listen: listen.to_owned(),
            });
        }
        let failed = |source| ServeError::Listen {
            address: first,
            source,
        };
        let socket = TcpListener::bind(addresses.as_slice())
            .await
            .map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(Self {
            socket,
            address,
            keep_alive: limits::KEEP_ALIVE,
        })
    }

    /// How often a silent client is asked for a sign of life, and how long that may take before it
    /// is detached; what it asked for stays, and it connects again once it can. Default:
    /// [`KEEP_ALIVE`](limits::KEEP_ALIVE).
    #[must_use]
    pub fn keep_alive(mut self, keep_alive: Duration) -> Self {
        self.keep_alive = keep_alive;
        self
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves a coordinator until `until` completes. Then the coordinator stops in order, with its
    /// clients still served while it drains, and the streams end.
    ///
    /// Dropping the future closes the listener at once; the coordinator is left running.
    ///
    /// # Errors
    ///
    /// When the listener fails; the coordinator has stopped all the same.
    pub async fn serve(
        self,
        coordinator: Coordinator,
        until: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let (closing, closed) = watch::channel(false);
        let service = CoordinatorServer::new(Service::new(coordinator.clone(), closed))
            .max_decoding_message_size(limits::FRAME_BYTES_MAX)
            .max_encoding_message_size(limits::FRAME_BYTES_MAX);
        let (mut ending, clock) = (closing.subscribe(), coordinator.clock());
        let serving = tonic::transport::Server::builder()
            .max_concurrent_streams(STREAMS_MAX)
            .http2_keepalive_interval(Some(self.keep_alive))
            .http2_keepalive_timeout(Some(self.keep_alive))
            .serve_with_incoming_shutdown(
                service,
                connections(async move || self.socket.accept().await, clock),
                // The sender lives until this function returns.
                async move { drop(ending.wait_for(|ending| *ending).await) },
            );
        tokio::pin!(serving);
        let failure = tokio::select! {
            result = &mut serving => result.err(),
            () = until => None,
        };
        if let Some(failure) = failure {
            coordinator.stop().await;
            return Err(failure.into());
        }
        // Clients are served on while the coordinator drains.
        let served = tokio::select! {
            served = &mut serving => Some(served),
            () = coordinator.stop() => None,
        };
        match served {
            None => {
                closing.send_replace(true);
                last_answers(serving).await;
                Ok(())
            }
            Some(served) => {
                coordinator.stop().await;
                served.map_err(Into::into)
            }
        }
    }
}

/// The connections as they are made. Nobody else tells of one that cannot be accepted, nor waits
/// until there is room again: files are the first that a machine runs out of.
fn connections<A>(accept: A, clock: Arc<dyn Clock>) -> impl Stream<Item = io::Result<Wire>>
where
    A: AsyncFn() -> io::Result<(TcpStream, SocketAddr)>,
{
    unfold((accept, clock), async |(accept, clock)| {
        loop {
            match accept().await {
                Ok((connection, _)) => {
                    // Without it answers are late, and all the same answers.
                    let _ = connection.set_nodelay(true);
                    return Some((Ok(Wire::new(connection)), (accept, clock)));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    clock
                        .sleep_until(clock.now().saturating_add(ACCEPT_AGAIN))
                        .await;
                }
            }
        }
    })
}

/// Gives clients a moment to take their last answers; one that does not read is not waited for.
async fn last_answers(serving: impl Future<Output = Result<(), tonic::transport::Error>>) {
    let _ = tokio::time::timeout(LAST_ANSWERS, serving).await;
}
