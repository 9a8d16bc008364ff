//! Compares the fast matcher with the slow one: on thousands of generated texts, on millions (`make test-matcher`), and
//! on all titles and abstracts of a real PubMed file with the names of a real vocabulary.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use drugs_rs::matcher::{Accents, Matcher, MatcherSettings, VocabularyEntry};
use drugs_rs::text::fold::{Class, class, fold};
use proptest::prelude::*;

use super::{entries, everything};

#[path = "../../../fuzz/checks/matcher.rs"]
mod checks;
use checks::{Case, settings};

/// The number of cases of each property: `DRUGS_RS_CASES`, or a number that takes only a moment.
fn cases() -> u32 {
    std::env::var("DRUGS_RS_CASES").map_or(20_000, |cases| cases.parse().expect("a number"))
}

fn configuration(cases: u32) -> ProptestConfig {
    // A failure is printed, and becomes a row or a seed that people can read.
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

/// A piece of a name or text.
#[derive(Debug, Clone, Copy)]
enum Piece {
    Fixed(&'static str),
    Any(char),
    /// One of the names of the vocabulary.
    Name(u8),
}

fn text_of(pieces: &[Piece], names: &[String]) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Fixed(letters) => text.push_str(letters),
            Piece::Any(letter) => text.push(*letter),
            Piece::Name(number) => {
                if let Some(name) = names.get(usize::from(*number) % names.len().max(1)) {
                    text.push_str(name);
                }
            }
        }
    }
    text
}

fn fixed(pieces: &'static [&'static str]) -> impl Strategy<Value = Piece> {
    prop::sample::select(pieces).prop_map(Piece::Fixed)
}

/// Few letters, so that names often occur in texts, and everything that folds unusually.
fn letter() -> impl Strategy<Value = Piece> {
    prop_oneof![
        4 => fixed(&["a", "b", "A", " ", "-"]),
        2 => fixed(&[
            "α", "alpha", "ß", "ss", "é", "e", "\u{301}", "İ", "i", "ﬁ", "fi", "₂", "2", "'", "’", "–", "\u{a0}", "(", ".",
            "½", "\u{fe70}", "ﷺ", "Ⅱ", "\u{200b}", "æ", "ae", "🧪", "ω", "ς", "\u{345}", "ｱ", "ﾞ", "한", "\u{0}", "ŉ",
        ]),
        1 => any::<char>().prop_map(Piece::Any),
    ]
}

/// Words as in vocabularies: common beginnings, plurals, digits, signs at either end, words in words.
fn word() -> impl Strategy<Value = Piece> {
    prop_oneof![
        6 => fixed(&[
            "acid", "acids", "ACID", "folic", "Folic", "insulin", "insulins", "glargine", "vitamin", "vitamins", "b", "B",
            "12", "5", "fu", "FU", "complex", "alphas", "α", "betas", "β", "ethanol", "methanol", "mass", "box", "é", "s",
            "doxorubicin", "hydrochloride", "DOX", "acidß", "ｓ",
        ]),
        6 => fixed(&[" ", " ", " ", " ", "-", "–", "  ", " - ", "\n"]),
        2 => fixed(&["", "(", ")", "+", ".", ",", "/", "'", "’s", "'s", "*", "[", "]", " (", ") ", "\u{301}", "½"]),
    ]
}

/// Parts of combinations and joints, so that names and texts differ only in order and joint.
fn part() -> impl Strategy<Value = Piece> {
    prop_oneof![
        6 => fixed(&["alpha", "beta", "Gamma", "delta", "epsilon", "α", "folic acid", "acid", "and", "b12", "alpha beta"]),
        9 => fixed(&[" and ", "/", " / ", "+", " + ", ", ", ", and ", " ", "-", "/ ", " +", " – ", "  and-", "; ", " AND "]),
        1 => fixed(&["s", "(", ")", " \u{301}", "½", "a/"]),
    ]
}

fn names(
    piece: impl Strategy<Value = Piece>,
    longest: usize,
    most: usize,
) -> impl Strategy<Value = Vec<String>> {
    let name = prop::collection::vec(piece, 0..longest).prop_map(|pieces| text_of(&pieces, &[]));
    prop::collection::vec(name, 1..most)
}

/// A text of pieces and sometimes of names of the vocabulary.
fn text(piece: impl Strategy<Value = Piece>, longest: usize) -> impl Strategy<Value = Vec<Piece>> {
    let piece = prop_oneof![8 => piece, 1 => any::<u8>().prop_map(Piece::Name)];
    prop::collection::vec(piece, 0..longest)
}

