//! The coordinator: the product's `decide` over a log of which a crash keeps a part.

use std::collections::BTreeSet;
use std::sync::Arc;

use unanimous_coordinator::decide::{
    Effect, Event, Message, Note, Position, Record, Reply, RequestId, Settings, Start, State, To,
};
use unanimous_protocol::message::{
    AdminAnswer, Attach, AttachResource, Begin, BranchResult, DecisionAnswer, Horizon,
    InDoubtAnswer, InDoubtQuestion, ParkReason,
};
use unanimous_protocol::{Alias, Decision, LogId};

use crate::names::{FIRST_START, Names, OWN_XID, Place, XID, incarnation};
use crate::scope::{Deciders, Scope};
use crate::world::{Broken, Doubt, LocalHorizon, Msg, Said};

/// Whose reply nobody in the small world waits for.
const NOBODY: RequestId = RequestId(1_000);
/// Who asks for a decision or the outcome.
const MANAGER: RequestId = RequestId(100);
/// Who asks about the row at place 0; the other places follow.
const IN_DOUBT: u64 = 200;

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Coordinator {
    state: State,
    log: Vec<Record>,
    /// How many records are durable.
    durable: usize,
    /// Up to which record somebody waits for the disk.
    awaited: usize,
    /// How many records this start found.
    found: usize,
    starts: u64,
    /// What is said once so many records are durable.
    held: BTreeSet<(usize, Msg)>,
}

/// What came of an event.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What was sent.
    pub(crate) sent: Vec<Msg>,
    /// Whether the transaction was decided now.
    pub(crate) decided: bool,
    /// Whether an operator's request was carried out.
    pub(crate) done: bool,
    /// A promise that what was sent breaks.
    pub(crate) broken: Option<Broken>,
}

/// What surrounds the coordinator while it handles an event.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) scope: Scope,
    pub(crate) names: &'a Names,
    pub(crate) deciders: Deciders,
    /// What each database has cleaned, as it is presented at attach.
    pub(crate) horizons: [LocalHorizon; crate::names::PLACES],
}

impl Coordinator {
    /// A coordinator that serves, with everybody attached, and the one transaction begun.
    pub(crate) fn new(around: Around<'_>) -> Self {
        let mut coordinator = Self {
            state: State::new(settings()),
            log: Vec::new(),
            durable: 0,
            awaited: 0,
            found: 0,
            starts: 0,
            held: BTreeSet::new(),
        };
        coordinator.restart(around);
        coordinator.sync(around);
        let began = coordinator.begin(around);
        assert_eq!(
            began,
            Some(XID.clone()),
            "the first transaction of the first start"
        );
        coordinator
    }

    /// Begins a transaction: its xid, or none where the coordinator does not serve.
    pub(crate) fn begin(&mut self, around: Around<'_>) -> Option<unanimous_protocol::Xid> {
        let begin = Begin {
            name: "purchase".parse().expect("a name"),
            timeout: std::time::Duration::from_secs(1),
            trace: None,
        };
        let event = Event::Begin {
            request: NOBODY,
            application: "shop".into(),
            begin,
        };
        let mut effects = Vec::new();
        (around.deciders.coordinator)(&mut self.state, event, &mut effects);
        effects.into_iter().find_map(|effect| match effect {
            Effect::Say {
                message: Message::Reply(Reply::Began(Ok(began))),
                ..
            } => Some(began.xid),
            _ => None,
        })
    }

    /// The process ends and starts again; of the records that were not durable only those at the
    /// places that `keep` names are found (E2). Found is not durable: power may fail next (TC1).
    pub(crate) fn crash(&mut self, around: Around<'_>, keep: u32) -> Outcome {
        let lost = self.log.split_off(self.durable);
        let kept = lost
            .into_iter()
            .enumerate()
            .filter(|(at, _)| keep & 1 << at != 0);
        self.log.extend(kept.map(|(_, record)| record));
        self.restart(around)
    }

    /// Which parts of the unforced records a crash may keep.
    pub(crate) fn keeps(&self, any_subset: bool) -> Vec<u32> {
        let lazy = self.log.len() - self.durable;
        if any_subset {
            (0..1 << lazy).collect()
        } else {
            (0..=lazy).map(|kept| (1 << kept) - 1).collect()
        }
    }

    fn restart(&mut self, around: Around<'_>) -> Outcome {
        self.starts += 1;
        self.state = State::new(settings());
        self.found = self.log.len();
        self.awaited = 0;
        self.held.clear();
        let start = Start {
            log: LogId([1; 16]),
            incarnation: incarnation(self.starts),
            restored: false,
            records: self.log.clone(),
        };
        self.handle(around, Event::Start(Box::new(start)))
    }

