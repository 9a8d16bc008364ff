//! The names of a vocabulary that the matcher looks for, and the entries that each one names.

pub(super) mod packed;
pub(super) mod spellings;
pub(super) mod vocabulary;

use std::ops::Range;

use packed::{PackedTexts, packed, too_large};
use spellings::spellings;
use vocabulary::{EntryTable, VocabularyEntry};

use super::tokens::{TokenKind, Tokens, folded_name};
use super::{Boundary, MatcherSettings};
use crate::error::{Error, Result};
use crate::schema::Rule;
use crate::task::Task;
use crate::text::fold::Accents;
use crate::text::without_salts;

/// The folded names that may match, ascending and distinct, each with its entries; then the further spellings of
/// combinations, ascending and distinct from all names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PatternNames {
    /// All forms, one after the other.
    pub(super) text: String,
    /// For each form the flags [`PLURAL`] and [`SPELLED`], then 30 bits with the end of its targets and 32 bits with
    /// the end of its text.
    pub(super) ends: Vec<u64>,
    /// The number of forms that are names; the others are spellings of combinations.
    pub(super) named: u32,
    /// Twice the number of an entry, plus one if the form is a synonym of it.
    pub(super) targets: Vec<u32>,
    /// The vocabulary's spellings of the forms that are [`SPELLED`], and for each spelling its form, ascending.
    pub(super) spellings: PackedTexts,
    pub(super) spelled: Vec<u32>,
}

/// The plural of this form is a mention too.
pub(super) const PLURAL: u64 = 1 << 62;
/// This form matches only in the vocabulary's own spelling, or written as a symbol.
const SPELLED: u64 = 1 << 63;
/// The number of targets that [`PatternNames::ends`] can address.
const MOST_TARGETS: usize = 1 << 30;

#[inline(always)]
fn target_end(end: u64) -> usize {
    (end >> 32) as usize & (MOST_TARGETS - 1)
}

impl PatternNames {
    /// The names of a vocabulary, without those that the settings stop. Targets are in the order of code and drug.
    pub(super) fn collect(vocabulary: &EntryTable, settings: &MatcherSettings, task: &Task) -> Result<Self> {
        let mut drafts = Vec::with_capacity(vocabulary.len() + vocabulary.synonyms.len());
        let mut cased = false;
        for entry in 0..vocabulary.len() as u32 {
            if entry % 1024 == 0 {
                task.check()?;
            }
            let mut synonym = false;
            for name in vocabulary.names(entry) {
                cased |= name.len() >= 5 && name.contains(char::is_lowercase);
                let form = folded_name(name, settings.accents);
                check_length(vocabulary.code(entry), &form, settings.accents)?;
                let target = 2 * entry + u32::from(synonym);
                synonym = true;
                if form.is_empty() {
                    continue;
                }
                if settings.salts
                    && let Some(base) = without_salts(&form)
                    && !settings.stop_words.stops(base)
                {
                    drafts.push((base.to_owned(), target | 1, ""));
                }
                if !settings.stop_words.stops(&form) {
                    drafts.push((form, target, name));
                }
            }
        }
        let order = |target: &u32| (vocabulary.code(target / 2), vocabulary.drug(target / 2), *target);
        drafts.sort_unstable_by(|(left, one, _), (right, other, _)| {
            left.cmp(right).then_with(|| order(one).cmp(&order(other)))
        });
        task.check()?;
        let mut names = Self::default();
        let by_case = cased && settings.stop_words.has_rules() && settings.boundary == Boundary::Word;
        for same in drafts.chunk_by(|left, right| left.0 == right.0) {
            let form = same[0].0.as_str();
            let mut traits = 0;
            if by_case && is_spelled(form, same.iter().map(|(_, _, name)| *name)) {
                traits |= SPELLED;
                for (_, _, name) in same {
                    names.spellings.push(name.trim())?;
                    names.spelled.push(names.ends.len() as u32);
                }
            }
            if has_plural(form) && !settings.stop_words.stops(&format!("{form}s")) {
                traits |= PLURAL;
            }
            names.text.push_str(form);
            let first = names.targets.len();
            for (_, target, _) in same {
                // A synonym that folds to the entry's own name adds nothing.
                if names.targets.len() == first
                    || names.targets.last().is_some_and(|last| last / 2 != target / 2)
                {
                    names.targets.push(*target);
                }
            }
            names.end_form(traits)?;
        }
        names.named = names.ends.len() as u32;
        if settings.boundary == Boundary::Word {
            names.add_combinations(settings, order, task)?;
        }
        Ok(names)
    }

