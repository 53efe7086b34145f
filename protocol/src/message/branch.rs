use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Json;
use crate::ids::{ActionName, Alias, CallId, Digest, Resource, Xid};
use crate::state::{BranchKind, Decision};

/// An incoming trace context, opaque (a `traceparent`). At most
/// [`limits::TRACE_BYTES_MAX`](crate::limits::TRACE_BYTES_MAX) bytes.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TraceContext(pub Arc<str>);

impl TraceContext {
    /// The value of a `traceparent` header, if it is one (W3C Trace Context): version, trace id,
    /// parent id and flags, in lower-case hex. A later version may say more behind another `-`,
    /// within the limit. What is malformed is none: a new trace would begin there.
    #[must_use]
    pub fn of_traceparent(text: &str) -> Option<Self> {
        let hex = |part: &str, digits: usize| {
            let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            part.len() == digits && part.bytes().all(is_digit)
        };
        let id = |part: &str, digits: usize| hex(part, digits) && part.bytes().any(|b| b != b'0');
        let mut parts = text.splitn(5, '-');
        let version = parts.next()?;
        let whole = hex(version, 2)
            && version != "ff"
            && id(parts.next()?, 32)
            && id(parts.next()?, 16)
            && hex(parts.next()?, 2)
            && (version != "00" || parts.next().is_none())
            && text.len() <= crate::limits::TRACE_BYTES_MAX;
        whole.then(|| Self(text.into()))
    }
}

/// Values that phase one kept for phase two, by name.
pub type Kept = BTreeMap<Arc<str>, Json>;

/// A branch asks to join its transaction (TC4).
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Register {
    /// The transaction.
    pub xid: Xid,
    /// The call that the branch is (N4).
    pub call: CallId,
    /// Who performs its phase two.
    pub resource: Resource,
    /// Which action.
    pub action: ActionName,
    /// What it leaves behind.
    pub kind: BranchKind,
    /// SHA-256 of the recorded arguments (N4).
    pub digest: Digest,
    /// The recorded arguments, where no fence row holds them.
    pub arguments: Option<Json>,
    /// The caller's trace.
    pub trace: Option<TraceContext>,
}

impl fmt::Debug for Register {
    /// Recorded arguments never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Register")
            .field("xid", &self.xid)
            .field("call", &self.call)
            .field("resource", &self.resource)
            .field("action", &self.action)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// The branch belongs to the transaction.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Joined {
    /// The coordinator's number for it.
    pub alias: Alias,
    /// Whether this call id had joined before.
    pub repeat: bool,
}

/// Why a branch may not join.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum JoinRefused {
    /// The transaction is decided (G5).
    #[error("the transaction is already decided")]
    AlreadyDecided,
    /// The call id belongs to a branch of another resource, action or arguments (N4).
    #[error("the call id is already used by a branch of another resource, action or arguments")]
    CallIdReused,
    /// The transaction has as many branches as it may.
    #[error("the transaction already has {} branches", crate::limits::BRANCHES_MAX)]
    TooManyBranches,
    /// The coordinator never issued this xid.
    #[error("the coordinator does not know this transaction")]
    Foreign,
}

/// What phase one of an unfenced branch returned and kept. The first report stands.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Report {
    /// The transaction.
    pub xid: Xid,
    /// The branch.
    pub call: CallId,
    /// What was returned and kept.
    pub value: Reported,
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("xid", &self.xid)
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}

/// The values of a [`Report`].
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct Reported {
    /// What phase one returned.
    pub tried: Option<Json>,
    /// What phase one kept.
    pub kept: Kept,
}

impl fmt::Debug for Reported {
    /// Users' values never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reported").finish_non_exhaustive()
    }
}

/// The report that stands, which may be an earlier one.
pub type ReportAnswer = Result<Reported, ReportRefused>;

/// Why a report is refused.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportRefused {
    /// The transaction is no longer open.
    #[error("the transaction is already decided")]
    AlreadyDecided,
    /// No such branch joined.
    #[error("no such branch joined the transaction")]
    NotJoined,
}

/// A participant asks about one tried row (RM6).
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct InDoubtQuestion {
    /// The transaction.
    pub xid: Xid,
    /// The branch.
    pub call: CallId,
    /// The resource that asks (N5).
    pub resource: Resource,
    /// The action of a row that its participant gave up. Such a row asks nothing (RM6) and ignores
    /// the answer; a coordinator that no longer knows the branch learns where it waits (OP2).
    pub given_up: Option<ActionName>,
}

