//! What a proof says, and which rule an action breaks.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::runtime::BuildError;
use crate::testing::{Phase, Point};

/// A rule that every action of the pattern keeps.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Rule {
    /// The same deliveries lead to the same state.
    Determinism,
    /// A phase that is delivered again changes nothing.
    Idempotence,
    /// A rollback whose try never took effect changes nothing.
    EmptyRollback,
    /// A try that comes after its rollback changes nothing.
    Suspension,
    /// A try and its rollback leave the state as it was before.
    Conservation,
    /// A branch is confirmed or cancelled, never both, and never confirmed without a try.
    Finality,
    /// Phase two succeeds when it is repeated.
    Completion,
}

impl Rule {
    /// The rule in one word or two.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Determinism => "determinism",
            Self::Idempotence => "idempotence",
            Self::EmptyRollback => "empty rollback",
            Self::Suspension => "suspension",
            Self::Conservation => "conservation",
            Self::Finality => "finality",
            Self::Completion => "completion",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Determinism => "the same deliveries lead to the same state",
            Self::Idempotence => "a phase that is delivered again changes nothing",
            Self::EmptyRollback => "a rollback whose try never took effect changes nothing",
            Self::Suspension => "a try that comes after its rollback changes nothing",
            Self::Conservation => "a try and its rollback leave the state as it was before",
            Self::Finality => {
                "a branch is confirmed or cancelled, never both, and never confirmed without a try"
            }
            Self::Completion => "phase two succeeds when it is repeated",
        }
    }

    /// What to do about a breach.
    #[must_use]
    pub fn way_out(self, fenced: bool) -> &'static str {
        match (self, fenced) {
            (Self::Determinism, _) => {
                "let the first closure make everything anew, a database of its own (`testing::database`) too, and let the state leave out what differs by chance: ids, times, the order of rows"
            }
            (Self::Conservation, false) => {
                "let the `rollback` partner undo all that the action did, and no more"
            }
            (Self::Conservation, true) => {
                "let the `rollback` partner undo all that the action did, and no more; and do everything through `tx`: what goes around the fence's local transaction is not undone with it"
            }
            (Self::Completion, _) => {
                "let phase two return `Ok` where there is nothing to do; `Err` means \"repeat\", and it is repeated for ever"
            }
            (Self::Idempotence, false) => {
                "put the action behind a `fence = ..`: a row in the same local transaction answers the second delivery; without one, keep `BranchContext`'s `key()` together with the effect, and look for it first"
            }
            (Self::EmptyRollback, false) => {
                "put the action behind a `fence = ..`: without a try's row the `rollback` partner is not called; without one, keep `BranchContext`'s `try_key()` with what the try did, and undo nothing where it is missing"
            }
            (Self::Suspension, false) => {
                "put the action behind a `fence = ..`: the rollback's row refuses the late try; without one, let the `rollback` partner leave a marker under `BranchContext`'s `try_key()`, and let the try refuse where it finds one"
            }
            (Self::EmptyRollback, true) => {
                "do everything through `tx`; with `always_cancel` the `rollback` partner is called without a try too, and learns from `#[tried]` that there was none"
            }
            (Self::Finality, false) => "put the action behind a `fence = ..`",
            (_, true) => {
                "do everything through `tx`: what goes around the fence's local transaction is not undone with it"
            }
        }
    }
}

/// What to do about a phase two that was parked.
pub(super) const GIVEN_UP: &str = "give up (`PhaseTwoError::give_up`) only what no repeat can mend: the branch waits for an operator, and its transaction with it";

const LOCKED: &str = "run every statement on `&mut *tx`: the fence's local transaction holds the database's write lock, and a second connection, such as one of the participant's own pool, waits for it in vain";

const EXHAUSTED: &str = "run every statement on `&mut *tx`: the fence's local transaction holds a connection of the pool, which has no second one to give";

const PANICS: &str =
    "let phase two return an error, or `Ok` where there is nothing to do, instead of a panic";

/// What to do about a failure that is told by its text: databases have no better.
pub(super) fn way_out_of(failure: &str) -> Option<&'static str> {
    let told = [
        (" is locked", LOCKED),
        ("pool timed out", EXHAUSTED),
        ("phase two panicked", PANICS),
    ];
    let told = told.into_iter().find(|(text, _)| failure.contains(text));
    told.map(|(_, way_out)| way_out)
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.text())
    }
}

/// A rule that was broken, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Breach {
    /// The rule.
    pub rule: Rule,
    /// Participant and action.
    pub action: String,
    /// What was delivered, in order, and what happened to it.
    pub delivered: Vec<String>,
    /// The state, or the answer, that the rule asks for.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub way_out: &'static str,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rule,
            action,
            delivered,
            expected,
            found,
            way_out,
        } = self;
        writeln!(f, "{action} breaks {rule}")?;
        writeln!(f, "  delivered: {}", listed(delivered))?;
        writeln!(f, "  expected:  {expected}")?;
        writeln!(f, "  found:     {found}")?;
        write!(f, "  way out:   {way_out}")
    }
}

fn listed(delivered: &[String]) -> String {
    if delivered.is_empty() {
        return "nothing".to_owned();
    }
    delivered.join(", ")
}

impl From<Breach> for Problem {
    fn from(breach: Breach) -> Self {
        Self::Breach(breach)
    }
}

