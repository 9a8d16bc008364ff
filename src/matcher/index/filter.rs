//! A set of hashes that may report an absent one as present, but never a present one as absent (a Bloom filter).

/// Each hash sets two bits in the same word, so a lookup reads one place in memory. The length is a power of two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::matcher) struct Filter {
    words: Vec<u64>,
}

impl Filter {
    /// An empty set for this many hashes. With sixteen bits for each, one absent hash in a hundred passes.
    pub(super) fn for_hashes(count: usize) -> Self {
        Self {
            words: vec![0; (count / 4).next_power_of_two().max(16)],
        }
    }

    /// The set with these words; `None` if their number is no power of two.
    pub(in crate::matcher) fn of_words(words: Vec<u64>) -> Option<Self> {
        words.len().is_power_of_two().then_some(Self { words })
    }

    pub(in crate::matcher) fn words(&self) -> &[u64] {
        &self.words
    }

    pub(super) fn insert(&mut self, hash: u64) {
        let place = self.place(hash);
        self.words[place] |= bits(hash);
    }

    #[inline(always)]
    pub(super) fn may_hold(&self, hash: u64) -> bool {
        let bits = bits(hash);
        self.words[self.place(hash)] & bits == bits
    }

    #[inline(always)]
    fn place(&self, hash: u64) -> usize {
        hash as usize & (self.words.len() - 1)
    }
}

#[inline(always)]
fn bits(hash: u64) -> u64 {
    1 << ((hash >> 40) & 63) | 1 << ((hash >> 46) & 63)
}
