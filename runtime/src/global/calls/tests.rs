use unanimous_protocol::message::DecisionAnswer;
use unanimous_protocol::{Outcome, RollbackReason, UnknownWhy};

use super::*;

fn call(text: &str) -> CallId {
    text.parse().unwrap()
}

fn target(text: &str) -> Target {
    Target::new(text)
}

fn xid() -> Xid {
    "u1.1.00000000000000aa.1".parse().unwrap()
}

fn root() -> Calls {
    Calls::new(CallId::root())
}

fn names(aliases: &[u32]) -> BTreeSet<Alias> {
    aliases.iter().copied().map(Alias).collect()
}

fn ids(texts: &[&str]) -> BTreeSet<CallId> {
    texts.iter().copied().map(call).collect()
}

fn named(aliases: &[u32]) -> AnswerHeader {
    AnswerHeader::Ok {
        names: names(aliases),
        abandoned: BTreeSet::new(),
    }
}

fn open(calls: &mut Calls, text: &str) -> CallId {
    calls.open(&target(text)).unwrap()
}

fn commit(succeeded: &[u32], abandoned: &[&str]) -> Result<Commit, CommitRefused> {
    Ok(Commit {
        xid: xid(),
        succeeded: names(succeeded),
        abandoned: ids(abandoned),
    })
}

fn rollback_only(text: &str, cause: CallFailure) -> Result<Commit, CommitRefused> {
    Err(CommitRefused::RollbackOnly {
        call: call(text),
        cause,
    })
}

const FAILURES: [CallFailure; 5] = [
    CallFailure::Failed,
    CallFailure::LostAnswer,
    CallFailure::Dropped,
    CallFailure::Marked,
    CallFailure::StillRunning,
];

#[test]
fn n3_a_call_id_is_its_parents_target_and_ordinal() {
    let mut calls = root();
    assert_eq!(open(&mut calls, "account.debit"), call("account.debit:1"));
    assert_eq!(open(&mut calls, "storage.deduct"), call("storage.deduct:1"));
    assert_eq!(open(&mut calls, "account.debit"), call("account.debit:2"));
    let mut below = Calls::<All>::new(call("account.debit:2"));
    assert_eq!(
        open(&mut below, "~tolerate"),
        call("account.debit:2/~tolerate:1")
    );
}

#[test]
fn n3_a_repeated_parent_repeats_its_childrens_ids() {
    let run = || {
        let mut calls = Calls::<All>::new(call("shop.Account.Debit:1"));
        ["a", "b", "a"].map(|text| open(&mut calls, text))
    };
    assert_eq!(run(), run());
}

#[test]
fn n3_the_attempts_of_a_retry_repeat_the_ids_below_it() {
    let mut calls = Calls::<All>::new(call("~retry:1"));
    let first = open(&mut calls, "a");
    calls.failed(&first, CallFailure::LostAnswer);
    calls.restart();
    assert_eq!(open(&mut calls, "a"), first);
}

#[test]
fn n3_an_id_beyond_its_limits_is_refused_and_leaves_no_record() {
    let mut deep = CallId::root();
    for _ in 0..limits::CALL_ID_LEVELS_MAX {
        deep = deep.child(&target("a"), 1).unwrap();
    }
    let mut calls = Calls::<All>::new(deep);
    let before = calls.clone();
    assert_eq!(calls.open(&target("a")), Err(CallIdError::TooDeep));
    assert_eq!(calls, before);
}

#[test]
fn tm1_an_answer_without_mark_is_a_success_with_its_names() {
    let mut calls = root();
    let a = open(&mut calls, "a");
    let b = open(&mut calls, "b");
    calls.answered(&a, named(&[1]));
    let answer = AnswerHeader::Ok {
        names: names(&[2, 3]),
        abandoned: ids(&["b:1/~tolerate:1"]),
    };
    calls.answered(&b, answer);
    assert_eq!(
        calls.commit_request(&xid()),
        commit(&[1, 2, 3], &["b:1/~tolerate:1"])
    );
}

