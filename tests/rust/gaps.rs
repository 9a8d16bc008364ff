//! The rules that find names which are probably drugs, as tables: what each takes and what it leaves.

use drugs_rs::choice::Choice as _;
use drugs_rs::gaps::codes::{code_of, company_codes};
use drugs_rs::gaps::context::treatment_names;
use drugs_rs::gaps::interventions::intervention_name;
use drugs_rs::gaps::names::stem_names;
use drugs_rs::gaps::stems::{all_stems, inn_stem, is_derivative};
use drugs_rs::gaps::substances::substance_name;
use drugs_rs::gaps::{GapConfidence, GapRule, NamePlace, folded_words};
use proptest::prelude::*;

const ORDINARY: &str = include_str!("../../src/gaps/ordinary_words.tsv");

fn is_known(name: &str) -> bool {
    ["propranolol", "paracetamol", "testosterone"].contains(&name)
}

fn keys(places: &[NamePlace]) -> Vec<&str> {
    places.iter().map(|place| place.key.as_str()).collect()
}

#[test]
fn words_have_the_stem_that_is_longest() {
    for (word, stem) in [
        ("tolebrutinib", Some("-tinib")),
        ("palbociclib", Some("-ciclib")),
        ("tovorafenib", Some("-rafenib")),
        ("camrelizumab", Some("-mab")),
        ("relatlimab", Some("-mab")),
        ("molnupiravir", Some("-vir")),
        ("dolutegravir", Some("-tegravir")),
        ("clonidine", None),
        ("cefalexin", Some("cef-")),
        ("cephalothin", Some("ceph-")),
        ("cephalic", None),
        ("cephalosporin", None),
        ("gadoquatrane", Some("gado-")),
        ("gadolinium", None),
        ("iohexol", Some("io-")),
        ("iodine", None),
        ("ionization", None),
        ("pegulicianine", Some("peg-")),
        ("gliclazide", Some("gli-")),
        ("glioma", None),
        ("vincristine", Some("vin-")),
        ("peptide", None),
        ("cholesterol", None),
        ("salmeterol", Some("-terol")),
        ("april", None),
        ("ramipril", Some("-pril")),
        ("concept", None),
        ("etanercept", Some("-cept")),
        ("immunoglobulin", None),
        ("eribulin", Some("-bulin")),
        ("cryostat", None),
        ("entinostat", Some("-inostat")),
        ("tinib", None),
        ("mab", None),
        ("", None),
        ("ééémab", Some("-mab")),
    ] {
        assert_eq!(inn_stem(word).map(|stem| stem.stem), stem, "{word}");
    }
}

#[test]
fn the_lists_are_in_form() {
    let mut stems: Vec<&str> = all_stems().iter().map(|stem| stem.stem).collect();
    assert!(stems.len() > 300, "{}", stems.len());
    for stem in all_stems() {
        assert!(
            stem.stem.starts_with('-') != stem.stem.ends_with('-'),
            "{}",
            stem.stem
        );
        assert!(!stem.meaning.is_empty(), "{}", stem.stem);
    }
    stems.sort_unstable();
    stems.dedup();
    assert_eq!(stems.len(), all_stems().len(), "no stem twice");
    for line in ORDINARY.lines().filter(|line| !line.starts_with('#')) {
        let (word, reason) = line.split_once('\t').unwrap();
        assert!(!reason.is_empty(), "{word}");
        // An exception that no stem needs says nothing.
        if let Some(end) = word.strip_prefix('-') {
            let needed = all_stems().iter().filter_map(|stem| stem.stem.strip_prefix('-'));
            assert!(needed.into_iter().any(|stem| end.ends_with(stem)), "{word}");
        }
    }
}

#[test]
fn a_prefix_makes_no_other_drug_of_a_known_one() {
    for (word, derivative) in [
        ("hydroxypropranolol", true),
        ("antipropranolol", true),
        ("deoxyhydroxytestosterone", true),
        ("propranolol", false),
        ("hydroxyzine", false),
        ("nortriptyline", false),
    ] {
        assert_eq!(is_derivative(word, &is_known), derivative, "{word}");
    }
}

#[test]
fn names_of_two_words_are_one() {
    for (text, expected) in [
        ("Ifinatamab deruxtecan", &["ifinatamab deruxtecan"][..]),
        ("enfortumab vedotin-ejfv", &["enfortumab vedotin"]),
        ("lovotibeglogene autotemcel", &["lovotibeglogene autotemcel"]),
        ("nogapendekin alfa", &["nogapendekin alfa"]),
        ("interferon alfa", &[]),
        ("Sasanlimab, deruxtecan", &["sasanlimab", "deruxtecan"]),
        ("the gene autotemcel", &["autotemcel"]),
        ("amoxycillin tinidazole", &["amoxycillin", "tinidazole"]),
        ("propranolol", &[]),
        ("GlitazOne and COVidIVERmectin", &[]),
        ("TOLEBRUTINIB", &["tolebrutinib"]),
    ] {
        assert_eq!(keys(&stem_names(text, &is_known)), expected, "{text}");
    }
}

