//! What an operator may do (OP1 to OP5), and what a test may ask.

use std::sync::Arc;

use unanimous_protocol::message::{
    AdminAnswer, AdminRefusal, AdminRequest, ByOperator, ParkReason,
};
use unanimous_protocol::{
    BranchState, CallId, DatabaseId, Decision, GlobalState, OwnXid, RollbackReason, Xid,
};

use super::answer::Standing;
use super::effect::{Message, Reply, To};
use super::event::{Position, RequestId};
use super::record::Record;
use super::rules::Rules;
use super::state::{Branch, BranchKey, Delivery, Entry, Pending, Phase};
use super::turn::{Force, Turn};

/// What was done, and from which position on it may be told.
type Done = (AdminAnswer, Option<Position>);

type Performed = Result<Done, AdminRefusal>;

fn now(branches: usize) -> Done {
    (AdminAnswer::Done(branches), None)
}

fn wrong_state(state: GlobalState, hint: &'static str) -> AdminRefusal {
    AdminRefusal::WrongState {
        state,
        hint: hint.into(),
    }
}

impl<R: Rules> Turn<'_, R> {
    pub(super) fn admin(&mut self, request: RequestId, admin: AdminRequest) {
        let (answer, after) = match self.perform(admin) {
            Ok(done) => done,
            Err(refusal) => (AdminAnswer::Refused(refusal), None),
        };
        let message = Message::Reply(Reply::Admin(answer));
        self.say(To::Request(request), message, after);
    }

    fn perform(&mut self, admin: AdminRequest) -> Performed {
        match admin {
            AdminRequest::List { limit, after, .. } => {
                let after = after.as_ref().and_then(Xid::own);
                Ok((self.state.list::<R>(limit, after), None))
            }
            AdminRequest::Show(xid) => {
                let detail = own(&xid).ok().and_then(|xid| self.state.show::<R>(xid));
                let detail = detail.ok_or(AdminRefusal::NoSuchTransaction)?;
                Ok((AdminAnswer::Transaction(Box::new(detail)), None))
            }
            AdminRequest::Retry(xid, call) => self.retry(&xid, &call),
            AdminRequest::GiveUp(xid, call, why) => self.give_up(&xid, &call, why),
            AdminRequest::RollBack(xid) => self.roll_back_by_operator(&xid),
            AdminRequest::Resolve(xid, call) => self.resolve(&xid, &call),
            AdminRequest::WriteOff(database) => Ok(self.write_off(database)),
            AdminRequest::Decide(xid, decision) => self.decide_by_hand(&xid, decision),
            AdminRequest::Settled(xid) => self.settled(&xid),
        }
    }

    /// OP2: deliver now, although it is parked or rests.
    fn retry(&mut self, xid: &Xid, call: &CallId) -> Performed {
        let key = self.unended_branch(xid, call)?;
        let Some(branch) = self.state.branch_mut(key) else {
            return Ok(now(0));
        };
        if matches!(branch.delivery, Delivery::UnderWay(_)) {
            return Ok(now(0));
        }
        branch.by_operator = ByOperator::Retry;
        self.unpark(key);
        self.make_due(key);
        Ok(now(1))
    }

    /// OP2: parks the branch. Who asks for it still gets the decision.
    fn give_up(&mut self, xid: &Xid, call: &CallId, why: Arc<str>) -> Performed {
        let key = self.unended_branch(xid, call)?;
        self.park(key, ParkReason::ByOperator(why));
        self.pump_of(key);
        Ok(now(1))
    }

    /// OP1: an open transaction may be rolled back, never committed.
    fn roll_back_by_operator(&mut self, xid: &Xid) -> Performed {
        let xid = own(xid)?;
        if self.open_mut(xid).is_none() {
            let state = self.state.state_of::<R>(xid);
            let state = state.ok_or(AdminRefusal::NoSuchTransaction)?;
            return Err(wrong_state(
                state,
                "only an open transaction is rolled back",
            ));
        }
        self.roll_back(xid, RollbackReason::Operator);
        Ok(now(self.state.branches(xid)))
    }

    /// OP3: resolved by hand. A fence row takes the decided state without user code and then the
    /// branch ends like any other; an unfenced branch ends by a forced record.
    fn resolve(&mut self, xid: &Xid, call: &CallId) -> Performed {
        let key = self.unended_branch(xid, call)?;
        let branch = self.state.branch_mut(key);
        let branch = branch.ok_or(AdminRefusal::NoSuchBranch)?;
        if !branch.registration.kind.has_row() {
            self.end(key, Force::Forced);
            self.pump_of(key);
            return Ok((AdminAnswer::Done(1), Some(self.state.appended)));
        }
        branch.by_operator = ByOperator::Resolve;
        self.unpark(key);
        self.make_due(key);
        Ok(now(1))
    }

    /// OP4: nobody will ever perform these branches. Their records stay, listed with the horizon.
    fn write_off(&mut self, database: DatabaseId) -> Done {
        let position = self.append(Record::WrittenOff(database), Force::Forced);
        self.state.written_off.insert(database);
        let lost = self.state.unended_of(database);
        for key in &lost {
            if let Some(branch) = self.state.branch_mut(*key) {
                branch.by_operator = ByOperator::No;
            }
            self.park(*key, ParkReason::WrittenOff);
        }
        (AdminAnswer::Done(lost.len()), Some(position))
    }

    /// OP5: after a restore, a foreign xid is decided by hand, once, and forced.
    fn decide_by_hand(&mut self, xid: &Xid, decision: Decision) -> Performed {
        let xid = own(xid)?;
        if let Some((standing, position)) = self.state.by_hand.get(&xid) {
            if *standing == decision {
                return Ok((AdminAnswer::Done(0), *position));
            }
            let hint = "it was decided by hand before, and differently";
            return Err(wrong_state(state_after(*standing), hint));
        }
        let is_open = self.open_mut(xid).is_some();
        if is_open && decision == Decision::Commit && !R::OPERATOR_NEVER_COMMITS_OPEN {
            self.commit_by_operator(xid);
            return Ok(now(0));
        }
        // This start issues it yet, or nobody ever does: what is decided about it now would hold for
        // another transaction once this start is part of a restored copy.
        if self.state.is_never_issued(xid) {
            return Err(AdminRefusal::NeverIssued);
        }
        match self.state.standing::<R>(xid) {
            Standing::Foreign => {}
            _ => return Err(AdminRefusal::NotForeign),
        }
        let position = self.append(Record::DecidedByHand { xid, decision }, Force::Forced);
        self.state.by_hand.insert(xid, (decision, Some(position)));
        let pending = Pending::ByHand(xid);
        self.state.pending.push_back((position, pending));
        Ok((AdminAnswer::Done(0), Some(position)))
    }

    pub(super) fn decided_by_hand_durable(&mut self, xid: OwnXid) {
        if let Some((_, position)) = self.state.by_hand.get_mut(&xid) {
            *position = None;
        }
    }

    fn settled(&self, xid: &Xid) -> Performed {
        let xid = own(xid)?;
        let settled = match self.state.standing::<R>(xid) {
            Standing::Live(transaction) => {
                let decided = !matches!(transaction.phase, Phase::Open | Phase::Deciding(_));
                decided && transaction.branches.iter().all(Branch::has_ended)
            }
            Standing::Foreign | Standing::DecidedByHand(_) => {
                return Err(AdminRefusal::NoSuchTransaction);
            }
            _ => true,
        };
        let settled = settled && !self.state.stranded.contains_key(&xid);
        Ok((AdminAnswer::Settled(settled), None))
    }

    fn unpark(&mut self, key: BranchKey) {
        let Some(branch) = self.state.branch_mut(key) else {
            return;
        };
        if branch.parked.take().is_none() {
            return;
        }
        branch.become_(BranchState::Joined);
        if self.state.is_on_record(key) {
            let (xid, alias) = key;
            let reason = None;
            self.append(Record::Parked { xid, alias, reason }, Force::Lazy);
        }
    }

    fn pump_of(&mut self, key: BranchKey) {
        let branch = self.state.branch(key);
        if let Some(resource) = branch.map(|branch| branch.registration.resource.clone()) {
            self.pump(&resource);
        }
    }

    /// A branch that is decided and has not ended.
    fn unended_branch(&self, xid: &Xid, call: &CallId) -> Result<BranchKey, AdminRefusal> {
        let xid = own(xid)?;
        if let Some(alias) = self.state.stranded_call(xid, call) {
            return Ok((xid, alias));
        }
        let transaction = match self.state.entry(xid) {
            Some(Entry::Live(transaction)) => transaction,
            Some(_) => return Err(AdminRefusal::BranchEnded),
            None => return Err(AdminRefusal::NoSuchTransaction),
        };
        let branch = transaction.branch_of(call);
        let branch = branch.ok_or(AdminRefusal::NoSuchBranch)?;
        if branch.has_ended() {
            return Err(AdminRefusal::BranchEnded);
        }
        match transaction.phase {
            Phase::Open | Phase::Deciding(_) => Err(wrong_state(
                transaction.state(),
                "its branches have no phase two before it is decided; it can be rolled back",
            )),
            _ => Ok((xid, branch.registration.alias)),
        }
    }

    /// For the mutant that commits what is open (OP1).
    fn commit_by_operator(&mut self, xid: OwnXid) {
        if let Some(transaction) = self.open_mut(xid) {
            for branch in &mut transaction.branches {
                branch.decision = Some(Decision::Commit);
            }
        }
        self.write_commit(xid);
    }
}

fn own(xid: &Xid) -> Result<OwnXid, AdminRefusal> {
    xid.own().ok_or(AdminRefusal::NoSuchTransaction)
}

fn state_after(decision: Decision) -> GlobalState {
    match decision {
        Decision::Commit => GlobalState::Committed,
        Decision::Rollback => GlobalState::RolledBack,
    }
}
