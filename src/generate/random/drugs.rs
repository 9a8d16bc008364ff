//! Drugs by number: codes and names that are all different, without a list of them.
//!
//! A name spells a scrambled number in syllables, so different numbers have different names. Beside plain drugs there
//! are names of two words that begin with another drug's name, names with two codes, brands as synonyms, and codes that
//! are not from ATC.

use super::dice::Dice;
use super::words::SALTS;

/// The numbers that can be scrambled and spelled in four syllables.
pub const MOST_DRUGS: u64 = 1 << 24;

const CONSONANTS: &[u8; 16] = b"bdfghklmnprtvxzc";
const VOWELS: &[u8; 4] = b"aeio";
/// None is a plural, or an ending by which the matcher recognises a class.
const ENDINGS: [&str; 8] = ["lin", "mab", "zol", "ril", "ten", "vir", "xan", "dor"];

/// The drugs of a made-up vocabulary.
#[derive(Debug, Clone, Copy)]
pub(in crate::generate) struct Drugs {
    pub seed: u64,
    pub count: u64,
}

/// A mention of a drug as written in a text.
pub(in crate::generate) struct Surface {
    pub text: String,
    pub codes: Vec<String>,
}

impl Drugs {
    /// Scrambles a number; different numbers stay different.
    fn scrambled(&self, number: u64) -> u64 {
        let mask = MOST_DRUGS - 1;
        let key = Dice::new(self.seed, 0xd, 0).next();
        let mut mixed = (number ^ key) & mask;
        for factor in [0x9e37_79b1, 0x85eb_ca6b] {
            mixed = mixed.wrapping_mul(factor | 1) & mask;
            mixed ^= mixed >> 13;
        }
        mixed
    }

    fn syllables(&self, number: u64) -> String {
        let mut rest = self.scrambled(number);
        let mut name = String::with_capacity(12);
        for _ in 0..4 {
            name.push(char::from(CONSONANTS[(rest & 15) as usize]));
            name.push(char::from(VOWELS[((rest >> 4) & 3) as usize]));
            rest >>= 6;
        }
        name
    }

    fn base(&self, number: u64) -> String {
        let ending = ENDINGS[(number % ENDINGS.len() as u64) as usize];
        self.syllables(number) + ending
    }

    /// Some names have two codes: their own, and that of the drug twenty numbers before.
    fn own(number: u64) -> u64 {
        if number % 40 == 39 { number - 20 } else { number }
    }

    /// The name in lower case.
    fn name(&self, number: u64) -> String {
        let number = Self::own(number);
        if number % 12 == 5 {
            let salt = SALTS[(number / 12 % SALTS.len() as u64) as usize];
            return format!("{} {salt}", self.base(number - 1));
        }
        self.base(number)
    }

    /// A brand, for some drugs.
    fn synonym(&self, number: u64) -> Option<String> {
        let has_one = number % 9 == 3 && !matches!(number % 40, 19 | 39);
        has_one.then(|| self.syllables(number) + "ix")
    }

    fn code(&self, number: u64) -> String {
        if number % 101 == 50 {
            return (6_000_000 + number).to_string();
        }
        let mut rest = self.scrambled(number);
        let mut part = |end: u64| {
            let part = rest % end;
            rest /= end;
            part
        };
        let letters = [part(20), part(20), part(20)].map(|letter| char::from(b'A' + letter as u8));
        let (group, last) = (part(40), part(60));
        format!("{}{group:02}{}{}{last:02}", letters[0], letters[1], letters[2])
    }

    /// A row of the vocabulary: code, name, synonyms.
    pub(in crate::generate) fn row(&self, number: u64) -> [String; 3] {
        let name = self.name(number);
        // Most vocabularies write names in capitals.
        let shown = if number.is_multiple_of(3) {
            name
        } else {
            name.to_uppercase()
        };
        [self.code(number), shown, self.synonym(number).unwrap_or_default()]
    }

    /// A random drug as authors write it; drugs with small numbers are far more common.
    pub(in crate::generate) fn surface(&self, dice: &mut Dice) -> Surface {
        let number = Self::own(dice.early(self.count));
        let mut codes = vec![self.code(number)];
        let brand = self.synonym(number).filter(|_| dice.below(4) == 0);
        if number % 40 == 19 && number + 20 < self.count {
            codes.push(self.code(number + 20));
        }
        let text = brand.unwrap_or_else(|| self.name(number));
        let text = if dice.below(4) == 0 {
            text.replace(' ', "-")
        } else {
            text
        };
        let text = match dice.below(6) {
            0 => text.to_uppercase(),
            1 => capitalised(&text),
            _ => text,
        };
        Surface { text, codes }
    }

    /// A name to hide inside another word.
    pub(in crate::generate) fn trap(&self, dice: &mut Dice) -> String {
        self.base(dice.early(self.count))
    }
}

/// The text with its first letter as a capital.
pub(in crate::generate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_and_names_are_all_different_but_for_shared_names() {
        let drugs = Drugs {
            seed: 7,
            count: 60_000,
        };
        let codes: HashSet<String> = (0..drugs.count).map(|number| drugs.code(number)).collect();
        assert_eq!(codes.len() as u64, drugs.count);
        let names: HashSet<String> = (0..drugs.count).map(|number| drugs.name(number)).collect();
        assert_eq!(names.len() as u64, drugs.count - drugs.count / 40);
        let brands: Vec<String> = (0..drugs.count)
            .filter_map(|number| drugs.synonym(number))
            .collect();
        assert_eq!(brands.iter().collect::<HashSet<_>>().len(), brands.len());
        assert!(brands.iter().all(|brand| !names.contains(brand)));
    }

    #[test]
    fn scrambling_loses_no_number() {
        let drugs = Drugs { seed: 3, count: 1 };
        let mut seen = vec![false; MOST_DRUGS as usize];
        for number in 0..MOST_DRUGS {
            seen[drugs.scrambled(number) as usize] = true;
        }
        assert!(seen.into_iter().all(|seen| seen));
    }
}
