use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::{Notify, OnceCell, oneshot, watch};
use unanimous_protocol::LogId;
use unanimous_protocol::message::{AdminAnswer, AdminRequest};

use super::answer::{Answer, ServiceError, Told, Waiting};
use super::options::Settings;
use super::people::{People, Wanted};
use super::session::Delivery;
use super::timers::Timers;
use super::{Health, Status};
use crate::clock::Clock;
use crate::decide::{
    Delay, Effect, Event, Message, Note, Position, Reply, RequestId, SessionId, State, Timer, To,
    decide,
};
use crate::random::Random;
use crate::store::{self, Force, Listener, Store, StoreError};

/// One coordinator: what its handles share.
pub(super) struct Core {
    pub(super) store: Box<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) settings: Settings,
    inner: Mutex<Inner>,
    /// Tells the timer task that an earlier timer was set.
    pub(super) earlier: Arc<Notify>,
    pub(super) progress: watch::Sender<Progress>,
    pub(super) stopped: OnceCell<()>,
}

/// How far a coordinator has come.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Progress {
    Starting,
    Serving,
    /// Stopping, and nothing is undecided any more.
    Drained,
    /// It answers nothing any more.
    Ended,
}

/// What the mutex guards.
pub(super) struct Inner {
    state: State,
    /// Kept for its room.
    effects: Vec<Effect>,
    random: Random,
    requests: u64,
    sessions: u64,
    attachments_made: u64,
    /// The request being decided, and its reply if it was said at once.
    current: Option<RequestId>,
    direct: Option<Reply>,
    waiting: HashMap<RequestId, oneshot::Sender<Told>>,
    /// Said once their position is durable, in the order of positions.
    held: VecDeque<(store::Position, To, Message)>,
    /// Durable in the store, and known to be so by `decide`.
    durable: store::Position,
    told_durable: store::Position,
    pub(super) attachments: HashMap<SessionId, Attachment>,
    /// Attachments that were ended because they read nothing, and are to be detached.
    overrun: Vec<SessionId>,
    pub(super) timers: Timers,
    pub(super) people: People,
    pub(super) identity: Identity,
    stopping: bool,
    pub(super) full: bool,
    ended: Option<ServiceError>,
    /// Replies to be sent once the mutex is free.
    outbox: Vec<(oneshot::Sender<Told>, Told)>,
}

/// Which coordinator this is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity {
    pub(super) log: LogId,
    pub(super) incarnation: unanimous_protocol::Incarnation,
    pub(super) started: Duration,
}

/// Where the deliveries of an attached session go.
pub(super) struct Attachment {
    /// Tells a replaced attachment from its successor.
    pub(super) number: u64,
    pub(super) application: Arc<str>,
    pub(super) deliveries: mpsc::Sender<Delivery>,
    /// Ends the connection of whoever reads nothing.
    pub(super) cut: Option<Cut>,
}

