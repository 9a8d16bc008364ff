//! Substances: which names have the same one, and which differences do not matter.

use drugs_rs::text::{is_salt, substance, without_salts};
use proptest::prelude::*;

#[test]
fn names_of_one_substance_are_one() {
    let cases: [(&str, &[&str]); 24] = [
        (
            "insulin",
            &[
                "insulin",
                "insulin (human)",
                "Insulin (beef)",
                "INSULIN  (pork)",
                "insulin [human]",
            ],
        ),
        (
            "metformin",
            &[
                "metformin",
                "metformin hydrochloride",
                "Metformin-Hydrochloride",
                "METFORMIN HCl",
            ],
        ),
        (
            "amlodipine",
            &["amlodipine besilate", "amlodipine besylate monohydrate"],
        ),
        (
            "orphenadrine",
            &[
                "orphenadrine (citrate)",
                "orphenadrine (chloride)",
                "orphenadrine citrate",
            ],
        ),
        // The rest is no substance.
        ("sodium chloride", &["sodium chloride", "Sodium Chloride"]),
        ("calcium carbonate", &["calcium carbonate"]),
        ("ferrous sulfate", &["ferrous sulfate"]),
        ("benzyl benzoate", &["benzyl benzoate"]),
        ("zinc sulfate", &["zinc sulfate"]),
        // An isotope is another substance, and so is a name with other brackets inside a word.
        ("ammonia (13n)", &["ammonia (13N)"]),
        (
            "technetium (99mtc) exametazime",
            &["technetium (99mTc) exametazime"],
        ),
        (
            "amino(diphenylhydantoin) valeric acid",
            &["amino(diphenylhydantoin) valeric acid"],
        ),
        ("2 (4 chlorphenoxy) ethanol", &["2-(4-chlorphenoxy)-ethanol"]),
        // A combination is a substance of its own, in any order and with any sign.
        (
            "lopinavir and ritonavir",
            &[
                "lopinavir and ritonavir",
                "Ritonavir and Lopinavir",
                "lopinavir/ritonavir",
                "ritonavir / lopinavir",
                "lopinavir + ritonavir",
                "LOPINAVIR AND RITONAVIR",
            ],
        ),
        (
            "dolutegravir and lamivudine and tenofovir",
            &[
                "lamivudine, tenofovir disoproxil and dolutegravir",
                "dolutegravir, lamivudine, and tenofovir",
            ],
        ),
        ("insulin", &["insulin (human) and insulin (beef)"]),
        (
            "ascorbic acid and calcium",
            &["ascorbic acid (vit C) and calcium"],
        ),
        (
            "levothyroxine and liothyronine",
            &["combinations of levothyroxine and liothyronine"],
        ),
        ("dantron", &["dantron, incl. combinations"]),
        // Combinations that do not name all of their parts stay as they are.
        (
            "paracetamol, combinations excl. psycholeptics",
            &["paracetamol, combinations excl. psycholeptics"],
        ),
        (
            "calcium (different salts in combination)",
            &["calcium (different salts in combination)"],
        ),
        // Short pieces are no parts.
        ("insulin aspart 30/70", &["insulin aspart 30/70"]),
        // Several names of one code.
        ("insulin", &["insulin (human) | insulin (beef)"]),
        (
            "codeine | morphine",
            &["MORPHINE | CODEINE", "codeine phosphate | morphine | codeine"],
        ),
    ];
    for (wanted, names) in cases {
        for name in names {
            assert_eq!(substance(name), wanted, "{name}");
        }
    }
}

#[test]
fn a_name_of_signs_alone_keeps_them() {
    for name in ["-", "()", "(human)", " | ", "and", "…"] {
        assert!(!substance(name).trim().is_empty(), "{name:?}");
    }
}

#[test]
fn brackets_without_an_end_cost_no_more_than_others() {
    let name = "a (".repeat(200_000);
    assert!(substance(&name).starts_with("a (a"));
    let name = "a (b) ".repeat(200_000);
    assert!(substance(&name).starts_with("a a"));
}

fn letters() -> impl Strategy<Value = String> {
    "[b-df-hj-np-tv-z]{2}[aeiou][b-df-hj-np-tv-z]{2}[a-z]{0,4}".prop_filter("a name", |word| {
        !is_salt(word) && word != "benzyl" && word != "barium" && !word.contains("combination")
    })
}

proptest! {
    #[test]
    fn order_sign_case_salt_and_qualifier_do_not_matter(
        mut parts in prop::collection::vec((letters(), any::<bool>(), any::<bool>()), 1..5),
        turn in 0_usize..5,
        sign in prop::sample::select(vec![" and ", "/", " / ", " + ", "; "]),
    ) {
        let plain: Vec<&str> = parts.iter().map(|(name, ..)| name.as_str()).collect();
        let wanted = substance(&plain.join(" and "));
        prop_assert_eq!(substance(&wanted), wanted.clone(), "a substance is its own");
        let turn = turn % parts.len();
        parts.rotate_left(turn);
        let written: Vec<String> = parts
            .iter()
            .map(|(name, salt, qualifier)| {
                let salt = if *salt { " hydrochloride" } else { "" };
                let qualifier = if *qualifier { " (human)" } else { "" };
                format!("{}{salt}{qualifier}", name.to_uppercase())
            })
            .collect();
        prop_assert_eq!(substance(&written.join(sign)), wanted);
    }

    #[test]
    fn any_name_has_a_substance(name in "\\PC{1,40}") {
        let found = substance(&name);
        prop_assert!(name.trim().is_empty() || !found.is_empty());
        prop_assert!(without_salts(&found).is_none_or(|rest| found.starts_with(rest)));
    }
}
