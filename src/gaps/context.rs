//! Words without a stem that a text says patients are treated with: `pharmacokinetics of X`, `X in patients with`.
//!
//! The word must also end like the name of a substance. This finds INN that have no stem, and it is less sure than a stem.

use super::stems::inn_stem;
use super::words::folded_words;
use super::{FoldedWord, NamePlace};

/// Shorter words are too often English, and longer ones are no names.
const SHORTEST: usize = 6;
const LONGEST_WORD: usize = 40;

/// How names of substances end.
const ENDINGS: &[&str] = &[
    "ine", "in", "ol", "one", "ide", "ate", "an", "az", "mer", "ep", "ene", "ole", "il", "asin", "ium",
    "acid",
];

/// Words with such an ending that are no single drug, and the ends of words that are none either.
const ORDINARY: &[&str] = &[
    "acetate",
    "acetylene",
    "acrylate",
    "adequate",
    "aerosol",
    "albumin",
    "alcohol",
    "antitoxin",
    "appropriate",
    "baseline",
    "bicarbonate",
    "biguanide",
    "bisphosphonate",
    "bromide",
    "calcium",
    "candidate",
    "carbohydrate",
    "cardiovascular",
    "chloride",
    "chromatin",
    "citrate",
    "clean",
    "climate",
    "combine",
    "control",
    "coumarin",
    "cyanide",
    "decline",
    "delirium",
    "dialysate",
    "dioxide",
    "diphosphate",
    "diphosphonate",
    "discipline",
    "dismutase",
    "disodium",
    "duodenum",
    "duplicate",
    "emotion",
    "endocrine",
    "european",
    "exam",
    "fluoride",
    "formalin",
    "fumarate",
    "gasoline",
    "glycoside",
    "guideline",
    "herbicide",
    "histamine",
    "hormone",
    "human",
    "hydrochloride",
    "insecticide",
    "insulin",
    "intestine",
    "japanese",
    "macrolide",
    "magnesium",
    "maleate",
    "marine",
    "mediastinum",
    "medicine",
    "membrane",
    "mesylate",
    "milestone",
    "moderate",
    "monoamine",
    "organism",
    "orphan",
    "pediatric",
    "penicillin",
    "peroxide",
    "pesticide",
    "phosphate",
    "pipeline",
    "polyene",
    "potassium",
    "primate",
    "prolactin",
    "prostacyclin",
    "prostaglandin",
    "protein",
    "protocol",
    "routine",
    "serotonin",
    "sodium",
    "statin",
    "substrate",
    "succinate",
    "sulfate",
    "tartrate",
    "template",
    "thienopyridine",
    "urine",
    "vitamin",
];

/// Ends of words that are classes, proteins or English.
const ORDINARY_ENDS: &[&str] = &[
    "amine oxidase",
    "ation",
    "borderline",
    "carbamate",
    "carboxylate",
    "ectomized",
    "globin",
    "globulin",
    "gonadotropin",
    "gonadotrophin",
    "kine",
    "line",
    "mine d",
    "nitrosamine",
    "peptide",
    "protein",
    "ransplant",
    "telephone",
    "saccharide",
    "toxin",
    "transferrin",
    "trine",
    "trophin",
    "tropin",
    "vaccine",
];

/// What a text says of a drug, before `of`.
const HEADS: &[&str] = &[
    "administration",
    "bioavailability",
    "dose",
    "doses",
    "effectiveness",
    "efficacy",
    "evaluation",
    "infusion",
    "injection",
    "mg",
    "pharmacodynamics",
    "pharmacokinetics",
    "safety",
    "tolerability",
    "trial",
    "trials",
    "tolerance",
    "use",
];

/// Right before `with`.
const GIVEN: &[&str] = &["monotherapy", "therapy", "treated", "treating", "treatment"];

/// How it is given, right before its name.
const ROUTES: &[&str] = &[
    "add",
    "adjunctive",
    "adjuvant",
    "daily",
    "inhaled",
    "intramuscular",
    "intranasal",
    "intrathecal",
    "intravenous",
    "intravitreal",
    "long",
    "low",
    "on",
    "oral",
    "subcutaneous",
    "topical",
];

/// What may follow a name behind a head: the name is no first part of a compound, as in `use of acrylate roots`.
const FOLLOWING: &[&str] = &[
    "acetate",
    "administered",
    "administration",
    "after",
    "against",
    "alone",
    "among",
    "and",
    "as",
    "at",
    "before",
    "bromide",
    "by",
    "calcium",
    "capsules",
    "citrate",
    "combined",
    "compared",
    "cream",
    "during",
    "for",
    "fumarate",
    "given",
    "has",
    "hydrochloride",
    "in",
    "injection",
    "is",
    "maleate",
    "mesylate",
    "monotherapy",
    "ointment",
    "on",
    "or",
    "phosphate",
    "plus",
    "sodium",
    "succinate",
    "sulfate",
    "tablets",
    "tartrate",
    "than",
    "therapy",
    "through",
    "to",
    "treatment",
    "under",
    "used",
    "using",
    "versus",
    "via",
    "vs",
    "was",
    "when",
    "with",
    "without",
];

/// Right behind its name.
const FORMS: &[&str] = &[
    "capsule",
    "capsules",
    "injection",
    "injections",
    "monotherapy",
    "ointment",
    "tablet",
    "tablets",
    "therapy",
    "treatment",
    "cream",
];

/// What it is, behind its name and a comma: `, a selective … inhibitor`.
const KINDS: &[&str] = &[
    "agent",
    "agonist",
    "analog",
    "analogue",
    "antagonist",
    "antibiotic",
    "antibody",
    "blocker",
    "drug",
    "inhibitor",
    "modulator",
    "prodrug",
];

