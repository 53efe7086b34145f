//! Named points of phase one and phase two, at which a test makes a phase fail or stop.
//!
//! Without the feature `testing` a point is nothing: [`Points`] has no size and `reach` no effect.

#![cfg_attr(
    not(feature = "testing"),
    allow(unreachable_pub, reason = "public through `testing` alone")
)]

use std::fmt;

use unanimous_protocol::Decision;

use crate::branch::fence::RowKey;
use crate::coordinator::CoordinatorError;

/// Which phase of a branch.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Phase {
    /// Phase one.
    Try,
    /// Phase two, decided commit.
    Commit,
    /// Phase two, decided rollback.
    Rollback,
}

/// A moment of a phase.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Point {
    /// Phase one: nothing has left the process yet.
    BeforeRegister,
    /// Phase one: the branch has joined at the coordinator; nothing is written here.
    AfterRegister,
    /// Phase two: it was delivered; nothing is written here.
    Delivered,
    /// The user's function is called next; behind a fence, its row is written in the open local
    /// transaction.
    BeforeBusiness,
    /// The user's function returned `Ok`; behind a fence, nothing is committed.
    AfterBusiness,
    /// The fence row is closed next, in the open local transaction. With a fence only.
    BeforeRowCloses,
    /// The fence row is closed, and the local transaction is committed next: what ends here leaves
    /// nothing of it. With a fence only.
    BeforeLocalCommit,
    /// The local transaction is committed, and its process has not heard so: the answer of the
    /// database is lost. With a fence only.
    AfterLocalCommit,
    /// Phase one without a fence: its value is reported next, where a partner takes `#[tried]`.
    BeforeReport,
    /// Phase one without a fence: the coordinator has its value.
    AfterReport,
    /// All is done, and nobody has heard of it.
    BeforeAnswer,
}

impl From<Decision> for Phase {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Commit => Self::Commit,
            Decision::Rollback => Self::Rollback,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Try => "try",
            Self::Commit => "commit",
            Self::Rollback => "rollback",
        })
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BeforeRegister => "before it registers",
            Self::AfterRegister => "after it registered",
            Self::Delivered => "when it was delivered",
            Self::BeforeBusiness => "before the method runs",
            Self::AfterBusiness => "after the method ran",
            Self::BeforeRowCloses => "before its row is closed",
            Self::BeforeLocalCommit => "before the local commit",
            Self::AfterLocalCommit => "after the local commit",
            Self::BeforeReport => "before its value is reported",
            Self::AfterReport => "after its value was reported",
            Self::BeforeAnswer => "before it answers",
        })
    }
}

/// The failure that a test wanted at a point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Injected {
    phase: Phase,
    point: Point,
}

impl fmt::Display for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a test made the {} fail {}", self.phase, self.point)
    }
}

impl From<Injected> for crate::Error {
    /// As the real failure there would be told: of the local transaction, or of an answer.
    fn from(injected: Injected) -> Self {
        let why = injected.to_string();
        match injected.point {
            Point::BeforeBusiness
            | Point::AfterBusiness
            | Point::BeforeRowCloses
            | Point::BeforeLocalCommit
            | Point::AfterLocalCommit => Self::Database {
                participant: "a participant under test".into(),
                source: why.into(),
            },
            _ => CoordinatorError::Unavailable {
                coordinator: "the coordinator under test".into(),
                why: why.into(),
            }
            .into(),
        }
    }
}

/// Where the runtime tells that a point is reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Points {
    #[cfg(feature = "testing")]
    faults: Option<std::sync::Arc<dyn crate::testing::Faults>>,
}

#[cfg(feature = "testing")]
impl Points {
    pub(crate) fn new(faults: std::sync::Arc<dyn crate::testing::Faults>) -> Self {
        Self {
            faults: Some(faults),
        }
    }

    /// Whether anybody is told.
    pub(crate) fn are_watched(&self) -> bool {
        self.faults.is_some()
    }

    /// Tells it. An error is the failure of the phase here; a future that never completes waits
    /// to be dropped.
    pub(crate) async fn reach(
        &self,
        phase: Phase,
        point: Point,
        key: &RowKey,
    ) -> Result<(), Injected> {
        let Some(faults) = &self.faults else {
            return Ok(());
        };
        let reached = crate::testing::Reached {
            phase,
            point,
            xid: key.xid.clone(),
            call: key.call.clone(),
        };
        let failed = |_| Injected { phase, point };
        faults.reach(reached).await.map_err(failed)
    }
}

#[cfg(not(feature = "testing"))]
const _: () = assert!(size_of::<Points>() == 0);

#[cfg(not(feature = "testing"))]
impl Points {
    #[inline]
    #[expect(clippy::unused_self, reason = "the same shape with the feature")]
    pub(crate) fn are_watched(&self) -> bool {
        false
    }

    #[inline]
    #[expect(clippy::unused_async, reason = "the same shape with the feature")]
    pub(crate) async fn reach(&self, _: Phase, _: Point, _: &RowKey) -> Result<(), Injected> {
        Ok(())
    }
}
