//! Interventions of trials: the drugs among them, without doses, forms and what is no drug.

use super::codes::code_of;
use super::stems::inn_stem;
use super::words::folded_words;
use crate::text::form;

/// Types of interventions that are drugs.
const DRUG_TYPES: &[&str] = &["BIOLOGICAL", "COMBINATION_PRODUCT", "DRUG"];

/// Words that no drug has in its name: comparators, care, procedures, tests, tissue.
const NO_DRUG: &[&str] = &[
    "agents",
    "anaesthesia",
    "anesthesia",
    "antagonist",
    "antagonists",
    "antibiotics",
    "antivirals",
    "apheresis",
    "applicable",
    "application",
    "arm",
    "assay",
    "assessment",
    "autologous",
    "best",
    "biopsy",
    "blinded",
    "block",
    "blocker",
    "blockers",
    "blood",
    "care",
    "cell",
    "cells",
    "chemotherapy",
    "collection",
    "comparator",
    "control",
    "convalescent",
    "conventional",
    "current",
    "data",
    "device",
    "diet",
    "dose",
    "drug",
    "drugs",
    "exchange",
    "exercise",
    "exposure",
    "group",
    "hormones",
    "immunization",
    "immunotherapy",
    "inhibitor",
    "inhibitors",
    "injection",
    "intervention",
    "investigational",
    "management",
    "mask",
    "matching",
    "medical",
    "medication",
    "medications",
    "medicine",
    "mesenchymal",
    "no",
    "non",
    "none",
    "normal",
    "observation",
    "observational",
    "options",
    "other",
    "outcome",
    "oxygen",
    "patients",
    "pcr",
    "physiological",
    "placebo",
    "placebos",
    "plasma",
    "practice",
    "prescriptions",
    "procedure",
    "questionnaire",
    "radiation",
    "radiotherapy",
    "regimen",
    "rehabilitation",
    "routine",
    "saline",
    "sample",
    "samples",
    "sampling",
    "sedation",
    "serology",
    "seropositivity",
    "serum",
    "sham",
    "soc",
    "standard",
    "stem",
    "strategy",
    "study",
    "supportive",
    "surgery",
    "swab",
    "swabs",
    "symptomatic",
    "test",
    "testing",
    "therapies",
    "therapy",
    "training",
    "transfer",
    "transfusion",
    "treatment",
    "treatments",
    "usual",
    "water",
    "withdrawal",
];

/// Words beside a name: forms, routes, salts' companions, times.
const BESIDE: &[&str] = &[
    "active",
    "adjunctive",
    "aerosol",
    "aerosolized",
    "arms",
    "bid",
    "capsule",
    "capsules",
    "chewable",
    "combined",
    "continuous",
    "cream",
    "daily",
    "day",
    "days",
    "delayed",
    "doses",
    "drops",
    "each",
    "early",
    "extended",
    "film",
    "first",
    "for",
    "formulation",
    "g",
    "gel",
    "h",
    "high",
    "hour",
    "hours",
    "im",
    "infusion",
    "inhalation",
    "inhaled",
    "intramuscular",
    "intranasal",
    "intravenous",
    "intravenously",
    "iu",
    "iv",
    "kg",
    "level",
    "liquid",
    "loading",
    "low",
    "mcg",
    "mg",
    "ml",
    "nasal",
    "nebulized",
    "of",
    "ointment",
    "once",
    "oral",
    "orally",
    "per",
    "phase",
    "pill",
    "pills",
    "powder",
    "product",
    "prophylactic",
    "qd",
    "release",
    "sc",
    "solution",
    "spray",
    "subcutaneous",
    "suspension",
    "tablet",
    "tablets",
    "the",
    "topical",
    "twice",
    "ug",
    "vial",
    "week",
];

/// More words are a sentence.
const MOST_WORDS: usize = 3;

/// Longer names are sentences or no words at all.
const LONGEST: usize = 80;

/// The name of a drug in an intervention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterventionName {
    /// As the trial writes it, without dose and form.
    pub name: String,
    pub key: String,
    /// Whether a stem or a company's code says that it is a drug.
    pub is_sure: bool,
}

/// The name of the drug that a trial gives, without doses, forms and brackets; `None` if it is no drug or several. The type
/// is unknown in some exports: then a stem or a code must say that it is a drug.
pub fn intervention_name(intervention_type: Option<&str>, name: &str) -> Option<InterventionName> {
    let is_drug_type = match intervention_type {
        None => false,
        Some(found) if DRUG_TYPES.contains(&found) => true,
        Some(_) => return None,
    };
    let name = without_brackets(name);
    if name.len() > LONGEST || is_several(&name) {
        return None;
    }
    let mut kept: Vec<&str> = Vec::new();
    for part in name.split_whitespace() {
        let part = part.trim_matches(|letter: char| !letter.is_alphanumeric());
        let folded = form(part);
        if part.is_empty() || is_dose(part) || BESIDE.contains(&folded.as_str()) {
            continue;
        }
        if folded.split(' ').any(|word| NO_DRUG.contains(&word)) {
            return None;
        }
        kept.push(part);
    }
    let cleaned = kept.join(" ");
    let words = folded_words(&cleaned);
    if kept.is_empty() || kept.len() > MOST_WORDS || words.iter().all(|word| word.folded.len() < 2) {
        return None;
    }
    let code = code_of(&cleaned);
    let is_sure = code.is_some() || words.iter().any(|word| inn_stem(&word.folded).is_some());
    if !is_drug_type && !is_sure {
        return None;
    }
    let key = code.unwrap_or_else(|| form(&cleaned));
    (!key.is_empty()).then_some(InterventionName {
        name: cleaned,
        key,
        is_sure,
    })
}

/// A text without its brackets and what they hold, and without signs of trademarks.
fn without_brackets(text: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '®' | '™' | '©' => {}
            _ if depth == 0 => kept.push(letter),
            _ => {}
        }
    }
    kept
}

/// Whether a name joins several interventions.
fn is_several(name: &str) -> bool {
    let signs = ['+', '/', ',', ';', ':', '|', '&'];
    let words = ["and", "or", "plus", "with", "versus", "vs", "to", "in", "without"];
    name.contains(signs)
        || name
            .split_whitespace()
            .any(|word| words.contains(&form(word).as_str()))
}

/// Whether a part of a name is a number, with a unit or without.
fn is_dose(part: &str) -> bool {
    part.starts_with(|letter: char| letter.is_ascii_digit())
        && part.chars().filter(|letter| letter.is_alphabetic()).count() <= 3
}
