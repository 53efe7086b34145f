//! A process that can be killed: a tokio runtime of its own, whose tasks are dropped where they
//! stand.

use std::sync::Arc;

use tokio::task::JoinHandle;
use unanimous::coordinator::Coordinator;

use crate::wire::Wire;
use crate::world::{Site, World, coordinator};

/// What runs in one tokio runtime.
pub(crate) struct Process<T> {
    tokio: tokio::runtime::Runtime,
    pub(crate) inside: Arc<T>,
}

impl<T: Send + Sync + 'static> Process<T> {
    pub(crate) fn start(start: impl Future<Output = T>) -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let tokio = builder
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads can be started");
        let inside = Arc::new(tokio.block_on(start));
        Self { tokio, inside }
    }

    /// Runs something inside to its end.
    pub(crate) fn run<R>(&self, run: impl AsyncFnOnce(&T) -> R) -> R {
        self.tokio.block_on(run(&self.inside))
    }

    /// Starts something inside that a kill may find unfinished.
    pub(crate) fn spawn<F, R>(&self, run: impl FnOnce(Arc<T>) -> F) -> JoinHandle<R>
    where
        F: Future<Output = R> + Send + 'static,
        R: Send + 'static,
    {
        self.tokio.spawn(run(Arc::clone(&self.inside)))
    }

    /// Ends everything where it stands: tasks are dropped, and none can be started any more.
    pub(crate) fn kill(self) {
        let Self { tokio, inside } = self;
        drop(tokio);
        assert_eq!(
            Arc::strong_count(&inside),
            1,
            "something outlived its process"
        );
    }
}

impl Process<World> {
    /// A process with the coordinator in it.
    pub(crate) fn embedded(site: &Site) -> Self {
        Self::start(World::start(site))
    }

    /// A process whose coordinator is at the other end of the wire.
    pub(crate) fn at(wire: &Wire, site: &Site) -> Self {
        Self::start(World::on(site, Arc::new(wire.clone())))
    }

    /// Settles, checks and ends in order.
    pub(crate) fn end(self) {
        self.run(async |world| {
            world.settle().await;
            world.runtime.shutdown().await;
        });
    }
}

/// A coordinator in a process of its own.
pub(crate) struct Server {
    process: Process<Arc<dyn Coordinator>>,
}

impl Server {
    pub(crate) fn start(site: &Site) -> Self {
        Self::at(&site.embedded())
    }

    /// With a log and options of its own.
    pub(crate) fn at(url: &str) -> Self {
        Self {
            process: Process::start(coordinator(url)),
        }
    }

    pub(crate) fn wire(&self) -> Wire {
        Wire::to(self.coordinator())
    }

    pub(crate) fn coordinator(&self) -> Arc<dyn Coordinator> {
        Arc::clone(&self.process.inside)
    }

    /// Kills it; the wire to it is cut.
    pub(crate) fn kill(self, wire: &Wire) {
        wire.cut();
        self.process.kill();
    }

    /// Kills it and starts it again on the same log.
    pub(crate) fn restart(self, wire: &Wire, site: &Site) -> Self {
        self.kill(wire);
        let next = Self::start(site);
        wire.connect(next.coordinator());
        next
    }
}