    /// Adds the spellings of names that are combinations, except those that are names themselves.
    fn add_combinations<O: Ord>(
        &mut self,
        settings: &MatcherSettings,
        order: impl Fn(&u32) -> O,
        task: &Task,
    ) -> Result<()> {
        let mut drafts: Vec<(String, u32)> = Vec::new();
        for pattern in 0..self.named {
            if pattern % 1024 == 0 {
                task.check()?;
            }
            let parts = spellings::parts(self.form(pattern), &settings.stop_words);
            if parts.is_empty() {
                continue;
            }
            let (start, end) = self.around(pattern);
            let targets = &self.targets[target_end(start)..target_end(end)];
            // The name of a product is often a synonym of its ingredients, which are found by their own names inside
            // it.
            let is_part = |target: &&u32| {
                let mut named = parts.iter().filter_map(|part| self.name(part));
                named.any(|part| self.targets(part).any(|(entry, _)| entry == **target / 2))
            };
            let targets: Vec<u32> = targets
                .iter()
                .filter(|target| !is_part(target))
                .copied()
                .collect();
            spellings(&parts, |form| {
                drafts.extend(targets.iter().map(|target| (form.clone(), *target)));
            });
        }
        drafts.sort_unstable_by(|(left, one), (right, other)| {
            left.cmp(right).then_with(|| order(one).cmp(&order(other)))
        });
        task.check()?;
        for same in drafts.chunk_by(|left, right| left.0 == right.0) {
            let form = same[0].0.as_str();
            if self.is_name(form) || settings.stop_words.stops(form) {
                continue;
            }
            self.text.push_str(form);
            let first = self.targets.len();
            for (_, target) in same {
                if !self.targets[first..].iter().any(|known| known / 2 == target / 2) {
                    self.targets.push(*target);
                }
            }
            self.end_form(0)?;
        }
        Ok(())
    }

    /// Whether a folded form is one of the names.
    pub(super) fn is_name(&self, form: &str) -> bool {
        self.name(form).is_some()
    }

    /// The number of a folded form among the names.
    fn name(&self, form: &str) -> Option<u32> {
        let (mut from, mut to) = (0, self.named);
        while from < to {
            let middle = from + (to - from) / 2;
            match self.form(middle).cmp(form) {
                std::cmp::Ordering::Less => from = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => to = middle,
            }
        }
        None
    }

    /// Ends the form whose letters and targets were added.
    fn end_form(&mut self, traits: u64) -> Result<()> {
        let end = u32::try_from(self.text.len()).map_err(|_| too_large())?;
        if self.targets.len() >= MOST_TARGETS {
            return Err(too_large());
        }
        self.ends.push(packed(self.targets.len() as u32, end) | traits);
        Ok(())
    }

    /// Whether a form matches in the plural too.
    #[inline]
    pub(super) fn has_plural(&self, pattern: u32) -> bool {
        self.ends[pattern as usize] & PLURAL != 0
    }

    /// Whether a piece of a text that folds to a form has a spelling that the form accepts.
    #[inline]
    pub(super) fn accepts(&self, pattern: u32, surface: &str) -> bool {
        self.ends[pattern as usize] & SPELLED == 0 || self.is_spelling(pattern, surface)
    }

    fn is_spelling(&self, pattern: u32, surface: &str) -> bool {
        let symbol = surface
            .chars()
            .filter(|letter| letter.is_uppercase() || letter.is_numeric())
            .nth(1);
        let first = self.spelled.partition_point(|spelled| *spelled < pattern);
        symbol.is_some()
            || self.spelled[first..]
                .iter()
                .take_while(|spelled| **spelled == pattern)
                .zip(first..)
                .any(|(_, place)| self.spellings.get(place) == surface)
    }

    /// The number of names, without the further spellings of combinations.
    pub(super) fn len(&self) -> usize {
        self.named as usize
    }

    /// The number of forms: names, then spellings.
    pub(super) fn patterns(&self) -> usize {
        self.ends.len()
    }

