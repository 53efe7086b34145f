use std::time::Duration;

use super::{at_most, enumeration, milliseconds, parsed, present, set, trace, trace_text};
use crate::ids::{Alias, CallId, Xid};
use crate::limits;
use crate::message::{Began, Begin, BeginRefused, Commit, DecisionAnswer};
use crate::outcome::RollbackReason;
use crate::wire::{Problem, WireError, v1};

enumeration! { v1::RollbackReason, RollbackReason, reason_to, reason_from {
    v1::RollbackReason::BranchesDiffer => RollbackReason::BranchesDiffer,
    v1::RollbackReason::Operator => RollbackReason::Operator,
    v1::RollbackReason::Requested => RollbackReason::Requested,
    v1::RollbackReason::TimedOut => RollbackReason::TimedOut,
    v1::RollbackReason::NotRecorded => RollbackReason::NotRecorded,
    v1::RollbackReason::Stopped => RollbackReason::Stopped,
}}

enumeration! { v1::BeginRefused, BeginRefused, begin_refused_to, begin_refused_from {
    v1::BeginRefused::Stopping => BeginRefused::Stopping,
    v1::BeginRefused::StoreFull => BeginRefused::StoreFull,
}}

impl From<&Begin> for v1::Begin {
    fn from(begin: &Begin) -> Self {
        Self {
            name: begin.name.to_string(),
            timeout_ms: milliseconds(begin.timeout),
            trace: trace_text(begin.trace.as_ref()),
        }
    }
}

impl TryFrom<v1::Begin> for Begin {
    type Error = WireError;

    fn try_from(begin: v1::Begin) -> Result<Self, WireError> {
        let timeout = Duration::from_millis(begin.timeout_ms);
        if timeout > limits::TIMEOUT_MAX {
            let why = format!(
                "a transaction may stay open for at most {:?}",
                limits::TIMEOUT_MAX
            );
            return Err(WireError::wrong("timeout_ms", why));
        }
        Ok(Self {
            name: parsed("name", &begin.name)?,
            timeout,
            trace: trace(begin.trace)?,
        })
    }
}

impl From<&Result<Began, BeginRefused>> for v1::BeginAnswer {
    fn from(answer: &Result<Began, BeginRefused>) -> Self {
        use v1::begin_answer::Answer;
        let answer = match answer {
            Ok(began) => Answer::Xid(began.xid.to_string()),
            Err(refused) => Answer::Refused(begin_refused_to(*refused).into()),
        };
        Self {
            answer: Some(answer),
        }
    }
}

impl TryFrom<v1::BeginAnswer> for Result<Began, BeginRefused> {
    type Error = WireError;

    fn try_from(answer: v1::BeginAnswer) -> Result<Self, WireError> {
        use v1::begin_answer::Answer;
        Ok(match present("begin", answer.answer)? {
            Answer::Xid(xid) => Ok(Began {
                xid: parsed("xid", &xid)?,
            }),
            Answer::Refused(refused) => Err(begin_refused_from("refused", refused)?),
        })
    }
}

impl From<&Commit> for v1::Commit {
    fn from(commit: &Commit) -> Self {
        Self {
            xid: commit.xid.to_string(),
            succeeded: commit.succeeded.iter().map(|alias| alias.0).collect(),
            abandoned: commit.abandoned.iter().map(CallId::to_string).collect(),
        }
    }
}

impl TryFrom<v1::Commit> for Commit {
    type Error = WireError;

    fn try_from(commit: v1::Commit) -> Result<Self, WireError> {
        at_most("succeeded", commit.succeeded.len(), limits::BRANCHES_MAX)?;
        let call = |text: String| {
            let call: CallId = parsed("abandoned", &text)?;
            if call.is_root() {
                // It would cover every branch.
                return Err(WireError::wrong(
                    "abandoned",
                    "it names the scope that began",
                ));
            }
            Ok(call)
        };
        Ok(Self {
            xid: parsed("xid", &commit.xid)?,
            succeeded: commit.succeeded.into_iter().map(Alias).collect(),
            abandoned: set(
                "abandoned",
                commit.abandoned,
                limits::ABANDONED_CALLS_MAX,
                call,
            )?,
        })
    }
}

impl From<&Xid> for v1::XidOnly {
    fn from(xid: &Xid) -> Self {
        Self {
            xid: xid.to_string(),
        }
    }
}

impl TryFrom<v1::XidOnly> for Xid {
    type Error = WireError;

    fn try_from(xid: v1::XidOnly) -> Result<Self, WireError> {
        parsed("xid", &xid.xid)
    }
}

impl From<&DecisionAnswer> for v1::DecisionAnswer {
    fn from(answer: &DecisionAnswer) -> Self {
        use v1::DecisionVerdict as Verdict;
        let (verdict, reason) = match answer {
            DecisionAnswer::Committed => (Verdict::Committed, None),
            DecisionAnswer::RolledBack(reason) => (Verdict::RolledBack, Some(*reason)),
            DecisionAnswer::Open => (Verdict::Open, None),
            DecisionAnswer::Forgotten => (Verdict::Forgotten, None),
            DecisionAnswer::Foreign => (Verdict::Foreign, None),
        };
        let reason = reason.map_or(v1::RollbackReason::Unspecified, reason_to);
        Self {
            verdict: verdict.into(),
            reason: reason.into(),
        }
    }
}

impl TryFrom<v1::DecisionAnswer> for DecisionAnswer {
    type Error = WireError;

    fn try_from(answer: v1::DecisionAnswer) -> Result<Self, WireError> {
        use v1::DecisionVerdict as Verdict;
        let unknown = || WireError::new("verdict", Problem::Unknown(answer.verdict));
        let verdict = Verdict::try_from(answer.verdict).map_err(|_| unknown())?;
        let reasonless = answer.reason == i32::from(v1::RollbackReason::Unspecified);
        if verdict != Verdict::RolledBack && !reasonless {
            return Err(WireError::wrong("reason", "only a rollback has one"));
        }
        match verdict {
            Verdict::Committed => Ok(Self::Committed),
            Verdict::RolledBack => Ok(Self::RolledBack(reason_from("reason", answer.reason)?)),
            Verdict::Open => Ok(Self::Open),
            Verdict::Forgotten => Ok(Self::Forgotten),
            Verdict::Foreign => Ok(Self::Foreign),
            Verdict::Unspecified => Err(unknown()),
        }
    }
}
