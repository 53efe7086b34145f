//! The coordinator inside this process: a function call away, its log a file or nothing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use unanimous_coordinator as tc;
use unanimous_protocol::message::{
    AdminAnswer, AdminRequest, Attach, Began, Begin, BeginRefused, Commit, DecisionAnswer,
    InDoubtAnswer, InDoubtQuestion, JoinRefused, Joined, PhaseTwo, Register, Report, ReportAnswer,
};
use unanimous_protocol::{Xid, limits};

use super::{
    Answer, Attachment, Capabilities, Coordinator, CoordinatorError, OpenError, PhaseTwoHandler,
};
use crate::clock::Clock;
use crate::runtime::EmbeddedUrl;

/// A coordinator without a log: everything is forgotten with the process.
pub(crate) async fn memory(
    application: &Arc<str>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Coordinator>, OpenError> {
    let capabilities = Capabilities::full().volatile();
    let address = Arc::from("memory:");
    Embedded::open(
        tc::Options::memory(),
        address,
        capabilities,
        application,
        clock,
    )
    .await
}

/// A coordinator whose log is a file of this process alone.
pub(crate) async fn durable(
    url: EmbeddedUrl,
    application: &Arc<str>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn Coordinator>, OpenError> {
    let address = Arc::from(format!("embedded:{}", url.path.display()));
    let options = tc::Options::redb(url.path)
        .wait(url.wait)
        .restored(url.restored);
    Embedded::open(options, address, Capabilities::full(), application, clock).await
}

struct Embedded {
    coordinator: tc::Coordinator,
    session: tc::Session,
    address: Arc<str>,
    capabilities: Capabilities,
    application: Arc<str>,
    clock: Arc<dyn Clock>,
}

impl Embedded {
    async fn open(
        options: tc::Options,
        address: Arc<str>,
        capabilities: Capabilities,
        application: &Arc<str>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Arc<dyn Coordinator>, OpenError> {
        let options = options.clock(Arc::new(SharedClock(Arc::clone(clock))));
        let coordinator = tc::Coordinator::open(options).await?;
        let session = coordinator.session(application, "anonymous");
        let application = Arc::clone(application);
        let clock = Arc::clone(clock);
        Ok(Arc::new(Self {
            coordinator,
            session,
            address,
            capabilities,
            application,
            clock,
        }))
    }

    /// The answer, less its own kind of error.
    fn answer<T: Send + 'static>(&self, answer: tc::Answer<T>) -> Answer<T> {
        let address = Arc::clone(&self.address);
        Box::pin(async move { answer.await.map_err(|error| failure(address, &error)) })
    }
}

fn failure(coordinator: Arc<str>, error: &tc::ServiceError) -> CoordinatorError {
    let why = Arc::from(error.to_string());
    match error {
        tc::ServiceError::Stopped => CoordinatorError::Unavailable { coordinator, why },
        tc::ServiceError::Replaced { .. } => CoordinatorError::Refused { coordinator, why },
        _ => CoordinatorError::Failed { coordinator, why },
    }
}

impl Coordinator for Embedded {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn address(&self) -> Arc<str> {
        Arc::clone(&self.address)
    }

    fn begin(&self, begin: Begin) -> Answer<Result<Began, BeginRefused>> {
        self.answer(self.session.begin(begin))
    }

    fn register(&self, register: Register) -> Answer<Result<Joined, JoinRefused>> {
        self.answer(self.session.register(register))
    }

    fn report(&self, report: Report) -> Answer<ReportAnswer> {
        self.answer(self.session.report(report))
    }

    fn commit(&self, commit: Commit) -> Answer<DecisionAnswer> {
        self.answer(self.session.commit(commit))
    }

    fn rollback(&self, xid: Xid) -> Answer<DecisionAnswer> {
        self.answer(self.session.rollback(xid))
    }

    fn outcome(&self, xid: Xid) -> Answer<DecisionAnswer> {
        self.answer(self.session.outcome(xid))
    }

    fn in_doubt(&self, questions: Vec<InDoubtQuestion>) -> Answer<Vec<InDoubtAnswer>> {
        self.answer(self.session.in_doubt(questions))
    }

    fn admin(&self, request: AdminRequest) -> Answer<AdminAnswer> {
        self.answer(self.coordinator.admin(request))
    }

    fn attach(&self, handler: Arc<dyn PhaseTwoHandler>) -> Attachment {
        let session = self.coordinator.session(&self.application, "anonymous");
        let clock = Arc::clone(&self.clock);
        #[expect(
            clippy::disallowed_methods,
            reason = "phase two belongs to no caller's transaction"
        )]
        let task = tokio::spawn(serve(session, handler, clock));
        Attachment::new(move || task.abort())
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        let coordinator = self.coordinator.clone();
        Box::pin(async move { coordinator.stop().await })
    }
}

/// Keeps the handler attached and hands it what is delivered, until the coordinator ends.
async fn serve(session: tc::Session, handler: Arc<dyn PhaseTwoHandler>, clock: Arc<dyn Clock>) {
    loop {
        let attach: Attach = handler.attach().await;
        let resources: Vec<_> = attach
            .resources
            .iter()
            .map(|attached| attached.resource.clone())
            .collect();
        match session.attach(attach).await {
            Ok(Ok((attached, deliveries))) => {
                handler.attached(attached);
                deliver(&session, &*handler, deliveries, &resources).await;
                handler.detached();
            }
            Ok(Err(refused)) => handler.refused(refused),
            Err(error) => {
                tracing::debug!(%error, "the embedded coordinator has ended");
                return;
            }
        }
        clock.sleep(limits::RECONNECT_MAX).await;
    }
}

/// All deliveries run side by side in this one task; the coordinator bounds how many there are.
async fn deliver(
    session: &tc::Session,
    handler: &dyn PhaseTwoHandler,
    mut deliveries: tc::Deliveries,
    resources: &[unanimous_protocol::Resource],
) {
    let mut under_way = FuturesUnordered::<BoxFuture<'_, ()>>::new();
    loop {
        let delivery = tokio::select! {
            delivery = deliveries.next() => delivery,
            Some(()) = under_way.next() => continue,
        };
        match delivery {
            Some(tc::Delivery::PhaseTwo(phase_two)) => {
                let PhaseTwo { xid, alias, .. } = &*phase_two;
                let (xid, alias) = (xid.clone(), *alias);
                let performed = handler.phase_two(*phase_two);
                under_way.push(Box::pin(async move {
                    session.branch_result(xid, alias, performed.await);
                }));
            }
            Some(tc::Delivery::Horizon(incarnation, horizon)) => {
                let counter = horizon.counter;
                let stored = handler.horizon(incarnation, horizon);
                under_way.push(Box::pin(async move {
                    if stored.await {
                        for resource in resources {
                            session.horizon_acked(resource.clone(), incarnation, counter);
                        }
                    }
                }));
            }
            None => break,
        }
    }
    // What was delivered is finished, not halved.
    while under_way.next().await.is_some() {}
}

/// The runtime's clock, lent to the coordinator inside it.
#[derive(Debug)]
struct SharedClock(Arc<dyn Clock>);

impl tc::Clock for SharedClock {
    fn now(&self) -> Duration {
        self.0.now()
    }

    fn sleep_until(&self, at: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep_until(at)
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedded")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
