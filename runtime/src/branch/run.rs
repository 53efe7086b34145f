//! Phase one of a branch: registers, runs, reports (RM2, RM3).
//!
//! ```text
//! generic and thin (__private::action)   begin                    body      finish
//!                                          |                       |          |
//! here, boxed     record of the call, instance, nesting,           |     spawned tasks, names below,
//!                 Register, fence row                              |     close the row or Report,
//!                                                                  |     answer the record
//! ```
//!
//! An action that ends in an error has failed, also before it registered. One that is dropped has
//! failed too; the record of its call announces that by itself.

// A fence is behind some database.
#[cfg(any(feature = "sqlite", test))]
mod fenced;
mod opening;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use unanimous_protocol::header::AnswerHeader;
use unanimous_protocol::message::{Json, Report, ReportRefused, Reported};
use unanimous_protocol::{Alias, BranchKind, limits};

#[cfg(any(feature = "sqlite", test))]
pub(crate) use self::fenced::{Begun, begin_fenced, begin_fenced_function, finish_fenced};
use self::opening::{Callee, Opening};
use super::deliver::{Provided, chain};
use super::fence::{DynFence, RowKey};
use super::function::{Function, States};
use super::{ActionSpec, BranchScope, InBranch, Participant, Recorder};
use crate::context::{Entered, OpenCall, Scope};
use crate::coordinator::CoordinatorError;
use crate::global::calls::Ending;
use crate::points::{Phase, Point};
use crate::{CallFailure, Called, Error};

/// The text of the unit value: nothing is stored for it, so it is read back from nothing.
pub(super) const NOTHING: &str = "null";

/// A phase one whose branch has joined and whose body may run.
#[derive(Debug)]
pub(crate) struct PhaseOne {
    alias: Alias,
    provided: Arc<Provided>,
    branch: BranchScope,
    call: OpenCall,
}

/// A value that an earlier delivery of the same call left: it stands.
#[derive(Debug)]
pub(crate) struct Replay {
    call: OpenCall,
    answer: AnswerHeader,
    json: Json,
}

/// How a body ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// In an error of its own.
    Failed,
    /// In a value, whose text is there if it is to be stored.
    Succeeded(Option<Cow<'static, str>>),
    /// In a value that cannot be stored.
    Unstorable(serde_json::Error),
}

/// The beginning of a phase one, or the refusal of a call before anything was registered. A call
/// that no transaction surrounds is refused before anything else, so that it allocates nothing.
pub(crate) type Beginning<T> = Result<BoxFuture<'static, Result<T, Error>>, Error>;

/// Begins a phase one without a fence.
pub(crate) fn begin_unfenced(
    spec: &ActionSpec,
    participant: &dyn Participant,
    arguments: Recorder,
) -> Beginning<PhaseOne> {
    let scope = surrounding(spec, Some(participant))?;
    let pool = participant.fence().map(DynFence::pool_key);
    let callee = Callee::Instance { participant, pool };
    let recorded = arguments.finish();
    let opening = Opening::new(scope, spec, &callee, BranchKind::Unfenced, &recorded)?;
    Ok(Box::pin(unfenced(opening)))
}

/// The same for a free function.
pub(crate) fn begin_unfenced_function(
    spec: &ActionSpec,
    arguments: Recorder,
) -> Beginning<PhaseOne> {
    let scope = surrounding(spec, None)?;
    let (kind, recorded) = (BranchKind::Unfenced, arguments.finish());
    let opening = Opening::new(scope, spec, &Callee::Function, kind, &recorded)?;
    Ok(Box::pin(unfenced(opening)))
}

/// The scope that surrounds a call of this action, on this participant if it is not a function.
fn surrounding(spec: &ActionSpec, participant: Option<&dyn Participant>) -> Result<Scope, Error> {
    Scope::current().ok_or_else(|| outside(spec, participant))
}

/// The refusal of an action, of this participant if it is not a function, that no transaction
/// surrounds.
pub(crate) fn outside(spec: &ActionSpec, participant: Option<&dyn Participant>) -> Error {
    let what = Called::action(participant.map(Participant::name), spec.name());
    Error::NotInTransaction { what }
}

async fn unfenced(opening: Opening) -> Result<PhaseOne, Error> {
    match opening.join_unfenced().await {
        Ok(joined) => Ok(opening.phase_one(joined)),
        Err(error) => Err(opening.refuse(error)),
    }
}

/// The end of a phase one without a fence.
pub(crate) enum Finishing {
    /// Nothing is waited for.
    Now(Finished),
    /// Tasks end, or a value is reported.
    Later(BoxFuture<'static, Finished>),
}

/// A value of an earlier delivery, if the caller is to be answered from one.
type Finished = Result<Option<Box<Replay>>, Error>;

/// Ends an unfenced phase one, and reports its value where a partner wants it.
pub(crate) fn finish_unfenced(phase: PhaseOne, ended: Ended) -> Finishing {
    let json = match phase.value(ended) {
        Ok(json) => json,
        Err(error) => return Finishing::Now(phase.fail(error).map(|()| None)),
    };
    if json.is_none() && phase.waits_for_nothing() {
        let answer = phase.call.end_named(phase.alias);
        phase.call.answered(answer);
        return Finishing::Now(Ok(None));
    }
    Finishing::Later(Box::pin(report_and_answer(phase, json)))
}

/// An earlier report stands: the caller is then answered from it, as a fence would
/// (calls-and-wire section 8).
async fn report_and_answer(phase: PhaseOne, json: Option<Json>) -> Finished {
    let below = phase.below().await;
    let kept = phase.branch.context.take_kept();
    let value = Reported { tried: json, kept };
    let standing = phase.end_unfenced(value).await;
    let answer = phase.whole(below);
    match standing {
        Ok(Some(json)) => Ok(Some(Box::new(Replay {
            call: phase.call,
            answer,
            json,
        }))),
        Ok(None) => {
            phase.call.answered(answer);
            Ok(None)
        }
        Err(error) => Err(refuse(phase.call, error)),
    }
}

impl PhaseOne {
    /// The body, surrounded by the scope of its call and by its branch.
    pub(crate) fn enter<F: Future>(&self, body: F) -> Entered<InBranch<'_, F>> {
        self.call.scope().enter(self.branch.enter(body))
    }