/// The answer to one [`InDoubtQuestion`] (protocol section 6).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum InDoubtAnswer {
    /// Not decided, or not yet this branch's turn. Changes no row.
    Wait,
    /// Confirm it.
    Committed,
    /// Cancel it.
    RolledBack,
    /// Forgotten: cancel if still tried.
    Forgotten,
    /// Not this coordinator's: keep the row and raise an alarm.
    Foreign,
}

/// Perform phase two of one branch (TC8, TC9).
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct PhaseTwo {
    /// The transaction.
    pub xid: Xid,
    /// The branch.
    pub call: CallId,
    /// The coordinator's number for it, to answer with.
    pub alias: Alias,
    /// Whose it is.
    pub resource: Resource,
    /// Which action.
    pub action: ActionName,
    /// What it leaves behind in phase one.
    pub kind: BranchKind,
    /// What was decided about it.
    pub decision: Decision,
    /// Recorded arguments, where no fence row holds them.
    pub arguments: Option<Json>,
    /// What phase one of an unfenced branch returned and kept.
    pub reported: Option<Reported>,
    /// The trace of the caller of phase one.
    pub trace: Option<TraceContext>,
    /// Whether an operator asked for this delivery.
    pub by_operator: ByOperator,
}

impl fmt::Debug for PhaseTwo {
    /// Recorded arguments never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhaseTwo")
            .field("xid", &self.xid)
            .field("call", &self.call)
            .field("resource", &self.resource)
            .field("action", &self.action)
            .field("kind", &self.kind)
            .field("decision", &self.decision)
            .field("by_operator", &self.by_operator)
            .finish_non_exhaustive()
    }
}

/// Whether an operator asked for a delivery (OP2, OP3).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum ByOperator {
    /// No.
    #[default]
    No,
    /// Run the participant's function again although the branch is parked.
    Retry,
    /// The row takes the decided state without user code: it was resolved by hand.
    Resolve,
}

/// What came of one phase two.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum BranchResult {
    /// The branch has ended; said only after the local commit (RM5).
    Ended,
    /// It failed; repeat it.
    Retry {
        /// What went wrong, for people.
        error: Arc<str>,
        /// When the participant asked to be called again, counted from now.
        after: Option<Duration>,
    },
    /// This instance does not know the action, or cannot decode its arguments.
    NotHere {
        /// What is unknown here, for people.
        error: Arc<str>,
    },
    /// Stop repeating it until an operator acts.
    Park(ParkReason),
}

/// Why a branch waits for an operator.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, thiserror::Error)]
#[non_exhaustive]
pub enum ParkReason {
    /// The participant gave up.
    #[error("the participant gave up: {0}")]
    GaveUp(Arc<str>),
    /// Commit found no row above the local horizon (RM9).
    #[error("the branch to confirm has no row in its database")]
    Missing,
    /// Rollback found a confirmed row. A bug.
    #[error("the branch to cancel is already confirmed; please report this as a bug")]
    RefusedConfirmed,
    /// Commit found a cancelled row. A bug.
    #[error("the branch to confirm is already cancelled; please report this as a bug")]
    RefusedCancelled,
    /// No instance knew the action or could decode its arguments for too long.
    #[error("no attached instance can perform it: {0}")]
    Undecodable(Arc<str>),
    /// An operator gave up (OP2).
    #[error("an operator gave up: {0}")]
    ByOperator(Arc<str>),
    /// An operator wrote its database off (OP4).
    #[error("its database was written off")]
    WrittenOff,
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_read_as_its_specification_says() {
        let later = TRACE.replacen("00", "01", 1);
        for (text, is_one) in [
            (TRACE.to_owned(), true),
            (later.clone(), true),
            (format!("{later}-more"), true),
            (format!("{later}-{}", "x".repeat(200)), true),
            (format!("{later}-{}", "x".repeat(201)), false),
            (format!("{TRACE}-more"), false),
            (format!("{TRACE}-"), false),
            (TRACE.to_uppercase(), false),
            (TRACE.replacen("00", "ff", 1), false),
            (
                TRACE.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
                false,
            ),
            (TRACE.replace("00f067aa0ba902b7", &"0".repeat(16)), false),
            (TRACE.replace("4bf9", "4bf"), false),
            (TRACE.replace("-01", ""), false),
            (TRACE.replace("-01", "-1"), false),
            (format!(" {TRACE}"), false),
            (String::new(), false),
        ] {
            let read = TraceContext::of_traceparent(&text);
            let expected = is_one.then(|| TraceContext(text.as_str().into()));
            assert_eq!(read, expected, "{text}");
        }
    }
}
