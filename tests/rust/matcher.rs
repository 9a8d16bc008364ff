//! The matcher: cases with a reason each, run through the fast and the slow one. `oracle` compares the two on generated
//! texts, `size` tests long and large inputs, `options` the list of options.

use drugs_rs::matcher::{
    Accents, Boundary, CodePoints, Matcher, MatcherSettings, StopWords, VocabularyEntry, naive,
};
use drugs_rs::schema::Rule;

mod options;
mod oracle;
mod size;

fn entries(names: &[&str]) -> Vec<VocabularyEntry> {
    names
        .iter()
        .enumerate()
        .map(|(number, name)| VocabularyEntry::new(format!("C{number:03}"), *name, []))
        .collect()
}

fn everything() -> MatcherSettings {
    MatcherSettings {
        stop_words: StopWords::none(),
        ..MatcherSettings::default()
    }
}

/// `(start, end, code, rule)` of both matchers, which must agree.
fn find(
    entries: &[VocabularyEntry],
    settings: &MatcherSettings,
    text: &str,
) -> Vec<(usize, usize, String, Rule)> {
    let matcher = Matcher::new(entries, settings).unwrap();
    let fast: Vec<_> = matcher
        .find(text)
        .iter()
        .map(|mention| {
            (
                mention.start,
                mention.end,
                mention.atccode().to_owned(),
                mention.rule,
            )
        })
        .collect();
    let slow: Vec<_> = naive::find(entries, settings, text)
        .unwrap()
        .into_iter()
        .map(|(entry, start, end, rule)| (start, end, entries[entry].atccode.clone(), rule))
        .collect();
    assert_eq!(fast, slow, "fast and slow differ on {text:?}");
    fast
}

fn surfaces<'t>(names: &[&str], text: &'t str) -> Vec<&'t str> {
    find(&entries(names), &everything(), text)
        .into_iter()
        .map(|(start, end, ..)| &text[start..end])
        .collect()
}

