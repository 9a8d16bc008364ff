//! Random numbers: a short sequence for each record, without any other state.

/// The numbers of one record.
#[derive(Debug, Clone)]
pub(in crate::generate) struct Dice(u64);

/// Shares are compared as this many integer parts, which are the same on every machine.
const PARTS: u64 = 1_000_000_000;

impl Dice {
    /// `stream` separates numbers for different purposes.
    pub(in crate::generate) fn new(seed: u64, stream: u64, number: u64) -> Self {
        let mut dice = Self(seed);
        dice.0 = dice.next() ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        dice.0 = dice.next() ^ number;
        dice.next();
        dice
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): a counter whose bits are mixed.
    pub(in crate::generate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A random number below `end`, which is not 0.
    pub(in crate::generate) fn below(&mut self, end: u64) -> u64 {
        // The high bits of a product: no division, and a negligible bias at these sizes.
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// A random number below `end`, small ones more often: a few drugs and journals are common and most are rare.
    pub(in crate::generate) fn early(&mut self, end: u64) -> u64 {
        self.below(end).min(self.below(end))
    }

    pub(in crate::generate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    pub(in crate::generate) fn happens(&mut self, share: f64) -> bool {
        self.part() < parts(share)
    }

    /// A random number below [`PARTS`], to compare with a share.
    pub(in crate::generate) fn part(&mut self) -> u64 {
        self.below(PARTS)
    }
}

/// A share as a number of parts.
pub(in crate::generate) fn parts(share: f64) -> u64 {
    (share * PARTS as f64).round() as u64
}
