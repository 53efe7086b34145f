//! E4 and L1 to L6: faults at every operation, power lost at every moment, a full disk.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use crate::random::Random;
use unanimous_protocol::LogId;

use super::RedbStore;
use super::sim::{Fault, SimMedia};
use crate::store::{
    Batch, Force, Key, Listener, Loaded, Position, Put, RecordKey, Store, StoreError,
};

const LOG: LogId = LogId([7; 16]);
/// Batches of one run; each writes two keys, so that a torn batch would show.
const BATCHES: u64 = 12;

enum Told {
    Durable(Position),
    Failed,
}

struct Ear(Mutex<Sender<Told>>);

impl Listener for Ear {
    fn durable(&self, position: Position) {
        // The test may have heard enough.
        let _ = self.0.lock().unwrap().send(Told::Durable(position));
    }

    fn failed(&self, _: StoreError) {
        let _ = self.0.lock().unwrap().send(Told::Failed);
    }
}

fn listen(store: &RedbStore) -> Receiver<Told> {
    let (sender, receiver) = channel();
    store.listen(Arc::new(Ear(Mutex::new(sender))));
    receiver
}

fn batch(number: u64) -> Batch {
    let value = |which: u8| vec![which; 300 + usize::try_from(number).unwrap()];
    let put = |slot: u64| Put {
        key: Key::Record(RecordKey {
            incarnation: 1,
            counter: number,
            slot,
        }),
        value: value(u8::try_from(slot).unwrap()),
    };
    Batch {
        puts: vec![put(0), put(1)],
        forget: None,
    }
}

/// Appends all batches one after the other, forced; returns how many became durable.
fn run(media: &Arc<SimMedia>) -> u64 {
    let Ok(store) = RedbStore::over(media.clone(), false, LOG) else {
        return 0;
    };
    let told = listen(&store);
    let mut durable = 0;
    for number in 1..=BATCHES {
        if store.append(batch(number), Force::Forced).is_err() {
            break;
        }
        match told.recv().unwrap() {
            Told::Durable(position) => durable = position,
            Told::Failed => {
                let refused = store.append(batch(number), Force::Forced);
                assert!(refused.is_err(), "a failed store accepts a batch");
                assert!(store.close().is_err(), "a failed store closes cleanly");
                break;
            }
        }
    }
    let late = told.try_iter().any(|told| matches!(told, Told::Durable(_)));
    assert!(!late, "something was acknowledged after a failure");
    durable
}

/// Whole batches only, at least the durable ones, in order.
fn check(loaded: &Loaded, durable: u64, case: &str) {
    let mut slots: BTreeMap<u64, u32> = BTreeMap::new();
    for (key, value) in &loaded.entries {
        let Key::Record(key) = key else {
            panic!("{case}: {key:?} was never written");
        };
        assert_eq!(
            value[..],
            batch(key.counter).puts[usize::try_from(key.slot).unwrap()].value,
            "{case}"
        );
        *slots.entry(key.counter).or_default() += 1;
    }
    assert!(
        slots.values().all(|count| *count == 2),
        "{case}: half a batch"
    );
    let found = slots.len() as u64;
    assert!(slots.keys().copied().eq(1..=found), "{case}: a gap");
    assert!(
        found >= durable,
        "{case}: {durable} were acknowledged, {found} are there"
    );
}

fn fresh() -> Vec<u8> {
    let media = Arc::new(SimMedia::new());
    let store = RedbStore::over(media.clone(), true, LOG).unwrap();
    store.close().unwrap();
    media.bytes()
}

#[test]
fn e4_a_fault_at_any_write_or_sync_ends_the_service_and_loses_nothing_acknowledged() {
    let start = fresh();
    let healthy = Arc::new(SimMedia::with_bytes(&start));
    assert_eq!(run(&healthy), BATCHES);
    let operations = healthy.operations();
    assert!(operations > 30, "only {operations} operations");
    let mut random = Random::seeded(20);
    let mut cases = 0;
    for at in 0..operations {
        for fault in [Fault::Error, Fault::Torn, Fault::Panic] {
            let media = Arc::new(SimMedia::with_bytes(&start));
            media.fail_at(at, fault);
            let durable = run(&media);
            for (kept, one_in) in [("nothing", 0), ("half", 2), ("all", 1)] {
                let left = media.after_power_loss(|| match one_in {
                    0 => false,
                    1 => true,
                    _ => random.bits().is_multiple_of(2),
                });
                let case = format!("{fault:?} at operation {at}, {kept} of the rest kept");
                let store = RedbStore::over(Arc::new(left), false, LOG)
                    .unwrap_or_else(|error| panic!("{case}: {error}"));
                check(&store.load().unwrap(), durable, &case);
                cases += 1;
            }
        }
    }
    assert!(cases > 300);
}

/// Panics when it hears that something is durable, as a bug in a decision would.
struct Startled(Arc<SimMedia>, Mutex<Sender<u64>>);

impl Listener for Startled {
    fn durable(&self, _: Position) {
        std::panic::resume_unwind(Box::new("a test made it panic"))
    }

