//! A set of hashes that may say yes where it should say no, and never the other way round.

/// Two bits a hash, both in one word of the set: a look costs one place in memory. A power of two long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    words: Vec<u64>,
}

impl Filter {
    /// A set for so many hashes. Sixteen bits for each let one stranger in a hundred pass.
    pub(super) fn for_hashes(count: usize) -> Self {
        Self {
            words: vec![0; (count / 4).next_power_of_two().max(16)],
        }
    }

    /// Puts a set together again; nothing where its length is none that a set has.
    pub(super) fn of_words(words: Vec<u64>) -> Option<Self> {
        words.len().is_power_of_two().then_some(Self { words })
    }

    pub(super) fn words(&self) -> &[u64] {
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