#[test]
fn tm1_mark_lost_answer_and_dropped_future_fail_the_call() {
    for cause in FAILURES {
        let mut calls = root();
        let a = open(&mut calls, "a");
        match cause {
            CallFailure::Marked => calls.answered(&a, AnswerHeader::mark("failed")),
            cause => calls.failed(&a, cause),
        }
        assert_eq!(calls.commit_request(&xid()), rollback_only("a:1", cause));
        assert_eq!(calls.first_failure(), Some(&(a, cause)));
        assert!(calls.end(Ending::Ok).is_mark());
    }
}

#[test]
fn tm1_an_error_before_anything_joined_is_no_failure() {
    let mut calls = root();
    let a = open(&mut calls, "a");
    calls.harmless(&a);
    assert_eq!(calls.commit_request(&xid()), commit(&[], &[]));
    assert_eq!(calls.end(Ending::Err), AnswerHeader::nothing());
}

#[test]
fn tm1_a_scope_that_fails_after_anything_joined_answers_the_mark() {
    let joined: [fn(&mut Calls, &CallId); 3] = [
        |calls, a| {
            calls.joined();
            calls.harmless(a);
        },
        |calls, a| calls.answered(a, named(&[1])),
        Calls::unanswered_success,
    ];
    for joins in joined {
        let mut calls = Calls::new(call("handler:1"));
        let a = open(&mut calls, "a");
        joins(&mut calls, &a);
        assert!(calls.end(Ending::Err).is_mark());
        assert!(!calls.end(Ending::Ok).is_mark());
        assert!(
            !calls.end(Ending::CommitOn).is_mark(),
            "its own commit_on matches"
        );
    }
}

#[test]
fn tm1_the_mark_carries_neither_names_nor_abandoned_calls() {
    let mut calls = Calls::<All>::new(call("handler:1"));
    let a = open(&mut calls, "a");
    let b = open(&mut calls, "b");
    calls.answered(&a, named(&[1]));
    calls.failed(&b, CallFailure::LostAnswer);
    assert_eq!(calls.end(Ending::Ok), AnswerHeader::mark("lost-answer"));
}

#[test]
fn tm1_a_call_that_still_runs_when_its_scope_ends_fails_the_scope() {
    let mut calls = Calls::<All>::new(call("handler:1"));
    let a = open(&mut calls, "a");
    for ending in [Ending::Ok, Ending::CommitOn, Ending::Err] {
        assert_eq!(calls.end(ending), AnswerHeader::mark("still-running"));
    }
    assert_eq!(
        calls.end_block(true),
        Verdict::Failed {
            call: a,
            cause: CallFailure::StillRunning
        }
    );
}

#[test]
fn tm1_an_action_names_its_own_branch_beside_those_below_it() {
    let mut body = Calls::<All>::new(call("account.debit:1"));
    let below = open(&mut body, "audit.note");
    body.answered(&below, named(&[2]));
    assert_eq!(
        body.end(Ending::Ok),
        named(&[2]),
        "the stored answer lacks the alias"
    );
    body.own_name(Alias(1));
    assert_eq!(body.end(Ending::Ok), named(&[1, 2]));
    assert_eq!(named(&[2]).with_name(Alias(1)), named(&[1, 2]));
    assert!(AnswerHeader::mark("failed").with_name(Alias(1)).is_mark());
}

#[test]
fn tm1_a_tolerated_block_that_fails_is_abandoned_with_everything_below_it() {
    let mut calls = root();
    let block = open(&mut calls, "~tolerate");
    let mut below = Calls::<All>::new(block.clone());
    let a = open(&mut below, "a");
    let b = open(&mut below, "b");
    below.answered(&a, named(&[1]));
    below.failed(&b, CallFailure::Failed);
    calls.block_ended(&block, below.end_block(false));
    assert_eq!(
        calls.first_failure(),
        None,
        "the failure stays inside the block"
    );
    assert_eq!(calls.commit_request(&xid()), commit(&[], &["~tolerate:1"]));
}

