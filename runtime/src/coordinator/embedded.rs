//! The coordinator inside this process: a function call away, its log a file or nothing.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::watch;
use unanimous_coordinator::drive as tc;
#[cfg(feature = "listen")]
use unanimous_coordinator::serve::Listener;
use unanimous_protocol::message::{
    AdminAnswer, AdminRequest, Attach, AttachRefused, Began, Begin, BeginRefused, BranchResult,
    Commit, DecisionAnswer, InDoubtAnswer, InDoubtQuestion, JoinRefused, Joined, PhaseTwo,
    Register, Report, ReportAnswer,
};
use unanimous_protocol::{Xid, limits};

#[cfg(feature = "listen")]
use super::listen::Serving;
use super::{
    Answer, Attachment, Capabilities, Coordinator, CoordinatorError, Host, OpenError,
    PhaseTwoHandler,
};
use crate::clock::Clock;
use crate::runtime::EmbeddedUrl;

/// A coordinator without a log: everything is forgotten with the process.
pub(crate) async fn memory(host: &Host) -> Result<Arc<dyn Coordinator>, OpenError> {
    let coordinator = start(tc::Options::memory(), host).await?;
    let capabilities = Capabilities::full().volatile();
    let address = "memory:".to_owned();
    Ok(Arc::new(Embedded::new(
        coordinator,
        address,
        capabilities,
        host,
    )))
}

/// A coordinator whose log is a file of this process alone.
pub(crate) async fn durable(
    url: EmbeddedUrl,
    host: &Host,
) -> Result<Arc<dyn Coordinator>, OpenError> {
    // First, so that a mistake in the address leaves no trace in the log.
    let listener = match &url.listen {
        Some(listen) => Some(listen_at(listen).await?),
        None => None,
    };
    let address = format!("embedded:{}", url.path.display());
    let options = tc::Options::redb(url.path)
        .wait(url.wait)
        .restored(url.restored);
    let coordinator = start(options, host).await?;
    let mut embedded = Embedded::new(coordinator, address, Capabilities::full(), host);
    if let Some(listener) = listener {
        embedded.serve(listener);
    }
    Ok(Arc::new(embedded))
}

#[cfg(feature = "listen")]
async fn listen_at(listen: &str) -> Result<Listener, OpenError> {
    Ok(Listener::bind(listen).await?)
}

#[cfg(not(feature = "listen"))]
#[expect(clippy::unused_async, reason = "the same shape with the feature")]
async fn listen_at(listen: &str) -> Result<std::convert::Infallible, OpenError> {
    let url = format!("embedded:..?listen={listen}");
    Err(OpenError::Feature {
        url,
        feature: "listen",
    })
}

async fn start(options: tc::Options, host: &Host) -> Result<tc::Coordinator, OpenError> {
    let mut settings = tc::Settings::default();
    settings.drain = host.drain;
    let clock = Arc::new(SharedClock(Arc::clone(&host.clock)));
    let options = options.settings(settings).clock(clock);
    Ok(tc::Coordinator::open(options).await?)
}

struct Embedded {
    coordinator: tc::Coordinator,
    session: tc::Session,
    address: Arc<str>,
    capabilities: Capabilities,
    host: Host,
    /// Each attachment that may perform phase two holds a receiver of it.
    performing: Arc<watch::Sender<()>>,
    #[cfg(feature = "listen")]
    serving: Option<Serving>,
}

impl Embedded {
    fn new(
        coordinator: tc::Coordinator,
        address: String,
        capabilities: Capabilities,
        host: &Host,
    ) -> Self {
        Self {
            session: coordinator.session(&host.application, "anonymous"),
            coordinator,
            address: address.into(),
            capabilities,
            host: host.clone(),
            performing: Arc::default(),
            #[cfg(feature = "listen")]
            serving: None,
        }
    }

    /// Serves other processes too; the address tells where.
    #[cfg(feature = "listen")]
    fn serve(&mut self, listener: Listener) {
        let serving = Serving::start(listener, self.coordinator.clone());
        self.address = format!("{}?listen={}", self.address, serving.address()).into();
        self.serving = Some(serving);
    }

