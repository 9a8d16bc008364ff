//! What must be true of the matcher for any vocabulary, any settings and any text. The fuzz target and the property tests
//! of `tests/rust/matcher` share it, so that what one finds the other keeps.

use std::sync::LazyLock;

use drugs_rs::matcher::{
    Accents, Boundary, CodePoints, Matcher, MatcherSettings, StopWords, VocabularyEntry, naive,
};
use drugs_rs::schema::Rule;

/// Read once: a fuzzer takes settings by the thousand.
static SHIPPED: LazyLock<StopWords> = LazyLock::new(StopWords::default);

/// A vocabulary, settings and a text.
#[derive(Debug)]
pub struct Case {
    pub entries: Vec<VocabularyEntry>,
    pub settings: MatcherSettings,
    pub text: String,
    /// Whether explanations are looked at; they take most of the time.
    pub explains: bool,
}

impl Case {
    /// Reads a case that people can write as well as a fuzzer can: a line of settings, then a line for each drug with its
    /// names between tabs, then a blank line, then the text. A letter in the line of settings turns one of them on: `k`
    /// keeps accents, `a` looks for abbreviations, `n` is for no bounds, `s` for the shipped stop words, `h` for the
    /// ingredients of salts and hydrates, `e` asks for explanations too. Nothing where the blank line is missing.
    pub fn read(content: &str) -> Option<Self> {
        let (switches, rest) = content.split_once('\n')?;
        let (names, text) = rest.split_once("\n\n")?;
        let entry = |(number, line): (usize, &str)| {
            let mut names = line.split('\t');
            let drug = names.next().unwrap_or_default();
            // Some drugs share a code, and the order of codes is not that of the lines.
            VocabularyEntry::new(
                format!("C{}", (number * 5 + 3) % 7),
                drug,
                names.map(str::to_owned),
            )
        };
        Some(Self {
            entries: names.split('\n').enumerate().map(entry).collect(),
            settings: settings(|switch| switches.contains(switch)),
            text: text.to_owned(),
            explains: switches.contains('e'),
        })
    }

    /// Panics where something is not true that must be.
    pub fn check(&self) {
        if self.explains {
            self.check_explanations();
        }
        let found = self.check_mentions();
        let plain = MatcherSettings {
            abbreviations: false,
            ..self.settings.clone()
        };
        if self.settings.abbreviations {
            // A text may take back a name that it uses as an abbreviation of something else, but never adds one.
            let without = found_by(&matcher(&self.entries, &plain), &self.text);
            for mention in found.iter().filter(|mention| mention.3 != Rule::Abbreviation) {
                assert!(
                    without.contains(mention),
                    "only found with abbreviations: {mention:?} in {self:?}"
                );
            }
        }
        if self.settings.boundary == Boundary::Word {
            Self {
                entries: self.entries.clone(),
                settings: plain,
                text: self.text.clone(),
                explains: false,
            }
            .check_against_the_slow_one();
        }
    }

    /// What is found, after looking at its places: on letters of the text, one behind the other.
    pub fn check_mentions(&self) -> Vec<Found> {
        let matcher = matcher(&self.entries, &self.settings);
        let found = found_by(&matcher, &self.text);
        let mut finder = matcher.finder();
        for _ in 0..2 {
            let mut again = Vec::new();
            finder.each(&self.text, |mention| {
                again.push((mention.start, mention.end, mention.entry as usize, mention.rule));
            });
            assert_eq!(
                found, again,
                "a finder keeps nothing of the text before: {self:?}"
            );
        }
        let letters: Vec<char> = self.text.chars().collect();
        let mut points = CodePoints::new(&self.text);
        for (start, end, ..) in &found {
            assert!(start < end, "an empty mention in {self:?}");
            let surface = &self.text[*start..*end];
            let by_letters = &letters[points.at(*start)..points.at(*end)];
            assert!(
                surface.chars().eq(by_letters.iter().copied()),
                "code points are off in {self:?}"
            );
        }
        for pair in found.windows(2) {
            let ((start, end, ..), (next, next_end, ..)) = (&pair[0], &pair[1]);
            let same_place = start == next && end == next_end;
            // Without bounds two names may share a letter of the text that folds to several. A combination may hold others.
            let behind = match self.settings.boundary {
                Boundary::Word if pair[0].3 == Rule::Combination => start <= next,
                Boundary::Word => end <= next,
                Boundary::None => start <= next && end <= next_end,
            };
            assert!(same_place || behind, "out of order in {self:?}");
        }
        for (start, end, ..) in found.iter().filter(|mention| mention.3 == Rule::Combination) {
            for (other, other_end, ..) in found.iter().filter(|other| other.0 < *end && *start < other.1) {
                let inside = start <= other && other_end <= end;
                assert!(inside, "a mention crosses a combination in {self:?}");
            }
        }
        found
    }

    /// The fast matcher against the slow one: at the bounds of words, without abbreviations.
    pub fn check_against_the_slow_one(&self) -> Vec<Found> {
        let fast = found_by(&matcher(&self.entries, &self.settings), &self.text);
        let slow: Vec<Found> = naive::find(&self.entries, &self.settings, &self.text)
            .expect("a small vocabulary")
            .into_iter()
            .map(|(entry, start, end, rule)| (start, end, entry, rule))
            .collect();
        assert_eq!(
            fast, slow,
            "the fast matcher (left) is not the slow one in {self:?}"
        );
        fast
    }

    /// Every name and code can be explained, and what is no name and no code is an error.
    fn check_explanations(&self) {
        let matcher = matcher(&self.entries, &self.settings);
        // Each name that is not found builds two matchers to tell why.
        for entry in self.entries.iter().take(2) {
            let names = entry.synonyms.iter().take(1).chain([&entry.drug, &entry.atccode]);
            for name in names {
                matcher
                    .explain(&self.text, name)
                    .expect("a name of the vocabulary can be explained");
            }
        }
        // Longer than any name, and so none of them: a fuzzer had made "no such drug here" a drug.
        let mut absent = String::from("no such drug as");
        for entry in &self.entries {
            for name in entry.synonyms.iter().chain([&entry.drug, &entry.atccode]) {
                absent.extend([" ", name]);
            }
        }
        assert!(matcher.explain(&self.text, &absent).is_err());
    }
}

/// Start and end in bytes, the number of the entry, and the rule.
pub type Found = (usize, usize, usize, Rule);

/// MatcherSettings by switches. All are named: the defaults hold the shipped stop words, which take longer to copy than a small
/// case takes.
pub fn settings(is_on: impl Fn(char) -> bool) -> MatcherSettings {
    MatcherSettings {
        boundary: if is_on('n') {
            Boundary::None
        } else {
            Boundary::Word
        },
        abbreviations: is_on('a'),
        salts: is_on('h'),
        accents: if is_on('k') { Accents::Keep } else { Accents::Fold },
        stop_words: if is_on('s') {
            SHIPPED.clone()
        } else {
            StopWords::none()
        },
    }
}

pub fn matcher(entries: &[VocabularyEntry], settings: &MatcherSettings) -> Matcher {
    Matcher::new(entries, settings).expect("a small vocabulary")
}

pub fn found_by(matcher: &Matcher, text: &str) -> Vec<Found> {
    matcher
        .find(text)
        .iter()
        .map(|mention| (mention.start, mention.end, mention.entry as usize, mention.rule))
        .collect()
}
