//! Deciders that have dropped one rule each: every one must be found by the promise it breaks
//! (section 10 of the protocol). What is not found says nothing about its rule.

use unanimous::branch::fence::table;
use unanimous::global::calls;
use unanimous_coordinator::decide::{self, mutants};
use unanimous_protocol::BranchKind::{AlwaysCancel, Fenced, Unfenced};

use crate::check::search;
use crate::scope::{Can, Deciders, Scope};
use crate::step::Small;
use crate::world::Broken::{self, C1, G1, G2, G3, G4, G5, G6, G11, G12, T1, T2, T5};

const FF: Scope = Scope::new("FF", [Fenced, Fenced], 0);
const FU: Scope = Scope::new("FU", [Fenced, Unfenced], 0);
const AF: Scope = Scope::new("AF", [AlwaysCancel, Fenced], 0);
const UU: Scope = Scope::new("UU", [Unfenced, Unfenced], 0);

/// The transaction manager, the coordinator and the participants under some rules; the promises
/// by one of which the mutant is found.
#[allow(
    clippy::print_stdout,
    reason = "the histories' lengths, for who runs them by hand"
)]
fn is_found<T: calls::Rules, C: decide::Rules, P: table::Rules>(scope: Scope, by: &[Broken]) {
    // A promise about recovery is looked for in every state, where it alone can break.
    let recovery_of = u64::from(by == [G6]);
    let found = search(
        Small::<T>::new(scope, Deciders::of::<C, P>(), recovery_of),
        1,
    );
    let Some((broken, steps)) = found.broken else {
        panic!("not found in the {} states of {scope:?}", found.states);
    };
    println!(
        "{broken:?} in {} steps, {} states",
        steps.len(),
        found.states
    );
    assert!(
        by.contains(&broken),
        "found by {broken:?}, not by {by:?}: {steps:#?}"
    );
}

macro_rules! without {
    ($rules:path, $($name:ident: $rule:ident,)*) => { $(
        #[derive(Clone, Debug, Eq, Hash, PartialEq)]
        struct $name;
        impl $rules for $name {
            const $rule: bool = false;
        }
    )* };
}

without! { calls::Rules,
    LostAnswerSwallowed: LOST_ANSWER_FAILS,
    AbandonedNamed: ABANDONED_NAMES_NOTHING,
    SilenceIsRolledBack: SILENCE_IS_UNKNOWN,
}

without! { table::Rules,
    CancelLeavesNoMarker: CANCEL_LEAVES_MARKER,
    TryIgnoresMarker: TRY_HEEDS_MARKER,
    ConfirmRunsAgain: CONFIRM_RUNS_ONCE,
    NeverAsks: ASKS_IN_DOUBT,
    LateAnswersAct: ANSWERS_ACT_ONLY_ON_TRIED,
    CleansTriedRows: CLEANS_ONLY_ENDED,
    CleansAnyTime: CLEANS_BY_HORIZON,
    TryBelowHorizon: TRY_HEEDS_HORIZON,
    MissingIsDone: MISSING_IS_NOT_DONE,
    CancelsOnlyRows: CANCELS_WITHOUT_ROW,
}

macro_rules! mutants {
    ($($name:ident: $manager:ty, $coordinator:ty, $participant:ty, $scope:expr, [$($by:expr),*];)*) => { $(
        #[test]
        fn $name() {
            is_found::<$manager, $coordinator, $participant>($scope, &[$($by),*]);
        }
    )* };
}

type Tm = calls::All;
type Tc = decide::All;
type Rm = table::All;

