//! The rules that a mutant may drop (section 10 of the protocol).

use std::fmt::Debug;
use std::hash::Hash;

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident $mutant:ident)*) => {
        /// One constant for each rule that a mutant may drop: tests and the model show that every
        /// rule is needed. The product knows only [`All`].
        #[doc(hidden)]
        pub trait Rules: Clone + Debug + Eq + Hash + 'static {
            $($(#[$doc])* const $rule: bool = true;)*
        }

        /// Every rule is kept.
        #[derive(Clone, Debug, Eq, Hash, PartialEq)]
        pub enum All {}

        impl Rules for All {}

        /// Coordinators that have dropped one rule each.
        #[doc(hidden)]
        pub mod mutants {
            $(
                $(#[$doc])*
                #[derive(Clone, Debug, Eq, Hash, PartialEq)]
                pub enum $mutant {}

                impl super::Rules for $mutant {
                    const $rule: bool = false;
                }
            )*
        }
    };
}

rules! {
    /// TC1: the start is forced before anything is answered.
    RECOVERY_FORCES RecoveryDoesNotForce
    /// TC2: an undecided transaction dies with its incarnation.
    OPEN_DIES_WITH_INCARNATION OpenSurvivesRestart
    /// TC4: the branch joins in memory at once.
    JOINS_AT_ONCE JoinsWhenDurable
    /// TC4: no branch joins after the decision.
    REGISTER_CLOSES_AT_DECISION RegistersAfterDecision
    /// TC4: registrations of forced kinds are durable before they are answered.
    REGISTER_FORCED_KINDS RegistersLazily
    /// TC5: a deadline does not touch what is being decided.
    DEADLINE_YIELDS_TO_DECIDING DeadlineBeatsDeciding
    /// TC6: joined branches are compared with those named; without it S is taken as it is.
    COMPARE_BRANCHES TakesNamed
    /// TC6: only branches named are confirmed; without it all joined ones are.
    CONFIRM_ONLY_NAMED ConfirmsAllJoined
    /// TC6: the commit record lists its branches.
    COMMIT_IS_SELF_CONTAINED CommitWithoutList
    /// TC7: the commit record is forced.
    FORCE_COMMIT CommitNotForced
    /// TC7: no participant is told while Deciding.
    TELL_ONLY_AFTER_DURABLE TellsParticipantWhileDeciding
    /// TC10: phase two goes on after a restart.
    PHASE_TWO_AFTER_RESTART NoPhaseTwoAfterRestart
    /// TC10, N5: a result counts from a session that is attached for the branch's resource.
    RESULT_FROM_RESOURCE ResultFromAnyone
    /// TC11: a committed transaction is forgotten only once its branches have ended.
    FORGET_ONLY_ENDED ForgetsBeforeEnded
    /// TC11: a rolled-back one only once its branches of forced kinds have ended.
    FORCED_KINDS_END_FIRST ForgetsAbortBeforeUnfencedEnded
    /// TC11: a parked branch has not ended.
    GIVEN_UP_IS_NOT_ENDED GivenUpCountsAsEnded
    /// TC11: the horizon does not pass an open transaction.
    HORIZON_STOPS_AT_OPEN HorizonPassesOpen
    /// TC11: the horizon is told once it is durable.
    HORIZON_TOLD_WHEN_DURABLE HorizonToldEarly
    /// TC11: the bit is written with the horizon that forgets its transaction.
    BIT_WITH_HORIZON BitInLaterRecord
    /// TC11: a transaction that leaves the list leaves it with its bit.
    LEAVES_LIST_WITH_BIT LeavesListWithoutBit
    /// TC11: a horizon record is void after any other than the one it follows.
    HORIZON_IS_CHAINED HorizonUnchained
    /// TC11: the horizon of a restored incarnation stays.
    RESTORED_HORIZON_STAYS RestoredHorizonMoves
    /// TC11: a bit is never an answer to a participant.
    BITS_ANSWER_ONLY_TM BitsAnswerParticipants
    /// TC11: a finished transaction above the horizon is kept.
    COMMITTED_STAYS_ABOVE_HORIZON CommittedDroppedAboveHorizon
    /// TC14: a coordinator that is shown a later incarnation of its log stops.
    REPLACED_LOG_STOPS ReplacedLogServes
    /// TC13: no record above the horizon is rolled back, for participants.
    NO_RECORD_IS_ROLLED_BACK NoRecordIsWait
    /// TC13: an open transaction is no answer for a participant.
    PARTICIPANT_WAITS_WHILE_OPEN OpenIsRolledBackForParticipant
    /// TC13: an open transaction is told as open.
    OPEN_IS_TOLD_AS_OPEN OpenIsRolledBackForManager
    /// TC13: a participant is answered by branch and resource.
    ANSWER_BY_BRANCH AnswersByTransaction
    /// TC13: what is forgotten without a bit is not told as rolled back.
    FORGOTTEN_IS_NOT_ROLLED_BACK ForgottenIsRolledBack
    /// N1: an incarnation that is not in the list is foreign.
    UNKNOWN_IS_FOREIGN UnknownIsRolledBack
    /// N4: a call id is bound to resource, action and arguments.
    BIND_CALL_ID CallIdUnbound
    /// OP1: an operator never commits an open transaction.
    OPERATOR_NEVER_COMMITS_OPEN OperatorCommitsOpen
    /// OP2: a row that its participant gave up is listed, also where nothing else of its
    /// transaction is kept.
    LISTS_STRANDED StrandedStaysUnlisted
    /// Section 8: after a declared restore no record proves nothing.
    RESTORED_IS_FOREIGN RestoredIsRolledBack
}