    #[cfg(not(feature = "listen"))]
    #[expect(
        clippy::needless_pass_by_ref_mut,
        clippy::unused_self,
        reason = "the same shape with the feature"
    )]
    fn serve(&mut self, never: std::convert::Infallible) {
        match never {}
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
        let host = &self.host;
        let session = self.coordinator.session(&host.application, "anonymous");
        let clock = Arc::clone(&host.clock);
        #[expect(
            clippy::disallowed_methods,
            reason = "phase two belongs to no caller's transaction"
        )]
        let task = tokio::spawn(serve(session, handler, clock, Arc::clone(&self.performing)));
        Attachment::new(move || task.abort())
    }

    fn stop(&self) -> BoxFuture<'static, ()> {
        #[cfg(feature = "listen")]
        let served = self.serving.as_ref().map(Serving::stop);
        let coordinator = self.coordinator.clone();
        let (performing, host) = (Arc::clone(&self.performing), self.host.clone());
        Box::pin(async move {
            #[cfg(feature = "listen")]
            if let Some(served) = served {
                served.await;
            }
            coordinator.stop().await;
            tokio::select! {
                biased;
                () = performing.closed() => {}
                () = host.clock.sleep(host.drain) => {
                    tracing::warn!("a phase two that was under way is left to the next start");
                }
            }
        })
    }
}

/// Keeps the handler attached and hands it what is delivered, until the coordinator ends.
async fn serve(
    session: tc::Session,
    handler: Arc<dyn PhaseTwoHandler>,
    clock: Arc<dyn Clock>,
    performing: Arc<watch::Sender<()>>,
) {
    let mut under_way = UnderWay::new();
    loop {
        let performs = performing.subscribe();
        let attach: Attach = handler.attach().await;
        let resources = attach.resources.iter();
        let resources = resources
            .map(|attached| attached.resource.clone())
            .collect();
        match session.attach(attach).await {
            Ok(Ok((attached, deliveries))) => {
                handler.attached(attached);
                let ended = deliver(&session, &*handler, deliveries, resources, &mut under_way);
                if let Ended::Changed = ended.await {
                    continue;
                }
                // What was delivered is finished, not halved.
                while under_way.next().await.is_some() {}
                handler.detached();
            }
            Ok(Err(refused)) => handler.refused(refused),
            Err(tc::ServiceError::Stopped) => return,
            // It answers nothing any more: a restart of the process is what is left.
            Err(error) => {
                let why = error.to_string().into();
                return handler.refused(AttachRefused::NotTaken { why });
            }
        }
        drop(performs);
        clock.sleep(limits::RECONNECT_MAX).await;
    }
}

type UnderWay<'a> = FuturesUnordered<BoxFuture<'a, ()>>;

/// Why an attachment is over.
enum Ended {
    /// The coordinator ended it.
    Detached,
    /// The handler has more to present.
    Changed,
}

/// All deliveries run side by side in this one task; the coordinator bounds how many there are.
async fn deliver<'a>(
    session: &'a tc::Session,
    handler: &'a dyn PhaseTwoHandler,
    mut deliveries: tc::Deliveries,
    resources: Arc<[unanimous_protocol::Resource]>,
    under_way: &mut UnderWay<'a>,
) -> Ended {
    let mut changed = handler.changed();
    loop {
        let delivery = tokio::select! {
            delivery = deliveries.next() => delivery,
            Some(()) = under_way.next() => continue,
            () = &mut changed => return Ended::Changed,
        };
        match delivery {
            Some(tc::Delivery::PhaseTwo(phase_two)) => {
                let PhaseTwo { xid, alias, .. } = &*phase_two;
                let (xid, alias) = (xid.clone(), *alias);
                // A panic in a participant is an error of that branch alone.
                let performed = AssertUnwindSafe(async { handler.phase_two(*phase_two).await });
                under_way.push(Box::pin(async move {
                    let result = performed.catch_unwind().await;
                    let result = result.unwrap_or_else(|_| BranchResult::Retry {
                        error: "the participant panicked".into(),
                        after: None,
                    });
                    session.branch_result(xid, alias, result);
                }));
            }
            Some(tc::Delivery::Horizon(incarnation, horizon)) => {
                let counter = horizon.counter;
                let stored = handler.horizon(incarnation, horizon);
                let stored = AssertUnwindSafe(stored).catch_unwind();
                let resources = Arc::clone(&resources);
                under_way.push(Box::pin(async move {
                    if stored.await.unwrap_or(false) {
                        for resource in &*resources {
                            session.horizon_acked(resource.clone(), incarnation, counter);
                        }
                    }
                }));
            }
            None => return Ended::Detached,
        }
    }
}

