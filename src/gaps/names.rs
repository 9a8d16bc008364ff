//! Names with an INN stem in a text, of one word or two.

use super::stems::{inn_stem, is_derivative};
use super::words::folded_words;
use super::{FoldedWord, NamePlace};

/// Greek letters as INN spell them behind a protein. English writes `alpha`, so `alfa` alone says that it is an INN.
const GREEK: &[&str] = &[
    "alfa", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "pegol",
];

/// What an antibody carries, where the word has no stem that is looked for.
const CARRIED: &[&str] = &[
    "mafodotin",
    "ozogamicin",
    "pasudotox",
    "rezetecan",
    "tesirine",
    "tirumotecan",
    "vedotin",
];

/// The names of a text whose words have a stem. `is_known` says that a vocabulary has a folded word as a name.
pub fn stem_names(text: &str, is_known: &dyn Fn(&str) -> bool) -> Vec<NamePlace> {
    let words = folded_words(text);
    let mut places = Vec::new();
    let mut number = 0;
    while let Some(word) = words.get(number) {
        let next = words
            .get(number + 1)
            .filter(|next| is_one_blank(text, word, next));
        number += 1;
        let is_name = has_stem(word, is_known) && !is_acronym(&text[word.start..word.end]);
        let second = next.filter(|next| is_second(word, next, is_name));
        if let Some(second) = second {
            number += 1;
            places.push(NamePlace {
                start: word.start,
                end: second.end,
                key: format!("{} {}", word.folded, second.folded),
            });
        } else if is_name {
            places.push(NamePlace {
                start: word.start,
                end: word.end,
                key: word.folded.clone(),
            });
        }
    }
    places
}

fn has_stem(word: &FoldedWord, is_known: &dyn Fn(&str) -> bool) -> bool {
    inn_stem(&word.folded).is_some() && !is_known(&word.folded) && !is_derivative(&word.folded, is_known)
}

/// Whether a word has a capital inside, as acronyms of trials have: `COVidIVERmectin`.
fn is_acronym(word: &str) -> bool {
    let letters = || word.chars();
    letters()
        .zip(letters().skip(1))
        .any(|(letter, next)| letter.is_lowercase() && next.is_uppercase())
}

fn is_one_blank(text: &str, word: &FoldedWord, next: &FoldedWord) -> bool {
    text.get(word.end..next.start) == Some(" ")
}

/// Whether a word is the second one of the name that begins with the word before it.
fn is_second(word: &FoldedWord, next: &FoldedWord, is_name: bool) -> bool {
    let second = next.folded.as_str();
    if second == "alfa" {
        return word.folded.len() > 4 && word.folded != "interferon";
    }
    if GREEK.contains(&second) {
        return is_name;
    }
    let stem = inn_stem(second).map(|stem| stem.stem);
    if word.folded.len() > "gene".len() && word.folded.ends_with("gene") {
        return matches!(stem, Some("-vec" | "-temcel" | "-leucel"));
    }
    let is_antibody =
        word.folded.ends_with("mab") || word.folded.ends_with("bart") || word.folded.ends_with("tug");
    is_name
        && is_antibody
        && (matches!(stem, Some("-tecan" | "-tansine" | "-dotin" | "-xetan")) || CARRIED.contains(&second))
}
