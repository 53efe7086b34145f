//! Rows that wait for an operator although nothing of their transaction is kept (OP2).
//!
//! A participant that gave up writes so on its row, which then asks nothing any more (RM6). Rolled
//! back with lazy-kind branches alone, a transaction leaves no record: after a restart, or where an
//! answer to a question was given up on, nobody else would know of that row. So participants tell
//! of such rows at each attachment and periodically.
//!
//! ```text
//!  told of, unknown ──> delivered ──Park───> listed; an operator retries, resolves
//!                           └───────Ended──> it was told of too late: dropped
//! ```
//!
//! Memory only, and no part of any answer or horizon: those stand on the log alone.

use std::sync::Arc;

use unanimous_protocol::message::{InDoubtAnswer, InDoubtQuestion};
use unanimous_protocol::{
    Alias, BranchKind, BranchState, CallId, Decision, Digest, OwnXid, RollbackReason,
    TransactionName, limits,
};

use super::record::{About, Registration};
use super::rules::Rules;
use super::state::{Branch, BranchKey, Phase, State, Transaction};
use super::turn::Turn;

/// Above every alias that a registration is answered with.
const STRANDED_FIRST: Alias = Alias(1 << 31);

/// Whether the alias is one that was made for a stranded branch.
pub(crate) fn is_stranded(alias: Alias) -> bool {
    alias >= STRANDED_FIRST
}

impl<R: Rules> Turn<'_, R> {
    /// A participant told of a row that it gave up. If its branch is not known any more, it is
    /// delivered again, under the decision that was just answered: the row says where it stands.
    pub(super) fn given_up(&mut self, told: &InDoubtQuestion, answer: InDoubtAnswer) {
        let decision = match answer {
            InDoubtAnswer::Committed => Decision::Commit,
            InDoubtAnswer::RolledBack | InDoubtAnswer::Forgotten => Decision::Rollback,
            InDoubtAnswer::Wait | InDoubtAnswer::Foreign => return,
        };
        let (Some(xid), Some(action)) = (told.xid.own(), &told.given_up) else {
            return;
        };
        let room = self.state.stranded.len() < limits::STRANDED_MAX
            || self.state.stranded.contains_key(&xid);
        if !R::LISTS_STRANDED || !room || self.state.knows(xid, told) {
            return;
        }
        let branches = self.state.stranded.entry(xid).or_default();
        let registration = Registration {
            alias: free_alias(branches),
            call: told.call.clone(),
            resource: told.resource.clone(),
            action: action.clone(),
            kind: BranchKind::Fenced,
            // Compared at registration alone, which is over.
            digest: Digest([0; 32]),
            arguments: None,
            trace: None,
        };
        let key = (xid, registration.alias);
        let mut branch = Branch::new(Arc::new(registration), BranchState::Joined);
        branch.decision = Some(decision);
        branches.push(branch);
        self.make_due(key);
    }

    /// Its row has ended: nothing is left to list.
    pub(super) fn stranded_ended(&mut self, (xid, alias): BranchKey) {
        if let Some(branches) = self.state.stranded.get_mut(&xid) {
            branches.retain(|branch| branch.registration.alias != alias);
            if branches.is_empty() {
                self.state.stranded.remove(&xid);
            }
        }
    }
}

impl State {
    fn knows(&self, xid: OwnXid, told: &InDoubtQuestion) -> bool {
        let live = self.live(xid).into_iter().flat_map(|tx| &tx.branches);
        let stranded = self.stranded.get(&xid).into_iter().flatten();
        let mut all = live.chain(stranded).map(|branch| &branch.registration);
        all.any(|branch| branch.call == told.call && branch.resource == told.resource)
    }

    pub(super) fn stranded_call(&self, xid: OwnXid, call: &CallId) -> Option<Alias> {
        let registered = self.stranded.get(&xid)?.iter().map(|one| &one.registration);
        let mut found = registered.filter(|registration| registration.call == *call);
        found.next().map(|registration| registration.alias)
    }

    /// The stranded branches of a transaction that is not live, as people see them.
    pub(super) fn stranded_transaction(&self, xid: OwnXid) -> Option<Transaction> {
        let branches = self.stranded.get(&xid)?.clone();
        let commits = |branch: &Branch| branch.decision == Some(Decision::Commit);
        let phase = if branches.iter().any(commits) {
            Phase::Committed
        } else {
            Phase::RolledBack(RollbackReason::NotRecorded)
        };
        let about = About {
            name: name_for_people()?,
            application: "unknown".into(),
        };
        Some(Transaction {
            about,
            phase,
            branches,
        })
    }

    pub(super) fn stranded_transactions(&self) -> impl Iterator<Item = (OwnXid, Transaction)> {
        let xids = self.stranded.keys().copied();
        xids.filter(|xid| self.live(*xid).is_none())
            .filter_map(|xid| Some((xid, self.stranded_transaction(xid)?)))
    }
}

/// The smallest that no other stranded branch of the transaction has.
fn free_alias(branches: &[Branch]) -> Alias {
    let mut aliases = (STRANDED_FIRST.0..).map(Alias);
    let is_free = |alias: &Alias| branches.iter().all(|one| one.registration.alias != *alias);
    aliases.find(is_free).unwrap_or(STRANDED_FIRST)
}

/// Names are kept with the transaction, which is not.
fn name_for_people() -> Option<TransactionName> {
    "(no longer recorded)".parse().ok()
}