/// What a proof stumbled over.
#[derive(Debug)]
#[non_exhaustive]
pub enum Problem {
    /// A rule is broken.
    Breach(Breach),
    /// A point was never reached, so nothing was proved about it.
    NotReached(Phase, Point),
    /// A point was reached less often than in another run of the same deliveries.
    Uneven {
        /// Which phase.
        phase: Phase,
        /// Where in it.
        point: Point,
        /// The time, counted from one, that did not come.
        time: usize,
    },
    /// A phase, or the closure that reads the state, did not end.
    Endless {
        /// What did not end.
        what: String,
        /// What was delivered, in order.
        delivered: Vec<String>,
        /// How long it was waited for.
        patience: Duration,
    },
    /// Phase one, or the closure that reads the state, panicked.
    Panicked {
        /// What panicked.
        what: String,
        /// What was delivered, in order.
        delivered: Vec<String>,
        /// What the panic said.
        text: String,
    },
    /// Nothing joined: phase one called no action of a provided participant.
    NoBranch,
    /// The state is the same before, after the try and after the commit: whatever the action does
    /// wrong, it would not be seen.
    Blind(String),
    /// The first try, with nothing done to it, failed.
    Try(String),
    /// Phase two cannot read what phase one recorded, returned or kept: a type's `Deserialize` does
    /// not read what its `Serialize` writes. In production every such branch parks in the end.
    Unreadable(String),
    /// The runtime could not be built.
    Build(BuildError),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Breach(breach) => breach.fmt(f),
            Self::NotReached(phase, point) => {
                write!(f, "nothing was proved about the {phase} {point}: it was never reached")
            }
            Self::Uneven { phase, point, time } => write!(
                f,
                "nothing was proved about time {time} that a {phase} comes {point}: another run of the same deliveries had it; let the second closure make the same calls in every run"
            ),
            Self::Endless { what, delivered, patience } => write!(
                f,
                "{what} did not end within {patience:?}; delivered: {}; let it wait for nothing that a phase which failed or was dropped would have to give, and run every statement of a fenced action on `&mut *tx`",
                listed(delivered)
            ),
            Self::Panicked {
                what,
                delivered,
                text,
            } => write!(
                f,
                "{what} panicked: {text}; delivered: {}; let it return an error where it refuses, and look for what each of these deliveries may have left or undone",
                listed(delivered)
            ),
            Self::NoBranch => f.write_str(
                "no branch joined: let the second closure call an action of the participant that the first one made, and wait for it",
            ),
            Self::Blind(state) => write!(
                f,
                "the state is {state} before, after the try and after the commit: let the third closure read what the action changes"
            ),
            Self::Try(error) => {
                let way_out = way_out_of(error)
                    .unwrap_or("let the first closure provide the action and prepare what it needs");
                write!(
                    f,
                    "the try failed although nothing was done to it: {error}; {way_out}"
                )
            }
            Self::Unreadable(error) => write!(
                f,
                "phase two cannot read what phase one wrote: {error}; let the type's `Deserialize` read what its `Serialize` writes"
            ),
            Self::Build(error) => write!(f, "the runtime could not be built: {error}"),
        }
    }
}

/// Why an action is not proved.
#[derive(Debug)]
#[non_exhaustive]
pub struct Broken {
    /// Everything that was found, in the order in which it was tried.
    pub problems: Vec<Problem>,
}

impl Broken {
    /// The rules that are broken.
    #[must_use]
    pub fn rules(&self) -> BTreeSet<Rule> {
        let problems = self.problems.iter();
        problems
            .filter_map(|problem| match problem {
                Problem::Breach(breach) => Some(breach.rule),
                _ => None,
            })
            .collect()
    }
}

impl fmt::Display for Broken {
    /// The first breach of each rule in full; the shortest sequence comes first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = BTreeSet::new();
        let mut more = 0;
        for problem in &self.problems {
            match problem {
                Problem::Breach(breach) if !told.insert(breach.rule) => more += 1,
                problem if told.len() + more > 1 => write!(f, "\n{problem}")?,
                problem => problem.fmt(f)?,
            }
        }
        match more {
            0 => Ok(()),
            1 => f.write_str("\nand one more sequence that breaks the same rule"),
            _ => write!(f, "\nand {more} more sequences that break the same rules"),
        }
    }
}

impl std::error::Error for Broken {}

/// What was proved.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Proof {
    /// How many sequences of deliveries were run, each in a world of its own.
    pub runs: usize,
    /// The points that were reached; by [`Prover::faults`](super::Prover::faults) a phase failed,
    /// and was dropped, at each of them.
    pub points: BTreeSet<(Phase, Point)>,
    /// At how many of the times that a point is reached a phase failed, and was dropped.
    pub places: usize,
    /// How many of those times were left out, between the first four and the last four of a point.
    pub left_out: usize,
    /// How many orders of try, commit and rollback were delivered.
    pub orders: usize,
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            runs,
            points,
            places,
            left_out,
            orders,
        } = self;
        let points = points.len();
        write!(
            f,
            "{runs} runs over {points} points, faults at {places} of "
        )?;
        write!(f, "the {} times they are reached, ", places + left_out)?;
        write!(f, "{orders} orders")
    }
}
