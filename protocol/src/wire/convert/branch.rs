use std::time::Duration;

use super::{
    at_most, bounded, cut, enumeration, exactly, milliseconds, parsed, present, recorded, text,
    trace, trace_text,
};
use crate::ids::{Alias, Digest};
use crate::limits;
use crate::message::{
    BranchResult, ByOperator, InDoubtAnswer, InDoubtQuestion, JoinRefused, Joined, Json, Kept,
    PhaseTwo, Register, Report, ReportAnswer, ReportRefused, Reported,
};
use crate::state::{BranchKind, Decision};
use crate::wire::{Problem, WireError, v1};

enumeration! { v1::BranchKind, BranchKind, kind_to, kind_from {
    v1::BranchKind::Fenced => BranchKind::Fenced,
    v1::BranchKind::Unfenced => BranchKind::Unfenced,
    v1::BranchKind::AlwaysCancel => BranchKind::AlwaysCancel,
}}

enumeration! { v1::JoinRefused, JoinRefused, join_refused_to, join_refused_from {
    v1::JoinRefused::AlreadyDecided => JoinRefused::AlreadyDecided,
    v1::JoinRefused::CallIdReused => JoinRefused::CallIdReused,
    v1::JoinRefused::TooManyBranches => JoinRefused::TooManyBranches,
    v1::JoinRefused::Foreign => JoinRefused::Foreign,
}}

enumeration! { v1::ReportRefused, ReportRefused, report_refused_to, report_refused_from {
    v1::ReportRefused::AlreadyDecided => ReportRefused::AlreadyDecided,
    v1::ReportRefused::NotJoined => ReportRefused::NotJoined,
}}

enumeration! { v1::InDoubtAnswer, InDoubtAnswer, in_doubt_to, in_doubt_from {
    v1::InDoubtAnswer::Wait => InDoubtAnswer::Wait,
    v1::InDoubtAnswer::Committed => InDoubtAnswer::Committed,
    v1::InDoubtAnswer::RolledBack => InDoubtAnswer::RolledBack,
    v1::InDoubtAnswer::Forgotten => InDoubtAnswer::Forgotten,
    v1::InDoubtAnswer::Foreign => InDoubtAnswer::Foreign,
}}

enumeration! { v1::Decision, Decision, decision_to, decision_from {
    v1::Decision::Commit => Decision::Commit,
    v1::Decision::Rollback => Decision::Rollback,
}}

enumeration! { v1::ByOperator, ByOperator, by_operator_to, by_operator_from {
    v1::ByOperator::No => ByOperator::No,
    v1::ByOperator::Retry => ByOperator::Retry,
    v1::ByOperator::Resolve => ByOperator::Resolve,
}}

impl From<&Register> for v1::Register {
    fn from(register: &Register) -> Self {
        Self {
            xid: register.xid.to_string(),
            call: register.call.to_string(),
            resource: Some((&register.resource).into()),
            action: register.action.to_string(),
            kind: kind_to(register.kind).into(),
            digest: register.digest.0.to_vec(),
            arguments: register.arguments.as_deref().map(str::to_owned),
            trace: trace_text(register.trace.as_ref()),
        }
    }
}

impl TryFrom<v1::Register> for Register {
    type Error = WireError;

    fn try_from(register: v1::Register) -> Result<Self, WireError> {
        let arguments = register.arguments.map(|json| recorded("arguments", json));
        Ok(Self {
            xid: parsed("xid", &register.xid)?,
            call: parsed("call", &register.call)?,
            resource: present("resource", register.resource)?.try_into()?,
            action: parsed("action", &register.action)?,
            kind: kind_from("kind", register.kind)?,
            digest: Digest(exactly("digest", &register.digest)?),
            arguments: arguments.transpose()?,
            trace: trace(register.trace)?,
        })
    }
}

impl From<&Result<Joined, JoinRefused>> for v1::RegisterAnswer {
    fn from(answer: &Result<Joined, JoinRefused>) -> Self {
        use v1::register_answer::Answer;
        let answer = match answer {
            Ok(Joined { alias, repeat }) => Answer::Joined(v1::Joined {
                alias: alias.0,
                repeat: *repeat,
            }),
            Err(refused) => Answer::Refused(join_refused_to(*refused).into()),
        };
        Self {
            answer: Some(answer),
        }
    }
}

