//! What only people want to know: names, ages, attempts, errors, and why a branch waits. Nothing
//! is decided by it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use unanimous_protocol::message::{
    AdminAnswer, AdminRefusal, AdminRequest, BranchDetail, BranchResult, Horizon, PhaseTwo,
    TransactionDetail, TransactionSummary,
};
use unanimous_protocol::{Alias, BranchState, GlobalState, Incarnation, OwnXid, limits};

use crate::decide::{Branch, Finished, Note, is_stranded};

/// The tables of this start.
#[derive(Debug, Default)]
pub(super) struct People {
    /// When the transactions that are not finished began; those of earlier starts began with this.
    began: HashMap<OwnXid, Duration>,
    branches: BTreeMap<(OwnXid, Alias), Phase2>,
    /// The last ones that finished, oldest first.
    finished: VecDeque<Done>,
}

/// Where the phase two of a branch stands.
#[derive(Debug, Default)]
struct Phase2 {
    attempts: u32,
    /// How often it was put off, also where nobody could be asked to perform it.
    rested: u32,
    last_error: Option<Arc<str>>,
    under_way_since: Option<Duration>,
    next_at: Option<Duration>,
}

#[derive(Debug)]
struct Done {
    finished: Box<Finished>,
    began: Duration,
}

impl People {
    pub(super) fn began(&mut self, xid: OwnXid, now: Duration) {
        self.began.insert(xid, now);
    }

    pub(super) fn delivered(&mut self, phase_two: &PhaseTwo, now: Duration) {
        // Always an xid of ours: the coordinator made it.
        let Some(xid) = phase_two.xid.own() else {
            return;
        };
        let branch = self.branches.entry((xid, phase_two.alias)).or_default();
        branch.attempts = branch.attempts.saturating_add(1);
        branch.under_way_since = Some(now);
        branch.next_at = None;
    }

    pub(super) fn rests(&mut self, xid: OwnXid, alias: Alias, until: Duration) {
        let branch = self.branches.entry((xid, alias)).or_default();
        branch.under_way_since = None;
        branch.rested = branch.rested.saturating_add(1);
        branch.next_at = Some(until);
    }

    /// How often it was tried in vain: by a participant, or for want of one.
    pub(super) fn tries(&self, xid: OwnXid, alias: Alias) -> u32 {
        self.branches
            .get(&(xid, alias))
            .map_or(0, |branch| branch.attempts.max(branch.rested))
    }

    /// Branches whose phase two was delivered before then and not answered since.
    pub(super) fn overdue(&self, before: Duration) -> Vec<(OwnXid, Alias)> {
        let branches = self.branches.iter();
        branches
            .filter(|(_, branch)| branch.under_way_since.is_some_and(|since| since <= before))
            .map(|(key, _)| *key)
            .collect()
    }

    pub(super) fn note(&mut self, note: Note, now: Duration) {
        match note {
            Note::NotEnded(xid, alias, result) => {
                let branch = self.branches.entry((xid, alias)).or_default();
                branch.under_way_since = None;
                match result {
                    BranchResult::Retry { error, .. } | BranchResult::NotHere { error } => {
                        branch.last_error = Some(error);
                    }
                    BranchResult::Ended | BranchResult::Park(_) => {}
                }
            }
            Note::Ended(xid, alias) => {
                self.branches.remove(&(xid, alias));
            }
            Note::Finished(mut finished) => {
                for branch in &mut finished.branches {
                    branch.let_go();
                }
                let began = self.began.remove(&finished.xid).unwrap_or(now);
                if self.finished.len() >= limits::FINISHED_KEPT_MAX {
                    self.finished.pop_front();
                }
                self.finished.push_back(Done { finished, began });
            }
            _ => {}
        }
    }

    /// The horizon has passed some transactions, of which a few never finished: nobody had to hear
    /// of their end (TC12).
    pub(super) fn forget(&mut self, incarnation: Incarnation, horizon: &Horizon) {
        let kept =
            |xid: &OwnXid| xid.incarnation != incarnation || !horizon.has_passed(xid.counter);
        self.began.retain(|xid, _| kept(xid));
        self.branches
            .retain(|(xid, alias), _| kept(xid) || is_stranded(*alias));
    }

    /// Completes what `decide` answered with what it does not know.
    pub(super) fn complete(&self, answer: &mut AdminAnswer, wanted: &Wanted, now: Duration) {
        match (answer, wanted) {
            (AdminAnswer::Transactions(found), Wanted::Finished(limit)) => {
                for summary in found.iter_mut() {
                    self.fill_summary(summary, now);
                }
                let room = limit.saturating_sub(found.len());
                let finished = self.finished.iter().rev().take(room);
                found.extend(finished.map(|done| done.summary(now)));
            }
            (AdminAnswer::Transactions(found), _) => {
                for summary in found.iter_mut() {
                    self.fill_summary(summary, now);
                }
            }
            (AdminAnswer::Transaction(detail), _) => self.fill_detail(detail, now),
            (
                answer @ AdminAnswer::Refused(AdminRefusal::NoSuchTransaction),
                Wanted::Transaction(xid),
            ) => {
                let mut finished = self.finished.iter().rev();
                if let Some(done) = finished.find(|done| done.finished.xid == *xid) {
                    *answer = AdminAnswer::Transaction(Box::new(done.detail(now)));
                }
            }
            _ => {}
        }
    }

