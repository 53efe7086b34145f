use std::collections::{BTreeMap, HashMap};
use std::future::Future as _;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::Duration;

use super::core::{Core, Inner, release};
use crate::decide::{Event, Room, Timer};

/// The timers that are set, by when they fire.
#[derive(Debug, Default)]
pub(super) struct Timers {
    by_time: BTreeMap<(Duration, u64), Timer>,
    set: HashMap<Timer, (Duration, u64)>,
    next: u64,
    /// Until when the timer task sleeps.
    asleep_until: Option<Duration>,
}

impl Timers {
    /// Sets a timer, in place of one of the same name; returns whether the timer task must wake
    /// earlier for it.
    pub(super) fn set(&mut self, timer: Timer, at: Duration) -> bool {
        self.next += 1;
        let place = (at, self.next);
        if let Some(old) = self.set.insert(timer, place) {
            self.by_time.remove(&old);
        }
        self.by_time.insert(place, timer);
        self.asleep_until.is_some_and(|until| at < until)
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        if let Some(place) = self.set.remove(&timer) {
            self.by_time.remove(&place);
        }
    }

    pub(super) fn clear_all(&mut self) {
        self.by_time.clear();
        self.set.clear();
    }

    /// Takes one timer that is due.
    fn due(&mut self, now: Duration) -> Option<Timer> {
        let first = self.by_time.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        let timer = first.remove();
        self.set.remove(&timer);
        Some(timer)
    }

    fn sleep(&mut self) -> Option<Duration> {
        let first = self.by_time.first_key_value();
        // A coordinator without timers sleeps until one is set.
        let until = first.map(|((at, _), _)| *at);
        self.asleep_until = Some(until.unwrap_or(Duration::MAX));
        until
    }
}

/// The one task that fires timers. It ends with the coordinator.
pub(super) async fn keep_time(core: Weak<Core>) {
    loop {
        let Some(strong) = core.upgrade() else {
            return;
        };
        fire_due(&strong).await;
        let (clock, earlier) = (Arc::clone(&strong.clock), Arc::clone(&strong.earlier));
        let until = {
            let mut inner = strong.lock();
            if inner.has_ended() {
                return;
            }
            inner.timers.sleep()
        };
        // While it sleeps, the task does not keep the coordinator alive.
        drop(strong);
        let mut earlier = pin!(earlier.notified());
        let mut sleep = until.map(|until| clock.sleep_until(until));
        std::future::poll_fn(|cx| {
            let woken = earlier.as_mut().poll(cx).is_ready();
            let slept = sleep
                .as_mut()
                .is_some_and(|sleep| sleep.as_mut().poll(cx).is_ready());
            if woken || slept {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

/// Fires every timer that is due.
pub(super) async fn fire_due(core: &Arc<Core>) {
    let mut ticked = false;
    loop {
        let mut inner = core.lock();
        if inner.has_ended() {
            break;
        }
        let now = core.clock.now();
        let Some(timer) = inner.timers.due(now) else {
            break;
        };
        core.run(&mut inner, Event::Timer(timer));
        match timer {
            Timer::Horizon => {
                ticked = true;
                let at = now.saturating_add(core.settings.horizon_interval());
                core.set_timer_at(&mut inner, Timer::Horizon, at);
                repeat_lost(core, &mut inner, now);
            }
            Timer::Remember => {
                let at = now.saturating_add(core.settings.remember_interval());
                core.set_timer_at(&mut inner, Timer::Remember, at);
            }
            _ => {}
        }
        release(inner);
    }
    if ticked {
        make_room(core).await;
    }
}

/// Counts deliveries as lost whose result is overdue.
fn repeat_lost(core: &Core, inner: &mut Inner, now: Duration) {
    let Some(before) = now.checked_sub(core.settings.lost_after) else {
        return;
    };
    for (xid, alias) in inner.people.overdue(before) {
        core.run(inner, Event::Timer(Timer::Lost(xid, alias)));
    }
}

/// After a full disk: begins are possible again once the reserve could be made again.
async fn make_room(core: &Arc<Core>) {
    if !core.lock().full {
        return;
    }
    let store = Arc::clone(core);
    let room = tokio::task::spawn_blocking(move || store.store.make_reserve()).await;
    if room.unwrap_or(false) {
        core.lock().full = false;
        core.happen(Event::Room(Room::Enough));
    }
}
