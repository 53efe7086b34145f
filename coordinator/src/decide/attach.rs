//! Who is there to perform phase two, and what they have seen (RM10, TC14).

use std::collections::BTreeMap;

use unanimous_protocol::message::{
    Attach, AttachRefused, AttachResource, Attached, IncarnationInfo,
};
use unanimous_protocol::{Incarnation, Resource};

use super::effect::{Message, Note, Reply, To};
use super::event::{Position, RequestId, SessionId};
use super::record::Record;
use super::rules::Rules;
use super::state::{Deliveries, Pending, Service, Session};
use super::turn::{Force, Turn};

impl<R: Rules> Turn<'_, R> {
    pub(super) fn attach(&mut self, request: RequestId, session: SessionId, attach: Attach) {
        if let Some(newest) = self.missing_incarnation(&attach) {
            if !self.state.restored {
                return self.replaced(request, newest);
            }
            // This very start declared the restore: what the copy lacks is lost, and stays known
            // as lost, with all before it.
            self.state.lost.insert(newest);
            self.record_shown(Record::Lost(newest));
        }
        self.detach(session);
        self.state.sessions.insert(session, Session::default());
        let mut resources = Vec::with_capacity(attach.resources.len());
        for attached in attach.resources {
            resources.push(attached.resource.clone());
            self.attach_resource(session, attached);
        }
        let attached = Reply::Attached(Ok(self.attached()));
        // What was shown is forced before anybody hears the horizons: a database that has cleaned
        // up to them since shows its restore no more.
        let after = self.state.unrecorded;
        self.say(To::Request(request), Message::Reply(attached), after);
        // All resources are there before anything is delivered to the session.
        for resource in resources {
            self.wake(&resource);
        }
    }

    /// TC14: an incarnation of this very log that this log does not know.
    fn missing_incarnation(&self, attach: &Attach) -> Option<Incarnation> {
        if attach.known_log != Some(self.state.log) || !R::REPLACED_LOG_STOPS {
            return None;
        }
        let newest = attach.newest?;
        // A start is numbered above all that were lost until then: whatever else has such a number
        // was lost by the same restore.
        let last_lost = self.state.lost.last().map_or(0, |lost| lost.number);
        let known = self.state.eras.contains_key(&newest) || newest.number <= last_lost;
        (!known).then_some(newest)
    }

    fn replaced(&mut self, request: RequestId, newest: Incarnation) {
        self.state.service = Service::Replaced(newest);
        let refused = AttachRefused::Replaced { newest };
        self.reply(request, Reply::Attached(Err(refused)));
        self.note(Note::Replaced(newest));
    }

    fn attach_resource(&mut self, session: SessionId, attached: AttachResource) {
        let resource = attached.resource;
        if let Some(session) = self.state.sessions.get_mut(&session) {
            session.resources.insert(resource.clone());
        }
        let deliveries = self.state.resources.entry(resource.clone()).or_default();
        deliveries.sessions.insert(session, attached.actions);
        self.compare_horizons(&resource, &attached.horizons);
    }

    /// RM10: a resource that stands behind what it acknowledged has been restored. What it tried
    /// before, and what was forgotten since, waits for the operator.
    fn compare_horizons(&mut self, resource: &Resource, presented: &BTreeMap<Incarnation, u64>) {
        let Some(deliveries) = self.state.resources.get_mut(resource) else {
            return;
        };
        let mut behind = Vec::new();
        for (incarnation, acked) in &deliveries.acked {
            let found = presented.get(incarnation).copied().unwrap_or(0);
            let known = deliveries.restored.get(incarnation).copied().unwrap_or(0);
            if found < *acked && known < *acked {
                behind.push((*incarnation, *acked));
            }
        }
        if behind.is_empty() {
            return;
        }
        deliveries.restored.extend(behind.iter().copied());
        for (incarnation, counter) in behind {
            let resource = resource.clone();
            let record = Record::ResourceRestored {
                resource,
                incarnation,
                counter,
            };
            self.record_shown(record);
        }
        self.note(Note::ResourceRestored(resource.clone()));
    }

    fn record_shown(&mut self, record: Record) {
        let position = self.append(record, Force::Forced);
        self.state.unrecorded = Some(position);
        self.state.pending.push_back((position, Pending::Shown));
    }

    pub(super) fn shown_durable(&mut self, position: Position) {
        if self.state.unrecorded == Some(position) {
            self.state.unrecorded = None;
        }
    }

    fn attached(&self) -> Attached {
        let incarnations = self.state.eras.iter().map(|(incarnation, era)| {
            let incarnation = *incarnation;
            let horizon = era.durable.clone();
            IncarnationInfo {
                incarnation,
                horizon,
            }
        });
        Attached {
            log: self.state.log,
            incarnations: incarnations.collect(),
        }
    }

    /// An attachment makes the resource's deliveries due at once.
    fn wake(&mut self, resource: &Resource) {
        let deliveries = self.state.resources.get(resource);
        let resting = deliveries.map(|deliveries| deliveries.resting.clone());
        for key in resting.unwrap_or_default() {
            self.make_due(key);
        }
        self.pump(resource);
    }

    /// What was under way at the session is due again, at whoever else is there.
    pub(super) fn detach(&mut self, session: SessionId) {
        let Some(gone) = self.state.sessions.get(&session) else {
            return;
        };
        let under_way = gone.under_way.clone();
        for resource in gone.resources.clone() {
            if let Some(deliveries) = self.state.resources.get_mut(&resource) {
                deliveries.sessions.remove(&session);
            }
        }
        for key in under_way {
            self.make_due(key);
        }
        let gone = self.state.sessions.remove(&session);
        for resource in gone.into_iter().flat_map(|gone| gone.resources) {
            self.let_go(&resource);
        }
    }

    /// Databases come and go: one that nobody is attached for, that nothing waits for and of which
    /// nothing has to be remembered takes no room.
    fn let_go(&mut self, resource: &Resource) {
        let deliveries = self.state.resources.get(resource);
        if deliveries.is_some_and(|deliveries| *deliveries == Deliveries::default()) {
            self.state.resources.remove(resource);
        }
    }

    /// RM8: the resource has cleaned up to a horizon that was told. Without a database it has
    /// nothing to clean, and will present nothing that it has.
    pub(super) fn horizon_acked(
        &mut self,
        resource: Resource,
        incarnation: Incarnation,
        counter: u64,
    ) {
        let era = self.state.eras.get(&incarnation);
        let was_told = era.is_some_and(|era| counter <= era.durable.counter);
        let counts = was_told && resource.database.is_some();
        let deliveries = self.state.resources.get_mut(&resource);
        let Some(deliveries) = deliveries.filter(|_| counts) else {
            return;
        };
        if deliveries.acked_lately.is_empty() {
            deliveries.acked_lately.push_back(BTreeMap::new());
        }
        if let Some(lately) = deliveries.acked_lately.back_mut() {
            let acked = lately.entry(incarnation).or_default();
            *acked = counter.max(*acked);
        }
    }

    /// A tick has passed: what was acknowledged before the last one counts from now on. An instance
    /// that attaches has read its horizons since.
    pub(super) fn settle_acks(&mut self) {
        let mut settled = Vec::new();
        for (resource, deliveries) in &mut self.state.resources {
            let lately = &mut deliveries.acked_lately;
            if lately.iter().all(BTreeMap::is_empty) {
                lately.clear();
                continue;
            }
            lately.push_back(BTreeMap::new());
            if lately.len() <= 2 {
                continue;
            }
            for (incarnation, counter) in lately.pop_front().unwrap_or_default() {
                let acked = deliveries.acked.entry(incarnation).or_default();
                if *acked < counter {
                    *acked = counter;
                    settled.push((resource.clone(), incarnation, counter));
                }
            }
        }
        for (resource, incarnation, counter) in settled {
            let record = Record::Acked {
                resource,
                incarnation,
                counter,
            };
            self.append(record, Force::Lazy);
        }
    }
}
