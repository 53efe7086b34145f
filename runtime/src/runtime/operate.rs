//! What people see of a runtime and do to its transactions.

use std::sync::Arc;
use std::time::Duration;

use unanimous_protocol::message::{
    AdminAnswer, AdminRefusal, AdminRequest, Paging, TransactionDetail, TransactionSummary,
};
use unanimous_protocol::{CallId, DatabaseId, Decision, GlobalState, Xid};

use super::Runtime;
use crate::coordinator::CoordinatorError;

/// How a runtime is, at one moment.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// Whether the participants are attached to the coordinator.
    pub attached: bool,
    /// Why not: what the coordinator said, or that there is no connection to it yet.
    pub detached_because: Option<String>,
    /// Branches of these participants that wait for an operator.
    pub parked: u64,
    /// Tried rows whose decision is overdue (10 s), or may have been missed: after a start or a new
    /// connection to the coordinator all that were tried before, until each has been asked about
    /// and brought to what was decided. Counted up to 1 000 for each participant.
    pub in_doubt: u64,
    /// Transactions that this process began and has not decided.
    pub open: usize,
    /// How long the oldest of them is open.
    pub oldest_open: Option<Duration>,
}

impl Health {
    /// Whether this process can take part in transactions now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.attached
    }
}

/// Why an operator's request was not carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdminError {
    /// The coordinator refused; nothing changed.
    #[error(transparent)]
    Refused(AdminRefusal),
    /// The coordinator did not answer.
    #[error(transparent)]
    Coordinator(#[from] CoordinatorError),
    /// The answer does not fit the request.
    #[error("the coordinator gave an answer that does not fit the request")]
    Unexpected,
}

/// The operator's requests to the runtime's coordinator; the command `unanimous`
/// offers the same. A coordinator that is away is waited for, 60 s at most.
///
/// ```
/// # use unanimous::{Error, Runtime, global_transactional};
/// # #[global_transactional(name = "purchase")]
/// # async fn purchase(runtime: &Runtime) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// let under_way = runtime.admin().list(false, 100).await?;
/// for transaction in &under_way {
///     let why = transaction.why.as_deref().unwrap_or_default();
///     println!("{} {} {:?} {why}", transaction.xid, transaction.name, transaction.state);
///     let detail = runtime.admin().show(&transaction.xid).await?;
///     println!("{} branches", detail.branches.len());
/// }
/// # assert_eq!(under_way.len(), 1);
/// # Ok(())
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
/// # let runtime = Runtime::builder().coordinator("memory:").build().await?;
/// # runtime.scope(purchase(&runtime)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Admin {
    runtime: Runtime,
}

impl Runtime {
    /// How this runtime is. Asks the participants' databases for their parked rows.
    pub async fn health(&self) -> Health {
        let served = self.deliveries().health().await;
        let now = self.clock().now();
        let nothing_heard = || {
            let address = self.coordinator().address();
            (!served.attached).then(|| format!("not attached to {address} yet, or no longer"))
        };
        Health {
            attached: served.attached,
            detached_because: served.detached_because.or_else(nothing_heard),
            parked: served.parked,
            in_doubt: served.in_doubt,
            open: self.inner.open.count(),
            oldest_open: self
                .inner
                .open
                .oldest()
                .map(|begun| now.saturating_sub(begun)),
        }
    }

    /// The operator's requests.
    #[must_use]
    pub fn admin(&self) -> Admin {
        Admin {
            runtime: self.clone(),
        }
    }
}

impl Admin {
    /// The transactions that are not finished, oldest first; with `finished` also the last ones
    /// that are, youngest first, at most 1 000. At most `limit` in all; a long list is asked for in several
    /// requests, between which transactions may begin and end.
    pub async fn list(
        &self,
        finished: bool,
        limit: usize,
    ) -> Result<Vec<TransactionSummary>, AdminError> {
        let mut paging = Paging::new(finished, limit);
        while let Some(request) = paging.request() {
            match self.ask(request).await? {
                AdminAnswer::Transactions(page) => paging.answered(page),
                _ => return Err(AdminError::Unexpected),
            }
        }
        Ok(paging.into_found())
    }

    /// One transaction with its branches, and why each waits.
    pub async fn show(&self, xid: &Xid) -> Result<TransactionDetail, AdminError> {
        match self.ask(AdminRequest::Show(xid.clone())).await? {
            AdminAnswer::Transaction(detail) => Ok(*detail),
            _ => Err(AdminError::Unexpected),
        }
    }

    /// Delivers the phase two of a branch now, also of a parked one.
    pub async fn retry(&self, xid: &Xid, call: &CallId) -> Result<usize, AdminError> {
        self.done(AdminRequest::Retry(xid.clone(), call.clone()))
            .await
    }

    /// Parks a branch.
    pub async fn give_up(
        &self,
        xid: &Xid,
        call: &CallId,
        reason: impl Into<Arc<str>>,
    ) -> Result<usize, AdminError> {
        self.done(AdminRequest::GiveUp(
            xid.clone(),
            call.clone(),
            reason.into(),
        ))
        .await
    }

    /// Rolls an open transaction back. There is no such thing for commit: its caller may
    /// already have been told that it rolled back.
    pub async fn roll_back(&self, xid: &Xid) -> Result<usize, AdminError> {
        self.done(AdminRequest::RollBack(xid.clone())).await
    }

    /// The branch was resolved by hand: its row takes the decided state without user code.
    pub async fn resolve(&self, xid: &Xid, call: &CallId) -> Result<usize, AdminError> {
        self.done(AdminRequest::Resolve(xid.clone(), call.clone()))
            .await
    }

    /// The database is lost for ever: its branches are parked, those decided later too, and their
    /// commit records are kept. Returns how many were parked.
    pub async fn write_off(&self, database: DatabaseId) -> Result<usize, AdminError> {
        self.done(AdminRequest::WriteOff(database)).await
    }

    /// Decides a foreign xid by hand after a restore.
    pub async fn decide(&self, xid: &Xid, decision: Decision) -> Result<usize, AdminError> {
        self.done(AdminRequest::Decide(xid.clone(), decision)).await
    }

    async fn done(&self, request: AdminRequest) -> Result<usize, AdminError> {
        match self.ask(request).await? {
            AdminAnswer::Done(touched) => Ok(touched),
            _ => Err(AdminError::Unexpected),
        }
    }

    async fn ask(&self, request: AdminRequest) -> Result<AdminAnswer, AdminError> {
        match self.runtime.coordinator().admin(request).await? {
            AdminAnswer::Refused(refusal) => Err(AdminError::Refused(refusal)),
            answer => Ok(answer),
        }
    }
}

/// Nothing of the transaction moves any more unless an operator acts.
pub(super) fn is_quiet(transaction: &TransactionSummary) -> bool {
    match transaction.state {
        GlobalState::Open | GlobalState::Deciding => false,
        _ => transaction.waiting == transaction.parked,
    }
}