/// Called with the mutex held: it neither blocks nor calls back.
pub(crate) type Cut = Arc<dyn Fn() + Send + Sync>;

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl Core {
    pub(super) fn new(
        store: Box<dyn Store>,
        clock: Arc<dyn Clock>,
        settings: Settings,
        random: Random,
        identity: Identity,
    ) -> Self {
        let inner = Inner {
            state: State::new(settings.counted()),
            effects: Vec::new(),
            random,
            requests: 0,
            sessions: 0,
            attachments_made: 0,
            current: None,
            direct: None,
            waiting: HashMap::new(),
            held: VecDeque::new(),
            durable: 0,
            told_durable: 0,
            attachments: HashMap::new(),
            overrun: Vec::new(),
            timers: Timers::default(),
            people: People::default(),
            identity,
            stopping: false,
            full: false,
            ended: None,
            outbox: Vec::new(),
        };
        Self {
            store,
            clock,
            settings,
            inner: Mutex::new(inner),
            earlier: Arc::new(Notify::new()),
            progress: watch::Sender::new(Progress::Starting),
            stopped: OnceCell::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| {
            // A panic while deciding may have left half a decision in memory: stop, like after a
            // failed write.
            let mut inner = poisoned.into_inner();
            self.inner.clear_poison();
            self.end(&mut inner, ServiceError::Bug("a decision panicked"));
            // Whoever takes the mutex next may send nothing.
            inner.send_outbox();
            inner
        })
    }

    /// Decides about an event, and sends what replies it has once the mutex is free.
    pub(super) fn happen(&self, event: Event) {
        let mut inner = self.lock();
        if inner.ended.is_none() {
            self.run(&mut inner, event);
        }
        release(inner);
    }

    /// Hands a request over; returns its reply, or where it will arrive.
    pub(super) fn submit(&self, event: impl FnOnce(RequestId) -> Event) -> Waiting {
        let mut inner = self.lock();
        if let Some(error) = &inner.ended {
            return Waiting::There(Some(Err(error.clone())));
        }
        inner.requests += 1;
        let request = RequestId(inner.requests);
        inner.current = Some(request);
        self.run(&mut inner, event(request));
        inner.current = None;
        let waiting = if let Some(reply) = inner.direct.take() {
            Waiting::There(Some(Ok(reply)))
        } else if let Some(error) = &inner.ended {
            Waiting::There(Some(Err(error.clone())))
        } else {
            let (sender, receiver) = oneshot::channel();
            inner.waiting.insert(request, sender);
            Waiting::Later(receiver)
        };
        release(inner);
        waiting
    }

    pub(super) fn ask<T>(
        &self,
        event: impl FnOnce(RequestId) -> Event,
        read: fn(Reply) -> Option<T>,
    ) -> Answer<T> {
        Answer::new(self.submit(event), read)
    }

    /// An operator's request; what only people want to know is filled in.
    pub(super) fn admin(&self, admin: AdminRequest) -> Answer<AdminAnswer> {
        let wanted = Wanted::of(&admin);
        let mut waiting = self.submit(|request| Event::Admin { request, admin });
        // Lists and details wait for nothing.
        if let Waiting::There(Some(Ok(Reply::Admin(answer)))) = &mut waiting {
            let now = self.clock.now();
            self.lock().people.complete(answer, &wanted, now);
        }
        Answer::new(waiting, |reply| match reply {
            Reply::Admin(answer) => Some(answer),
            _ => None,
        })
    }

    pub(super) fn new_session(&self) -> SessionId {
        let mut inner = self.lock();
        inner.sessions += 1;
        SessionId(inner.sessions)
    }

    /// Decides, and goes on with what became durable by it.
    pub(super) fn run(&self, inner: &mut Inner, event: Event) {
        self.step(inner, event);
        self.settle(inner);
    }

    /// Goes on with what became durable, and detaches who read nothing.
    fn settle(&self, inner: &mut Inner) {
        loop {
            self.tell_durable(inner);
            let Some(session) = inner.overrun.pop() else {
                return;
            };
            if inner.ended.is_none() {
                self.step(inner, Event::Detached(session));
            }
        }
    }

    /// Tells `decide` what is durable, and says what waited for it.
    fn tell_durable(&self, inner: &mut Inner) {
        while inner.told_durable < inner.durable && inner.ended.is_none() {
            let position = inner.durable;
            inner.told_durable = position;
            self.step(inner, Event::Durable(Position(position)));
            while inner
                .held
                .front()
                .is_some_and(|(after, ..)| *after <= position)
            {
                if let Some((_, to, message)) = inner.held.pop_front() {
                    self.say(inner, to, message);
                }
            }
        }
    }

    fn step(&self, inner: &mut Inner, event: Event) {
        let mut effects = std::mem::take(&mut inner.effects);
        decide(&mut inner.state, event, &mut effects);
        for effect in effects.drain(..) {
            // E4: after a failed write nothing of what followed it is said.
            if inner.ended.is_some() {
                break;
            }
            self.perform(inner, effect);
        }
        effects.clear();
        inner.effects = effects;
    }

    fn perform(&self, inner: &mut Inner, effect: Effect) {
        match effect {
            Effect::Append {
                position,
                record,
                force,
            } => {
                let force = if force { Force::Forced } else { Force::Lazy };
                match self.store.append(store::codec::encode(&record), force) {
                    Ok(appended) => {
                        debug_assert_eq!(appended.position, position.0, "positions differ");
                        if appended.durable {
                            inner.durable = inner.durable.max(appended.position);
                        }
                    }
                    Err(error) => self.end(inner, ServiceError::StoreFailed(error)),
                }
            }
            Effect::Say { to, message, after } => match after {
                Some(Position(after)) if after > inner.told_durable => {
                    inner.hold(after, to, message);
                }
                _ => self.say(inner, to, message),
            },
            Effect::SetTimer { timer, delay } => self.set_timer(inner, timer, delay),
            Effect::ClearTimer(timer) => inner.timers.clear(timer),
            Effect::Note(note) => self.note(inner, note),
        }
    }

    fn say(&self, inner: &mut Inner, to: To, message: Message) {
        match (to, message) {
            (To::Request(request), Message::Reply(reply)) => inner.reply(request, reply),
            (To::Session(session), Message::PhaseTwo(phase_two)) => {
                inner.people.delivered(&phase_two, self.clock.now());
                inner.deliver(session, Delivery::PhaseTwo(phase_two));
            }
            (
                To::EveryResource,
                Message::Horizon {
                    incarnation,
                    horizon,
                },
            ) => {
                inner.people.forget(incarnation, &horizon);
                let sessions: Vec<_> = inner.attachments.keys().copied().collect();
                for session in sessions {
                    inner.deliver(session, Delivery::Horizon(incarnation, horizon.clone()));
                }
            }
            (
                To::Session(session),
                Message::Horizon {
                    incarnation,
                    horizon,
                },
            ) => inner.deliver(session, Delivery::Horizon(incarnation, horizon)),
            (to, message) => debug_assert!(false, "{message:?} is not for {to:?}"),
        }
    }

    fn set_timer(&self, inner: &mut Inner, timer: Timer, delay: Delay) {
        let wait = match (delay, timer) {
            (Delay::For(wait), _) => wait,
            (Delay::BackOff, Timer::Retry(xid, alias)) => {
                let attempts = inner.people.tries(xid, alias);
                let doubled = 1_u32.checked_shl(attempts.saturating_sub(1));
                let wait = self
                    .settings
                    .retry_min
                    .saturating_mul(doubled.unwrap_or(u32::MAX));
                inner.random.jitter(wait.min(self.settings.retry_max))
            }
            (Delay::BackOff, _) => self.settings.retry_max,
            (Delay::UndecodableAfter, _) => self.settings.undecodable_after,
        };
        let at = self.clock.now().saturating_add(wait);
        if let Timer::Deadline(xid) = timer {
            inner.people.began(xid, at.saturating_sub(wait));
        }
        if let Timer::Retry(xid, alias) = timer {
            inner.people.rests(xid, alias, at);
        }
        self.set_timer_at(inner, timer, at);
    }

    pub(super) fn set_timer_at(&self, inner: &mut Inner, timer: Timer, at: Duration) {
        if inner.timers.set(timer, at) {
            self.earlier.notify_one();
        }
    }

    fn note(&self, inner: &mut Inner, note: Note) {
        super::people::trace(&note);
        match note {
            Note::Serving => self.advance(Progress::Serving),
            Note::Drained => self.advance(Progress::Drained),
            Note::Replaced(newest) => self.end(inner, ServiceError::Replaced { newest }),
            note => {
                let now = self.clock.now();
                inner.people.note(note, now);
            }
        }
    }

    fn advance(&self, to: Progress) {
        self.progress.send_if_modified(|progress| {
            let further = to > *progress;
            if further {
                *progress = to;
            }
            further
        });
    }

    /// Ends the service: everybody who waits is told why, and nothing is decided any more.
    pub(super) fn end(&self, inner: &mut Inner, error: ServiceError) {
        if inner.ended.is_some() {
            return;
        }
        match &error {
            ServiceError::Stopped => tracing::info!("the coordinator has stopped"),
            error => tracing::error!(%error, "the coordinator has ended"),
        }
        let waiting = std::mem::take(&mut inner.waiting);
        let told = waiting
            .into_values()
            .map(|sender| (sender, Err(error.clone())));
        inner.outbox.extend(told);
        // Who showed the newer incarnation has been answered; of a failed write nobody is.
        if !matches!(error, ServiceError::Replaced { .. }) {
            inner.direct = None;
        }
        inner.held.clear();
        inner.attachments.clear();
        inner.timers.clear_all();
        inner.ended = Some(error);
        self.advance(Progress::Ended);
        self.earlier.notify_one();
    }

    /// Begins to stop; the drain time runs from now on.
    pub(super) fn begin_stop(&self) {
        let mut inner = self.lock();
        if inner.ended.is_none() && !inner.stopping {
            inner.stopping = true;
            let drained_by = self.clock.now().saturating_add(self.settings.drain);
            self.set_timer_at(&mut inner, Timer::Drain, drained_by);
            self.run(&mut inner, Event::Stop);
        }
        release(inner);
    }

    /// Refuses everything from now on.
    pub(super) fn finish_stop(&self) {
        let mut inner = self.lock();
        self.end(&mut inner, ServiceError::Stopped);
        release(inner);
    }

    pub(super) fn ended(&self) -> Option<ServiceError> {
        self.lock().ended.clone()
    }

    pub(super) fn health(&self) -> Health {
        let inner = self.lock();
        let status = match &inner.ended {
            Some(error) => Status::Ended(error.clone()),
            None if inner.stopping => Status::Stopping,
            None if inner.full => Status::StoreFull,
            None => Status::Serving,
        };
        Health {
            status,
            log: inner.identity.log,
            incarnation: inner.identity.incarnation,
            undecided: inner.state.undecided(),
            attached: inner.attachments.len(),
            uptime: self.clock.now().saturating_sub(inner.identity.started),
        }
    }
}