#[test]
fn tm1_a_tolerated_block_that_succeeds_gives_its_names() {
    let mut calls = root();
    let block = open(&mut calls, "~tolerate");
    let mut below = Calls::<All>::new(block.clone());
    let a = open(&mut below, "a");
    let inner = open(&mut below, "~tolerate");
    below.answered(&a, named(&[1]));
    below.block_ended(&inner, Verdict::Abandoned);
    calls.block_ended(&block, below.end_block(true));
    assert_eq!(
        calls.commit_request(&xid()),
        commit(&[1], &["~tolerate:1/~tolerate:1"])
    );
}

#[test]
fn tm1_a_tolerated_block_that_swallows_a_failure_fails() {
    let mut calls = root();
    let block = open(&mut calls, "~tolerate");
    let mut below = Calls::<All>::new(block.clone());
    let a = open(&mut below, "a");
    below.failed(&a, CallFailure::LostAnswer);
    calls.block_ended(&block, below.end_block(true));
    let refused = rollback_only("~tolerate:1/a:1", CallFailure::LostAnswer);
    assert_eq!(calls.commit_request(&xid()), refused);
}

#[test]
fn tm1_only_the_first_answer_of_a_call_counts() {
    let mut calls = root();
    let a = open(&mut calls, "a");
    let b = open(&mut calls, "b");
    calls.answered(&a, named(&[1]));
    calls.failed(&b, CallFailure::Dropped);
    let before = calls.clone();
    calls.failed(&a, CallFailure::LostAnswer);
    calls.answered(&b, named(&[2]));
    calls.answered(&call("c:1"), named(&[3]));
    assert_eq!(calls.commit_request(&xid()), before.commit_request(&xid()));
    assert_eq!(calls.first_failure(), before.first_failure());
}

#[test]
fn tm1_the_last_attempt_of_a_retry_decides() {
    let mut below = Calls::<All>::new(call("~retry:1"));
    let a = open(&mut below, "a");
    below.failed(&a, CallFailure::LostAnswer);
    assert!(below.end(Ending::Err).is_mark());
    below.restart();
    let a = open(&mut below, "a");
    below.answered(&a, named(&[1]));
    assert_eq!(below.end(Ending::Ok), named(&[1]));
}

#[test]
fn tm1_a_retry_whose_earlier_attempt_may_have_joined_does_not_end_harmlessly() {
    let mut below = Calls::<All>::new(call("~retry:1"));
    let a = open(&mut below, "a");
    below.failed(&a, CallFailure::LostAnswer);
    below.restart();
    let a = open(&mut below, "a");
    below.harmless(&a);
    assert!(below.end(Ending::Err).is_mark());
}

#[test]
fn tm1_what_an_attempt_abandoned_stays_abandoned_until_its_id_is_opened_again() {
    let mut below = Calls::<All>::new(call("~retry:1"));
    let block = open(&mut below, "~tolerate");
    below.block_ended(&block, Verdict::Abandoned);
    below.restart();
    let ended = |below: &Calls| match below.end(Ending::Ok) {
        AnswerHeader::Ok { abandoned, .. } => abandoned,
        AnswerHeader::Mark { .. } => panic!("nothing failed"),
    };
    assert_eq!(ended(&below), ids(&["~retry:1/~tolerate:1"]));
    let block = open(&mut below, "~tolerate");
    let names = names(&[1]);
    below.block_ended(
        &block,
        Verdict::Succeeded {
            names,
            abandoned: BTreeSet::new(),
        },
    );
    assert_eq!(ended(&below), ids(&[]));
}

#[test]
fn tm2_commit_is_not_asked_while_a_call_runs_or_after_one_failed() {
    let mut calls = root();
    let a = open(&mut calls, "a");
    let b = open(&mut calls, "b");
    calls.answered(&a, named(&[1]));
    let running = rollback_only("b:1", CallFailure::StillRunning);
    assert_eq!(calls.commit_request(&xid()), running);
    calls.failed(&b, CallFailure::Failed);
    assert_eq!(
        calls.commit_request(&xid()),
        rollback_only("b:1", CallFailure::Failed)
    );
}

