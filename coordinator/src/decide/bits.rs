//! Remembered outcomes: one bit for each forgotten transaction (TC11).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::record::{CHUNK_BITS, Chunk};

/// A growing set of counters in chunks; chunks without a set bit take no room.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Bits {
    chunks: BTreeMap<u64, Arc<Vec<u64>>>,
}

const WORD_BITS: u64 = 64;

impl Bits {
    pub(super) fn insert(&mut self, counter: u64) {
        let (index, word, bit) = place(counter);
        let words = Arc::make_mut(self.chunks.entry(index).or_default());
        if words.len() <= word {
            words.resize(word + 1, 0);
        }
        words[word] |= bit;
    }

    pub(super) fn contains(&self, counter: u64) -> bool {
        let (index, word, bit) = place(counter);
        let words = self.chunks.get(&index);
        words.is_some_and(|words| words.get(word).is_some_and(|word| word & bit != 0))
    }

    /// Forgets chunks that lie wholly below the counter.
    pub(super) fn drop_below(&mut self, counter: u64) {
        self.chunks = self.chunks.split_off(&(counter / CHUNK_BITS));
    }

    /// The first counter of the oldest chunk but one, which takes one chunk's room when dropped to.
    pub(super) fn without_oldest(&self) -> Option<u64> {
        let oldest = self.chunks.keys().next()?;
        Some((oldest + 1) * CHUNK_BITS)
    }

    /// How many bits there is room for.
    pub(super) fn room(&self) -> u64 {
        // At most 2^49 chunks fit the counters.
        self.chunks.len() as u64 * CHUNK_BITS
    }

    pub(super) fn chunk_of(counter: u64) -> u64 {
        counter / CHUNK_BITS
    }

    pub(super) fn chunk(&self, index: u64) -> Option<Chunk> {
        let words = self.chunks.get(&index)?.clone();
        Some(Chunk { index, words })
    }

    pub(super) fn set_chunk(&mut self, chunk: Chunk) {
        self.chunks.insert(chunk.index, chunk.words);
    }
}

fn place(counter: u64) -> (u64, usize, u64) {
    let within = counter % CHUNK_BITS;
    // Below 512.
    let word = usize::try_from(within / WORD_BITS).unwrap_or(0);
    (counter / CHUNK_BITS, word, 1 << (within % WORD_BITS))
}