    /// Whether somebody waits for the disk.
    pub(crate) fn waits(&self) -> bool {
        self.awaited > self.durable
    }

    /// Everything appended becomes durable.
    pub(crate) fn sync(&mut self, around: Around<'_>) -> Outcome {
        self.durable = self.log.len();
        let appended = (self.log.len() - self.found) as u64;
        let mut outcome = self.handle(around, Event::Durable(Position(appended)));
        let still_held = self.held.split_off(&(self.durable + 1, Msg::FIRST));
        for (_, message) in std::mem::replace(&mut self.held, still_held) {
            self.send(message, &mut outcome);
        }
        outcome
    }

    /// The participant's process attaches, after the one before has gone.
    pub(crate) fn attach(&mut self, around: Around<'_>, place: Place) -> Outcome {
        let names = &around.names.places[place];
        let horizon = around.horizons[place];
        let attach = Attach {
            application: "participant".to_owned(),
            principal: "anonymous".to_owned(),
            known_log: None,
            newest: None,
            resources: vec![AttachResource {
                resource: names.resource.clone(),
                actions: names.actions.clone(),
                horizons: Arc::new([(*FIRST_START, horizon.counter)].into()),
            }],
        };
        let (request, session) = (NOBODY, names.session);
        self.handle(around, Event::Detached(session));
        self.handle(
            around,
            Event::Attach {
                request,
                session,
                attach: Box::new(attach),
            },
        )
    }

    pub(crate) fn register(&mut self, around: Around<'_>, place: Place) -> Outcome {
        let names = &around.names.places[place];
        let request = RequestId(place as u64);
        let (session, register) = (names.session, Box::new(names.register.clone()));
        self.handle(
            around,
            Event::Register {
                request,
                session,
                register,
            },
        )
    }

    pub(crate) fn commit(
        &mut self,
        around: Around<'_>,
        commit: unanimous_protocol::message::Commit,
    ) -> Outcome {
        self.handle(
            around,
            Event::Commit {
                request: MANAGER,
                commit,
            },
        )
    }

    pub(crate) fn rollback(&mut self, around: Around<'_>) -> Outcome {
        self.handle(
            around,
            Event::Rollback {
                request: MANAGER,
                xid: XID.clone(),
            },
        )
    }

    pub(crate) fn outcome(&mut self, around: Around<'_>) -> Outcome {
        self.handle(
            around,
            Event::Outcome {
                request: MANAGER,
                xid: XID.clone(),
            },
        )
    }

    pub(crate) fn in_doubt(&mut self, around: Around<'_>, place: Place, given_up: bool) -> Outcome {
        let names = &around.names.places[place];
        let question = InDoubtQuestion {
            xid: XID.clone(),
            call: names.register.call.clone(),
            resource: names.resource.clone(),
            given_up: given_up.then(|| names.register.action.clone()),
        };
        let request = RequestId(IN_DOUBT + place as u64);
        self.handle(
            around,
            Event::InDoubt {
                request,
                questions: vec![question],
            },
        )
    }

    pub(crate) fn result(
        &mut self,
        around: Around<'_>,
        place: Place,
        alias: Alias,
        said: Said,
    ) -> Outcome {
        let session = around.names.places[place].session;
        let result = match said {
            Said::Ended => BranchResult::Ended,
            Said::GaveUp => BranchResult::Park(ParkReason::GaveUp("no".into())),
            Said::Missing => BranchResult::Park(ParkReason::Missing),
            Said::Refused => BranchResult::Park(ParkReason::RefusedCancelled),
        };
        self.handle(
            around,
            Event::Result {
                session,
                xid: XID.clone(),
                alias,
                result,
            },
        )
    }