#[test]
fn combinations_are_found_in_any_order_and_with_any_joint() {
    let names: &[&str] = &[
        "glecaprevir and pibrentasvir",
        "valsartan",
        "valsartan and sacubitril",
        "sulfamethoxazole",
        "sulfamethoxazole and trimethoprim",
        "trimethoprim",
        "lamivudine, abacavir and dolutegravir",
        "vitamin b1 and b6",
        "amoxicillin and beta-lactamase inhibitor",
        "quinupristin/dalfopristin",
        "alpha one, beta two, gamma three and delta four",
        "lopinavir kit",
        "ritonavir and lopinavir",
    ];
    let cases: [(&str, &str, &[&str]); 35] = [
        (
            "a slash",
            "Glecaprevir/pibrentasvir for hepatitis C",
            &["Glecaprevir/pibrentasvir"],
        ),
        (
            "blanks around it",
            "glecaprevir / pibrentasvir",
            &["glecaprevir / pibrentasvir"],
        ),
        (
            "a blank on one side",
            "glecaprevir/ pibrentasvir",
            &["glecaprevir/ pibrentasvir"],
        ),
        (
            "a dash",
            "glecaprevir–pibrentasvir",
            &["glecaprevir–pibrentasvir"],
        ),
        (
            "a dash with blanks",
            "glecaprevir - pibrentasvir",
            &["glecaprevir - pibrentasvir"],
        ),
        (
            "a plus",
            "glecaprevir+pibrentasvir",
            &["glecaprevir+pibrentasvir"],
        ),
        (
            "a plus with blanks",
            "glecaprevir + pibrentasvir",
            &["glecaprevir + pibrentasvir"],
        ),
        (
            "the other order",
            "pibrentasvir and glecaprevir",
            &["pibrentasvir and glecaprevir"],
        ),
        ("both", "PIBRENTASVIR/GLECAPREVIR", &["PIBRENTASVIR/GLECAPREVIR"]),
        ("not with another sign", "glecaprevir; pibrentasvir", &[]),
        ("not with two", "glecaprevir//pibrentasvir", &[]),
        ("not a part alone", "glecaprevir", &[]),
        ("not inside a word", "glecaprevir/pibrentasvirs", &[]),
        (
            "the parts stay",
            "Sacubitril/valsartan",
            &["Sacubitril/valsartan", "valsartan"],
        ),
        (
            "on either side",
            "valsartan/sacubitril",
            &["valsartan/sacubitril", "valsartan"],
        ),
        (
            "a name as it is written hides its parts",
            "sulfamethoxazole and trimethoprim",
            &["sulfamethoxazole and trimethoprim"],
        ),
        (
            "another spelling does not",
            "trimethoprim-sulfamethoxazole, trimethoprim",
            &[
                "trimethoprim-sulfamethoxazole",
                "trimethoprim",
                "sulfamethoxazole",
                "trimethoprim",
            ],
        ),
        (
            "three parts",
            "abacavir/dolutegravir/lamivudine",
            &["abacavir/dolutegravir/lamivudine"],
        ),
        (
            "with commas",
            "dolutegravir, abacavir and lamivudine",
            &["dolutegravir, abacavir and lamivudine"],
        ),
        (
            "and one before the last",
            "dolutegravir, abacavir, and lamivudine",
            &["dolutegravir, abacavir, and lamivudine"],
        ),
        (
            "a list without an end is no combination",
            "dolutegravir, abacavir, lamivudine",
            &[],
        ),
        ("nor are two of three", "dolutegravir/abacavir", &[]),
        (
            "nor joints of two kinds",
            "dolutegravir/abacavir + lamivudine",
            &[],
        ),
        ("short parts are no substances", "b6 and vitamin b1", &[]),
        (
            "a slash in the name",
            "dalfopristin and quinupristin",
            &["dalfopristin and quinupristin"],
        ),
        (
            "four parts backwards",
            "delta four/gamma three/beta two/alpha one",
            &["delta four/gamma three/beta two/alpha one"],
        ),
        (
            "but not in any order",
            "beta two/alpha one/gamma three/delta four",
            &[],
        ),
        (
            "a name that crosses goes before",
            "ritonavir/lopinavir kit",
            &["lopinavir kit"],
        ),
        (
            "and then what follows is found",
            "ritonavir-lopinavir-ritonavir",
            &["ritonavir-lopinavir"],
        ),
        (
            "a longer list is another product",
            "sacubitril/valsartan/amlodipine",
            &["valsartan"],
        ),
        (
            "on either side",
            "amlodipine / sacubitril / valsartan",
            &["valsartan"],
        ),
        (
            "another sign adds to the product",
            "sacubitril/valsartan + amlodipine",
            &["sacubitril/valsartan", "valsartan"],
        ),
        (
            "a strength does not go on",
            "sacubitril/valsartan 97/103 mg",
            &["sacubitril/valsartan", "valsartan"],
        ),
        (
            "what they bind to is no product",
            "Sacubitril and valsartan receptors",
            &["valsartan"],
        ),
        (
            "drugs that the vocabulary does not combine",
            "valsartan and trimethoprim",
            &["valsartan", "trimethoprim"],
        ),
    ];
    for (reason, text, wanted) in cases {
        assert_eq!(surfaces(names, text), wanted, "{reason}: {text}");
    }
    let rules: Vec<Rule> = find(
        &entries(names),
        &everything(),
        "Sacubitril/valsartan and trimethoprim/sulfamethoxazole",
    )
    .into_iter()
    .map(|found| found.3)
    .collect();
    assert_eq!(
        rules,
        [
            Rule::Combination,
            Rule::Name,
            Rule::Combination,
            Rule::Name,
            Rule::Name
        ]
    );
    let matcher = Matcher::new(&entries(names), &MatcherSettings::default()).unwrap();
    assert_eq!(matcher.len(), names.len(), "spellings are no names");
    let inhibitor = "beta-lactamase inhibitor/amoxicillin";
    assert!(matcher.find(inhibitor).is_empty(), "a class is no part");
    let explained = |text: &str, drug: &str| matcher.explain(text, drug).unwrap();
    assert!(explained(inhibitor, names[8]).contains("the stop words leave out one of its parts"));
    assert!(explained("sacubitril/valsartan", names[2]).contains("its parts occur there"));
    assert!(explained("ritonavir/lopinavir kit", names[12]).contains("is part of `lopinavir kit`"));
}

