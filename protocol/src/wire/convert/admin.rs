use std::time::Duration;

use super::branch::{decision_from, decision_to, kind_from, kind_to};
use super::global::{reason_from, reason_to};
use super::{at_most, cut, enumeration, exactly, milliseconds, parsed, present, text};
use crate::ids::{Alias, DatabaseId};
use crate::limits;
use crate::message::{
    AdminAnswer, AdminRefusal, AdminRequest, BranchDetail, TransactionDetail, TransactionSummary,
};
use crate::state::{BranchState, GlobalState};
use crate::wire::{Problem, WireError, v1};

enumeration! { v1::GlobalState, GlobalState, state_to, state_from {
    v1::GlobalState::Open => GlobalState::Open,
    v1::GlobalState::Deciding => GlobalState::Deciding,
    v1::GlobalState::Committed => GlobalState::Committed,
    v1::GlobalState::RolledBack => GlobalState::RolledBack,
    v1::GlobalState::Finished => GlobalState::Finished,
    v1::GlobalState::Forgotten => GlobalState::Forgotten,
}}

enumeration! { v1::BranchState, BranchState, branch_to, branch_from {
    v1::BranchState::Joining => BranchState::Joining,
    v1::BranchState::Joined => BranchState::Joined,
    v1::BranchState::Parked => BranchState::Parked,
    v1::BranchState::Ended => BranchState::Ended,
}}

impl From<&AdminRequest> for v1::AdminRequest {
    fn from(request: &AdminRequest) -> Self {
        use v1::admin_request::Request;
        let branch = |xid: &crate::Xid, call: &crate::CallId| v1::BranchName {
            xid: xid.to_string(),
            call: call.to_string(),
        };
        let request = match request {
            AdminRequest::List {
                finished,
                limit,
                after,
            } => Request::List(v1::List {
                finished: *finished,
                limit: count(*limit),
                after: after.as_ref().map(ToString::to_string),
            }),
            AdminRequest::Show(xid) => Request::Show(xid.to_string()),
            AdminRequest::Retry(xid, call) => Request::Retry(branch(xid, call)),
            AdminRequest::GiveUp(xid, call, reason) => Request::GiveUp(v1::GiveUp {
                xid: xid.to_string(),
                call: call.to_string(),
                reason: cut(reason),
            }),
            AdminRequest::RollBack(xid) => Request::RollBack(xid.to_string()),
            AdminRequest::Resolve(xid, call) => Request::Resolve(branch(xid, call)),
            AdminRequest::WriteOff(database) => Request::WriteOff(database.0.to_vec()),
            AdminRequest::Decide(xid, decision) => Request::Decide(v1::DecideByHand {
                xid: xid.to_string(),
                decision: decision_to(*decision).into(),
            }),
            AdminRequest::Settled(xid) => Request::Settled(xid.to_string()),
        };
        Self {
            request: Some(request),
        }
    }
}

impl TryFrom<v1::AdminRequest> for AdminRequest {
    type Error = WireError;

    fn try_from(request: v1::AdminRequest) -> Result<Self, WireError> {
        use v1::admin_request::Request;
        let branch = |name: v1::BranchName| -> Result<_, WireError> {
            Ok((parsed("xid", &name.xid)?, parsed("call", &name.call)?))
        };
        Ok(match present("request", request.request)? {
            // More than fits an answer is never sent; asking for it is no mistake.
            Request::List(list) => Self::List {
                finished: list.finished,
                limit: usize::try_from(list.limit)
                    .unwrap_or(usize::MAX)
                    .min(limits::LIST_MAX),
                after: match list.after {
                    Some(after) => Some(parsed("after", &after)?),
                    None => None,
                },
            },
            Request::Show(xid) => Self::Show(parsed("show", &xid)?),
            Request::Retry(name) => {
                let (xid, call) = branch(name)?;
                Self::Retry(xid, call)
            }
            Request::GiveUp(give_up) => Self::GiveUp(
                parsed("xid", &give_up.xid)?,
                parsed("call", &give_up.call)?,
                text("reason", give_up.reason)?,
            ),
            Request::RollBack(xid) => Self::RollBack(parsed("roll_back", &xid)?),
            Request::Resolve(name) => {
                let (xid, call) = branch(name)?;
                Self::Resolve(xid, call)
            }
            Request::WriteOff(bytes) => Self::WriteOff(DatabaseId(exactly("write_off", &bytes)?)),
            Request::Decide(decide) => Self::Decide(
                parsed("xid", &decide.xid)?,
                decision_from("decision", decide.decision)?,
            ),
            Request::Settled(xid) => Self::Settled(parsed("settled", &xid)?),
        })
    }
}