    fn failed(&self, _: StoreError) {
        let _ = self.1.lock().unwrap().send(self.0.operations());
    }
}

#[test]
fn e4_a_panic_in_the_stores_thread_ends_the_service_and_writes_nothing_more() {
    let media = Arc::new(SimMedia::with_bytes(&fresh()));
    let store = RedbStore::over(media.clone(), false, LOG).unwrap();
    let (sender, failed) = channel();
    store.listen(Arc::new(Startled(media.clone(), Mutex::new(sender))));
    store.append(batch(1), Force::Forced).unwrap();
    let operations = failed.recv().unwrap();
    assert!(store.append(batch(2), Force::Forced).is_err());
    assert!(store.close().is_err(), "a failed store closes cleanly");
    assert_eq!(media.operations(), operations, "the engine wrote once more");
    let left = Arc::new(media.after_power_loss(|| true));
    let again = RedbStore::over(left, false, LOG).unwrap();
    check(&again.load().unwrap(), 1, "panicked");
}

#[test]
fn l1_power_lost_after_any_batch_keeps_every_acknowledged_one() {
    let media = Arc::new(SimMedia::with_bytes(&fresh()));
    let store = RedbStore::over(media.clone(), false, LOG).unwrap();
    let told = listen(&store);
    for number in 1..=BATCHES {
        store.append(batch(number), Force::Forced).unwrap();
        assert!(matches!(told.recv().unwrap(), Told::Durable(at) if at == number));
        let left = Arc::new(media.after_power_loss(|| false));
        let again = RedbStore::over(left, false, LOG).unwrap();
        check(&again.load().unwrap(), number, "power lost");
    }
}

#[test]
fn lazy_batches_ride_the_next_forced_one_in_one_sync() {
    let media = Arc::new(SimMedia::with_bytes(&fresh()));
    let store = RedbStore::over(media.clone(), false, LOG).unwrap();
    let told = listen(&store);
    let before = media.syncs();
    store.append(batch(1), Force::Lazy).unwrap();
    store.append(batch(2), Force::Lazy).unwrap();
    store.append(batch(3), Force::Forced).unwrap();
    loop {
        match told.recv().unwrap() {
            Told::Durable(3) => break,
            // A slow machine may have committed the lazy ones in the background.
            Told::Durable(_) => {}
            Told::Failed => panic!("the store failed"),
        }
    }
    assert!(
        media.syncs() - before <= 2,
        "more than one sync for a batch"
    );
    store.close().unwrap();
}

#[test]
fn lazy_batches_are_committed_in_the_background() {
    let media = Arc::new(SimMedia::with_bytes(&fresh()));
    let store = RedbStore::over(media, false, LOG).unwrap();
    let told = listen(&store);
    store.append(batch(1), Force::Lazy).unwrap();
    assert!(matches!(told.recv().unwrap(), Told::Durable(1)));
}

#[test]
fn closing_commits_what_is_queued_and_refuses_the_rest() {
    let media = Arc::new(SimMedia::with_bytes(&fresh()));
    let store = RedbStore::over(media.clone(), false, LOG).unwrap();
    store.append(batch(1), Force::Lazy).unwrap();
    store.close().unwrap();
    assert!(matches!(
        store.append(batch(2), Force::Forced),
        Err(StoreError::Closed)
    ));
    let left = Arc::new(media.after_power_loss(|| false));
    check(
        &RedbStore::over(left, false, LOG).unwrap().load().unwrap(),
        1,
        "closed",
    );
}

#[test]
fn l6_a_full_disk_ends_the_service_and_the_next_start_finishes_with_the_reserve() {
    let media = Arc::new(SimMedia::with_bytes(&fresh()));
    let durable = {
        let store = RedbStore::over(media.clone(), false, LOG).unwrap();
        assert!(!store.is_full());
        let told = listen(&store);
        media.set_quota(Some(media.used() + 8));
        let mut durable = 0;
        let mut number = 0;
        loop {
            number += 1;
            if let Err(error) = store.append(batch(number), Force::Forced) {
                assert!(matches!(error, StoreError::Full { .. }), "{error}");
                break durable;
            }
            match told.recv().unwrap() {
                Told::Durable(position) => durable = position,
                Told::Failed => {
                    let error = store.append(batch(number), Force::Forced).unwrap_err();
                    let text = error.to_string();
                    assert!(
                        text.contains("simulated.redb") && text.contains("full"),
                        "{text}"
                    );
                }
            }
        }
    };
    let left = Arc::new(media.after_power_loss(|| true));
    let store = RedbStore::over(left.clone(), false, LOG).unwrap();
    assert!(store.is_full(), "the reserve was released");
    assert!(!store.make_reserve(), "there is still no room");
    check(&store.load().unwrap(), durable, "disk full");
    let told = listen(&store);
    store.append(batch(1_000), Force::Forced).unwrap();
    assert!(
        matches!(told.recv().unwrap(), Told::Durable(1)),
        "decided work finishes"
    );
    left.set_quota(None);
    assert!(
        store.make_reserve() && !store.is_full(),
        "there is room again"
    );
}
