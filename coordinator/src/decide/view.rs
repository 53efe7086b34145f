//! What people see of the state: list, show, and why a branch waits. Ages, attempts and last
//! errors are the driver's to fill in.

use std::borrow::Cow;
use std::time::Duration;

use unanimous_protocol::message::{
    AdminAnswer, BranchDetail, TransactionDetail, TransactionSummary,
};
use unanimous_protocol::{BranchState, DatabaseId, GlobalState, OwnXid};

use super::answer::Standing;
use super::rules::Rules;
use super::state::{Branch, BranchKey, Delivery, Entry, Phase, State, Transaction};

impl State {
    /// The transactions that have something left to do, oldest first, from behind `after` on.
    pub(super) fn list<R: Rules>(&self, limit: usize, after: Option<OwnXid>) -> AdminAnswer {
        let is_asked = |xid: OwnXid| after.is_none_or(|after| xid > after);
        let live = self.live_transactions().filter(|(xid, _)| is_asked(*xid));
        let live = live.map(|(xid, transaction)| (xid, self.with_stranded(xid, transaction)));
        let stranded = self.stranded_transactions();
        let stranded = stranded.filter(|(xid, _)| is_asked(*xid));
        let stranded = stranded.map(|(xid, transaction)| (xid, Cow::Owned(transaction)));
        let mut all: Vec<_> = live.take(limit).collect();
        all.extend(stranded.take(limit));
        all.sort_by_key(|(xid, _)| *xid);
        let first = all.iter().take(limit);
        let summaries = first.map(|(xid, transaction)| self.summary::<R>(*xid, transaction));
        AdminAnswer::Transactions(summaries.collect())
    }

    fn with_stranded<'a>(&self, xid: OwnXid, transaction: &'a Transaction) -> Cow<'a, Transaction> {
        match self.stranded.get(&xid) {
            None => Cow::Borrowed(transaction),
            Some(stranded) => {
                let mut whole = transaction.clone();
                whole.branches.extend(stranded.iter().cloned());
                Cow::Owned(whole)
            }
        }
    }

    /// One transaction that has something left to do.
    pub(super) fn show<R: Rules>(&self, xid: OwnXid) -> Option<TransactionDetail> {
        let transaction = match self.live(xid) {
            Some(transaction) => self.with_stranded(xid, transaction),
            None => Cow::Owned(self.stranded_transaction(xid)?),
        };
        let branches = transaction.branches.iter();
        Some(TransactionDetail {
            summary: self.summary::<R>(xid, &transaction),
            branches: branches.map(|branch| self.detail(branch)).collect(),
        })
    }

    /// How many branches of decided transactions wait for an operator.
    #[must_use]
    pub fn parked(&self) -> usize {
        let branches = self.live_transactions().flat_map(|(_, tx)| &tx.branches);
        let stranded = self.stranded.values().flatten();
        branches
            .chain(stranded)
            .filter(|branch| branch.state == BranchState::Parked)
            .count()
    }

    fn live_transactions(&self) -> impl Iterator<Item = (OwnXid, &Transaction)> {
        self.eras.iter().flat_map(|(incarnation, era)| {
            era.transactions.iter().filter_map(|(counter, entry)| {
                let xid = OwnXid {
                    incarnation: *incarnation,
                    counter: *counter,
                };
                match entry {
                    Entry::Live(transaction) => Some((xid, &**transaction)),
                    _ => None,
                }
            })
        })
    }

    /// The state as people and the table of section 6 know it.
    pub(super) fn state_of<R: Rules>(&self, xid: OwnXid) -> Option<GlobalState> {
        Some(match self.standing::<R>(xid) {
            Standing::Live(transaction) => shown_state::<R>(transaction),
            Standing::Finished(_) => GlobalState::Finished,
            Standing::RolledBack(_) => GlobalState::RolledBack,
            Standing::Remembered(_) | Standing::Forgotten => GlobalState::Forgotten,
            Standing::Foreign | Standing::DecidedByHand(_) => return None,
        })
    }

    pub(super) fn branches(&self, xid: OwnXid) -> usize {
        self.live(xid).map_or(0, |tx| tx.branches.len())
    }

    /// Branches with something left to do in that database.
    pub(super) fn unended_of(&self, database: DatabaseId) -> Vec<BranchKey> {
        let decided = self.live_transactions().filter(|(_, transaction)| {
            matches!(transaction.phase, Phase::Committed | Phase::RolledBack(_))
        });
        let branches = decided.flat_map(|(xid, transaction)| {
            let branches = transaction.branches.iter();
            branches.map(move |branch| (xid, branch))
        });
        let stranded = self.stranded.iter();
        let stranded = stranded.flat_map(|(xid, all)| all.iter().map(move |one| (*xid, one)));
        branches
            .chain(stranded)
            .filter(|(_, branch)| branch.registration.resource.database == Some(database))
            .filter(|(_, branch)| !branch.has_ended())
            .map(|(xid, branch)| (xid, branch.registration.alias))
            .collect()
    }

    fn summary<R: Rules>(&self, xid: OwnXid, transaction: &Transaction) -> TransactionSummary {
        let waiting = || {
            transaction
                .branches
                .iter()
                .filter(|branch| !branch.has_ended())
        };
        TransactionSummary {
            xid: xid.into(),
            name: transaction.about.name.clone(),
            application: transaction.about.application.to_string(),
            state: shown_state::<R>(transaction),
            reason: match transaction.phase {
                Phase::RolledBack(reason) => Some(reason),
                _ => None,
            },
            age: Duration::ZERO,
            branches: transaction.branches.len(),
            waiting: waiting().count(),
            parked: waiting()
                .filter(|branch| branch.state == BranchState::Parked)
                .count(),
            why: waiting().find_map(|branch| self.why(branch)),
        }
    }

    fn detail(&self, branch: &Branch) -> BranchDetail {
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
            why: self.why(branch),
        }
    }

    /// Why a branch waits; none where only the driver knows, or nothing does.
    fn why(&self, branch: &Branch) -> Option<String> {
        let resource = &branch.registration.resource;
        let deliveries = self.resources.get(resource);
        let attached = deliveries.is_some_and(|deliveries| !deliveries.sessions.is_empty());
        if let Some(reason) = &branch.parked {
            return Some(format!("parked: {reason}"));
        }
        match branch.delivery {
            Delivery::None => None,
            Delivery::UnderWay(_) => Some("its phase two is under way".to_owned()),
            _ if !attached => Some(format!("no instance of {resource} is attached")),
            Delivery::Due => Some(format!(
                "{} deliveries to {resource} are under way",
                deliveries.map_or(0, |deliveries| deliveries.under_way)
            )),
            Delivery::Resting => branch.undecodable.as_deref().map(str::to_owned),
        }
    }
}

/// A committed transaction of which only abandoned branches of lazy kinds are left is finished:
/// who asks about those is told.
fn shown_state<R: Rules>(transaction: &Transaction) -> GlobalState {
    match transaction.phase {
        Phase::Committed if !transaction.is_owed::<R>() => GlobalState::Finished,
        _ => transaction.state(),
    }
}