    fn fill_summary(&self, summary: &mut TransactionSummary, now: Duration) {
        let Some(xid) = summary.xid.own() else {
            return;
        };
        // One of an earlier start has been known since this one.
        let began = self.began.get(&xid).copied().unwrap_or_default();
        summary.age = now.saturating_sub(began);
        if summary.why.is_none() && summary.waiting > 0 {
            let mut branches = self
                .branches
                .range((xid, Alias(0))..=(xid, Alias(u32::MAX)));
            summary.why = branches.find_map(|(_, branch)| branch.why(now));
        }
    }

    fn fill_detail(&self, detail: &mut TransactionDetail, now: Duration) {
        self.fill_summary(&mut detail.summary, now);
        let Some(xid) = detail.summary.xid.own() else {
            return;
        };
        for shown in &mut detail.branches {
            let Some(branch) = self.branches.get(&(xid, shown.alias)) else {
                continue;
            };
            shown.attempts = branch.attempts;
            shown.last_error.clone_from(&branch.last_error);
            if shown.why.is_none() && shown.state != BranchState::Ended {
                shown.why = branch.why(now);
            }
        }
    }
}

/// What a request for people asks for beyond what `decide` knows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wanted {
    Nothing,
    /// At most so many transactions in all, the last finished ones among them.
    Finished(usize),
    Transaction(OwnXid),
}

impl Wanted {
    pub(super) fn of(request: &AdminRequest) -> Self {
        match request {
            AdminRequest::List {
                finished: true,
                limit,
                ..
            } => Self::Finished(*limit),
            AdminRequest::Show(xid) => xid.own().map_or(Self::Nothing, Self::Transaction),
            _ => Self::Nothing,
        }
    }
}

impl Phase2 {
    fn why(&self, now: Duration) -> Option<String> {
        let next = self.next_at?.saturating_sub(now);
        let mut why = format!(
            "next attempt in {}.{} s",
            next.as_secs(),
            next.subsec_millis() / 100
        );
        if let Some(error) = &self.last_error {
            // Writing to a string cannot fail.
            let _ = write!(why, ", after {} attempts: {error}", self.attempts);
        }
        Some(why)
    }
}

impl Done {
    fn summary(&self, now: Duration) -> TransactionSummary {
        let Finished {
            xid,
            about,
            reason,
            branches,
        } = &*self.finished;
        TransactionSummary {
            xid: (*xid).into(),
            name: about.name.clone(),
            application: about.application.to_string(),
            state: match reason {
                None => GlobalState::Finished,
                Some(_) => GlobalState::RolledBack,
            },
            reason: *reason,
            age: now.saturating_sub(self.began),
            branches: branches.len(),
            waiting: 0,
            parked: 0,
            why: None,
        }
    }

    fn detail(&self, now: Duration) -> TransactionDetail {
        let branches = self.finished.branches.iter();
        TransactionDetail {
            summary: self.summary(now),
            branches: branches.map(branch_detail).collect(),
        }
    }
}

fn branch_detail(branch: &Branch) -> BranchDetail {
    let registration = &branch.registration;
    BranchDetail {
        alias: registration.alias,
        call: registration.call.clone(),
        resource: registration.resource.clone(),
        action: registration.action.clone(),
        kind: registration.kind,
        state: branch.state,
        decision: branch.decision,
        attempts: 0,
        last_error: None,
        parked: branch.parked.clone(),
        why: None,
    }
}

/// Tells what happened, with the xid as a field. Recorded arguments never reach a log.
pub(super) fn trace(note: &Note) {
    match note {
        Note::Committed(xid) => tracing::debug!(%xid, "committed"),
        Note::RolledBack(xid, reason) => tracing::debug!(%xid, %reason, "rolled back"),
        Note::NotEnded(xid, alias, BranchResult::Retry { error, .. }) => {
            tracing::warn!(%xid, branch = %alias, %error, "phase two failed and will be repeated");
        }
        Note::NotEnded(xid, alias, BranchResult::NotHere { error }) => {
            tracing::warn!(%xid, branch = %alias, %error, "an instance cannot perform phase two");
        }
        Note::Parked(xid, alias, reason) => {
            tracing::error!(%xid, branch = %alias, %reason, "a branch waits for an operator");
        }
        Note::Ended(xid, alias) => tracing::debug!(%xid, branch = %alias, "branch ended"),
        Note::ResourceRestored(resource) => {
            tracing::error!(%resource, "a database was restored: its forgotten rows wait for the operator");
        }
        Note::Replaced(_)
        | Note::Serving
        | Note::Drained
        | Note::NotEnded(..)
        | Note::Finished(_) => {}
    }
}