impl TryFrom<v1::RegisterAnswer> for Result<Joined, JoinRefused> {
    type Error = WireError;

    fn try_from(answer: v1::RegisterAnswer) -> Result<Self, WireError> {
        use v1::register_answer::Answer;
        Ok(match present("register", answer.answer)? {
            Answer::Joined(v1::Joined { alias, repeat }) => Ok(Joined {
                alias: Alias(alias),
                repeat,
            }),
            Answer::Refused(refused) => Err(join_refused_from("refused", refused)?),
        })
    }
}

impl From<&Reported> for v1::Reported {
    fn from(reported: &Reported) -> Self {
        let kept =
            |(name, json): (&std::sync::Arc<str>, &Json)| (name.to_string(), json.to_string());
        Self {
            tried: reported.tried.as_deref().map(str::to_owned),
            kept: reported.kept.iter().map(kept).collect(),
        }
    }
}

impl TryFrom<v1::Reported> for Reported {
    type Error = WireError;

    fn try_from(reported: v1::Reported) -> Result<Self, WireError> {
        let bytes = reported
            .kept
            .iter()
            .map(|(name, json)| name.len() + json.len())
            .sum();
        let max = limits::ARGUMENTS_BYTES_MAX;
        if bytes > max {
            return Err(WireError::new("kept", Problem::TooLong { bytes, max }));
        }
        let tried = reported.tried.map(|json| recorded("tried", json));
        let kept = reported
            .kept
            .into_iter()
            .map(|(name, json)| Ok((bounded("kept", name, limits::NAME_BYTES_MAX)?, json.into())));
        Ok(Self {
            tried: tried.transpose()?,
            kept: kept.collect::<Result<Kept, WireError>>()?,
        })
    }
}

impl From<&Report> for v1::Report {
    fn from(report: &Report) -> Self {
        Self {
            xid: report.xid.to_string(),
            call: report.call.to_string(),
            value: Some((&report.value).into()),
        }
    }
}

impl TryFrom<v1::Report> for Report {
    type Error = WireError;

    fn try_from(report: v1::Report) -> Result<Self, WireError> {
        Ok(Self {
            xid: parsed("xid", &report.xid)?,
            call: parsed("call", &report.call)?,
            value: present("value", report.value)?.try_into()?,
        })
    }
}

impl From<&ReportAnswer> for v1::ReportAnswer {
    fn from(answer: &ReportAnswer) -> Self {
        use v1::report_answer::Answer;
        let answer = match answer {
            Ok(stands) => Answer::Stands(stands.into()),
            Err(refused) => Answer::Refused(report_refused_to(*refused).into()),
        };
        Self {
            answer: Some(answer),
        }
    }
}

impl TryFrom<v1::ReportAnswer> for ReportAnswer {
    type Error = WireError;

    fn try_from(answer: v1::ReportAnswer) -> Result<Self, WireError> {
        use v1::report_answer::Answer;
        Ok(match present("report", answer.answer)? {
            Answer::Stands(stands) => Ok(stands.try_into()?),
            Answer::Refused(refused) => Err(report_refused_from("refused", refused)?),
        })
    }
}

impl From<&[InDoubtQuestion]> for v1::InDoubt {
    fn from(questions: &[InDoubtQuestion]) -> Self {
        let question = |question: &InDoubtQuestion| v1::InDoubtQuestion {
            xid: question.xid.to_string(),
            call: question.call.to_string(),
            resource: Some((&question.resource).into()),
            given_up: question.given_up.as_ref().map(ToString::to_string),
        };
        Self {
            questions: questions.iter().map(question).collect(),
        }
    }
}

impl TryFrom<v1::InDoubt> for Vec<InDoubtQuestion> {
    type Error = WireError;

