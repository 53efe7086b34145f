use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use crate::coordinator::{Coordinator, Outcome};
use crate::names::PLACES;
use crate::step::Step;
use crate::world::LocalHorizon;

/// A shared part of a state that knows its hash: most steps change one part only.
#[derive(Debug)]
pub(crate) struct Memo<T> {
    hash: u64,
    value: Arc<T>,
}

impl<T: Hash + Clone> Memo<T> {
    pub(crate) fn new(value: T) -> Self {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        Self {
            hash: hasher.finish(),
            value: Arc::new(value),
        }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// Changes the part; the hash is taken once, after the change.
    pub(crate) fn change<R>(&mut self, change: impl FnOnce(&mut T) -> R) -> R {
        let mut value = T::clone(&self.value);
        let result = change(&mut value);
        *self = Self::new(value);
        result
    }
}

impl<T> Clone for Memo<T> {
    fn clone(&self) -> Self {
        Self {
            hash: self.hash,
            value: Arc::clone(&self.value),
        }
    }
}

impl<T> Deref for Memo<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Memo<T> {
    fn eq(&self, other: &Self) -> bool {
        let same = || Arc::ptr_eq(&self.value, &other.value) || self.value == other.value;
        self.hash == other.hash && same()
    }
}

impl<T> Hash for Memo<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// All that the coordinator's next state depends on: itself, by its hash, the step, what databases
/// present at attach, and the manager that asks for commit.
type Key = (u64, Step, [LocalHorizon; PLACES], Option<u64>);

type Stepped = (Memo<Coordinator>, Arc<Outcome>);

/// Steps of the coordinator that were taken before.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    shards: [Mutex<HashMap<Key, Stepped, BuildHasherDefault<DefaultHasher>>>; 32],
}

impl Cache {
    pub(crate) fn get(&self, key: Key, step: impl FnOnce() -> Stepped) -> Stepped {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key.0);
        let shard = &self.shards[(hash % 32) as usize];
        let lock = || shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&key) {
            return known.clone();
        }
        let stepped = step();
        lock().insert(key, stepped.clone());
        stepped
    }
}
