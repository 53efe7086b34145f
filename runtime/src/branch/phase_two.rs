//! What phase two is handed, and what it answers.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use unanimous_protocol::message::Json;
use unanimous_protocol::{ActionName, CallId, Decision, Xid};

use super::record::Recorded;

/// Why phase two of a branch did not succeed.
///
/// Any error converts into it and means "repeat with back-off"; [`PhaseTwoError::give_up`] parks
/// the branch for an operator instead. It does not implement [`std::error::Error`] itself, so that
/// every error type converts.
pub struct PhaseTwoError {
    pub(crate) kind: PhaseTwoErrorKind,
}

pub(crate) enum PhaseTwoErrorKind {
    /// Repeat, not before `after` has passed.
    Retry { error: Box<dyn StdError + Send + Sync>, after: Option<Duration> },
    /// Park.
    GiveUp { reason: Arc<str> },
    /// This version does not know the action or cannot decode what was recorded.
    NotHere { error: Arc<str> },
}

impl PhaseTwoError {
    /// Repeat, but not before `after` has passed.
    #[must_use]
    pub fn retry_after(after: Duration, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let kind = PhaseTwoErrorKind::Retry { error: error.into(), after: Some(after) };
        Self { kind }
    }

    /// Do not repeat: park the branch until an operator acts.
    #[must_use]
    pub fn give_up(reason: impl Into<String>) -> Self {
        Self { kind: PhaseTwoErrorKind::GiveUp { reason: reason.into().into() } }
    }

    /// This instance does not know the action, or cannot decode its arguments: another instance
    /// is tried, then it is repeated with back-off.
    #[must_use]
    pub fn not_here(error: impl Into<String>) -> Self {
        Self { kind: PhaseTwoErrorKind::NotHere { error: error.into().into() } }
    }
}

impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for PhaseTwoError {
    fn from(error: E) -> Self {
        Self { kind: PhaseTwoErrorKind::Retry { error: error.into(), after: None } }
    }
}

impl fmt::Debug for PhaseTwoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            PhaseTwoErrorKind::Retry { error, after } => {
                f.debug_struct("Retry").field("error", error).field("after", after).finish()
            }
            PhaseTwoErrorKind::GiveUp { reason } => f.debug_tuple("GiveUp").field(reason).finish(),
            PhaseTwoErrorKind::NotHere { error } => f.debug_tuple("NotHere").field(error).finish(),
        }
    }
}

/// What a branch is, for the user's functions: in phase one by [`BranchContext::current`], in
/// phase two also as a parameter.
///
/// Cloning is cheap.
#[derive(Clone, Debug)]
pub struct BranchContext {
    pub(crate) inner: Arc<BranchContextInner>,
}

#[derive(Debug)]
pub(crate) struct BranchContextInner {
    pub(crate) xid: Xid,
    pub(crate) call: CallId,
    pub(crate) action: ActionName,
    /// None in phase one.
    pub(crate) decision: Option<Decision>,
    pub(crate) attempt: u32,
}

impl BranchContext {
    /// The transaction.
    #[must_use]
    pub fn xid(&self) -> &Xid {
        &self.inner.xid
    }

    /// The call that the branch is.
    #[must_use]
    pub fn call_id(&self) -> &CallId {
        &self.inner.call
    }

    /// The action.
    #[must_use]
    pub fn action(&self) -> &str {
        self.inner.action.as_str()
    }

    /// How often this process has run this phase of this call, from 1. For logs only.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.inner.attempt
    }
}

/// One phase two under way: what was recorded and, behind a fence, the open local transaction.
pub struct Branch {
    pub(crate) context: BranchContext,
    pub(crate) arguments: Recorded,
    pub(crate) tried: Option<Json>,
    /// A `FenceTx<DB>`, where the participant has a fence.
    pub(crate) transaction: Option<Box<dyn Any + Send>>,
}

impl fmt::Debug for Branch {
    /// Recorded arguments never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Branch").field("context", &self.context).finish_non_exhaustive()
    }
}

impl Branch {
    /// The action to end.
    #[must_use]
    pub fn action(&self) -> &str {
        self.context.action()
    }

    /// What was decided about this branch.
    #[must_use]
    pub fn decision(&self) -> Decision {
        // Phase two is built from a decision; phase one never holds a `Branch`.
        self.context.inner.decision.unwrap_or(Decision::Rollback)
    }

    /// Xid, call id, attempt and idempotency keys.
    #[must_use]
    pub fn context(&self) -> BranchContext {
        self.context.clone()
    }

    /// One recorded argument by its name.
    ///
    /// # Errors
    ///
    /// When it is missing or is not a `T`: another version recorded it, so another instance may
    /// know better ([`PhaseTwoError::not_here`]).
    pub fn argument<T: DeserializeOwned>(&self, name: &str) -> Result<T, PhaseTwoError> {
        self.arguments.read(name).map_err(|why| {
            PhaseTwoError::not_here(format!("the argument `{name}` of {}: {why}", self.action()))
        })
    }

    /// What phase one returned, if it is known.
    ///
    /// # Errors
    ///
    /// As [`Branch::argument`].
    pub fn tried<T: DeserializeOwned>(&self) -> Result<Option<T>, PhaseTwoError> {
        let Some(json) = &self.tried else { return Ok(None) };
        serde_json::from_str(json).map(Some).map_err(|why| {
            PhaseTwoError::not_here(format!("what {} returned: {why}", self.action()))
        })
    }

    /// The answer of a participant that does not know the action or the decision about it.
    #[must_use]
    pub fn unknown_action(&self) -> PhaseTwoError {
        PhaseTwoError::not_here(format!("this version knows no action `{}`", self.action()))
    }
}