#[test]
fn tm2_the_error_names_the_call_that_failed_first() {
    let mut calls = root();
    let [a, b, c] = ["a", "b", "c"].map(|text| open(&mut calls, text));
    calls.failed(&c, CallFailure::LostAnswer);
    calls.failed(&a, CallFailure::Failed);
    calls.answered(&b, named(&[1]));
    assert_eq!(
        calls.commit_request(&xid()),
        rollback_only("c:1", CallFailure::LostAnswer)
    );
}

#[test]
fn tm2_a_name_counts_once_however_many_answers_carry_it() {
    let mut calls = root();
    for text in ["a", "b"] {
        let call = open(&mut calls, text);
        calls.answered(&call, named(&[1]));
        calls.answered(&call, named(&[1]));
    }
    assert_eq!(calls.commit_request(&xid()), commit(&[1], &[]));
}

#[test]
fn tm2_at_most_64_abandoned_calls_fit_a_commit() {
    let mut calls = root();
    for _ in 0..limits::ABANDONED_CALLS_MAX {
        let block = open(&mut calls, "~tolerate");
        calls.block_ended(&block, Verdict::Abandoned);
    }
    assert!(calls.commit_request(&xid()).is_ok());
    let block = open(&mut calls, "~tolerate");
    calls.block_ended(&block, Verdict::Abandoned);
    assert_eq!(
        calls.commit_request(&xid()),
        Err(CommitRefused::TooManyAbandoned)
    );
}

#[test]
fn tm2_commit_on_does_not_lift_a_failed_call() {
    let mut calls = Calls::<All>::new(call("inner:1"));
    let a = open(&mut calls, "a");
    calls.failed(&a, CallFailure::Failed);
    assert!(calls.end(Ending::CommitOn).is_mark());
}

fn asking() -> (Asking, Commit) {
    let commit = Commit {
        xid: xid(),
        succeeded: names(&[1]),
        abandoned: BTreeSet::new(),
    };
    (Asking::new(xid()), commit)
}

fn unknown(why: UnknownWhy) -> Outcome {
    Outcome::Unknown { xid: xid(), why }
}

#[test]
fn tm2_a_repeated_commit_never_changes() {
    let (mut asking, first) = asking();
    assert_eq!(asking.ask_commit(first.clone()), Some(&first));
    let other = Commit {
        succeeded: names(&[1, 2]),
        ..first.clone()
    };
    assert_eq!(asking.ask_commit(other), Some(&first));
    assert_eq!(asking.commit(), Some(&first));
}

#[test]
fn tm3_rollback_may_be_asked_after_commit_and_tells_nothing_by_itself() {
    let (mut asking, commit) = asking();
    asking.ask_commit(commit.clone());
    asking.ask_rollback(RollbackReason::Requested);
    assert_eq!(asking.outcome(), unknown(UnknownWhy::NoAnswer));
    assert_eq!(
        asking.commit(),
        Some(&commit),
        "the commit is still the one to repeat"
    );
    asking.answered(DecisionAnswer::Committed);
    assert_eq!(asking.outcome(), Outcome::Committed);
}

#[test]
fn tm4_rolled_back_is_told_at_once_where_commit_was_never_asked() {
    let (mut asking, commit) = asking();
    asking.ask_rollback(RollbackReason::TimedOut);
    asking.silence();
    let outcome = Outcome::RolledBack {
        reason: RollbackReason::TimedOut,
    };
    assert_eq!(asking.outcome(), outcome);
    assert_eq!(asking.ask_commit(commit), None, "and never will be");
}