    /// Whether the columns are consistent with each other and with a vocabulary of this many entries.
    pub(super) fn is_whole(&self, entries: usize) -> bool {
        let text_ends = self.ends.iter().map(|end| *end as u32 as usize);
        let target_ends = self.ends.iter().map(|end| target_end(*end));
        text_ends.clone().is_sorted()
            && target_ends.clone().is_sorted()
            && text_ends.clone().next_back().unwrap_or(0) == self.text.len()
            && target_ends.clone().next_back().unwrap_or(0) == self.targets.len()
            && (self.text.is_ascii() || text_ends.clone().all(|end| self.text.is_char_boundary(end)))
            && self
                .targets
                .iter()
                .all(|target| ((target / 2) as usize) < entries)
            && self.spellings.len() == self.spelled.len()
            && self.len() <= self.patterns()
    }

    /// The bytes of a form in the text of all forms.
    #[inline]
    pub(super) fn place(&self, pattern: u32) -> Range<usize> {
        let (start, end) = self.around(pattern);
        start as u32 as usize..end as u32 as usize
    }

    pub(super) fn form(&self, pattern: u32) -> &str {
        &self.text[self.place(pattern)]
    }

    pub(super) fn forms(&self) -> impl Iterator<Item = &str> {
        (0..self.patterns() as u32).map(|pattern| self.form(pattern))
    }

    /// The entries that a form names.
    #[inline]
    pub(super) fn targets(&self, pattern: u32) -> impl Iterator<Item = (u32, Rule)> + '_ {
        let (start, end) = self.around(pattern);
        let rule = [Rule::Name, Rule::Synonym, Rule::Combination];
        let joined = pattern >= self.named;
        self.targets[target_end(start)..target_end(end)]
            .iter()
            .map(move |target| {
                let place = if joined { 2 } else { (target % 2) as usize };
                (target / 2, rule[place])
            })
    }

    /// The packed ends of the form before, and of this one.
    #[inline]
    fn around(&self, pattern: u32) -> (u64, u64) {
        let pattern = pattern as usize;
        let start = if pattern == 0 { 0 } else { self.ends[pattern - 1] };
        (start, self.ends[pattern])
    }
}

/// The forms of a vocabulary and their entries, for the slow oracle.
pub(super) fn names_of(entries: &[VocabularyEntry], settings: &MatcherSettings) -> Result<PatternNames> {
    PatternNames::collect(&EntryTable::of_entries(entries)?, settings, &Task::new())
}

/// A name has at most this many words and signs. At each word of a text the matcher follows a name as far as it goes,
/// so a text that repeats the words of one name costs this much for each word. The longest names of DrugBank have 127.
pub const MOST_WORDS: usize = 512;

/// Whether a name has more words and signs than [`MOST_WORDS`].
pub fn is_too_long(name: &str) -> bool {
    count_words(name, Accents::Fold) > MOST_WORDS
}

/// The number of words and signs of a name; for a short name just its bytes, which are at least as many.
fn count_words(name: &str, accents: Accents) -> usize {
    if name.len() <= MOST_WORDS {
        return name.len();
    }
    Tokens::new(name, accents, 0)
        .filter(|token| token.kind != TokenKind::Gap)
        .count()
}

fn check_length(code: &str, form: &str, accents: Accents) -> Result<()> {
    let words = count_words(form, accents);
    if words <= MOST_WORDS {
        return Ok(());
    }
    let beginning: String = form.chars().take(40).collect();
    Err(Error::argument(
        "names",
        format!("a name of {words} words and signs for the code {code}: `{beginning}…`"),
        format!("names of at most {MOST_WORDS} words and signs"),
    ))
}

/// The last word of a name with a plural has at least this many letters.
pub(super) const SHORTEST_SINGULAR: usize = 5;

/// Whether a name matches in the plural too: its last word is long enough, in ASCII letters, and does not end in `s`,
/// `x`, `y` or `z`, which have another plural.
fn has_plural(form: &str) -> bool {
    let letters = form.bytes().rev().take_while(u8::is_ascii_lowercase).count();
    let whole_word = !form[..form.len() - letters].ends_with(char::is_alphanumeric);
    letters >= SHORTEST_SINGULAR && whole_word && !form.ends_with(['s', 'x', 'y', 'z'])
}

/// Whether a name is so short that only its case distinguishes it from an everyday word: `NO` from `no`, `As` from
/// `as`. A name of several words never is, and a name of four letters only if the vocabulary writes it in capitals.
fn is_spelled<'n>(form: &str, mut names: impl Iterator<Item = &'n str>) -> bool {
    let letters = form.chars().count();
    letters <= 4
        && form.chars().all(char::is_alphanumeric)
        && (letters <= 3 || !names.any(|name| name.chars().skip(1).any(char::is_lowercase)))
}
