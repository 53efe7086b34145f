//! A map of mostly one entry.

use std::collections::BTreeMap;

/// Most scopes make one call, so the first entry lies in the map itself and allocates nothing.
///
/// The entry with the least key is the one that lies there: equal contents are equal maps.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Few<K: Ord, V> {
    least: Option<(K, V)>,
    more: BTreeMap<K, V>,
}

impl<K: Ord, V> Few<K, V> {
    pub(super) fn new() -> Self {
        Self {
            least: None,
            more: BTreeMap::new(),
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        match &self.least {
            Some((least, value)) if least == key => Some(value),
            _ => self.more.get(key),
        }
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match &mut self.least {
            Some((least, value)) if least == key => Some(value),
            _ => self.more.get_mut(key),
        }
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        match &mut self.least {
            None => self.least = Some((key, value)),
            Some((least, old)) if *least == key => *old = value,
            Some((least, _)) if key < *least => {
                let greater = self.least.replace((key, value));
                self.more.extend(greater);
            }
            Some(_) => {
                self.more.insert(key, value);
            }
        }
    }

    /// By key.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let least = self.least.iter().map(|(key, value)| (key, value));
        least.chain(&self.more)
    }

    /// Keeps the entries whose value is so.
    pub(super) fn retain(&mut self, keep: impl Fn(&V) -> bool) {
        self.more.retain(|_, value| keep(value));
        if self.least.as_ref().is_some_and(|(_, value)| !keep(value)) {
            self.least = self.more.pop_first();
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entries: &[(u8, char)]) -> Few<u8, char> {
        let mut few = Few::new();
        for &(key, value) in entries {
            few.insert(key, value);
        }
        few
    }

    #[test]
    fn what_was_inserted_is_found_in_order_whatever_the_order_was() {
        let entries = [(2, 'b'), (1, 'a'), (3, 'c'), (2, 'x')];
        let few = of(&entries);
        let found: Vec<_> = few.iter().map(|(key, value)| (*key, *value)).collect();
        assert_eq!(found, [(1, 'a'), (2, 'x'), (3, 'c')]);
        assert_eq!(few, of(&[(3, 'c'), (2, 'x'), (1, 'a')]));
        assert_eq!(few.get(&1), Some(&'a'));
        assert_eq!(few.get(&3), Some(&'c'));
        assert_eq!(few.get(&4), None);
    }

    #[test]
    fn values_change_in_place_and_go_when_they_are_not_kept() {
        let mut few = of(&[(1, 'a'), (2, 'b'), (3, 'c')]);
        for key in 1..=3 {
            let value = few.get_mut(&key).expect("it was inserted");
            value.make_ascii_uppercase();
        }
        assert_eq!(few.get_mut(&4), None);
        few.retain(|value| *value != 'A');
        assert_eq!(few, of(&[(2, 'B'), (3, 'C')]));
        few.retain(|value| *value != 'C');
        assert_eq!(few, of(&[(2, 'B')]));
        few.clear();
        assert_eq!(few, of(&[]));
    }
}
