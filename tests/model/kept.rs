//! The deciders as they are: every promise is kept in every state of these scopes.

use unanimous::global::calls;
use unanimous_protocol::BranchKind::{self, AlwaysCancel, Fenced, Unfenced};

use crate::check::search;
use crate::reached::KINDS;
use crate::scope::{Can, Deciders, Scope};
use crate::step::Small;

/// Of so many states one is checked for recovery; which ones depends on their contents alone.
const RECOVERY_OF: u64 = 16;

/// Searches a scope to the end; says which kinds of steps were taken.
#[allow(
    clippy::print_stdout,
    reason = "the sizes of the searches, for who runs them by hand"
)]
fn keeps_every_promise(scope: Scope) -> [bool; KINDS.len()] {
    let found = search(
        Small::<calls::All>::new(scope, Deciders::ALL, RECOVERY_OF),
        2,
    );
    println!("{}: {} states", scope.name, found.states);
    if let Some((broken, steps)) = found.broken {
        panic!(
            "{} breaks {broken:?} in {} steps: {steps:#?}",
            scope.name,
            steps.len()
        );
    }
    found.reached.map(|count| count > 0)
}

#[test]
fn every_promise_is_kept_and_every_kind_of_step_is_taken() {
    let mut reached = [false; KINDS.len()];
    for scope in scopes() {
        for (all, one) in reached.iter_mut().zip(keeps_every_promise(scope)) {
            *all |= one;
        }
    }
    for (kind, reached) in KINDS.iter().zip(reached) {
        assert!(reached, "no search took the step: {kind}");
    }
}

fn scopes() -> Vec<Scope> {
    const FF: [BranchKind; 2] = [Fenced, Fenced];
    const FU: [BranchKind; 2] = [Fenced, Unfenced];
    const AF: [BranchKind; 2] = [AlwaysCancel, Fenced];
    const AU: [BranchKind; 2] = [AlwaysCancel, Unfenced];
    const UU: [BranchKind; 2] = [Unfenced, Unfenced];
    let timed = |name, kinds, crashes| {
        Scope::new(name, kinds, crashes)
            .with(Can::TimeOut)
            .with(Can::MoveHorizon)
    };
    vec![
        timed("FF, two crashes, headers lost", FF, 2).with(Can::LoseHeaders),
        timed("FF, a crash, outcomes let go of", FF, 1).with(Can::LetGo),
        timed("FF, a crash, tolerate, headers lost", FF, 1)
            .with(Can::Tolerate)
            .with(Can::LoseHeaders),
        Scope::new("FF, two crashes, any subset of the log", FF, 2)
            .with(Can::KeepAnySubset)
            .with(Can::MoveHorizon),
        Scope::new("FF, an operator", FF, 0)
            .with(Can::Operate)
            .with(Can::MoveHorizon),
        Scope::new("FF, an operator, participants give up", FF, 0)
            .with(Can::Operate)
            .with(Can::GiveUp),
        timed("FF, a repeat at another database", FF, 0).with(Can::ReachTwin),
        timed("FU, a crash, outcomes let go of, headers lost", FU, 1)
            .with(Can::LetGo)
            .with(Can::LoseHeaders),
        timed("FU, a crash, tolerate, any subset of the log", FU, 1)
            .with(Can::Tolerate)
            .with(Can::KeepAnySubset),
        Scope::new("FU, a crash, an operator, participants give up", FU, 1)
            .with(Can::Operate)
            .with(Can::GiveUp),
        timed("AF, a crash", AF, 1),
        timed("AU, a crash, tolerate", AU, 1).with(Can::Tolerate),
        Scope::new("AF, an operator, participants give up", AF, 0)
            .with(Can::Operate)
            .with(Can::GiveUp),
        timed("UU, two crashes", UU, 2),
        timed("UU, a crash, tolerate, headers lost", UU, 1)
            .with(Can::Tolerate)
            .with(Can::LoseHeaders),
        Scope::new("UU, a crash, a repeat at another database", UU, 1)
            .with(Can::ReachTwin)
            .with(Can::TimeOut),
    ]
}