/// The runtime's clock, lent to the coordinator inside it.
#[derive(Debug)]
struct SharedClock(Arc<dyn Clock>);

impl unanimous_coordinator::clock::Clock for SharedClock {
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

#[cfg(test)]
mod tests {
    use tokio::sync::watch;
    use unanimous_coordinator::store::MemoryDisk;
    use unanimous_protocol::message::{Attached, Horizon};
    use unanimous_protocol::{Incarnation, Xid};

    use super::*;
    use crate::clock::ManualClock;

    /// Provides nothing, and remembers what it hears.
    struct Hears(watch::Sender<Vec<String>>);

    impl Hears {
        fn say(&self, what: impl ToString) {
            self.0.send_modify(|heard| heard.push(what.to_string()));
        }
    }

    impl PhaseTwoHandler for Hears {
        fn attach(&self) -> BoxFuture<'static, Attach> {
            Box::pin(std::future::ready(Attach {
                application: "test".to_owned(),
                principal: "anonymous".to_owned(),
                known_log: None,
                newest: None,
                resources: Vec::new(),
            }))
        }

        fn attached(&self, _: Attached) {
            self.say("attached");
        }

        fn refused(&self, why: AttachRefused) {
            self.say(why);
        }

        fn detached(&self) {
            self.say("detached");
        }

        fn phase_two(&self, _: PhaseTwo) -> BoxFuture<'static, BranchResult> {
            unreachable!("nothing joins")
        }

        fn horizon(&self, _: Incarnation, _: Horizon) -> BoxFuture<'static, bool> {
            Box::pin(std::future::ready(true))
        }
    }

    fn begin() -> Begin {
        Begin {
            name: "purchase".parse().unwrap(),
            timeout: Duration::from_mins(1),
            trace: None,
        }
    }

    #[tokio::test]
    async fn e4_participants_hear_why_a_coordinator_answers_nothing_more() {
        let (disk, manual) = (MemoryDisk::new(), ManualClock::new());
        let host = Host {
            application: "test".into(),
            clock: Arc::new(manual.clone()),
            drain: limits::DRAIN,
        };
        let coordinator = start(tc::Options::over(disk.open()), &host).await.unwrap();
        let (address, full) = ("embedded:test".to_owned(), Capabilities::full());
        let embedded = Embedded::new(coordinator, address, full, &host);
        let (heard, mut told) = watch::channel(Vec::new());
        let _attachment = embedded.attach(Arc::new(Hears(heard)));
        told.wait_for(|heard| *heard == ["attached"]).await.unwrap();
        let xid: Xid = embedded.begin(begin()).await.unwrap().unwrap().xid;
        disk.fail();
        let commit = Commit {
            xid,
            succeeded: [].into(),
            abandoned: [].into(),
        };
        embedded.commit(commit).await.unwrap_err();
        told.wait_for(|heard| heard.len() == 2).await.unwrap();
        assert_eq!(told.borrow()[1], "detached");
        manual.advance(limits::RECONNECT_MAX);
        told.wait_for(|heard| heard.len() == 3).await.unwrap();
        let why = told.borrow()[2].clone();
        assert!(why.contains("has stopped serving, restart it"), "{why}");
    }
}
