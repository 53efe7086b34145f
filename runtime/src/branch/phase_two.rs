//! What phase two is handed, and what it answers.

use std::any::{Any, type_name};
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use unanimous_protocol::Decision;
use unanimous_protocol::message::{Json, Kept};

use super::BranchContext;
use super::record::{Readable, RecordError, Recorded};

/// Why phase two of a branch did not succeed.
///
/// Any error converts into it and means "repeat with back-off"; [`PhaseTwoError::give_up`] parks
/// the branch for an operator instead. It does not implement [`std::error::Error`] itself, so that
/// every error type converts.
///
/// ```
/// # use std::sync::Arc;
/// # use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
/// # use std::time::Duration;
/// # use unanimous::{Error, PhaseTwoError, Runtime, global_transactional, participant};
/// # #[derive(Default)]
/// # struct Gateway {
/// #     asked: AtomicU32,
/// # }
/// #[participant(name = "gateway")]
/// impl Gateway {
///     #[two_phase_action(commit = capture, rollback = none)]
///     async fn authorise(&self, card: &str) -> Result<(), Error> {
///         # let _ = card;
///         Ok(())
///     }
///
///     async fn capture(&self, card: &str) -> Result<(), PhaseTwoError> {
///         match self.asked.fetch_add(1, SeqCst) {
///             0 => Err(PhaseTwoError::retry_after(Duration::from_millis(5), "the gateway is busy")),
///             1 => Err(PhaseTwoError::give_up(format!("the gateway does not know {card}"))),
///             _ => Ok(()),
///         }
///     }
/// }
/// # #[global_transactional]
/// # async fn pay(gateway: &Gateway) -> Result<(), Error> {
/// #     gateway.authorise("4711").await
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// # let gateway = Arc::new(Gateway::default());
/// # let runtime =
/// #     Runtime::builder().coordinator("memory:").participant(gateway.clone()).build().await?;
/// runtime.scope(pay(&gateway)).await?;
/// assert!(runtime.quiet(Duration::from_secs(30)).await);
///
/// // An operator sees why it waits, puts it right at the gateway, and says so:
/// // `unanimous list`, `unanimous show XID`, `unanimous retry XID CALL`. The same by hand:
/// let admin = runtime.admin();
/// let xid = &admin.list(false, 10).await?[0].xid;
/// let branch = &admin.show(xid).await?.branches[0];
/// let parked = branch.parked.as_ref().map(ToString::to_string);
/// assert_eq!(parked.as_deref(), Some("the participant gave up: the gateway does not know 4711"));
/// admin.retry(xid, &branch.call).await?;
/// assert!(runtime.settled(xid, Duration::from_secs(30)).await);
/// # runtime.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub struct PhaseTwoError {
    pub(crate) kind: PhaseTwoErrorKind,
}

pub(crate) enum PhaseTwoErrorKind {
    /// Repeat, not before `after` has passed.
    Retry {
        error: Box<dyn StdError + Send + Sync>,
        after: Option<Duration>,
    },
    /// Park.
    GiveUp { reason: Arc<str> },
    /// This version does not know the action or cannot decode what was recorded.
    NotHere { error: Arc<str> },
}

impl PhaseTwoError {
    /// Repeat, but not before `after` has passed.
    #[must_use]
    pub fn retry_after(after: Duration, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let kind = PhaseTwoErrorKind::Retry {
            error: error.into(),
            after: Some(after),
        };
        Self { kind }
    }

    /// Do not repeat: park the branch until an operator acts.
    #[must_use]
    pub fn give_up(reason: impl Into<String>) -> Self {
        Self {
            kind: PhaseTwoErrorKind::GiveUp {
                reason: reason.into().into(),
            },
        }
    }

    /// This instance does not know the action, or cannot decode its arguments: another instance
    /// is tried, then it is repeated with back-off.
    #[must_use]
    pub fn not_here(error: impl Into<String>) -> Self {
        Self {
            kind: PhaseTwoErrorKind::NotHere {
                error: error.into().into(),
            },
        }
    }
}

impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for PhaseTwoError {
    fn from(error: E) -> Self {
        Self {
            kind: PhaseTwoErrorKind::Retry {
                error: error.into(),
                after: None,
            },
        }
    }
}

impl fmt::Debug for PhaseTwoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            PhaseTwoErrorKind::Retry { error, after } => f
                .debug_struct("Retry")
                .field("error", error)
                .field("after", after)
                .finish(),
            PhaseTwoErrorKind::GiveUp { reason } => f.debug_tuple("GiveUp").field(reason).finish(),
            PhaseTwoErrorKind::NotHere { error } => f.debug_tuple("NotHere").field(error).finish(),
        }
    }
}

