//! The driver: performs what [`decide`](crate::decide) says, with a store, a clock and randomness
//! that are parameters.
//!
//! ```text
//!  Session ── request ──► Core (one mutex) ── decide ──► effects
//!     ▲                                                    │ Append ──► store ──► durable
//!     ├── Answer ◄───────────────── Say, now or once durable            │
//!     └── Deliveries ◄───────────── Say                 ◄───────────────┘
//! ```
//!
//! A request is decided in its caller's thread before the call returns: nothing is spawned for it,
//! and dropping the answer never takes it back. What must be durable first is told by the store's
//! own thread. One task fires the timers.

mod answer;
mod core;
mod open;
mod options;
mod people;
mod session;
mod timers;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use unanimous_protocol::message::{AdminAnswer, AdminRequest};
use unanimous_protocol::{Incarnation, LogId};

use self::core::{Core, Progress};
#[cfg(feature = "serve")]
use crate::clock::Clock;

#[cfg(feature = "serve")]
pub(crate) use self::core::Cut;

pub use answer::{Answer, ServiceError};
pub use options::{OpenError, Options, Settings};
pub use session::{Deliveries, Delivery, Session};

/// A coordinator in this process. Cloning is cheap: clones are handles to one coordinator.
///
/// Dropping the last handle and the last [`Session`] closes the store soon after; transactions that
/// were open then roll back at the next start (TC2). [`Coordinator::stop`] does it in order, and
/// the file is free once it has returned.
#[derive(Clone, Debug)]
pub struct Coordinator {
    core: Arc<Core>,
}

/// How a coordinator is doing.
#[derive(Clone, Debug)]
pub struct Health {
    /// Whether it serves.
    pub status: Status,
    /// The identity of its log.
    pub log: LogId,
    /// This start.
    pub incarnation: Incarnation,
    /// How many transactions are open or being decided.
    pub undecided: usize,
    /// How many clients are attached for phase two.
    pub attached: usize,
    /// How long it has been running.
    pub uptime: Duration,
}

/// Whether a coordinator serves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Status {
    /// It serves.
    Serving,
    /// The disk is full: what was decided is finished, nothing begins.
    StoreFull,
    /// It is stopping: what is open may still be decided, nothing begins.
    Stopping,
    /// It answers nothing any more.
    Ended(ServiceError),
}

impl Coordinator {
    /// Starts a coordinator on its log: verifies the store, forces a new incarnation (TC1), rolls
    /// back what was undecided (TC2) and goes on with phase two of what was decided (TC10).
    ///
    /// Must be called within a tokio runtime, whose timers it uses from then on. Dropping the
    /// future gives the start up.
    ///
    /// # Errors
    /// [`OpenError`] names the file and the way out; a refused file is left as it was.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let core = open::open(options).await?;
        Ok(Self { core })
    }

    /// A session of one client process: `application` is a name for people, `principal` the
    /// authenticated client, `anonymous` where none is.
    #[must_use]
    pub fn session(&self, application: &str, principal: &str) -> Session {
        Session::new(&self.core, application, principal)
    }

    /// What an operator, a console or a test asks (OP1 to OP5). The request is handed over before
    /// this returns.
    pub fn admin(&self, request: AdminRequest) -> Answer<AdminAnswer> {
        self.core.admin(request)
    }

    /// How it is doing.
    #[must_use]
    pub fn health(&self) -> Health {
        self.core.health()
    }

    /// The clock that it was given.
    #[cfg(feature = "serve")]
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.core.clock)
    }

    /// Completes once it answers nothing any more, and tells why: it was stopped, or its store failed
    /// (E4) and it has to be started again. Cancel safe.
    pub async fn ended(&self) -> ServiceError {
        let mut progress = self.core.progress.subscribe();
        // The sender is in the core.
        let ended = progress
            .wait_for(|progress| *progress == Progress::Ended)
            .await;
        drop(ended);
        self.core.ended().unwrap_or(ServiceError::Stopped)
    }

    /// Stops in order: begins nothing more, waits for what is open within the drain time, rolls
    /// the rest back and closes the store. Nothing survives as open.
    ///
    /// Concurrent calls wait for the same stop. A dropped call leaves it half done; call it again.
    pub async fn stop(&self) {
        open::stop(&self.core).await;
    }

    /// Fires the timers that are due by the clock, as the timer task does by itself. For tests
    /// with a manual clock: afterwards everything due has been said.
    #[doc(hidden)]
    pub async fn fire_due(&self) {
        timers::fire_due(&self.core).await;
    }
}