impl From<&AdminAnswer> for v1::AdminAnswer {
    fn from(answer: &AdminAnswer) -> Self {
        use v1::admin_answer::Answer;
        let answer = match answer {
            AdminAnswer::Transactions(all) => Answer::Transactions(v1::Transactions {
                transactions: all.iter().take(limits::LIST_MAX).map(Into::into).collect(),
            }),
            AdminAnswer::Transaction(detail) => Answer::Transaction((&**detail).into()),
            AdminAnswer::Settled(settled) => Answer::Settled(*settled),
            AdminAnswer::Done(branches) => {
                Answer::Done(u64::try_from(*branches).unwrap_or(u64::MAX))
            }
            AdminAnswer::Refused(refusal) => Answer::Refused(refusal.into()),
        };
        Self {
            answer: Some(answer),
        }
    }
}

impl TryFrom<v1::AdminAnswer> for AdminAnswer {
    type Error = WireError;

    fn try_from(answer: v1::AdminAnswer) -> Result<Self, WireError> {
        use v1::admin_answer::Answer;
        Ok(match present("answer", answer.answer)? {
            Answer::Transactions(all) => {
                let all = all.transactions;
                at_most("transactions", all.len(), limits::LIST_MAX)?;
                let all = all.into_iter().map(TryInto::try_into);
                Self::Transactions(all.collect::<Result<_, WireError>>()?)
            }
            Answer::Transaction(detail) => Self::Transaction(Box::new(detail.try_into()?)),
            Answer::Settled(settled) => Self::Settled(settled),
            Answer::Done(branches) => Self::Done(usize::try_from(branches).unwrap_or(usize::MAX)),
            Answer::Refused(refusal) => Self::Refused(refusal.try_into()?),
        })
    }
}

impl From<&AdminRefusal> for v1::AdminRefusal {
    fn from(refusal: &AdminRefusal) -> Self {
        use v1::admin_refusal::Refusal;
        let refusal = match refusal {
            AdminRefusal::NoSuchTransaction => Refusal::NoSuchTransaction(v1::Empty {}),
            AdminRefusal::NoSuchBranch => Refusal::NoSuchBranch(v1::Empty {}),
            AdminRefusal::WrongState { state, hint } => Refusal::WrongState(v1::WrongState {
                state: state_to(*state).into(),
                hint: cut(hint),
            }),
            AdminRefusal::BranchEnded => Refusal::BranchEnded(v1::Empty {}),
            AdminRefusal::NotForeign => Refusal::NotForeign(v1::Empty {}),
            AdminRefusal::NeverIssued => Refusal::NeverIssued(v1::Empty {}),
        };
        Self {
            refusal: Some(refusal),
        }
    }
}

impl TryFrom<v1::AdminRefusal> for AdminRefusal {
    type Error = WireError;

    fn try_from(refusal: v1::AdminRefusal) -> Result<Self, WireError> {
        use v1::admin_refusal::Refusal;
        Ok(match present("refused", refusal.refusal)? {
            Refusal::NoSuchTransaction(_) => Self::NoSuchTransaction,
            Refusal::NoSuchBranch(_) => Self::NoSuchBranch,
            Refusal::WrongState(wrong) => Self::WrongState {
                state: state_from("state", wrong.state)?,
                hint: text("hint", wrong.hint)?.to_string().into(),
            },
            Refusal::BranchEnded(_) => Self::BranchEnded,
            Refusal::NotForeign(_) => Self::NotForeign,
            Refusal::NeverIssued(_) => Self::NeverIssued,
        })
    }
}

