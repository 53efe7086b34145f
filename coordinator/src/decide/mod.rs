//! The coordinator's decisions, pure: [`decide`] takes a state and an event, changes the state and
//! says what must be done about it. No clock, no IO, no async.
//!
//! ```text
//!              Event                       Effect
//!  requests ----------+                +----------> Append ----> log --+
//!  results, attach ---+--> decide(State) ---------> Say (now or after) |
//!  timers ------------+        ^       +----------> SetTimer           |
//!                              +--- Durable(position) -----------------+
//! ```
//!
//! The driver performs the effects in their order. A [`Effect::Say`] with a position waits until
//! the log is durable up to it; nothing else waits.

//! # Where a rule is
//!
//! | file | rules |
//! |---|---|
//! | `recover` | the start: TC1, TC2 |
//! | `join` | begin, register, report: TC3, TC4, N4 |
//! | `commit` | the one decision: TC5 to TC9 |
//! | `deliver` | phase two until ended: TC10, OP2; each resource for itself |
//! | `forget`, `bits` | the horizon and what is remembered: TC11, TC12, N6 |
//! | `answer` | what is told about any xid: TC13, N1, N5, OP5 |
//! | `attach` | who is there, and what they have seen: RM10, TC14 |
//! | `operator`, `view` | OP1 to OP5, and what people see |
//! | `stranded` | OP2 for rows whose transaction is not kept |
//! | `rules` | which of them a mutant may drop |

mod answer;
mod attach;
mod bits;
mod commit;
mod deliver;
mod effect;
mod event;
mod forget;
mod join;
mod operator;
mod record;
mod recover;
mod rules;
mod state;
mod stranded;
#[cfg(test)]
mod tests;
mod turn;
mod view;

pub use effect::{Delay, Effect, Finished, Message, Note, Reply, To};
pub use event::{Event, Position, RequestId, Room, SessionId, Start, Timer};
pub use forget::ALL_COUNTERS;
pub use record::{
    About, CHUNK_BITS, Chunk, DecidedBranch, HorizonRecord, HorizonScope, Key, Record,
    Registration, Slot,
};
pub use rules::All;
#[doc(hidden)]
pub use rules::{Rules, mutants};
pub use state::{Branch, Settings, State};
pub(crate) use stranded::is_stranded;

use state::{Pending, Service};
use turn::Turn;
use unanimous_protocol::Incarnation;

/// Decides about one event, keeping every rule of the protocol. Effects are added at the end.
pub fn decide(state: &mut State, event: Event, effects: &mut Vec<Effect>) {
    decide_with::<All>(state, event, effects);
}

/// [`decide`] under the rules `R`: what tests and the model call with mutants.
#[doc(hidden)]
pub fn decide_with<R: Rules>(state: &mut State, event: Event, effects: &mut Vec<Effect>) {
    let mut turn = Turn::<R>::new(state, effects);
    match turn.state.service {
        Service::Recovering => turn.before_service(event),
        Service::Serving | Service::Stopping => turn.serve_event(event),
        Service::Replaced(newest) => turn.refuse(&event, newest),
    }
}

impl<R: Rules> Turn<'_, R> {
    /// Before the start is durable nothing is answered (TC1).
    fn before_service(&mut self, event: Event) {
        match event {
            Event::Start(start) => self.start(*start),
            Event::Durable(position) => self.durable(position),
            Event::Room(room) => self.state.room = room,
            // Nothing can be open yet.
            Event::Stop => self.note(Note::Drained),
            _ => {}
        }
    }

    fn serve_event(&mut self, event: Event) {
        match event {
            Event::Start(_) => debug_assert!(false, "a process starts once"),
            Event::Durable(position) => self.durable(position),
            Event::Begin {
                request,
                application,
                begin,
            } => self.begin(request, application, begin),
            Event::Register {
                request,
                session,
                register,
            } => self.register(request, session, *register),
            Event::Report { request, report } => self.report(request, report),
            Event::Commit { request, commit } => self.commit(request, &commit),
            Event::Rollback { request, xid } => self.rollback(request, &xid),
            Event::Outcome { request, xid } => self.outcome(request, &xid),
            Event::InDoubt { request, questions } => self.answer_in_doubt(request, &questions),
            Event::Admin { request, admin } => self.admin(request, admin),
            Event::Attach {
                request,
                session,
                attach,
            } => self.attach(request, session, *attach),
            Event::Detached(session) => self.detach(session),
            Event::Result {
                session,
                xid,
                alias,
                result,
            } => self.result(session, &xid, alias, result),
            Event::HorizonAcked {
                resource,
                incarnation,
                counter,
            } => self.horizon_acked(resource, incarnation, counter),
            Event::Timer(timer) => self.timer(timer),
            Event::Room(room) => self.state.room = room,
            Event::Stop => {
                self.state.service = Service::Stopping;
                self.drained();
            }
        }
    }

    fn timer(&mut self, timer: Timer) {
        match timer {
            Timer::Deadline(xid) => self.deadline(xid),
            Timer::Retry(xid, alias) => self.retry_due((xid, alias)),
            Timer::Undecodable(xid, alias) => self.undecodable_for_long((xid, alias)),
            Timer::Lost(xid, alias) => self.delivery_lost((xid, alias)),
            Timer::Horizon => self.horizon_tick(),
            Timer::Remember => self.remember_tick(),
            Timer::Drain => self.roll_back_open(),
        }
    }

    /// The log is durable up to a position: what waited for it becomes true.
    fn durable(&mut self, upto: Position) {
        while let Some((position, pending)) = self.state.pending.front().copied() {
            if position > upto {
                return;
            }
            self.state.pending.pop_front();
            match pending {
                Pending::Start => self.serve(),
                Pending::Joined(xid, alias) => self.registration_durable(xid, alias),
                Pending::Committed(xid) => self.commit_durable(xid, position),
                Pending::Horizon(incarnation) => self.horizon_durable(incarnation),
                Pending::ByHand(xid) => self.decided_by_hand_durable(xid),
                Pending::Shown => self.shown_durable(position),
            }
        }
    }

    /// TC14: an older copy of the log answers nothing more.
    fn refuse(&mut self, event: &Event, newest: Incarnation) {
        let request = match event {
            Event::Begin { request, .. }
            | Event::Register { request, .. }
            | Event::Report { request, .. }
            | Event::Commit { request, .. }
            | Event::Rollback { request, .. }
            | Event::Outcome { request, .. }
            | Event::InDoubt { request, .. }
            | Event::Admin { request, .. }
            | Event::Attach { request, .. } => *request,
            Event::Stop => return self.note(Note::Drained),
            _ => return,
        };
        self.reply(request, Reply::Replaced { newest });
    }
}