/// One phase two under way: what was recorded and, behind a fence, the open local transaction.
pub struct Branch {
    pub(crate) context: BranchContext,
    pub(crate) decision: Decision,
    pub(crate) arguments: Recorded,
    pub(crate) tried: Option<Json>,
    pub(crate) kept: Kept,
    /// A `FenceTx<DB>`, where the participant has a fence.
    pub(crate) transaction: Option<Box<dyn Any + Send>>,
}

impl fmt::Debug for Branch {
    /// Recorded arguments never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Branch")
            .field("context", &self.context)
            .finish_non_exhaustive()
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
        self.decision
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
    /// know better ([`PhaseTwoError::not_here`]). The error never shows a value.
    pub fn argument<T: Readable>(&self, name: &str) -> Result<T, PhaseTwoError> {
        self.arguments.read(name).map_err(|why| {
            PhaseTwoError::not_here(format!("the argument `{name}` of {}: {why}", self.action()))
        })
    }

    /// One recorded argument by its name, or the type's default where nothing was recorded under
    /// it: another version did not know it.
    ///
    /// # Errors
    ///
    /// When what was recorded is not a `T`, as [`Branch::argument`].
    pub fn argument_or_default<T: Readable + Default>(
        &self,
        name: &str,
    ) -> Result<T, PhaseTwoError> {
        self.argument_if_recorded(name)
            .map(Option::unwrap_or_default)
    }

    /// One recorded argument by its name, if anything was recorded under it.
    pub(crate) fn argument_if_recorded<T: Readable>(
        &self,
        name: &str,
    ) -> Result<Option<T>, PhaseTwoError> {
        match self.arguments.read::<T>(name) {
            Err(RecordError::Missing) => Ok(None),
            _ => self.argument(name).map(Some),
        }
    }

    /// What phase one kept under this name with [`BranchContext::keep`], if it is known here: a
    /// rollback may come before phase one kept anything.
    ///
    /// # Errors
    ///
    /// When it is not a `T`. The error never shows a value.
    pub fn kept<T: Readable>(&self, name: &str) -> Result<Option<T>, PhaseTwoError> {
        let decoded = self.kept.get(name).map(|json| serde_json::from_str(json));
        decoded.transpose().map_err(|_| {
            let (action, wanted) = (self.action(), type_name::<T>());
            PhaseTwoError::not_here(format!("what {action} kept as `{name}` is no `{wanted}`"))
        })
    }

    /// What phase one kept under this name.
    ///
    /// # Errors
    ///
    /// When it kept nothing, or no `T`: another version may have kept it under another name.
    pub fn kept_or_missing<T: Readable>(&self, name: &str) -> Result<T, PhaseTwoError> {
        self.kept(name)?.ok_or_else(|| {
            PhaseTwoError::not_here(format!("{} kept nothing as `{name}`", self.action()))
        })
    }

    /// What phase one returned, if it is known here.
    ///
    /// # Errors
    ///
    /// As [`Branch::argument`].
    pub fn tried<T: DeserializeOwned>(&self) -> Result<Option<T>, PhaseTwoError> {
        self.tried_with(|json| serde_json::from_str(json))
    }

    /// What phase one returned. A fence stores nothing for `()`.
    ///
    /// # Errors
    ///
    /// As [`Branch::argument`].
    pub fn tried_or_missing<T: DeserializeOwned>(&self) -> Result<T, PhaseTwoError> {
        self.tried_or_missing_with(|json| serde_json::from_str(json))
    }

    /// [`Branch::tried`], read by other means.
    pub(crate) fn tried_with<T>(
        &self,
        decode: impl Fn(&str) -> Result<T, serde_json::Error>,
    ) -> Result<Option<T>, PhaseTwoError> {
        let stored = self.tried.as_deref();
        stored
            .map(|json| decode(json).map_err(|_| self.not_tried::<T>()))
            .transpose()
    }

    /// [`Branch::tried_or_missing`], read by other means.
    pub(crate) fn tried_or_missing_with<T>(
        &self,
        decode: impl Fn(&str) -> Result<T, serde_json::Error>,
    ) -> Result<T, PhaseTwoError> {
        decode(self.tried.as_deref().unwrap_or("null")).map_err(|_| self.not_tried::<T>())
    }

    /// The open local transaction of a fenced branch; the runtime closes it.
    ///
    /// # Errors
    ///
    /// When the participant's [`fence`](super::Participant::fence) is not of this database.
    #[cfg(feature = "sqlite")]
    pub fn transaction<F: super::fence::Fence>(
        &mut self,
        _fence: &F,
    ) -> Result<&mut super::fence::FenceTx<F::Database>, PhaseTwoError> {
        self.open_transaction()
    }

