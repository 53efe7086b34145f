//! `unanimous serve`.

use std::io::Read as _;

use tokio::signal;
use tokio::sync::oneshot;
use tracing_subscriber::filter::LevelFilter;
use unanimous_coordinator::drive::ServiceError;
use unanimous_coordinator::serve::Listener;
use unanimous_coordinator::{Coordinator, Options};

use super::Failure;
use super::args::{Level, Serve};

/// Serves until a signal, or until standard input closes where that was asked for.
pub(crate) async fn run(serve: Serve) -> Result<(), Failure> {
    tell(serve.log);
    // First, so that a mistake in the address leaves no trace in the log.
    let listener = Listener::bind(&serve.listen).await?;
    let options = Options::redb(&serve.store)
        .wait(serve.wait)
        .restored(serve.restored);
    let coordinator = Coordinator::open(options).await?;
    let stop = Stop::listen(serve.stop_with_stdin)?;
    println!("listening on {}", listener.local_addr());
    let (stopping, stopped) = oneshot::channel();
    let failed = failed(coordinator.clone());
    let served = listener.serve(coordinator, async move {
        stop.wait().await;
        eprintln!(
            "stopping: what is open is waited for, then rolled back; a second signal ends at once"
        );
        // The other end lives until the service has ended.
        let _ = stopping.send(());
    });
    let second = async {
        // Dropped unsent when the listener fails, which `served` tells.
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
        match Stop::listen(false) {
            Ok(stop) => stop.wait().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        served = served => Ok(served?),
        error = failed => Err(error.into()),
        () = second => Err("ended before it had drained; what was open rolls back at the next start".into()),
    }
}

/// Completes when only another start helps (E4): whoever runs this command can start it again. A log
/// that was replaced goes on to refuse every request with that (TC14).
async fn failed(coordinator: Coordinator) -> ServiceError {
    match coordinator.ended().await {
        ServiceError::Stopped | ServiceError::Replaced { .. } => std::future::pending().await,
        failed => failed,
    }
}

/// Tells what happens on standard error.
fn tell(level: Level) {
    let level = match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .init();
}

/// What ends the service. Signals count from [`Stop::listen`] on, also before they are waited for.
struct Stop {
    #[cfg(unix)]
    interrupt: signal::unix::Signal,
    #[cfg(unix)]
    terminate: signal::unix::Signal,
    with_stdin: bool,
}

impl Stop {
    fn listen(with_stdin: bool) -> std::io::Result<Self> {
        Ok(Self {
            #[cfg(unix)]
            interrupt: signal::unix::signal(signal::unix::SignalKind::interrupt())?,
            #[cfg(unix)]
            terminate: signal::unix::signal(signal::unix::SignalKind::terminate())?,
            with_stdin,
        })
    }

    #[cfg(unix)]
    async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = stdin_closed(), if self.with_stdin => {}
        }
    }

    #[cfg(not(unix))]
    async fn wait(self) {
        tokio::select! {
            _ = signal::ctrl_c() => {}
            () = stdin_closed(), if self.with_stdin => {}
        }
    }
}

/// Read by a thread of its own: a read that never returns must not hold up the end.
async fn stdin_closed() {
    let (closed, told) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        // An error ends it as well: nobody holds the other end any more.
        while matches!(std::io::stdin().read(&mut buffer), Ok(1..)) {}
        drop(closed);
    });
    // Completes when the sender is dropped.
    drop(told.await);
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use unanimous_coordinator::store::MemoryDisk;

    use super::*;

    #[tokio::test]
    async fn e4_a_store_that_fails_ends_the_command_and_a_stop_does_not() {
        let open = async |disk: &MemoryDisk| {
            let options = Options::over(disk.open());
            Coordinator::open(options).await.unwrap()
        };
        let disk = MemoryDisk::new();
        let coordinator = open(&disk).await;
        let mut ends = Box::pin(failed(coordinator));
        assert!((&mut ends).now_or_never().is_none());
        disk.fail();
        let error = ends.await;
        assert!(matches!(error, ServiceError::StoreFailed(_)), "{error}");

        let coordinator = open(&MemoryDisk::new()).await;
        let mut ends = Box::pin(failed(coordinator.clone()));
        coordinator.stop().await;
        assert!((&mut ends).now_or_never().is_none());
    }
}
