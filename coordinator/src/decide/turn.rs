//! One event being decided: the state, the effects so far, and the rules kept.

use std::marker::PhantomData;

use unanimous_protocol::message::DecisionAnswer;

use super::effect::{Effect, Message, Note, Reply, To};
use super::event::{Position, RequestId};
use super::record::Record;
use super::rules::Rules;
use super::state::State;

/// What the files of this module add their rules to, each as methods.
pub(super) struct Turn<'a, R> {
    pub(super) state: &'a mut State,
    pub(super) effects: &'a mut Vec<Effect>,
    rules: PhantomData<R>,
}

/// Whether a record is forced: durable as soon as possible, because something waits for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Force {
    Lazy,
    Forced,
}

impl<'a, R: Rules> Turn<'a, R> {
    pub(super) fn new(state: &'a mut State, effects: &'a mut Vec<Effect>) -> Self {
        Self {
            state,
            effects,
            rules: PhantomData,
        }
    }

    pub(super) fn append(&mut self, record: Record, force: Force) -> Position {
        self.state.appended.0 += 1;
        let position = self.state.appended;
        self.effects.push(Effect::Append {
            position,
            record,
            force: force == Force::Forced,
        });
        position
    }

    pub(super) fn say(&mut self, to: To, message: Message, after: Option<Position>) {
        self.effects.push(Effect::Say { to, message, after });
    }

    pub(super) fn reply(&mut self, request: RequestId, reply: Reply) {
        self.say(To::Request(request), Message::Reply(reply), None);
    }

    pub(super) fn reply_decision(&mut self, request: RequestId, answer: DecisionAnswer) {
        self.reply(request, Reply::Decision(answer));
    }

    pub(super) fn note(&mut self, note: Note) {
        self.effects.push(Effect::Note(note));
    }
}
