//! What may happen in one search: a scope, and the deciders that it drives.

use unanimous::branch::fence::table;
use unanimous_coordinator::decide;
use unanimous_protocol::BranchKind;

/// A small world: one transaction whose body makes two calls, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    pub(crate) name: &'static str,
    /// The branch behind each call.
    pub(crate) kinds: [BranchKind; 2],
    /// How often the coordinator may crash.
    pub(crate) crashes: u8,
    can: u32,
}

/// What may happen besides loss, repetition and reordering of messages, and crashes of
/// participants between any two of their steps, which may happen always.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Can {
    /// The second call stands in a `tolerate` block.
    Tolerate,
    /// A crash keeps any subset of the unforced records, not only a prefix.
    KeepAnySubset,
    /// The deadline passes at any moment.
    TimeOut,
    /// The horizon moves at any moment, as soon as everything has ended.
    MoveHorizon,
    /// Remembered outcomes are let go of at any moment.
    LetGo,
    /// An answer arrives without its header.
    LoseHeaders,
    /// An operator rolls back, retries, gives up, resolves.
    Operate,
    /// A participant gives up on phase two.
    GiveUp,
    /// The first call is delivered twice, the second time to another database of the participant.
    ReachTwin,

    /// Mutant (N3): the repeat of a delivered call gets another call id.
    MintCallIds,
    /// Mutant (N5): the two databases of the participant count as one resource.
    ConfuseDatabases,
    /// Mutant (RM2): an unfenced branch runs before it is registered.
    RunUnregistered,
    /// Mutant (RM3): the effect commits without its row.
    CommitEffectAlone,
    /// Mutant (RM5): the end is said before the local commit.
    SayEndedFirst,
    /// Mutant (RM8): the horizon is not stored with the deletion.
    StoreHorizonApart,
    /// Mutant (E3): a participant's database loses its last commit.
    LoseLocalCommit,
}

impl Scope {
    pub(crate) const fn new(name: &'static str, kinds: [BranchKind; 2], crashes: u8) -> Self {
        Self {
            name,
            kinds,
            crashes,
            can: 0,
        }
    }

    pub(crate) const fn crashing(self, crashes: u8) -> Self {
        Self { crashes, ..self }
    }

    pub(crate) const fn with(self, can: Can) -> Self {
        Self {
            can: self.can | 1 << can as u32,
            ..self
        }
    }

    pub(crate) const fn can(self, can: Can) -> bool {
        self.can & 1 << can as u32 != 0
    }

    /// Whether there is a third place where a branch may run.
    pub(crate) const fn has_third(self) -> bool {
        self.can(Can::ReachTwin) || self.can(Can::MintCallIds) || self.can(Can::ConfuseDatabases)
    }
}

/// The product's deciders of coordinator and participant, under some rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deciders {
    pub(crate) coordinator: fn(&mut decide::State, decide::Event, &mut Vec<decide::Effect>),
    pub(crate) row: fn(Option<table::Seen>, bool, table::Event) -> table::Step,
    /// The same for a branch that is cancelled although no try left a row.
    pub(crate) row_always_cancel: fn(Option<table::Seen>, bool, table::Event) -> table::Step,
    pub(crate) may_ask: fn(BranchKind, table::Seen, bool) -> bool,
    pub(crate) may_delete: fn(table::Seen, bool) -> bool,
}

impl Deciders {
    /// The coordinator under the rules `C`, participants under the rules `P`.
    pub(crate) const fn of<C: decide::Rules, P: table::Rules>() -> Self {
        Self {
            coordinator: decide::decide_with::<C>,
            row: table::decide_with::<P>,
            row_always_cancel: table::decide_always_cancel_with::<P>,
            may_ask: table::may_ask_with::<P>,
            may_delete: table::may_delete_with::<P>,
        }
    }

    /// As the product uses them.
    pub(crate) const ALL: Self = Self::of::<decide::All, table::All>();
}