impl Inner {
    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    pub(super) fn next_attachment(&mut self) -> u64 {
        self.attachments_made += 1;
        self.attachments_made
    }

    fn send_outbox(&mut self) {
        for (sender, told) in std::mem::take(&mut self.outbox) {
            // Whoever dropped its answer does not want it.
            let _ = sender.send(told);
        }
    }

    fn hold(&mut self, after: store::Position, to: To, message: Message) {
        // Mostly at the end: a repeated question waits for an earlier position than the last.
        let place = self.held.partition_point(|(held, ..)| *held <= after);
        self.held.insert(place, (after, to, message));
    }

    fn reply(&mut self, request: RequestId, reply: Reply) {
        if self.current == Some(request) {
            self.direct = Some(reply);
        } else if let Some(sender) = self.waiting.remove(&request) {
            self.outbox.push((sender, Ok(reply)));
        }
    }

    fn deliver(&mut self, session: SessionId, delivery: Delivery) {
        let Some(attachment) = self.attachments.get(&session) else {
            return;
        };
        match attachment.deliveries.try_send(delivery) {
            // One whose receiver is gone is about to detach, which makes the branch due again.
            Ok(()) | Err(TrySendError::Closed(_)) => {}
            Err(TrySendError::Full(_)) => self.end_unread(session),
        }
    }