impl From<&TransactionSummary> for v1::TransactionSummary {
    fn from(summary: &TransactionSummary) -> Self {
        Self {
            xid: summary.xid.to_string(),
            name: summary.name.to_string(),
            application: cut(&summary.application),
            state: state_to(summary.state).into(),
            reason: summary.reason.map(|reason| reason_to(reason).into()),
            age_ms: milliseconds(summary.age),
            branches: count(summary.branches),
            waiting: count(summary.waiting),
            parked: count(summary.parked),
            why: summary.why.as_deref().map(cut),
        }
    }
}

impl TryFrom<v1::TransactionSummary> for TransactionSummary {
    type Error = WireError;

    fn try_from(summary: v1::TransactionSummary) -> Result<Self, WireError> {
        let reason = summary.reason.map(|reason| reason_from("reason", reason));
        Ok(Self {
            xid: parsed("xid", &summary.xid)?,
            name: parsed("name", &summary.name)?,
            application: text("application", summary.application)?.to_string(),
            state: state_from("state", summary.state)?,
            reason: reason.transpose()?,
            age: Duration::from_millis(summary.age_ms),
            branches: number(summary.branches),
            waiting: number(summary.waiting),
            parked: number(summary.parked),
            why: plain_text("why", summary.why)?,
        })
    }
}

impl From<&TransactionDetail> for v1::TransactionDetail {
    fn from(detail: &TransactionDetail) -> Self {
        Self {
            summary: Some((&detail.summary).into()),
            branches: detail.branches.iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<v1::TransactionDetail> for TransactionDetail {
    type Error = WireError;

    fn try_from(detail: v1::TransactionDetail) -> Result<Self, WireError> {
        at_most("branches", detail.branches.len(), limits::BRANCHES_MAX)?;
        let branches = detail.branches.into_iter().map(TryInto::try_into);
        Ok(Self {
            summary: present("summary", detail.summary)?.try_into()?,
            branches: branches.collect::<Result<_, WireError>>()?,
        })
    }
}

impl From<&BranchDetail> for v1::BranchDetail {
    fn from(branch: &BranchDetail) -> Self {
        Self {
            alias: branch.alias.0,
            call: branch.call.to_string(),
            resource: Some((&branch.resource).into()),
            action: branch.action.to_string(),
            kind: kind_to(branch.kind).into(),
            state: branch_to(branch.state).into(),
            decision: branch.decision.map(|decision| decision_to(decision).into()),
            attempts: branch.attempts,
            last_error: branch.last_error.as_deref().map(cut),
            parked: branch.parked.as_ref().map(Into::into),
            why: branch.why.as_deref().map(cut),
        }
    }
}

impl TryFrom<v1::BranchDetail> for BranchDetail {
    type Error = WireError;

    fn try_from(branch: v1::BranchDetail) -> Result<Self, WireError> {
        let decision = branch
            .decision
            .map(|decision| decision_from("decision", decision));
        let last_error = branch.last_error.map(|error| text("last_error", error));
        Ok(Self {
            alias: Alias(branch.alias),
            call: parsed("call", &branch.call)?,
            resource: present("resource", branch.resource)?.try_into()?,
            action: parsed("action", &branch.action)?,
            kind: kind_from("kind", branch.kind)?,
            state: branch_from("state", branch.state)?,
            decision: decision.transpose()?,
            attempts: branch.attempts,
            last_error: last_error.transpose()?,
            parked: branch.parked.map(TryInto::try_into).transpose()?,
            why: plain_text("why", branch.why)?,
        })
    }
}

fn plain_text(field: &'static str, why: Option<String>) -> Result<Option<String>, WireError> {
    let checked = why.map(|why| text(field, why)).transpose()?;
    Ok(checked.map(|why| why.to_string()))
}

/// A count as it travels; none of ours comes near the end.
fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn number(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
