use std::fmt::Debug;
use std::hash::Hash;

/// Which rules the decider keeps. Product code uses [`All`]; the model drops one at a time and must
/// find the history that goes wrong.
#[doc(hidden)]
pub trait Rules: Clone + Debug + Eq + Hash + Send + Sync + 'static {
    /// TM1: a call whose answer is lost has failed.
    const LOST_ANSWER_FAILS: bool = true;
    /// TM2: the branches below an abandoned call are not named.
    const ABANDONED_NAMES_NOTHING: bool = true;
    /// TM4: silence is no outcome.
    const SILENCE_IS_UNKNOWN: bool = true;
}

/// Every rule is kept.
#[doc(hidden)]
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct All;

impl Rules for All {}