    fn key(&self) -> &RowKey {
        self.branch.context.row_key()
    }

    /// Whether no task that it spawned runs, it kept nothing, and no test looks on. What is kept
    /// later comes too late.
    fn waits_for_nothing(&self) -> bool {
        let scope = self.call.scope();
        let runs = scope.has_spawned() || scope.runtime().points().are_watched();
        !runs && self.branch.context.closes_empty()
    }

    /// The state that a free function is lent; none is handed to a method.
    pub(crate) fn states(&self) -> Arc<States> {
        Function::behind(&**self.provided.participant())
            .map(|function| Arc::clone(function.states()))
            .unwrap_or_default()
    }

    /// The text to store, if there is one; else why the phase failed, none for the body's own
    /// error.
    fn value(&self, ended: Ended) -> Result<Option<Json>, Option<Error>> {
        match ended {
            Ended::Failed => Err(None),
            Ended::Succeeded(json) => Ok(json.map(Into::into)),
            Ended::Unstorable(error) => Err(Some(self.stored_answer(error.to_string()))),
        }
    }

    fn fail(self, error: Option<Error>) -> Result<(), Error> {
        let Some(error) = error else {
            self.call.failed(CallFailure::Failed, None);
            return Ok(());
        };
        Err(refuse(self.call, error))
    }

    /// What the calls below answer, once the tasks spawned here have ended.
    async fn below(&self) -> AnswerHeader {
        let scope = self.call.scope();
        scope.join_spawned().await;
        scope.end(Ending::Ok)
    }

    /// The answer of the whole: what is below, and the branch itself.
    fn whole(&self, below: AnswerHeader) -> AnswerHeader {
        match below {
            AnswerHeader::Ok { .. } => self.call.end_named(self.alias),
            mark @ AnswerHeader::Mark { .. } => mark,
        }
    }

    /// Reports what was returned and kept, if anything is wanted; the returned value that stands,
    /// if it is another one.
    async fn end_unfenced(&self, value: Reported) -> Result<Option<Json>, Error> {
        self.reach(Point::AfterBusiness).await?;
        let mut standing = None;
        if value.tried.is_some() || !value.kept.is_empty() {
            self.reach(Point::BeforeReport).await?;
            standing = self.report(value).await?;
            self.reach(Point::AfterReport).await?;
        }
        self.reach(Point::BeforeAnswer).await?;
        Ok(standing)
    }

    /// Tells a test that phase one has come to this point.
    async fn reach(&self, point: Point) -> Result<(), Error> {
        let points = self.call.scope().runtime().points();
        Ok(points.reach(Phase::Try, point, self.key()).await?)
    }

    /// The returned value that stands, if one is returned and another stands.
    async fn report(&self, value: Reported) -> Result<Option<Json>, Error> {
        let (max, returned) = (limits::ARGUMENTS_BYTES_MAX, value.tried.clone());
        let bytes = returned.as_ref().map_or(0, |json| json.len());
        if bytes > max {
            let why = format!("it has {bytes} bytes, and phase two is handed at most {max}");
            return Err(self.stored_answer(why));
        }
        let RowKey { xid, call } = self.key().clone();
        let coordinator = self.call.scope().runtime().coordinator();
        let reported = coordinator
            .report(Report {
                xid: xid.clone(),
                call,
                value,
            })
            .await;
        match reported? {
            Ok(standing) => Ok(standing
                .tried
                .filter(|standing| returned.is_some_and(|returned| *standing != returned))),
            Err(ReportRefused::AlreadyDecided) => Err(Error::AlreadyDecided { xid }),
            Err(refused) => Err(misunderstood(coordinator.address(), refused.to_string())),
        }
    }

    fn stored_answer(&self, why: String) -> Error {
        Error::StoredAnswer {
            call: self.key().call.clone(),
            why,
        }
    }
}

impl Replay {
    /// The text of the value.
    pub(crate) fn json(&self) -> &str {
        &self.json
    }

    /// Answers the call with what the earlier delivery answered.
    pub(crate) fn answered(self) {
        self.call.answered(self.answer);
    }

    /// The stored text is no value of the action's type. The error shows no value.
    pub(crate) fn unreadable(self) -> Error {
        let why = "it is no value of the type that the action returns".to_owned();
        let call = self.call.id().clone();
        refuse(self.call, Error::StoredAnswer { call, why })
    }
}

/// Ends a call that failed with an error of ours, which its scope remembers: a lost answer may be
/// repeated, a refusal never is.
fn refuse(call: OpenCall, error: Error) -> Error {
    call.failed(CallFailure::of(&error), Some(chain(&error)));
    error
}

fn misunderstood(coordinator: Arc<str>, why: String) -> Error {
    CoordinatorError::Protocol {
        coordinator,
        why: why.into(),
    }
    .into()
}
