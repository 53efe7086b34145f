//! What this process remembers of the branches whose phases it runs.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use unanimous_protocol::message::Horizon;
use unanimous_protocol::{Decision, Incarnation};

use crate::branch::fence::RowKey;

/// Counts kept at most: they are for logs only, so the oldest may be forgotten.
const ATTEMPTS_MAX: usize = 1_024;

/// Memory only: nothing here outlives the process, and no answer rests on the attempts.
#[derive(Clone, Debug, Default)]
pub(super) struct UnderWay(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    running: BTreeSet<RowKey>,
    /// Tried branches whose decision was delivered since the attachment and has not ended here.
    heard: BTreeSet<RowKey>,
    /// Branches whose alarm was raised since the attachment.
    alarmed: BTreeSet<RowKey>,
    attempts: Attempts,
}

#[derive(Debug, Default)]
struct Attempts {
    counts: HashMap<(RowKey, Option<Decision>), u32>,
    order: VecDeque<(RowKey, Option<Decision>)>,
}

impl UnderWay {
    /// Starts phase two of a branch; none while it already runs in this process.
    pub(super) fn start(&self, key: &RowKey) -> Option<Running> {
        let fresh = self.lock().running.insert(key.clone());
        fresh.then(|| Running {
            under_way: self.clone(),
            key: key.clone(),
        })
    }

    /// The coordinator delivered its decision: nobody asks for it again (RM6).
    pub(super) fn heard(&self, key: &RowKey) {
        self.lock().heard.insert(key.clone());
    }

    /// Its row is no longer tried, or is parked: it is not found by a question any more.
    pub(super) fn ended(&self, key: &RowKey) {
        self.lock().heard.remove(key);
    }

    /// The coordinator has forgotten these transactions: it delivers none of their decisions any
    /// more, so that a branch whose phase two failed has to ask (TC12).
    pub(super) fn forgotten(&self, incarnation: Incarnation, horizon: &Horizon) {
        self.lock().heard.retain(|key| {
            let own = key.xid.own().filter(|own| own.incarnation == incarnation);
            own.is_none_or(|own| !horizon.has_passed(own.counter))
        });
    }

    pub(super) fn is_heard_or_running(&self, key: &RowKey) -> bool {
        let state = self.lock();
        state.heard.contains(key) || state.running.contains(key)
    }

    /// Whether this is the first alarm about the branch since the attachment.
    pub(super) fn alarm(&self, key: &RowKey) -> bool {
        self.lock().alarmed.insert(key.clone())
    }

    /// A new attachment: what was heard on the last one may have been told by another coordinator
    /// start, so every tried row is asked about again (RM6).
    pub(super) fn attached(&self) {
        let mut state = self.lock();
        state.heard.clear();
        state.alarmed.clear();
    }

    /// The number of this attempt at this phase, from 1; from 2 if it repeats one that was not
    /// counted.
    pub(super) fn attempt(&self, key: &RowKey, phase: Option<Decision>, repeats: bool) -> u32 {
        let first = if repeats { 2 } else { 1 };
        self.lock().attempts.next((key.clone(), phase), first)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempts {
    fn next(&mut self, phase: (RowKey, Option<Decision>), first: u32) -> u32 {
        if let Some(count) = self.counts.get_mut(&phase) {
            *count = count.saturating_add(1);
            return *count;
        }
        if self.order.len() == ATTEMPTS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.counts.remove(&oldest);
        }
        self.order.push_back(phase.clone());
        self.counts.insert(phase, first);
        first
    }
}

/// One phase two under way; dropping it, whatever the reason, lets the next one start.
#[derive(Debug)]
pub(super) struct Running {
    under_way: UnderWay,
    key: RowKey,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.under_way.lock().running.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(call: usize) -> RowKey {
        RowKey {
            xid: "x".parse().unwrap(),
            call: format!("a.b:{}", call + 1).parse().unwrap(),
        }
    }

    #[test]
    fn a_branch_runs_once_at_a_time_and_again_after_a_drop() {
        let under_way = UnderWay::default();
        let running = under_way.start(&key(0));
        assert!(running.is_some());
        assert!(under_way.start(&key(0)).is_none());
        assert!(under_way.start(&key(1)).is_some());
        drop(running);
        assert!(under_way.start(&key(0)).is_some());
    }

    #[test]
    fn attempts_count_by_phase_and_the_oldest_are_forgotten() {
        let under_way = UnderWay::default();
        let commit = Some(Decision::Commit);
        assert_eq!(under_way.attempt(&key(0), None, false), 1);
        assert_eq!(under_way.attempt(&key(0), None, true), 2);
        assert_eq!(under_way.attempt(&key(0), commit, false), 1);
        assert_eq!(under_way.attempt(&key(1), None, true), 2);
        assert_eq!(under_way.attempt(&key(1), None, true), 3);
        for call in 2..=ATTEMPTS_MAX {
            under_way.attempt(&key(call), commit, false);
        }
        assert_eq!(under_way.attempt(&key(0), None, false), 1);
        assert!(under_way.lock().attempts.counts.len() <= ATTEMPTS_MAX);
    }

    #[test]
    fn rm6_a_new_attachment_forgets_what_was_heard() {
        let under_way = UnderWay::default();
        under_way.heard(&key(0));
        assert!(under_way.is_heard_or_running(&key(0)));
        assert!(under_way.alarm(&key(0)) && !under_way.alarm(&key(0)));
        under_way.attached();
        assert!(!under_way.is_heard_or_running(&key(0)));
        assert!(under_way.alarm(&key(0)));
    }
}