fn case(names: &[String], text: &[Piece], switches: &str) -> Case {
    let text = text_of(text, names);
    // The last name is a synonym of the first drug.
    let (synonym, drugs) = names.split_last().expect("at least one name");
    let mut entries: Vec<VocabularyEntry> = (0..)
        .zip(drugs)
        .map(|(number, name)| VocabularyEntry::new(format!("C{}", (number * 5 + 3) % 7), name, []))
        .collect();
    match entries.first_mut() {
        Some(first) => first.synonyms.push(synonym.clone()),
        None => entries.push(VocabularyEntry::new("C0", synonym, [])),
    }
    Case {
        entries,
        settings: settings(|switch| switches.contains(switch)),
        text,
        explains: false,
    }
}

proptest! {
    #![proptest_config(configuration(cases()))]

    #[test]
    fn over_letters_the_fast_matcher_is_the_slow_one(
        names in names(letter(), 6, 6),
        text in text(letter(), 24),
        switches in prop::sample::select(vec!["", "k"]),
    ) {
        case(&names, &text, switches).check_against_the_slow_one();
    }

    #[test]
    fn over_words_the_fast_matcher_is_the_slow_one(
        names in names(word(), 8, 9),
        text in text(word(), 24),
        // Rarely with the shipped stop words, whose copying takes most of the time.
        switches in prop_oneof![9 => prop::sample::select(vec!["", "k", "h"]), 1 => prop::sample::select(vec!["s", "hs"])],
    ) {
        case(&names, &text, switches).check_against_the_slow_one();
    }
}

proptest! {
    #![proptest_config(configuration(cases() / 2))]

    #[test]
    fn over_combinations_the_fast_matcher_is_the_slow_one(
        names in names(part(), 8, 7),
        text in text(part(), 16),
        switches in prop_oneof![9 => prop::sample::select(vec!["", "k", "h"]), 1 => prop::sample::select(vec!["s", "hs"])],
    ) {
        case(&names, &text, switches).check_against_the_slow_one();
    }
}

proptest! {
    // A tenth of the cases: these check every place of the result, or build several matchers.
    #![proptest_config(configuration(cases() / 10))]

    #[test]
    fn mentions_lie_on_letters_and_in_order(
        names in names(prop_oneof![letter(), word(), part()], 5, 6),
        text in text(prop_oneof![letter(), word(), part()], 30),
        switches in prop::sample::select(vec!["", "a", "n", "na", "s", "sah"]),
    ) {
        case(&names, &text, switches).check();
    }

    #[test]
    fn every_name_is_found_where_it_stands_alone(name in names(letter(), 8, 2)) {
        let matcher = Matcher::new(&entries(&[&name[0]]), &everything()).unwrap();
        let text = format!("one {} two", name[0]);
        prop_assert_eq!(!matcher.find(&text).is_empty(), !matcher.is_empty(), "{:?}", name);
    }
}

#[test]
fn the_seeds_of_the_fuzz_target_hold() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/matcher");
    for seed in std::fs::read_dir(seeds).unwrap() {
        let path = seed.unwrap().path();
        let content = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        let mut case = Case::read(&content).unwrap_or_else(|| panic!("{}: no blank line", path.display()));
        case.explains = true;
        case.check();
    }
}

// --- The real file ---

#[test]
#[ignore = "large: make test-matcher"]
fn on_a_real_pubmed_file_the_fast_matcher_is_the_slow_one() {
    let Some(corpora) = corpora() else {
        return;
    };
    let names = drugbank_names(&corpora.join("vocabulary/drugbank_open_vocabulary.csv"));
    let vocabulary: Vec<VocabularyEntry> = (0..)
        .zip(&names)
        .map(|(number, name)| VocabularyEntry::new(format!("C{number:06}"), name, []))
        .collect();
    let texts = pubmed_texts(&corpora.join("pubmed/pubmed20n0014.xml.gz"));
    assert!(
        names.len() > 40_000 && texts.len() > 30_000,
        "the files are not the ones that are meant"
    );
    for settings in [everything(), MatcherSettings::default()] {
        let matcher = Matcher::new(&vocabulary, &settings).unwrap();
        let candidates = Candidates::new(&vocabulary, settings.accents);
        let (mut mentions, mut compared) = (0, 0);
        for text in &texts {
            let entries = candidates.of(text);
            let slow: Vec<_> = drugs_rs::matcher::naive::find(&entries, &settings, text)
                .unwrap()
                .into_iter()
                .map(|(entry, start, end, rule)| (start, end, entries[entry].atccode.as_str(), rule))
                .collect();
            let fast: Vec<_> = matcher
                .find(text)
                .iter()
                .map(|mention| (mention.start, mention.end, mention.atccode(), mention.rule))
                .collect();
            assert_eq!(fast, slow, "fast (left) and slow differ on {text:?}");
            mentions += fast.len();
            compared += entries.len();
        }
        println!(
            "{} texts, {} names: {mentions} mentions, the same from both; the slow one was asked for {compared} names",
            texts.len(),
            names.len()
        );
        assert!(mentions > 10_000);
    }
}