    /// Nothing more is kept for who reads nothing: what was delivered there is repeated, there once
    /// it attaches again or elsewhere (TC10).
    fn end_unread(&mut self, session: SessionId) {
        let Some(attachment) = self.attachments.remove(&session) else {
            return;
        };
        tracing::warn!(
            application = &*attachment.application,
            unread = attachment.deliveries.max_capacity(),
            "a client does not read what it is sent: its connection is closed"
        );
        if let Some(cut) = &attachment.cut {
            cut();
        }
        self.overrun.push(session);
    }
}

/// Frees the mutex, then wakes who was answered: they do not meet at the mutex.
pub(super) fn release(mut inner: MutexGuard<'_, Inner>) {
    let outbox = std::mem::take(&mut inner.outbox);
    drop(inner);
    for (sender, told) in outbox {
        // Whoever dropped its answer does not want it.
        let _ = sender.send(told);
    }
}

/// The store's thread speaks to the coordinator here; weakly, as the store belongs to it.
pub(super) struct Ear(pub(super) std::sync::Weak<Core>);

impl Listener for Ear {
    fn durable(&self, position: store::Position) {
        if let Some(core) = self.0.upgrade() {
            core.durable(position);
        }
    }

    fn failed(&self, error: StoreError) {
        if let Some(core) = self.0.upgrade() {
            let mut inner = core.lock();
            core.end(&mut inner, ServiceError::StoreFailed(error));
            release(inner);
        }
    }
}

impl Core {
    fn durable(&self, position: store::Position) {
        let mut inner = self.lock();
        inner.durable = inner.durable.max(position);
        self.settle(&mut inner);
        release(inner);
    }
}