#[test]
fn whole_words_and_nothing_else() {
    let cases: [(&str, &[&str], &str, &[&str]); 41] = [
        (
            "case does not matter",
            &["EPINEPHRINE"],
            "Epinephrine",
            &["Epinephrine"],
        ),
        (
            "a name inside a word is another word",
            &["epinephrine"],
            "norepinephrine",
            &[],
        ),
        ("nor with letters behind it", &["ethanol"], "ethanolic", &[]),
        ("a digit is part of a word", &["ethanol"], "ethanol1", &[]),
        (
            "a dash bounds",
            &["metformin"],
            "metformin-treated",
            &["metformin"],
        ),
        (
            "brackets bound",
            &["paracetamol"],
            "(paracetamol)",
            &["paracetamol"],
        ),
        (
            "a slash bounds",
            &["amlodipine", "benazepril"],
            "amlodipine/benazepril",
            &["amlodipine", "benazepril"],
        ),
        (
            "a possessive bounds",
            &["pembrolizumab"],
            "pembrolizumab's",
            &["pembrolizumab"],
        ),
        (
            "so does a curly one",
            &["pembrolizumab"],
            "pembrolizumab’s",
            &["pembrolizumab"],
        ),
        (
            "an underscore is no letter",
            &["ethanol"],
            "_ethanol_",
            &["ethanol"],
        ),
        (
            "two words over one blank",
            &["tranexamic acid"],
            "tranexamic acid",
            &["tranexamic acid"],
        ),
        (
            "over a dash",
            &["tranexamic acid"],
            "tranexamic-acid",
            &["tranexamic-acid"],
        ),
        (
            "over a run of both",
            &["tranexamic acid"],
            "tranexamic \u{2013}\n acid",
            &["tranexamic \u{2013}\n acid"],
        ),
        (
            "but not over nothing",
            &["tranexamic acid"],
            "tranexamicacid",
            &[],
        ),
        ("nor over a comma", &["tranexamic acid"], "tranexamic, acid", &[]),
        (
            "a dash in the name bridges a blank",
            &["co-trimoxazole"],
            "co trimoxazole",
            &["co trimoxazole"],
        ),
        (
            "the longest wins",
            &["insulin", "insulin glargine"],
            "insulin glargine",
            &["insulin glargine"],
        ),
        (
            "and the shorter where the longer ends",
            &["insulin", "insulin glargine"],
            "insulin glar",
            &["insulin"],
        ),
        (
            "a prefix longer than the match is given back",
            &["a b", "a b c d"],
            "a b c e",
            &["a b"],
        ),
        (
            "leftmost first, without overlap",
            &["a b", "b c d"],
            "a b c d",
            &["a b"],
        ),
        (
            "what overlaps is free behind the match",
            &["a b", "b"],
            "a b b",
            &["a b", "b"],
        ),
        (
            "Greek letters are their names",
            &["alpha-tocopherol"],
            "α-tocopherol",
            &["α-tocopherol"],
        ),
        (
            "and the names are the letters",
            &["β-carotene"],
            "beta carotene",
            &["beta carotene"],
        ),
        (
            "also inside a word",
            &["interferongamma"],
            "interferonγ",
            &["interferonγ"],
        ),
        ("accents fold", &["lévodopa"], "levodopa", &["levodopa"]),
        ("also those of the text", &["levodopa"], "LÉVODOPA", &["LÉVODOPA"]),
        (
            "also decomposed ones",
            &["levodopa"],
            "le\u{301}vodopa!",
            &["le\u{301}vodopa"],
        ),
        (
            "a mark at the end belongs to the mention",
            &["cafe"],
            "cafe\u{301} x",
            &["cafe\u{301}"],
        ),
        (
            "wide letters are letters",
            &["aspirin"],
            "ａｓｐｉｒｉｎ",
            &["ａｓｐｉｒｉｎ"],
        ),
        (
            "ligatures are their letters",
            &["fingolimod"],
            "\u{fb01}ngolimod",
            &["\u{fb01}ngolimod"],
        ),
        ("sharp s is two", &["strasse"], "Straße", &["Straße"]),
        (
            "a dotted capital is a letter with an accent",
            &["istanbul"],
            "İSTANBUL",
            &["İSTANBUL"],
        ),
        (
            "subscripts are digits",
            &["vitamin b12"],
            "vitamin B₁₂",
            &["vitamin B₁₂"],
        ),
        (
            "signs of a name are literal",
            &["c++ (drug"],
            "a c++ (drug) b",
            &["c++ (drug"],
        ),
        ("so is a bar", &["a|b"], "a b a|b", &["a|b"]),
        ("and a dot and a star", &[".*"], "x .* y", &[".*"]),
        ("a name of signs is bounded too", &[".*"], "x.* .*y", &[]),
        (
            "a longer name may begin with the plural of a name",
            &["insulin", "insulins (pooled)"],
            "insulins (pooled), insulins (",
            &["insulins (pooled)", "insulins"],
        ),
        (
            "a plural counts the letters that it folds to",
            &["sβ"],
            "sβs, sbetas",
            &["sβs", "sbetas"],
        ),
        (
            "a letter with an apostrophe in it is its letter",
            &["ŉab"],
            "ŉab nab",
            &["ŉab", "nab"],
        ),
        ("digits and a dash", &["5-FU"], "5-fu, 15-FU, 5-FUs", &["5-fu"]),
    ];
    for (reason, names, text, expected) in cases {
        assert_eq!(surfaces(names, text), expected, "{reason}: {names:?} in {text:?}");
    }
}

