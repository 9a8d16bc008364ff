//! Substances of NLM's lists (PubMed's ChemicalList): which of them may be drugs.
//!
//! NLM's indexers name everything that an article is about: drugs, and also proteins, classes, reagents and salts of the
//! blood. Enzymes have an EC number; classes, proteins and mixtures have no registry number at all, and are plurals or end
//! with a word for a class. `everyday_substances.tsv` lists the rest: elements, amino acids, sugars, pollutants.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::stems::{inn_stem, is_derivative, rows};
use super::words::folded_words;
use crate::text::form;

const EVERYDAY: &str = include_str!("everyday_substances.tsv");

static EVERYDAY_FORMS: LazyLock<HashSet<String>> =
    LazyLock::new(|| rows(EVERYDAY).map(|[name, ..]| form(name)).collect());

/// Words that a name of a class, a protein or a target has.
const CLASS_WORDS: &[&str] = &[
    "agents",
    "antibodies",
    "antibody",
    "antigen",
    "antigens",
    "chain",
    "chains",
    "complement",
    "compounds",
    "derivatives",
    "dna",
    "enzyme",
    "enzymes",
    "extract",
    "extracts",
    "ganglioside",
    "gangliosides",
    "globin",
    "globulin",
    "hemoglobin",
    "hemoglobins",
    "hormones",
    "immunoglobulin",
    "immunoglobulins",
    "isotopes",
    "lectin",
    "oils",
    "peptide",
    "peptides",
    "polypeptide",
    "protein",
    "proteins",
    "radioisotopes",
    "receptor",
    "receptors",
    "rna",
    "serum",
    "system",
    "toxins",
];

/// Headings of MeSH that an article has which is about giving a drug: oral administration, trials, double-blind method,
/// schedules, combinations, evaluation, interactions, combined therapy, tolerance, injections, placebos, half-life.
pub const TREATMENT_HEADINGS: &[&str] = &[
    "D000284", "D002986", "D004311", "D004334", "D004338", "D004341", "D004347", "D004359", "D004361",
    "D007273", "D007275", "D010919", "D006207",
];

/// A substance that may be a drug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubstanceName {
    /// Under which its spellings are one name.
    pub key: String,
    /// Whether a word of it has an INN stem.
    pub has_stem: bool,
}

/// What a substance of a list is, if it may be a drug.
pub fn substance_name(
    name: &str,
    registry_number: Option<&str>,
    is_known: &dyn Fn(&str) -> bool,
) -> Option<SubstanceName> {
    let key = form(name);
    let number = registry_number
        .map(str::trim)
        .filter(|number| !matches!(*number, "" | "0"));
    let is_enzyme = number.is_some_and(|number| number.starts_with("EC"));
    // An inverted name is a class with its member: `Antibodies, Viral`.
    if is_enzyme || name.contains(',') || is_known(&key) || EVERYDAY_FORMS.contains(&key) {
        return None;
    }
    let words = folded_words(name);
    if words
        .iter()
        .any(|word| CLASS_WORDS.contains(&word.folded.as_str()))
    {
        return None;
    }
    // A number before it is a chemical name, mostly of a metabolite: `6-hydroxydopa`.
    let has_stem = words.len() <= 2
        && !name.starts_with(|letter: char| letter.is_ascii_digit())
        && words.iter().any(|word| {
            inn_stem(&word.folded).is_some()
                && !is_known(&word.folded)
                && !is_derivative(&word.folded, is_known)
        });
    // Without a number it is a class, unless a stem says that it is a substance.
    let is_substance = number.is_some() || (has_stem && !key.ends_with('s'));
    is_substance.then_some(SubstanceName { key, has_stem })
}