#[test]
fn codes_have_one_key_however_they_are_written() {
    for text in ["MK-3475", "MK 3475", "MK3475", " MK-3475 "] {
        assert_eq!(code_of(text).as_deref(), Some("mk3475"), "{text}");
    }
    for (text, expected) in [
        ("(BMS-986165) and ABT-737", &["bms986165", "abt737"][..]),
        ("Ro 10-9359; Bay 43-9006", &["ro109359", "bay439006"]),
        ("L-365,260 and L-929", &["l365260"]),
        ("C9333-Go/CGP 4540", &["cgp4540"]),
        ("S-6436, S 6436", &["s6436"]),
        ("MK-3475, 2020", &["mk3475"]),
        ("strain LY-13845 MK-1234 cells", &[]),
        ("MK-12345 AZD148 AZD14800", &[]),
        ("CS 2001 SC-35 HT-29 NCT04280705", &[]),
        ("mk-3475 Mk-3475x 3MK-3475 MK-3475%", &[]),
    ] {
        assert_eq!(keys(&company_codes(text)), expected, "{text}");
    }
    assert_eq!(code_of("MK-3475 and more"), None);
}

#[test]
fn contexts_say_that_patients_are_treated() {
    for (text, expected) in [
        (
            "Efficacy and safety of pridopidine in adults",
            &["pridopidine"][..],
        ),
        ("Pharmacokinetics of oral pridopidine.", &["pridopidine"]),
        ("Pridopidine vs. placebo", &["pridopidine"]),
        (
            "norucholic acid for the treatment of cholangitis",
            &["norucholic acid"],
        ),
        ("Pridopidine, a potent sigma-1 agonist", &["pridopidine"]),
        ("Use of pridopidine receptors", &[]),
        ("Efficacy of pridopidine 1 receptor antagonists", &[]),
        ("Efficacy of pridopidine (ten days)", &["pridopidine"]),
        ("Fatty acid treatment", &[]),
        ("methyl-pridopidine treatment", &[]),
        ("the routine treatment", &[]),
        ("Efficacy of paracetamol", &[]),
        ("Efficacy of tolebrutinib", &[]),
    ] {
        assert_eq!(keys(&treatment_names(text, &is_known)), expected, "{text}");
    }
}

#[test]
fn interventions_lose_doses_and_forms() {
    for (kind, name, expected) in [
        (
            Some("DRUG"),
            "Bexotegrast 80 mg Oral Tablet (once daily)",
            Some(("Bexotegrast", false)),
        ),
        (Some("BIOLOGICAL"), "Sasanlimab SC", Some(("Sasanlimab", true))),
        (Some("DRUG"), "MK-3475®", Some(("MK-3475", true))),
        (Some("DRUG"), "Placebo to Ramipril", None),
        (Some("DRUG"), "standard of care", None),
        (Some("DRUG"), "A and B", None),
        (Some("PROCEDURE"), "Tolebrutinib", None),
        (None, "Tolebrutinib", Some(("Tolebrutinib", true))),
        (None, "Yoga", None),
        (Some("DRUG"), "", None),
    ] {
        let found = intervention_name(kind, name);
        let found = found.as_ref().map(|found| (found.name.as_str(), found.is_sure));
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn substances_without_a_number_are_classes() {
    for (name, number, expected) in [
        ("Indomethacin", Some("XXE1CET956"), Some(true)),
        ("Nitroglycerin", Some("G59M7S0WS3"), Some(false)),
        ("clometacillin", None, Some(true)),
        ("Penicillins", Some("0"), None),
        ("Amino Acids", None, None),
        ("Renin", Some("EC 3.4.23.15"), None),
        ("Antibodies, Viral", Some("X"), None),
        ("Calcium", Some("SY7Q814VUP"), None),
        ("Serum Proteins", Some("X"), None),
        ("Paracetamol", Some("362O9ITL9D"), None),
        ("6-hydroxypropranolol", Some("X"), Some(false)),
    ] {
        let found = substance_name(name, number, &is_known).map(|found| found.has_stem);
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn rules_and_confidences_have_names() {
    for rule in GapRule::CHOICES {
        assert_eq!(rule.choice_name().parse::<GapRule>().ok(), Some(*rule));
        assert!(!rule.meaning().is_empty());
    }
    for (number, confidence) in GapConfidence::CHOICES.iter().enumerate() {
        assert_eq!(*confidence as usize, number, "the surest is the first");
        assert!(!confidence.meaning().is_empty());
    }
}

proptest! {
    /// Every place is a part of the text, in order, and no input is a panic.
    #[test]
    fn places_are_parts_of_the_text(text in "([a-zA-Zéß0-9 ,()-]|mab|MK-3475|of | acid|tinib|\\PC){0,60}") {
        for places in [stem_names(&text, &is_known), company_codes(&text), treatment_names(&text, &is_known)] {
            for place in &places {
                prop_assert!(text.get(place.start..place.end).is_some_and(|part| !part.is_empty()));
                prop_assert!(!place.key.is_empty());
            }
            prop_assert!(places.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }
        for word in folded_words(&text) {
            prop_assert!(text.get(word.start..word.end).is_some());
        }
        let _ = intervention_name(Some("DRUG"), &text);
        let _ = substance_name(&text, None, &is_known);
    }
}
