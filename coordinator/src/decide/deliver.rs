//! Phase two: deliver until ended (TC10), each resource for itself (G7).
//!
//! ```text
//!  decided ──> Due ──> UnderWay(session) ──Ended──> ended
//!               ▲ ▲         │    │  └────Park────> parked ──operator──> Due
//!               │ └─detached┘    │Retry, or NotHere from every instance
//!               └──timer, attach─┴──> Resting
//! ```

use std::sync::Arc;
use std::time::Duration;

use unanimous_protocol::message::{BranchResult, ByOperator, ParkReason, PhaseTwo};
use unanimous_protocol::{Alias, BranchKind, BranchState, OwnXid, Resource, Xid};

use super::effect::{Delay, Effect, Message, Note, To};
use super::event::{SessionId, Timer};
use super::record::Record;
use super::rules::Rules;
use super::state::{Branch, BranchKey, Deliveries, Delivery, Phase, State};
use super::stranded::is_stranded;
use super::turn::{Force, Turn};

impl<R: Rules> Turn<'_, R> {
    /// Makes the phase two of every branch due that has something left to do.
    pub(super) fn begin_phase_two(&mut self, xid: OwnXid) {
        let Some(transaction) = self.state.live(xid) else {
            return;
        };
        let aliases: Vec<_> = transaction
            .branches
            .iter()
            .filter(|branch| branch.state == BranchState::Joined && branch.decision.is_some())
            .filter(|branch| branch.delivery == Delivery::None)
            .map(|branch| branch.registration.alias)
            .collect();
        for alias in aliases {
            self.make_due((xid, alias));
        }
    }

    /// The branch wants its phase two performed now.
    pub(super) fn make_due(&mut self, key: BranchKey) {
        self.withdraw(key);
        let Some(branch) = self.state.branch_mut(key) else {
            return;
        };
        let resource = branch.registration.resource.clone();
        let lost = resource
            .database
            .is_some_and(|database| self.state.written_off.contains(&database));
        let Some(branch) = self.state.branch_mut(key) else {
            return;
        };
        if lost && branch.by_operator == ByOperator::No {
            // OP4: nobody will ever perform it.
            return self.park(key, ParkReason::WrittenOff);
        }
        branch.delivery = Delivery::Due;
        let deliveries = self.state.resources.entry(resource.clone()).or_default();
        deliveries.due.insert(key);
        self.pump(&resource);
    }

    /// Delivers what is due, as far as there are sessions and turns.
    pub(super) fn pump(&mut self, resource: &Resource) {
        let max = self.state.settings.deliveries_max;
        loop {
            let Some(deliveries) = self.state.resources.get(resource) else {
                return;
            };
            let Some(key) = deliveries.due.first().copied() else {
                return;
            };
            if deliveries.sessions.is_empty() || deliveries.under_way >= max {
                return;
            }
            let Some(branch) = self.state.branch(key) else {
                debug_assert!(false, "a branch that is due is live");
                return;
            };
            match self.state.instance_for(branch, deliveries) {
                Some(session) => self.deliver(key, session),
                None => self.nobody_can(key),
            }
        }
    }

    fn deliver(&mut self, key: BranchKey, session: SessionId) {
        self.withdraw(key);
        let Some(branch) = self.state.branch_mut(key) else {
            return;
        };
        branch.delivery = Delivery::UnderWay(session);
        let Some(phase_two) = phase_two(key.0, branch) else {
            return;
        };
        let resource = &phase_two.resource;
        if let Some(deliveries) = self.state.resources.get_mut(resource) {
            deliveries.under_way += 1;
        }
        if let Some(session) = self.state.sessions.get_mut(&session) {
            session.under_way.insert(key);
        }
        let message = Message::PhaseTwo(Box::new(phase_two));
        self.say(To::Session(session), message, None);
    }

    /// Takes the branch out of whatever it waits in.
    pub(super) fn withdraw(&mut self, key: BranchKey) {
        let Some(branch) = self.state.branch_mut(key) else {
            return;
        };
        let delivery = std::mem::take(&mut branch.delivery);
        let registration = branch.registration.clone();
        let Some(deliveries) = self.state.resources.get_mut(&registration.resource) else {
            return;
        };
        match delivery {
            Delivery::None => {}
            Delivery::Due => {
                deliveries.due.remove(&key);
            }
            Delivery::UnderWay(session) => {
                deliveries.under_way -= 1;
                if let Some(session) = self.state.sessions.get_mut(&session) {
                    session.under_way.remove(&key);
                }
            }
            Delivery::Resting => {
                deliveries.resting.remove(&key);
                let timer = Timer::Retry(key.0, key.1);
                self.effects.push(Effect::ClearTimer(timer));
            }
        }
    }

    fn rest(&mut self, key: BranchKey, delay: Delay) {
        self.withdraw(key);
        let Some(branch) = self.state.branch_mut(key) else {
            return;
        };
        branch.delivery = Delivery::Resting;
        branch.not_here.clear();
        let resource = branch.registration.resource.clone();
        let deliveries = self.state.resources.entry(resource).or_default();
        deliveries.resting.insert(key);
        let timer = Timer::Retry(key.0, key.1);
        self.effects.push(Effect::SetTimer { timer, delay });
    }

    /// No attached instance knows the action, or can decode the arguments: back off, and park
    /// after `undecodable_after`.
    fn nobody_can(&mut self, key: BranchKey) {
        if let Some(branch) = self.state.branch(key)
            && branch.undecodable.is_none()
        {
            let action = &branch.registration.action;
            let why = format!("no attached instance knows the action `{action}`");
            self.time_undecodable(key, why.into());
        }
        self.rest(key, Delay::BackOff);
    }

    fn time_undecodable(&mut self, key: BranchKey, why: Arc<str>) {
        let Some(branch) = self.state.branch_mut(key) else {
            return;
        };
        if branch.undecodable.replace(why).is_none() {
            self.effects.push(Effect::SetTimer {
                timer: Timer::Undecodable(key.0, key.1),
                delay: Delay::UndecodableAfter,
            });
        }
    }

    /// Somebody could decode it.
    pub(super) fn was_decoded(&mut self, key: BranchKey) {
        let branch = self.state.branch_mut(key);
        if branch.is_some_and(|branch| branch.undecodable.take().is_some()) {
            let timer = Timer::Undecodable(key.0, key.1);
            self.effects.push(Effect::ClearTimer(timer));
        }
    }

    /// What came of a delivery. Counted from a session that is attached for the branch's resource
    /// (TC10, N5); `Ended` also when it comes late.
    pub(super) fn result(
        &mut self,
        session: SessionId,
        xid: &Xid,
        alias: Alias,
        result: BranchResult,
    ) {
        let Some(key) = xid.own().map(|xid| (xid, alias)) else {
            return;
        };
        let Some(branch) = self.state.branch(key) else {
            return;
        };
        let resource = branch.registration.resource.clone();
        let attached = self.state.sessions.get(&session);
        let attached = attached.is_some_and(|session| session.resources.contains(&resource));
        if !attached && R::RESULT_FROM_RESOURCE {
            return;
        }
        let awaited = branch.delivery == Delivery::UnderWay(session);
        match result {
            BranchResult::Ended if branch.decision.is_some() => self.end(key, Force::Lazy),
            other if awaited => self.not_ended(session, key, other),
            _ => return,
        }
        self.pump(&resource);
    }

    fn not_ended(&mut self, session: SessionId, key: BranchKey, result: BranchResult) {
        self.note(Note::NotEnded(key.0, key.1, result.clone()));
        match result {
            BranchResult::Ended => {}
            BranchResult::Retry { after, .. } => {
                self.was_decoded(key);
                self.operator_was_obeyed(key);
                self.rest(key, after.map_or(Delay::BackOff, bounded));
            }
            BranchResult::NotHere { error } => {
                self.time_undecodable(key, error);
                if let Some(branch) = self.state.branch_mut(key) {
                    branch.not_here.insert(session);
                }
                self.make_due(key);
            }
            BranchResult::Park(reason) => {
                self.operator_was_obeyed(key);
                self.park(key, reason);
            }
        }
    }

    /// A retry was asked for once; a resolution holds until the branch has ended.
    fn operator_was_obeyed(&mut self, key: BranchKey) {
        if let Some(branch) = self.state.branch_mut(key)
            && branch.by_operator == ByOperator::Retry
        {
            branch.by_operator = ByOperator::No;
        }
    }

    /// The branch has ended; its record spares a restart the delivery.
    pub(super) fn end(&mut self, key: BranchKey, force: Force) {
        self.withdraw(key);
        self.was_decoded(key);
        let Some(branch) = self.state.branch_mut(key) else {
            return;
        };
        if branch.has_ended() {
            return;
        }
        branch.become_(BranchState::Ended);
        branch.parked = None;
        let (xid, alias) = key;
        self.note(Note::Ended(xid, alias));
        if is_stranded(alias) {
            return self.stranded_ended(key);
        }
        if force == Force::Forced || self.state.is_on_record(key) {
            self.append(Record::Ended { xid, alias }, force);
        }
        self.finish_if_quiet(xid);
    }

    /// The branch waits for an operator. That is no end (TC11).
    pub(super) fn park(&mut self, key: BranchKey, reason: ParkReason) {
        self.withdraw(key);
        self.was_decoded(key);
        let Some(branch) = self.state.branch_mut(key) else {
            return;
        };
        branch.become_(BranchState::Parked);
        branch.parked = Some(reason.clone());
        let (xid, alias) = key;
        self.note(Note::Parked(xid, alias, reason.clone()));
        if R::GIVEN_UP_IS_NOT_ENDED
            && self.state.live(xid).is_some()
            && let Some(era) = self.state.eras.get_mut(&xid.incarnation)
        {
            era.list_in_marks(xid.counter);
        }
        if self.state.is_on_record(key) {
            let reason = Some(reason);
            self.append(Record::Parked { xid, alias, reason }, Force::Lazy);
        }
    }

    pub(super) fn retry_due(&mut self, key: BranchKey) {
        if self.delivery(key) == Delivery::Resting {
            self.make_due(key);
        }
    }

    pub(super) fn delivery_lost(&mut self, key: BranchKey) {
        if matches!(self.delivery(key), Delivery::UnderWay(_)) {
            self.make_due(key);
        }
    }

    fn delivery(&self, key: BranchKey) -> Delivery {
        let branch = self.state.branch(key);
        branch.map_or(Delivery::None, |branch| branch.delivery)
    }

    pub(super) fn undecodable_for_long(&mut self, key: BranchKey) {
        let Some(branch) = self.state.branch_mut(key) else {
            return;
        };
        let Some(why) = branch.undecodable.take() else {
            return;
        };
        // While an instance tries it, or none is there at all, nobody has failed to decode it.
        let delivery = branch.delivery;
        let resource = branch.registration.resource.clone();
        let anybody = self
            .state
            .resources
            .get(&resource)
            .is_some_and(|deliveries| !deliveries.sessions.is_empty());
        if anybody && delivery == Delivery::Resting {
            self.park(key, ParkReason::Undecodable(why));
        }
    }
}