    /// Handles an event and performs its effects.
    pub(crate) fn handle(&mut self, around: Around<'_>, event: Event) -> Outcome {
        let mut outcome = Outcome::default();
        let mut effects = Vec::new();
        (around.deciders.coordinator)(&mut self.state, event, &mut effects);
        let mut serving = false;
        for effect in effects {
            match effect {
                Effect::Append {
                    position,
                    record,
                    force,
                } => {
                    let waits = force || matches!(record, Record::Horizon(_));
                    outcome.decided |= matches!(record, Record::Commit { .. });
                    self.log.push(record);
                    debug_assert_eq!(self.found as u64 + position.0, self.log.len() as u64);
                    if waits {
                        self.awaited = self.log.len();
                    }
                }
                Effect::Say {
                    message: Message::Reply(Reply::Admin(answer)),
                    ..
                } => {
                    outcome.done = matches!(answer, AdminAnswer::Done(_));
                }
                Effect::Say { to, message, after } => {
                    let Some(message) = translate(around.names, to, message) else {
                        continue;
                    };
                    let upto = after.map_or(0, |after| self.found + index(after));
                    if upto > self.durable {
                        self.awaited = self.awaited.max(upto);
                        self.held.insert((upto, message));
                    } else {
                        self.send(message, &mut outcome);
                    }
                }
                Effect::Note(Note::Committed(_) | Note::RolledBack(..)) => outcome.decided = true,
                Effect::Note(Note::Serving) => serving = true,
                Effect::SetTimer { .. } | Effect::ClearTimer(_) | Effect::Note(_) => {}
            }
        }
        if serving {
            let places = if around.scope.has_third() { 3 } else { 2 };
            for place in 0..places {
                let attached = self.attach(around, place);
                outcome.sent.extend(attached.sent);
                outcome.broken = outcome.broken.or(attached.broken);
            }
        }
        outcome
    }

    fn send(&self, message: Msg, outcome: &mut Outcome) {
        let says_commit = matches!(
            message,
            Msg::Told(Decision::Commit)
                | Msg::PhaseTwo(_, _, Decision::Commit, _)
                | Msg::Answer(_, Doubt::Committed)
        );
        let durable = self.is_commit_durable();
        if says_commit && !durable {
            outcome.broken.get_or_insert(Broken::G2);
        }
        if message == Msg::Told(Decision::Rollback) && durable {
            outcome.broken.get_or_insert(Broken::G11);
        }
        outcome.sent.push(message);
    }

    pub(crate) fn is_commit_durable(&self) -> bool {
        let is_commit =
            |record: &Record| matches!(record, Record::Commit { xid, .. } if *xid == *OWN_XID);
        self.log[..self.durable].iter().any(is_commit)
    }
}

fn settings() -> Settings {
    // Whatever has ended may be forgotten, whatever is forgotten may be let go of, at the next tick.
    Settings {
        clean_ticks: 0,
        remember_ticks: 0,
        ..Settings::default()
    }
}

/// What others hear of a message; none where nothing follows from it.
fn translate(names: &Names, to: To, message: Message) -> Option<Msg> {
    match (to, message) {
        (To::Request(RequestId(place)), Message::Reply(Reply::Joined(Ok(joined)))) => {
            Some(Msg::Joined(usize::try_from(place).ok()?, joined.alias))
        }
        (_, Message::Reply(Reply::Decision(DecisionAnswer::Committed))) => {
            Some(Msg::Told(Decision::Commit))
        }
        (_, Message::Reply(Reply::Decision(DecisionAnswer::RolledBack(_)))) => {
            Some(Msg::Told(Decision::Rollback))
        }
        (To::Request(RequestId(request)), Message::Reply(Reply::InDoubt(answers))) => {
            let doubt = match answers.first()? {
                InDoubtAnswer::Committed => Doubt::Committed,
                InDoubtAnswer::RolledBack => Doubt::RolledBack,
                InDoubtAnswer::Forgotten => Doubt::Forgotten,
                InDoubtAnswer::Wait | InDoubtAnswer::Foreign => return None,
            };
            Some(Msg::Answer(
                usize::try_from(request - IN_DOUBT).ok()?,
                doubt,
            ))
        }
        (_, Message::Reply(Reply::Attached(Ok(attached)))) => {
            let first = attached.incarnations.into_iter();
            let first = first.filter(|info| info.incarnation == *FIRST_START);
            first.map(|info| info.horizon).find_map(announced)
        }
        (
            _,
            Message::Horizon {
                incarnation,
                horizon,
            },
        ) if incarnation == *FIRST_START => announced(horizon),
        (To::Session(session), Message::PhaseTwo(sent)) => {
            let place = names.place_of(session, &sent.call)?;
            Some(Msg::PhaseTwo(
                place,
                sent.alias,
                sent.decision,
                sent.by_operator.into(),
            ))
        }
        _ => None,
    }
}

fn announced(horizon: Horizon) -> Option<Msg> {
    let listed = horizon.listed.contains(&OWN_XID.counter);
    (horizon.counter > 0).then_some(Msg::Horizon(LocalHorizon {
        counter: horizon.counter,
        listed,
    }))
}

/// Positions are small in the small world.
fn index(position: Position) -> usize {
    usize::try_from(position.0).unwrap_or(usize::MAX)
}
