//! A coordinator on a bench: its log in a list, its messages collected, its restarts by hand.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use unanimous_protocol::message::{
    AdminAnswer, AdminRefusal, AdminRequest, Attach, AttachResource, Attached, Begin, BranchResult,
    Commit, DecisionAnswer, Horizon, InDoubtAnswer, InDoubtQuestion, JoinRefused, Joined, PhaseTwo,
    Register,
};
use unanimous_protocol::{
    ActionName, Alias, BranchKind, CallId, DatabaseId, Decision, Digest, Incarnation, LogId,
    Resource, Xid,
};

use crate::decide::{
    Effect, Event, Message, Note, Position, Record, Reply, RequestId, Rules, SessionId, Settings,
    Start, State, Timer, To, decide_with,
};

pub(super) const LOG: LogId = LogId([7; 16]);
pub(super) const RES_A: u8 = b'a';
pub(super) const RES_B: u8 = b'b';

/// A branch to register: call, resource, kind.
#[derive(Clone, Copy)]
pub(super) struct Branched(pub &'static str, pub u8, pub BranchKind);

pub(super) fn fenced(call: &'static str, resource: u8) -> Branched {
    Branched(call, resource, BranchKind::Fenced)
}

pub(super) fn unfenced(call: &'static str, resource: u8) -> Branched {
    Branched(call, resource, BranchKind::Unfenced)
}

pub(super) fn resource(name: u8) -> Resource {
    Resource {
        participant: "account".parse().unwrap(),
        database: Some(DatabaseId([name; 16])),
    }
}

pub(super) fn call(text: &str) -> CallId {
    text.parse().unwrap()
}

pub(super) fn incarnation(number: u64) -> Incarnation {
    Incarnation {
        number,
        random: 0xfeed + number,
    }
}

pub(super) struct Bench<R> {
    pub(super) state: State,
    pub(super) settings: Settings,
    /// Everything appended since the log began, and whether it was forced.
    pub(super) log: Vec<(Record, bool)>,
    /// How much of the log is older than this start.
    before: usize,
    /// How much of the log survives a crash in any case.
    pub(super) durable: usize,
    held: Vec<(Position, To, Message)>,
    replies: BTreeMap<RequestId, Reply>,
    pub(super) delivered: Vec<(SessionId, PhaseTwo)>,
    pub(super) horizons: Vec<(Incarnation, Horizon)>,
    pub(super) timers: Vec<Timer>,
    pub(super) notes: Vec<Note>,
    requests: u64,
    starts: u64,
    rules: PhantomData<R>,
}

impl<R: Rules> Bench<R> {
    /// A coordinator that serves, over an empty log.
    pub(super) fn new() -> Self {
        let mut bench = Self::cold(Settings {
            clean_ticks: 0,
            remember_ticks: 1,
            ..Settings::default()
        });
        bench.start(false);
        bench.sync();
        bench
    }

    pub(super) fn with(settings: Settings) -> Self {
        let mut bench = Self::cold(settings);
        bench.start(false);
        bench.sync();
        bench
    }

    pub(super) fn cold(settings: Settings) -> Self {
        Self {
            state: State::new(settings),
            settings,
            log: Vec::new(),
            before: 0,
            durable: 0,
            held: Vec::new(),
            replies: BTreeMap::new(),
            delivered: Vec::new(),
            horizons: Vec::new(),
            timers: Vec::new(),
            notes: Vec::new(),
            requests: 0,
            starts: 0,
            rules: PhantomData,
        }
    }

    /// The process crashes, all of its log survives, and the next start has this number.
    pub(super) fn crash_numbered(&mut self, number: u64) {
        self.starts = number - 1;
        self.crash(|_| true);
    }

    /// The process ends; all of the log survives. Not yet durable: `sync` makes it serve.
    pub(super) fn start(&mut self, restored: bool) {
        self.starts += 1;
        self.state = State::new(self.settings);
        self.held.clear();
        self.before = self.log.len();
        let records = self.log.iter().map(|(record, _)| record.clone());
        let start = Start {
            log: LOG,
            incarnation: incarnation(self.starts),
            restored,
            records: records.collect(),
        };
        self.event(Event::Start(Box::new(start)));
    }

    /// Power is lost and comes back: of the log so much survives as `survives` says, at least up
    /// to the last forced record that is durable.
    pub(super) fn crash(&mut self, survives: impl Fn(&Record) -> bool) {
        let log = std::mem::take(&mut self.log);
        let kept = log.into_iter().filter(|(record, _)| survives(record));
        self.log = kept.collect();
        self.start(false);
        self.sync();
    }

    /// Power is lost: every lazy record with it.
    pub(super) fn crash_losing_lazy(&mut self) {
        self.crash_losing_lazy_after(0);
    }

    /// The same, of what was appended after so much of the log.
    pub(super) fn crash_losing_lazy_after(&mut self, kept: usize) {
        let mut log = std::mem::take(&mut self.log);
        let after = log.split_off(kept);
        log.extend(after.into_iter().filter(|(_, forced)| *forced));
        self.log = log;
        self.start(false);
        self.sync();
    }

    pub(super) fn event(&mut self, event: Event) {
        let mut effects = Vec::new();
        decide_with::<R>(&mut self.state, event, &mut effects);
        for effect in effects {
            match effect {
                Effect::Append {
                    position,
                    record,
                    force,
                } => {
                    self.log.push((record, force));
                    let expected = self.log.len() - self.before;
                    assert_eq!(position.0, expected as u64, "positions count up by one");
                }
                Effect::Say {
                    to,
                    message,
                    after: Some(position),
                } => self.held.push((position, to, message)),
                Effect::Say { to, message, .. } => self.said(to, message),
                Effect::SetTimer { timer, .. } => self.timers.push(timer),
                Effect::ClearTimer(timer) => self.timers.retain(|set| *set != timer),
                Effect::Note(note) => self.notes.push(note),
            }
        }
    }

    fn said(&mut self, to: To, message: Message) {
        match (to, message) {
            (To::Request(request), Message::Reply(reply)) => {
                let earlier = self.replies.insert(request, reply);
                assert_eq!(earlier, None, "a request has one reply");
            }
            (To::Session(session), Message::PhaseTwo(phase_two)) => {
                self.delivered.push((session, *phase_two));
            }
            (
                To::EveryResource,
                Message::Horizon {
                    incarnation,
                    horizon,
                },
            ) => self.horizons.push((incarnation, horizon)),
            other => panic!("said {other:?}"),
        }
    }

    /// Everything appended becomes durable.
    pub(super) fn sync(&mut self) {
        let position = Position((self.log.len() - self.before) as u64);
        self.durable = self.log.len();
        self.event(Event::Durable(position));
        let held = std::mem::take(&mut self.held);
        for (after, to, message) in held {
            assert!(after <= position, "said after what was never appended");
            self.said(to, message);
        }
    }

    pub(super) fn request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId(self.requests)
    }

    pub(super) fn reply(&self, request: RequestId) -> Option<Reply> {
        self.replies.get(&request).cloned()
    }

    pub(super) fn try_begin(&mut self) -> Option<Reply> {
        let request = self.request();
        self.event(Event::Begin {
            request,
            application: "shop".into(),
            begin: Begin {
                name: "purchase".parse().unwrap(),
                timeout: Duration::from_mins(1),
                trace: None,
            },
        });
        self.reply(request)
    }

    pub(super) fn begin(&mut self) -> Xid {
        match self.try_begin() {
            Some(Reply::Began(Ok(began))) => began.xid,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn ask_register(&mut self, xid: &Xid, branch: Branched, digest: u8) -> RequestId {
        let request = self.request();
        let Branched(text, name, kind) = branch;
        self.event(Event::Register {
            request,
            session: SessionId(u64::from(name)),
            register: Box::new(Register {
                xid: xid.clone(),
                call: call(text),
                resource: resource(name),
                action: "debit".parse().unwrap(),
                kind,
                digest: Digest([digest; 32]),
                arguments: kind.is_forced().then(|| "{}".into()),
                trace: None,
            }),
        });
        request
    }

    pub(super) fn joined(&self, request: RequestId) -> Option<Result<Joined, JoinRefused>> {
        match self.reply(request)? {
            Reply::Joined(joined) => Some(joined),
            other => panic!("{other:?}"),
        }
    }

    /// Registers and waits for the log.
    pub(super) fn register(&mut self, xid: &Xid, branch: Branched) -> Alias {
        let request = self.ask_register(xid, branch, 0);
        self.sync();
        self.joined(request).unwrap().unwrap().alias
    }

    pub(super) fn ask_commit(&mut self, xid: &Xid, s: &[Alias], x: &[&str]) -> RequestId {
        let request = self.request();
        self.event(Event::Commit {
            request,
            commit: Commit {
                xid: xid.clone(),
                succeeded: s.iter().copied().collect(),
                abandoned: x.iter().map(|text| call(text)).collect(),
            },
        });
        request
    }

    pub(super) fn decision(&self, request: RequestId) -> Option<DecisionAnswer> {
        match self.reply(request)? {
            Reply::Decision(answer) => Some(answer),
            other => panic!("{other:?}"),
        }
    }

    /// Commits and waits for the log.
    pub(super) fn commit(&mut self, xid: &Xid, s: &[Alias], x: &[&str]) -> DecisionAnswer {
        let request = self.ask_commit(xid, s, x);
        self.sync();
        self.decision(request).unwrap()
    }

    pub(super) fn rollback(&mut self, xid: &Xid) -> DecisionAnswer {
        let request = self.request();
        let xid = xid.clone();
        self.event(Event::Rollback { request, xid });
        self.sync();
        self.decision(request).unwrap()
    }

    pub(super) fn outcome(&mut self, xid: &Xid) -> Option<DecisionAnswer> {
        let request = self.request();
        let xid = xid.clone();
        self.event(Event::Outcome { request, xid });
        self.decision(request)
    }

    pub(super) fn in_doubt(&mut self, xid: &Xid, text: &str, name: u8) -> InDoubtAnswer {
        self.hear(xid, text, name, None)
    }

    /// The resource tells of a row that it gave up.
    pub(super) fn given_up(&mut self, xid: &Xid, text: &str, name: u8) -> InDoubtAnswer {
        self.hear(xid, text, name, Some("debit".parse().unwrap()))
    }

    fn hear(
        &mut self,
        xid: &Xid,
        text: &str,
        name: u8,
        given_up: Option<ActionName>,
    ) -> InDoubtAnswer {
        let request = self.request();
        self.event(Event::InDoubt {
            request,
            questions: vec![InDoubtQuestion {
                xid: xid.clone(),
                call: call(text),
                resource: resource(name),
                given_up,
            }],
        });
        match self.reply(request) {
            Some(Reply::InDoubt(answers)) => answers[0],
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn admin(&mut self, admin: AdminRequest) -> AdminAnswer {
        let request = self.request();
        self.event(Event::Admin { request, admin });
        self.sync();
        match self.reply(request) {
            Some(Reply::Admin(answer)) => answer,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn refusal(&mut self, admin: AdminRequest) -> AdminRefusal {
        match self.admin(admin) {
            AdminAnswer::Refused(refusal) => refusal,
            other => panic!("{other:?}"),
        }
    }

    /// Attaches a resource in a session of its own name.
    pub(super) fn attach(&mut self, name: u8) -> Attached {
        match self.attach_as(u64::from(name), name, &["debit"], attach_of(None)) {
            Some(Reply::Attached(Ok(attached))) => attached,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn attach_as(
        &mut self,
        session: u64,
        name: u8,
        actions: &[&str],
        mut attach: Attach,
    ) -> Option<Reply> {
        let request = self.request();
        attach.resources.push(AttachResource {
            resource: resource(name),
            actions: actions.iter().map(|name| name.parse().unwrap()).collect(),
            horizons: Arc::default(),
        });
        self.event(Event::Attach {
            request,
            session: SessionId(session),
            attach: Box::new(attach),
        });
        // What it shows of a restore is forced first.
        if self.reply(request).is_none() {
            self.sync();
        }
        self.reply(request)
    }

    pub(super) fn detach(&mut self, session: u64) {
        self.event(Event::Detached(SessionId(session)));
    }

    pub(super) fn result_from(&mut self, session: u64, xid: &Xid, alias: Alias, r: BranchResult) {
        self.event(Event::Result {
            session: SessionId(session),
            xid: xid.clone(),
            alias,
            result: r,
        });
    }

    /// The resource, attached under its own name, has ended the branch.
    pub(super) fn end(&mut self, name: u8, xid: &Xid, alias: Alias) {
        self.result_from(u64::from(name), xid, alias, BranchResult::Ended);
    }

    pub(super) fn timer(&mut self, timer: Timer) {
        self.event(Event::Timer(timer));
    }

    /// The horizon moves as far as it may, and is durable.
    pub(super) fn horizon(&mut self) {
        for _ in 0..=self.settings.clean_ticks {
            self.timer(Timer::Horizon);
        }
        self.sync();
    }

    /// What was said about each branch in phase two, in order.
    pub(super) fn deliveries(&self, xid: &Xid) -> Vec<(CallId, Decision)> {
        let of = self.delivered.iter().filter(|(_, two)| two.xid == *xid);
        of.map(|(_, two)| (two.call.clone(), two.decision))
            .collect()
    }

    pub(super) fn forced(&self) -> usize {
        self.log.iter().filter(|(_, forced)| *forced).count()
    }
}

pub(super) fn attach_of(newest: Option<Incarnation>) -> Attach {
    Attach {
        application: "shop".into(),
        principal: "anonymous".into(),
        known_log: newest.map(|_| LOG),
        newest,
        resources: Vec::new(),
    }
}
