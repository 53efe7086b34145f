//! What a proof says, and which rule an action breaks.

use std::collections::BTreeSet;
use std::fmt;

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
                "let the state leave out what differs by chance: ids, times, the order of rows"
            }
            (Self::Conservation, _) => {
                "let the `rollback` method undo all that the action did, and no more"
            }
            (Self::Completion, _) => {
                "let phase two return `Ok` where there is nothing to do; `Err` means \"repeat\", and it is repeated for ever"
            }
            (Self::Idempotence, false) => {
                "give the participant a `fence = ..`: a row in the same local transaction answers the second delivery; without one, keep `BranchContext`'s `key()` together with the effect, and look for it first"
            }
            (Self::EmptyRollback, false) => {
                "give the participant a `fence = ..`: without a try's row the `rollback` method is not called; without one, keep `BranchContext`'s `try_key()` with what the try did, and undo nothing where it is missing"
            }
            (Self::Suspension, false) => {
                "give the participant a `fence = ..`: the rollback's row refuses the late try; without one, let the `rollback` method leave a marker under `BranchContext`'s `try_key()`, and let the try refuse where it finds one"
            }
            (Self::EmptyRollback, true) => {
                "do everything through `tx`; with `always_cancel` the `rollback` method is called without a try too, and learns from `#[tried]` that there was none"
            }
            (Self::Finality, false) => "give the participant a `fence = ..`",
            (_, true) => {
                "do everything through `tx`: what goes around the fence's local transaction is not undone with it"
            }
        }
    }
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
        let delivered = delivered.join(", ");
        writeln!(f, "{action} breaks {rule}")?;
        writeln!(f, "  delivered: {delivered}")?;
        writeln!(f, "  expected:  {expected}")?;
        writeln!(f, "  found:     {found}")?;
        write!(f, "  way out:   {way_out}")
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
            Self::NoBranch => f.write_str(
                "no branch joined: let the second closure call an action of the participant that the first one made",
            ),
            Self::Blind(state) => write!(
                f,
                "the state is {state} before, after the try and after the commit: let the third closure read what the action changes"
            ),
            Self::Try(error) => write!(
                f,
                "the try failed although nothing was done to it: {error}; let the first closure prepare what it needs"
            ),
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
    /// How many orders of try, commit and rollback were delivered.
    pub orders: usize,
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            runs,
            points,
            orders,
        } = self;
        write!(
            f,
            "{runs} runs over {} points, {orders} orders",
            points.len()
        )
    }
}