impl State {
    /// An attached instance that knows the action and has not said that it cannot; by preference
    /// the one that ran phase one, else the least busy.
    fn instance_for(&self, branch: &Branch, deliveries: &Deliveries) -> Option<SessionId> {
        let able = |session: &SessionId| {
            let actions = deliveries.sessions.get(session);
            actions.is_some_and(|actions| actions.contains(&branch.registration.action))
                && !branch.not_here.contains(session)
        };
        if let Some(home) = branch.home.filter(able) {
            return Some(home);
        }
        let busy = |session: &SessionId| {
            let session = self.sessions.get(session);
            session.map_or(0, |session| session.under_way.len())
        };
        let sessions = deliveries.sessions.keys().copied();
        sessions.filter(able).min_by_key(busy)
    }

    /// Whether a start would find the branch, and so must find how far it got.
    pub(super) fn is_on_record(&self, (xid, alias): BranchKey) -> bool {
        if is_stranded(alias) {
            return false;
        }
        let Some(transaction) = self.live(xid) else {
            return false;
        };
        let kind = transaction
            .branch(alias)
            .map(|branch| branch.registration.kind);
        transaction.phase == Phase::Committed || kind.is_some_and(BranchKind::is_forced)
    }
}

/// A participant may ask for any delay; it is tried daily all the same.
fn bounded(after: Duration) -> Delay {
    const MAX: Duration = Duration::from_hours(24);
    Delay::For(after.min(MAX))
}

fn phase_two(xid: OwnXid, branch: &Branch) -> Option<PhaseTwo> {
    let registration = &branch.registration;
    Some(PhaseTwo {
        xid: xid.into(),
        call: registration.call.clone(),
        alias: registration.alias,
        resource: registration.resource.clone(),
        action: registration.action.clone(),
        kind: registration.kind,
        decision: branch.decision?,
        arguments: registration.arguments.clone(),
        reported: branch.reported.clone(),
        trace: registration.trace.clone(),
        by_operator: branch.by_operator,
    })
}