#[test]
fn a_name_of_several_codes_is_found_for_each() {
    let vocabulary = vec![
        VocabularyEntry::new("V03AB16", "ethanol", []),
        VocabularyEntry::new("D08AX08", "Ethanol", []),
        VocabularyEntry::new("N07XX", "spirit", ["ETHANOL".to_owned()]),
    ];
    let found = find(&vocabulary, &everything(), "ethanol");
    let codes: Vec<_> = found
        .iter()
        .map(|(.., code, rule)| (code.as_str(), *rule))
        .collect();
    assert_eq!(
        codes,
        [
            ("D08AX08", Rule::Name),
            ("N07XX", Rule::Synonym),
            ("V03AB16", Rule::Name)
        ]
    );
}

#[test]
fn accents_can_be_kept_apart() {
    let settings = MatcherSettings {
        accents: Accents::Keep,
        ..everything()
    };
    let vocabulary = entries(&["levodopa", "lévodopa"]);
    let codes = |text: &str| {
        find(&vocabulary, &settings, text)
            .into_iter()
            .map(|found| found.2)
            .collect::<Vec<_>>()
    };
    assert_eq!(codes("levodopa"), ["C000"]);
    assert_eq!(codes("Lévodopa le\u{301}vodopa"), ["C001", "C001"]);
}

#[test]
fn everyday_words_stop_unless_the_caller_wants_them() {
    let vocabulary = entries(&["same", "impact", "aspirin", "x"]);
    let text = "The same impact of aspirin on x";
    assert_eq!(find(&vocabulary, &MatcherSettings::default(), text).len(), 1);
    assert_eq!(find(&vocabulary, &everything(), text).len(), 4);
    let mine = MatcherSettings {
        stop_words: StopWords::default().with(["Aspirin"]),
        ..MatcherSettings::default()
    };
    assert_eq!(find(&vocabulary, &mine, text).len(), 0);
}

#[test]
fn plain_substrings_on_request() {
    let settings = MatcherSettings {
        boundary: Boundary::None,
        ..everything()
    };
    let matcher = Matcher::new(
        &entries(&["ethanol", "epinephrine", "tocopherol alpha"]),
        &settings,
    )
    .unwrap();
    let text = "Methanol, norEpinephrine, tocopherol-α";
    let found: Vec<_> = matcher
        .find(text)
        .iter()
        .map(|mention| &text[mention.start..mention.end])
        .collect();
    assert_eq!(found, ["ethanol", "Epinephrine", "tocopherol-α"]);
}

#[test]
fn an_empty_vocabulary_finds_nothing() {
    for boundary in [Boundary::Word, Boundary::None] {
        let matcher = Matcher::new(
            &entries(&["", "  ", "-"]),
            &MatcherSettings {
                boundary,
                ..everything()
            },
        )
        .unwrap();
        assert!(matcher.is_empty());
        assert_eq!(matcher.find("anything at all").len(), 0);
    }
}

#[test]
fn offsets_become_code_points() {
    let text = "🧪 ß İ: aspirin, aspirin";
    let matcher = Matcher::new(&entries(&["aspirin"]), &everything()).unwrap();
    let letters: Vec<char> = text.chars().collect();
    let mut points = CodePoints::new(text);
    let places: Vec<_> = matcher
        .find(text)
        .iter()
        .map(|mention| (points.at(mention.start), points.at(mention.end)))
        .collect();
    assert_eq!(places.len(), 2);
    for (start, end) in places {
        assert_eq!(letters[start..end].iter().collect::<String>(), "aspirin");
    }
}

/// Every ingredient once had two mentions in `Sacubitril/valsartan`, because the product is a synonym of it.
#[test]
fn an_ingredient_is_mentioned_by_its_own_name_alone() {
    let product = "valsartan and sacubitril";
    let synonym = || [product.to_owned()];
    let vocabulary = [
        VocabularyEntry::new("A", "valsartan", synonym()),
        VocabularyEntry::new("B", product, []),
        // Its own name is no part of the phrase, so only the product mentions it.
        VocabularyEntry::new("C", "sacubitril sodium", synonym()),
    ];
    let found: Vec<(String, Rule)> = find(&vocabulary, &everything(), "Sacubitril/valsartan")
        .into_iter()
        .map(|(_, _, code, rule)| (code, rule))
        .collect();
    let wanted = [
        ("B", Rule::Combination),
        ("C", Rule::Combination),
        ("A", Rule::Name),
    ];
    assert_eq!(found, wanted.map(|(code, rule)| (code.to_owned(), rule)));
}