    fn try_from(in_doubt: v1::InDoubt) -> Result<Self, WireError> {
        at_most(
            "questions",
            in_doubt.questions.len(),
            limits::IN_DOUBT_BATCH_MAX,
        )?;
        let question = |question: v1::InDoubtQuestion| {
            Ok(InDoubtQuestion {
                xid: parsed("xid", &question.xid)?,
                call: parsed("call", &question.call)?,
                resource: present("resource", question.resource)?.try_into()?,
                given_up: match question.given_up {
                    Some(action) => Some(parsed("given_up", &action)?),
                    None => None,
                },
            })
        };
        in_doubt.questions.into_iter().map(question).collect()
    }
}

impl From<&[InDoubtAnswer]> for v1::InDoubtAnswers {
    fn from(answers: &[InDoubtAnswer]) -> Self {
        Self {
            answers: answers
                .iter()
                .map(|answer| in_doubt_to(*answer).into())
                .collect(),
        }
    }
}

impl TryFrom<v1::InDoubtAnswers> for Vec<InDoubtAnswer> {
    type Error = WireError;

    fn try_from(answers: v1::InDoubtAnswers) -> Result<Self, WireError> {
        at_most("answers", answers.answers.len(), limits::IN_DOUBT_BATCH_MAX)?;
        answers
            .answers
            .into_iter()
            .map(|answer| in_doubt_from("answers", answer))
            .collect()
    }
}

impl From<&PhaseTwo> for v1::PhaseTwo {
    /// The attachment is filled in by who sends it.
    fn from(phase_two: &PhaseTwo) -> Self {
        Self {
            attachment: 0,
            xid: phase_two.xid.to_string(),
            call: phase_two.call.to_string(),
            alias: phase_two.alias.0,
            resource: Some((&phase_two.resource).into()),
            action: phase_two.action.to_string(),
            decision: decision_to(phase_two.decision).into(),
            arguments: phase_two.arguments.as_deref().map(str::to_owned),
            reported: phase_two.reported.as_ref().map(Into::into),
            trace: trace_text(phase_two.trace.as_ref()),
            by_operator: by_operator_to(phase_two.by_operator).into(),
            kind: kind_to(phase_two.kind).into(),
        }
    }
}

impl TryFrom<v1::PhaseTwo> for PhaseTwo {
    type Error = WireError;

    fn try_from(phase_two: v1::PhaseTwo) -> Result<Self, WireError> {
        let arguments = phase_two.arguments.map(|json| recorded("arguments", json));
        Ok(Self {
            xid: parsed("xid", &phase_two.xid)?,
            call: parsed("call", &phase_two.call)?,
            alias: Alias(phase_two.alias),
            resource: present("resource", phase_two.resource)?.try_into()?,
            action: parsed("action", &phase_two.action)?,
            kind: kind_from("kind", phase_two.kind)?,
            decision: decision_from("decision", phase_two.decision)?,
            arguments: arguments.transpose()?,
            reported: phase_two.reported.map(TryInto::try_into).transpose()?,
            trace: trace(phase_two.trace)?,
            by_operator: by_operator_from("by_operator", phase_two.by_operator)?,
        })
    }
}

impl From<&BranchResult> for v1::BranchResult {
    fn from(result: &BranchResult) -> Self {
        use v1::branch_result::Result as Wire;
        let result = match result {
            BranchResult::Ended => Wire::Ended(v1::Empty {}),
            BranchResult::Retry { error, after } => Wire::Retry(v1::Retry {
                error: cut(error),
                after_ms: after.map(milliseconds),
            }),
            BranchResult::NotHere { error } => Wire::NotHere(cut(error)),
            BranchResult::Park(reason) => Wire::Park(reason.into()),
        };
        Self {
            result: Some(result),
        }
    }
}

impl TryFrom<v1::BranchResult> for BranchResult {
    type Error = WireError;

    fn try_from(result: v1::BranchResult) -> Result<Self, WireError> {
        use v1::branch_result::Result as Wire;
        Ok(match present("result", result.result)? {
            Wire::Ended(_) => Self::Ended,
            Wire::Retry(retry) => Self::Retry {
                error: text("error", retry.error)?,
                after: retry.after_ms.map(Duration::from_millis),
            },
            Wire::NotHere(error) => Self::NotHere {
                error: text("not_here", error)?,
            },
            Wire::Park(reason) => Self::Park(reason.try_into()?),
        })
    }
}
