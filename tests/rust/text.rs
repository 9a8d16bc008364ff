//! Cleaning, folding of journals: tables and properties.

use std::path::Path;

use drugs_rs::schema::Flag;
use drugs_rs::text::{clean, journal_key};
use proptest::prelude::*;

#[path = "../../fuzz/checks/text.rs"]
pub mod checks;

fn cleaned(text: &str) -> (String, Vec<&'static str>) {
    let cleaned = clean(text);
    (
        cleaned.text.into_owned(),
        cleaned.flags.iter().map(Flag::name).collect(),
    )
}

#[test]
fn texts_come_out_clean() {
    let cases: [(&str, &str, &[&str]); 30] = [
        ("plain", "plain", &[]),
        ("", "", &[]),
        ("  a \t\n b  ", "a b", &[]),
        ("a\u{a0}\u{2003}b", "a b", &[]),
        ("e\u{301}tude", "étude", &[]),
        // A title of only these was kept; between letters they stay.
        ("\u{200b}", "", &[]),
        (" \u{feff}<i>\u{200e}</i> \u{ad}\u{1}", "", &["markup_removed"]),
        ("\u{200f}a\u{200b}b", "\u{200f}a\u{200b}b", &[]),
        (r"Gen\xc3\xa8ve", "Genève", &["decoded_escapes"]),
        (r"Gen\\xc3\\xa8ve", "Genève", &["decoded_escapes"]),
        (
            r"or \xc3\xb1 Laminectomy",
            "or ñ Laminectomy",
            &["decoded_escapes"],
        ),
        (r"nursing\xc3\x28", "nursing", &["removed_escapes"]),
        (
            r"warfarin\xc3\x28 metformin",
            "warfarin metformin",
            &["removed_escapes"],
        ),
        (r"\xc3\x28 b", "b", &["removed_escapes"]),
        (r"a \xc3\x28 b", "a b", &["removed_escapes"]),
        (r"\xC3\xA9t\xC3\xA9", "été", &["decoded_escapes"]),
        (r"\x5cx41", "A", &["decoded_escapes"]),
        (r"a\x00b", "ab", &["removed_escapes"]),
        (r"\x", r"\x", &[]),
        (r"\xg1 \x4", r"\xg1 \x4", &[]),
        ("H<sub>2</sub>O", "H2O", &["markup_removed"]),
        // Two words became one, and drugs in them were not found.
        (
            "aspirin<br/>ethanol<BR >x",
            "aspirin ethanol x",
            &["markup_removed"],
        ),
        (
            "<p>aspirin</p><p a=\"1\">ethanol</p>",
            "aspirin ethanol",
            &["markup_removed"],
        ),
        (
            "<i>In vitro</i> <mml:math xmlns:mml=\"x\"><mml:mi>β</mml:mi></mml:math>",
            "In vitro β",
            &["markup_removed"],
        ),
        ("p < 0.05 and q > 3", "p < 0.05 and q > 3", &[]),
        ("x <b and c> y", "x <b and c> y", &[]),
        ("a <unknown> b", "a <unknown> b", &[]),
        ("<<i>i>x", "x", &["markup_removed"]),
        // White space that cleaning turns into a blank separates the name of a tag from its attributes.
        ("x <i\u{b}a=\"1\">y", "x y", &["markup_removed"]),
        ("x <i\u{a0}a=\"1\">y", "x y", &["markup_removed"]),
    ];
    for (text, expected, flags) in cases {
        assert_eq!(cleaned(text), (expected.to_owned(), flags.to_vec()), "{text:?}");
    }
}

#[test]
fn escapes_nested_without_end_cost_no_more_than_their_length() {
    // An escape that decodes to the beginning of the next one, thousands deep, once took a pass over the text for each
    // level.
    let text = format!(r"\x5c{}x41", "x5c".repeat(200_000));
    let started = std::time::Instant::now();
    let once = clean(&text).text.into_owned();
    assert!(started.elapsed().as_secs() < 20, "not quadratic");
    assert_eq!(clean(&once).text, once);
}

#[test]
fn spellings_of_a_journal_meet() {
    let same = [
        [
            "The Journal of Maternal-Fetal & Neonatal Medicine",
            "the journal of maternal-fetal and neonatal medicine",
        ],
        [
            "Hôpitaux Universitaires de Genève",
            "HOPITAUX UNIVERSITAIRES DE GENEVE",
        ],
        ["J. Photochem. Photobiol., B", "J Photochem Photobiol B"],
        ["Alzheimer’s & Dementia", "Alzheimers and dementia"],
        ["Straßenverkehr heute", "STRASSENVERKEHR HEUTE"],
        ["Ιατρικός λόγος", "ΙΑΤΡΙΚΟΣ ΛΟΓΟΣ"],
        [
            "The journal of allergy and clinical immunology. In practice",
            "The Journal of Allergy and Clinical Immunology: In Practice",
        ],
    ];
    for [left, right] in same {
        assert_eq!(journal_key(left), journal_key(right));
    }
    assert_ne!(journal_key("Pain"), journal_key("Pain Medicine"));
    assert_eq!(journal_key("???"), "???", "a name of signs alone still has a key");
}

#[test]
fn every_letter_folds_to_letters_that_fold_to_themselves() {
    ('\0'..=char::MAX).for_each(checks::check_folding);
}

#[test]
fn the_seeds_of_the_fuzz_target_hold() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/text");
    for seed in std::fs::read_dir(seeds).unwrap() {
        let bytes = std::fs::read(seed.unwrap().path()).unwrap();
        checks::check(&String::from_utf8_lossy(&bytes));
    }
}

/// Text that probably contains something to clean.
fn dirty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,6}",
        "[ \\t\\n\u{a0}]{0,3}",
        r"(\\{1,2}x[0-9a-fA-F]{2}){1,4}",
        "</?(i|sub|mml:mi|b|zz)( a=\"1\")?/?>",
        "[\u{300}-\u{310}]",
        r"[\\x<>/i5c4]{0,8}",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn cleaning_a_clean_text_changes_nothing(text in dirty()) {
        let once = clean(&text).text.into_owned();
        let twice = clean(&once);
        prop_assert_eq!(&*twice.text, &once);
        prop_assert_eq!(twice.flags.iter().count(), 0);
        prop_assert!(!once.contains("  ") && once.trim() == once);
    }

    #[test]
    fn a_journal_with_a_name_has_a_key(name in dirty()) {
        let name = clean(&name).text.into_owned();
        prop_assert_eq!(journal_key(&name).is_empty(), name.is_empty());
    }
}