/// Words between `, a` and what it is.
const BETWEEN: usize = 5;

/// The words of a text that it says patients are treated with, and that have no stem.
pub fn treatment_names(text: &str, is_known: &dyn Fn(&str) -> bool) -> Vec<NamePlace> {
    let words = folded_words(text);
    let mut places = Vec::new();
    for (number, word) in words.iter().enumerate() {
        let sentence = ContextWords { text, words: &words };
        if !is_like_a_name(&word.folded) || is_known(&word.folded) || sentence.is_part(number) {
            continue;
        }
        if sentence.is_given_before(number) || sentence.is_said_behind(number) {
            let first = sentence.first_of_name(number);
            places.push(NamePlace {
                start: words[first].start,
                end: word.end,
                key: words[first..=number]
                    .iter()
                    .map(|word| word.folded.as_str())
                    .collect::<Vec<_>>()
                    .join(" "),
            });
        }
    }
    places
}

fn is_like_a_name(word: &str) -> bool {
    let ends = |end: &&str| word.ends_with(end);
    ((SHORTEST..=LONGEST_WORD).contains(&word.len()) || word == "acid")
        && ENDINGS.iter().any(ends)
        && !ORDINARY.contains(&word)
        && !ORDINARY_ENDS.iter().any(ends)
        && inn_stem(word).is_none()
}

/// A text and its words.
struct ContextWords<'t> {
    text: &'t str,
    words: &'t [FoldedWord],
}

impl ContextWords<'_> {
    /// A word by its number; empty beyond the text.
    fn word(&self, number: usize) -> &str {
        self.words.get(number).map_or("", |word| word.folded.as_str())
    }

    /// What separates a word from the one before it.
    fn gap(&self, number: usize) -> &str {
        match (
            number.checked_sub(1).and_then(|before| self.words.get(before)),
            self.words.get(number),
        ) {
            (Some(before), Some(word)) => self.text.get(before.end..word.start).unwrap_or_default(),
            _ => "",
        }
    }

    /// Whether a word belongs to a compound: `methyl-X`, `X-like`, `2-X`, `X's`.
    fn is_part(&self, number: usize) -> bool {
        let word = &self.words[number];
        let before = self.text[..word.start].chars().next_back();
        let behind = self.text[word.end..].chars().next();
        let joins = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '\'' | '’' | '_');
        before.is_some_and(joins) || behind.is_some_and(joins)
    }

    /// The first word of the name that ends with this one: an acid has two.
    fn first_of_name(&self, number: usize) -> usize {
        let is_acid = self.word(number) == "acid" && number > 0 && self.gap(number) == " ";
        number - usize::from(is_acid)
    }

    /// Whether the name that ends with a word has all its words: `acid` alone is a class, and so are a few acids.
    fn is_whole(&self, number: usize) -> bool {
        let first = self.first_of_name(number);
        self.word(number) != "acid"
            || (first < number
                && self.word(first).ends_with("ic")
                && !matches!(
                    self.word(first),
                    "carboxylic" | "nucleic" | "fatty" | "amino" | "uric" | "gastric"
                ))
    }

    /// Whether only blanks, dashes and digits separate a word from the one before it: `sigma-1 agonist`.
    fn is_one_phrase(&self, number: usize) -> bool {
        let joins = |letter: char| letter.is_ascii_digit() || matches!(letter, ' ' | '-');
        !self.gap(number).is_empty() && self.gap(number).chars().all(joins)
    }

    fn is_given_before(&self, number: usize) -> bool {
        let mut at = self.first_of_name(number);
        if !self.is_whole(number) {
            return false;
        }
        while at > 0 && !self.gap(at).is_empty() && ROUTES.contains(&self.word(at - 1)) {
            at -= 1;
        }
        if at < 2 || self.gap(at) != " " || self.gap(at - 1) != " " {
            return false;
        }
        let gap = self.gap(number + 1);
        let is_first_part = match gap {
            " " => !FOLLOWING.contains(&self.word(number + 1)),
            // `neurokinin 1 receptor`
            _ => gap
                .trim_start()
                .starts_with(|letter: char| letter.is_ascii_digit()),
        };
        if is_first_part {
            return false;
        }
        match self.word(at - 1) {
            "of" => {
                HEADS.contains(&self.word(at - 2))
                    || (at > 2 && self.gap(at - 2) == " " && HEADS.contains(&self.word(at - 3)))
            }
            "with" => GIVEN.contains(&self.word(at - 2)),
            _ => false,
        }
    }

    fn is_said_behind(&self, number: usize) -> bool {
        if !self.is_whole(number) {
            return false;
        }
        let next = self.word(number + 1);
        match self.gap(number + 1) {
            " " => {}
            ", " if matches!(next, "a" | "an") => {
                return (number + 2..=number + 2 + BETWEEN)
                    .take_while(|at| self.is_one_phrase(*at))
                    .any(|at| KINDS.contains(&self.word(at)));
            }
            _ => return false,
        }
        let then = |steps: usize, words: &[&str]| {
            words.iter().enumerate().all(|(step, word)| {
                let at = number + steps + step;
                (step == 0 || self.gap(at).trim() == "" || self.gap(at) == ". ") && self.word(at) == *word
            })
        };
        FORMS.contains(&next)
            || [
                &["versus", "placebo"][..],
                &["vs", "placebo"],
                &["or", "placebo"],
                &["and", "placebo"],
                &["for", "treatment"],
                &["for", "the", "treatment"],
                &["in", "the", "treatment"],
                &["in", "patients"],
                &["in", "adults"],
                &["in", "healthy"],
                &["for", "patients"],
                &["for", "adults"],
            ]
            .iter()
            .any(|words| then(1, words))
    }
}
