//! Serves the embedded coordinator to other processes: `embedded:PATH?listen=127.0.0.1:PORT`.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use unanimous_coordinator::drive::Coordinator;
use unanimous_coordinator::serve::{Listener, ServeError};

/// An embedded coordinator being served; dropped, it closes its listener at once.
pub(super) struct Serving {
    address: SocketAddr,
    running: Mutex<Option<Running>>,
}

struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Serving {
    /// Serves from now on.
    pub(super) fn start(listener: Listener, coordinator: Coordinator) -> Self {
        let (stop, stopped) = oneshot::channel();
        let address = listener.local_addr();
        let until = async {
            // Dropped unsent with the runtime, which ends the service as well.
            let _ = stopped.await;
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "the server belongs to no transaction"
        )]
        let task = tokio::spawn(listener.serve(coordinator, until));
        Self {
            address,
            running: Mutex::new(Some(Running { stop, task })),
        }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops the coordinator in order, its clients served while it drains.
    pub(super) fn stop(&self) -> impl Future<Output = ()> + Send + use<> {
        let running = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        async move {
            let Some(Running { stop, task }) = running else {
                return;
            };
            // The task may have ended by itself: its listener failed.
            let _ = stop.send(());
            match task.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "the embedded coordinator's listener"),
                Err(error) => tracing::error!(%error, "the embedded coordinator's listener"),
            }
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let running = self
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Running { task, .. }) = running {
            task.abort();
        }
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