#[test]
fn tm4_after_commit_was_asked_only_an_answer_decides() {
    let (mut asking, commit) = asking();
    asking.ask_commit(commit);
    asking.silence();
    assert_eq!(asking.outcome(), unknown(UnknownWhy::NoAnswer));
    let unknowns = [
        (DecisionAnswer::Open, UnknownWhy::Open),
        (DecisionAnswer::Forgotten, UnknownWhy::Forgotten),
        (DecisionAnswer::Foreign, UnknownWhy::Foreign),
    ];
    for (answer, why) in unknowns {
        asking.answered(answer);
        asking.silence();
        assert_eq!(asking.outcome(), unknown(why));
        assert!(!asking.is_decided());
    }
    asking.answered(DecisionAnswer::RolledBack(RollbackReason::BranchesDiffer));
    let outcome = Outcome::RolledBack {
        reason: RollbackReason::BranchesDiffer,
    };
    assert_eq!(asking.outcome(), outcome);
    assert!(asking.is_decided());
}

#[test]
fn tm4_a_decision_that_was_heard_stands() {
    let (mut asking, commit) = asking();
    asking.ask_commit(commit);
    asking.answered(DecisionAnswer::Committed);
    for late in [DecisionAnswer::Open, DecisionAnswer::Forgotten] {
        asking.answered(late);
        assert_eq!(asking.outcome(), Outcome::Committed);
    }
}

#[test]
fn tm5_a_success_without_header_names_nothing() {
    let mut calls = root();
    let a = open(&mut calls, "a");
    calls.unanswered_success(&a);
    assert_eq!(calls.commit_request(&xid()), commit(&[], &[]));
}

#[test]
fn tm5_a_joined_scope_hands_names_abandoned_calls_and_mark_to_its_parent() {
    let mut calls = root();
    let scope = open(&mut calls, "inner");
    let mut below = Calls::<All>::new(scope.clone());
    let a = open(&mut below, "a");
    let block = open(&mut below, "~tolerate");
    below.answered(&a, named(&[1]));
    below.block_ended(&block, Verdict::Abandoned);
    calls.answered(&scope, below.end(Ending::Ok));
    assert_eq!(
        calls.commit_request(&xid()),
        commit(&[1], &["inner:1/~tolerate:1"])
    );

    let scope = open(&mut calls, "inner");
    calls.answered(&scope, below.end(Ending::Err));
    assert_eq!(
        calls.commit_request(&xid()),
        rollback_only("inner:2", CallFailure::Marked)
    );
}

#[test]
fn every_dropped_rule_shows() {
    #[derive(Clone, Debug, Eq, Hash, PartialEq)]
    struct None;
    impl Rules for None {
        const LOST_ANSWER_FAILS: bool = false;
        const ABANDONED_NAMES_NOTHING: bool = false;
        const SILENCE_IS_UNKNOWN: bool = false;
    }
    let mut calls = Calls::<None>::new(CallId::root());
    let a = calls.open(&target("a")).unwrap();
    calls.failed(&a, CallFailure::LostAnswer);
    let b = calls.open(&target("b")).unwrap();
    calls.answered(&b, named(&[1]));
    assert_eq!(calls.commit_request(&xid()), commit(&[1], &[]));
    assert!(matches!(calls.end_block(false), Verdict::Succeeded { .. }));
    let mut asking = Asking::<None>::new(xid());
    asking.silence();
    assert!(asking.is_decided());
}

#[test]
fn tm1_a_status_after_commit_on_is_no_failure_unless_something_is_called_after_it() {
    let target = Target::new("purchase");
    let mut calls: Calls = Calls::new("shop.Shop.Buy:1".parse().unwrap());
    let scope = calls.open(&target).unwrap();
    calls.joined();
    calls.answered(
        &scope,
        AnswerHeader::Ok {
            names: [Alias(1)].into(),
            abandoned: [].into(),
        },
    );
    assert!(matches!(
        calls.end(Ending::Status),
        AnswerHeader::Mark { .. }
    ));
    calls.excuse();
    assert!(matches!(calls.end(Ending::Status), AnswerHeader::Ok { .. }));
    assert!(matches!(calls.end(Ending::Err), AnswerHeader::Mark { .. }));
    let other = calls.open(&target).unwrap();
    calls.harmless(&other);
    assert!(matches!(
        calls.end(Ending::Status),
        AnswerHeader::Mark { .. }
    ));
}