mutants! {
    // Names.
    n3_minted_call_ids: Tm, Tc, Rm, FF.with(Can::MintCallIds), [G12];
    n4_a_call_id_that_is_not_bound: Tm, mutants::CallIdUnbound, Rm, FF.with(Can::ReachTwin), [G4];
    n5_two_databases_that_count_as_one: Tm, Tc, Rm, FF.with(Can::ConfuseDatabases), [G4];

    // The transaction manager.
    tm1_a_lost_answer_that_is_swallowed: LostAnswerSwallowed, Tc, Rm, FF, [G1];
    tm2_an_abandoned_call_that_is_named: AbandonedNamed, Tc, Rm, FF.with(Can::Tolerate), [G1];
    tm4_silence_that_means_rolled_back: SilenceIsRolledBack, Tc, Rm, FF, [C1];

    // The coordinator.
    tc1_a_start_that_is_not_forced: Tm, mutants::RecoveryDoesNotForce, Rm, FF.crashing(2), [G2];
    tc2_an_open_transaction_that_survives: Tm, mutants::OpenSurvivesRestart, Rm,
        FF.crashing(1).with(Can::TimeOut), [C1, G5];
    tc4_an_unfenced_branch_that_registers_lazily: Tm, mutants::RegistersLazily, Rm,
        UU.crashing(1), [G6];
    tc4_an_always_cancelled_branch_that_registers_lazily: Tm, mutants::RegistersLazily, Rm,
        AF.crashing(1), [G6];
    tc4_a_branch_that_joins_only_when_durable: Tm, mutants::JoinsWhenDurable, Rm,
        UU.with(Can::TimeOut), [G5, G6];
    tc4_a_branch_that_joins_after_the_decision: Tm, mutants::RegistersAfterDecision, Rm,
        FF.with(Can::TimeOut), [G5];
    tc5_a_deadline_that_beats_the_decision: Tm, mutants::DeadlineBeatsDeciding, Rm,
        FF.with(Can::TimeOut), [C1, G3, G11];
    tc6_named_branches_that_are_not_compared: Tm, mutants::TakesNamed, Rm,
        FF.with(Can::LoseHeaders), [G1];
    tc6_joined_branches_that_are_all_confirmed: Tm, mutants::ConfirmsAllJoined, Rm,
        FF.with(Can::Tolerate), [G1, T5];
    tc6_a_commit_record_without_its_branches: Tm, mutants::CommitWithoutList, Rm,
        FF.crashing(1).with(Can::KeepAnySubset), [G1, G3];
    tc7_a_commit_that_is_not_forced: Tm, mutants::CommitNotForced, Rm, FF.crashing(1), [G2];
    tc7_a_participant_that_is_told_while_deciding: Tm, mutants::TellsParticipantWhileDeciding, Rm,
        FF.crashing(1), [G2];
    tc10_no_phase_two_after_a_restart: Tm, mutants::NoPhaseTwoAfterRestart, Rm,
        FU.crashing(1), [G6];
    tc11_a_commit_that_is_forgotten_before_its_branches_ended: Tm, mutants::ForgetsBeforeEnded, Rm,
        FF.with(Can::MoveHorizon), [C1, G1];
    tc11_an_abort_that_is_forgotten_before_its_unfenced_branch_ended: Tm,
        mutants::ForgetsAbortBeforeUnfencedEnded, Rm, FU.crashing(1).with(Can::MoveHorizon), [G6];
    tc11_a_given_up_branch_that_counts_as_ended: Tm, mutants::GivenUpCountsAsEnded, Rm,
        FF.with(Can::MoveHorizon).with(Can::Operate), [C1, G1];
    tc11_a_horizon_that_passes_an_open_transaction: Tm, mutants::HorizonPassesOpen, Rm,
        FF.with(Can::MoveHorizon), [C1, G1];
    tc11_a_bit_that_comes_in_a_later_record: Tm, mutants::BitInLaterRecord, Rm,
        FF.crashing(1).with(Can::MoveHorizon), [C1, G11];
    tc11_a_transaction_that_leaves_the_list_without_its_bit: Tm, mutants::LeavesListWithoutBit, Rm,
        FF.with(Can::MoveHorizon), [C1, G11];
    tc11_a_committed_one_that_is_dropped_above_the_horizon: Tm,
        mutants::CommittedDroppedAboveHorizon, Rm, FF, [C1, G3, G11];
    tc11_a_bit_that_answers_a_participant: Tm, mutants::BitsAnswerParticipants, Rm,
        FF.with(Can::Tolerate).with(Can::MoveHorizon), [G1, G3];
    tc13_no_record_that_is_answered_wait: Tm, mutants::NoRecordIsWait, Rm, FF.crashing(1), [G6];
    tc13_an_open_one_that_is_rolled_back_for_a_participant: Tm,
        mutants::OpenIsRolledBackForParticipant, Rm, FF, [G1, G3];
    tc13_an_open_one_that_is_rolled_back_for_the_manager: Tm,
        mutants::OpenIsRolledBackForManager, Rm, FF, [C1];
    tc13_an_answer_by_transaction_instead_of_by_branch: Tm, mutants::AnswersByTransaction, Rm,
        FF.with(Can::Tolerate), [G1, G3];
    tc13_a_forgotten_one_that_is_told_as_rolled_back: Tm, mutants::ForgottenIsRolledBack, Rm,
        FF.with(Can::MoveHorizon).with(Can::LetGo), [C1, G11];
    op2_a_row_that_was_given_up_and_stays_unlisted: Tm, mutants::StrandedStaysUnlisted, Rm,
        FU.crashing(1).with(Can::GiveUp), [G6];
    op1_an_operator_who_commits_an_open_one: Tm, mutants::OperatorCommitsOpen, Rm,
        FF.with(Can::Operate), [C1, G1, T5];

    // The participants.
    rm2_an_unfenced_branch_that_runs_before_it_is_registered: Tm, Tc, Rm,
        FU.with(Can::RunUnregistered), [G6];
    rm3_an_effect_that_commits_without_its_row: Tm, Tc, Rm, FF.with(Can::CommitEffectAlone), [G4];
    rm4_a_cancel_that_leaves_no_marker: Tm, Tc, CancelLeavesNoMarker, FF.with(Can::TimeOut), [T1];
    rm4_a_try_that_ignores_the_marker: Tm, Tc, TryIgnoresMarker, FF.with(Can::TimeOut), [T1];
    rm4_an_effect_outside_that_is_cancelled_only_with_a_row: Tm, Tc, CancelsOnlyRows, AF, [G6];
    rm4_a_confirm_that_runs_again: Tm, Tc, ConfirmRunsAgain, FF, [G4];
    rm5_an_end_that_is_said_before_the_local_commit: Tm, Tc, Rm,
        FF.with(Can::SayEndedFirst).with(Can::MoveHorizon), [C1, G1];
    rm6_a_row_in_doubt_that_never_asks: Tm, Tc, NeverAsks, FF.crashing(1), [G6];
    rm7_a_late_answer_that_acts_on_any_row: Tm, Tc, LateAnswersAct,
        FF.with(Can::MoveHorizon), [T2];
    rm8_rows_that_are_cleaned_at_any_time: Tm, Tc, CleansAnyTime, FF.with(Can::TimeOut), [T1];
    rm8_a_tried_row_that_is_cleaned: Tm, Tc, CleansTriedRows,
        FF.crashing(1).with(Can::MoveHorizon), [G6];
    rm8_a_try_below_the_local_horizon: Tm, Tc, TryBelowHorizon,
        FF.with(Can::TimeOut).with(Can::MoveHorizon), [T1];
    rm8_a_horizon_that_is_stored_apart_from_the_deletion: Tm, Tc, Rm,
        FF.with(Can::TimeOut).with(Can::MoveHorizon).with(Can::StoreHorizonApart), [T1];
    e3_a_database_that_loses_a_commit: Tm, Tc, Rm, FF.with(Can::LoseLocalCommit), [T5];
    rm9_a_missing_row_that_counts_as_done: Tm, Tc, MissingIsDone,
        FF.with(Can::LoseLocalCommit), [G1];
}