    /// The open local transaction, if it is one of this database.
    #[cfg(feature = "sqlite")]
    pub(crate) fn open_transaction<DB: super::fence::FenceDatabase>(
        &mut self,
    ) -> Result<&mut super::fence::FenceTx<DB>, PhaseTwoError> {
        let transaction = self
            .transaction
            .as_mut()
            .and_then(|open| open.downcast_mut());
        transaction.ok_or_else(|| "the participant's `fence()` is of another database".into())
    }

    /// The answer of a participant that does not know the action or the decision about it.
    #[must_use]
    pub fn unknown_action(&self) -> PhaseTwoError {
        PhaseTwoError::not_here(format!("this version knows no action `{}`", self.action()))
    }

    fn not_tried<T>(&self) -> PhaseTwoError {
        let (action, wanted) = (self.action(), type_name::<T>());
        PhaseTwoError::not_here(format!("what {action} returned is stored as no `{wanted}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::branch::fence::RowKey;

    fn branch(arguments: &str, tried: Option<&str>) -> Branch {
        let (xid, call) = ("x".parse().unwrap(), "a.debit:1".parse().unwrap());
        let action = "debit".parse().unwrap();
        let decision = Decision::Commit;
        Branch {
            context: BranchContext::new(RowKey { xid, call }, action, Some(decision), 1),
            decision,
            arguments: Recorded::from_json(arguments.into()),
            tried: tried.map(Into::into),
            kept: [("note".into(), r#""canary""#.into())].into(),
            transaction: None,
        }
    }

    fn not_here(error: PhaseTwoError) -> String {
        match error.kind {
            PhaseTwoErrorKind::NotHere { error } => error.to_string(),
            _ => panic!("expected NotHere, not {error:?}"),
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_not_here_and_shows_no_value() {
        let branch = branch(r#"{"user":"canary"}"#, Some(r#""canary""#));
        assert_eq!(branch.argument::<String>("user").unwrap(), "canary");
        assert_eq!(branch.tried::<String>().unwrap().as_deref(), Some("canary"));
        for (message, expected) in [
            (
                not_here(branch.argument::<u8>("user").unwrap_err()),
                "the argument `user` of debit: what was recorded is not a `u8`",
            ),
            (
                not_here(branch.argument::<u8>("amount").unwrap_err()),
                "the argument `amount` of debit: nothing was recorded under this name",
            ),
            (
                not_here(branch.tried::<u8>().unwrap_err()),
                "what debit returned is stored as no `u8`",
            ),
            (
                not_here(branch.unknown_action()),
                "this version knows no action `debit`",
            ),
        ] {
            assert_eq!(message, expected);
        }
        assert!(!format!("{branch:?}").contains("canary"));
    }

    #[test]
    fn what_was_kept_is_read_by_its_name() {
        let branch = branch("{}", None);
        assert_eq!(branch.kept_or_missing::<String>("note").unwrap(), "canary");
        assert_eq!(branch.kept::<u8>("other").unwrap(), None);
        assert_eq!(
            not_here(branch.kept_or_missing::<u8>("other").unwrap_err()),
            "debit kept nothing as `other`"
        );
        assert_eq!(
            not_here(branch.kept::<u8>("note").unwrap_err()),
            "what debit kept as `note` is no `u8`"
        );
    }

    #[test]
    fn a_default_stands_in_where_nothing_was_recorded_and_nowhere_else() {
        let branch = branch(r#"{"amount":7,"note":null}"#, None);
        assert_eq!(branch.argument_or_default::<u8>("amount").unwrap(), 7);
        assert_eq!(branch.argument_or_default::<u8>("count").unwrap(), 0);
        not_here(branch.argument_or_default::<u8>("note").unwrap_err());
    }

    #[test]
    fn nothing_is_stored_for_the_unit_value() {
        let branch = branch("{}", None);
        branch.tried_or_missing::<()>().unwrap();
        assert_eq!(branch.tried::<u8>().unwrap(), None);
        not_here(branch.tried_or_missing::<u8>().unwrap_err());
    }

    #[test]
    fn every_error_converts_and_means_retry() {
        let errors: [PhaseTwoError; 3] = [
            "text".into(),
            std::io::Error::other("io").into(),
            PhaseTwoError::retry_after(Duration::from_secs(1), "later"),
        ];
        for error in errors {
            assert!(
                matches!(error.kind, PhaseTwoErrorKind::Retry { .. }),
                "{error:?}"
            );
        }
    }
}