/// The folder of real data; `None`, with a printed reason, if there is none.
fn corpora() -> Option<PathBuf> {
    let folder = std::env::var_os("DRUGS_RS_CORPORA").unwrap_or_else(|| "../shared/data".into());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    if folder.join("pubmed").is_dir() && folder.join("vocabulary").is_dir() {
        return Some(folder);
    }
    println!(
        "skipped: no real data in {}; set DRUGS_RS_CORPORA",
        folder.display()
    );
    None
}

/// The slow matcher tries every name at every place. So of a large vocabulary it gets only the names that a text can
/// hold: those whose words all occur in it, the last one perhaps in the plural.
struct Candidates<'v> {
    accents: Accents,
    vocabulary: &'v [VocabularyEntry],
    words: Vec<Vec<String>>,
    by_first_word: HashMap<String, Vec<usize>>,
    /// Names without a word, and one long name in lower case: the treatment of short names depends on whether the
    /// vocabulary has any.
    always: Vec<usize>,
}

impl<'v> Candidates<'v> {
    fn new(vocabulary: &'v [VocabularyEntry], accents: Accents) -> Self {
        let words: Vec<_> = vocabulary
            .iter()
            .map(|entry| words(&entry.drug, accents))
            .collect();
        let mut by_first_word: HashMap<String, Vec<usize>> = HashMap::new();
        let mut always = Vec::new();
        for (number, words) in words.iter().enumerate() {
            match words.first() {
                Some(word) => by_first_word.entry(word.clone()).or_default().push(number),
                None => always.push(number),
            }
        }
        let long = |entry: &VocabularyEntry| entry.drug.len() >= 8 && entry.drug.contains(char::is_lowercase);
        always.extend(vocabulary.iter().position(long));
        Self {
            accents,
            vocabulary,
            words,
            by_first_word,
            always,
        }
    }

    fn of(&self, text: &str) -> Vec<VocabularyEntry> {
        let mut there: HashSet<String> = words(text, self.accents).into_iter().collect();
        let singular: Vec<String> = there
            .iter()
            .filter_map(|word| Some(word.strip_suffix('s')?.to_owned()))
            .collect();
        there.extend(singular);
        // Combinations are also found with joints that their name does not have.
        there.insert("and".to_owned());
        let mut numbers = self.always.clone();
        for word in &there {
            let begun = self.by_first_word.get(word).into_iter().flatten();
            numbers
                .extend(begun.filter(|number| self.words[**number].iter().all(|word| there.contains(word))));
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers
            .into_iter()
            .map(|number| self.vocabulary[number].clone())
            .collect()
    }
}

/// The folded words of a text.
fn words(text: &str, accents: Accents) -> Vec<String> {
    let mut words = vec![String::new()];
    for letter in text.chars() {
        let word = words.last_mut().expect("never empty");
        match class(letter) {
            Class::Word => fold(letter, accents, |part| word.push(part)),
            Class::Mark if !word.is_empty() => fold(letter, accents, |part| word.push(part)),
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Names and synonyms of DrugBank's table, each once. Quoted fields are split at their commas, which adds some odd
/// names.
fn drugbank_names(path: &Path) -> Vec<String> {
    let table = std::fs::read_to_string(path).unwrap();
    let mut names: Vec<String> = table
        .lines()
        .skip(1)
        .flat_map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            let synonyms = fields.get(5..).unwrap_or_default().join(",");
            let mut names: Vec<String> = synonyms
                .split(" | ")
                .map(|name| name.trim_matches([',', '"']).to_owned())
                .collect();
            names.extend(fields.get(2).map(|name| (*name).to_owned()));
            names
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The titles and abstracts of a PubMed file, unchanged and with their entities.
fn pubmed_texts(path: &Path) -> Vec<String> {
    let mut xml = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_string(&mut xml)
        .unwrap();
    let mut texts = Vec::new();
    for element in ["ArticleTitle", "AbstractText"] {
        for piece in xml.split(&format!("<{element}")).skip(1) {
            if let Some((_, piece)) = piece.split_once('>')
                && let Some((text, _)) = piece.split_once(&format!("</{element}>"))
            {
                texts.push(text.to_owned());
            }
        }
    }
    texts
}
