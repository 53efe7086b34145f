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

mod bits;
mod effect;
mod event;
mod record;
mod rules;
mod state;

pub use effect::{Delay, Effect, Finished, Message, Note, Reply, To};
pub use event::{Event, Position, RequestId, Room, SessionId, Start, Timer};
pub use record::{
    About, CHUNK_BITS, Chunk, DecidedBranch, HorizonRecord, HorizonScope, Key, Record,
    Registration, Slot,
};
pub use rules::All;
#[doc(hidden)]
pub use rules::{Rules, mutants};
pub use state::{Branch, Settings, State};

/// Decides about one event, keeping every rule of the protocol.
pub fn decide(state: &mut State, event: Event, effects: &mut Vec<Effect>) {
    decide_with::<All>(state, event, effects);
}

/// [`decide`] under the rules `R`: what tests and the model call with mutants.
#[doc(hidden)]
pub fn decide_with<R: Rules>(state: &mut State, event: Event, effects: &mut Vec<Effect>) {
    let _ = (state, event, effects);
}
