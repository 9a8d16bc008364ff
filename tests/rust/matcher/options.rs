//! The list of options: every option is offered and documented, and what is written of it stays the same.

use std::collections::BTreeSet;

use drugs_rs::matcher::{
    Accents, Boundary, Matcher, MatcherSettings, OPTIONS, OptionKind, StopWords, VocabularyEntry,
};
use xxhash_rust::xxh3::xxh3_64;

const STUB: &str = include_str!("../../../python/drugs_rs/_core.pyi");
const MATCHING: &str = include_str!("../../../docs/matching.md");
const COMMAND: &str = include_str!("../../../docs/command.md");
const DAG_SETTINGS: &str = include_str!("../../../python/drugs_rs/airflow/settings.py");

#[test]
fn names_flags_and_variables_follow_one_pattern() {
    let names: BTreeSet<_> = OPTIONS.iter().map(|option| option.name).collect();
    assert_eq!(names.len(), OPTIONS.len());
    for option in OPTIONS {
        assert_eq!(option.flag, option.name.replace('_', "-"));
        let file = if matches!(option.kind, OptionKind::Names { .. }) {
            "_FILE"
        } else {
            ""
        };
        let variable = format!("DRUGS_RS_{}{file}", option.name.to_uppercase());
        assert_eq!(option.variable, variable);
        assert!(
            !option.sentence.ends_with('.'),
            "as in the rest of the help: {}",
            option.name
        );
    }
}

#[test]
fn every_option_is_in_the_stub_and_in_the_documents() {
    for option in OPTIONS {
        let (name, flag) = (option.name, option.flag);
        let (kind, default) = match option.kind {
            OptionKind::Switch(_) => ("bool", "False".to_owned()),
            OptionKind::Word { choice, .. } => ("_", format!("\"{}\"", choice.default_word())),
            OptionKind::Names { .. } => ("Sequence[str] | None", "None".to_owned()),
        };
        let signatures = STUB.lines().map(str::trim).filter(|line| {
            line.starts_with(&format!("{name}: {kind}")) && line.ends_with(&format!(" = {default},"))
        });
        assert_eq!(
            signatures.count(),
            4,
            "{name} in run, gold, from_names and from_vocabulary"
        );
        let described = STUB.lines().map(str::trim).filter(|line| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(": ")) && !line.ends_with(',')
        });
        assert_eq!(described.count(), 4, "{name} in the docstrings of these");
        assert!(
            DAG_SETTINGS.contains(&format!("\n    {name}: ")),
            "{name} in the settings of the DAG"
        );
        assert!(
            MATCHING.contains(&format!("`--{flag}")),
            "--{flag} in docs/matching.md"
        );
        assert!(
            COMMAND.contains(&format!("`{}`", option.variable)),
            "{} in docs/command.md",
            option.variable
        );
    }
}

fn all_options() -> MatcherSettings {
    MatcherSettings {
        boundary: Boundary::None,
        abbreviations: true,
        salts: true,
        accents: Accents::Keep,
        stop_words: StopWords::of(["Aspirin", "acid"]),
    }
}

/// Lakes hold fingerprints: if these texts change, gold computes all mentions again.
#[test]
fn fingerprints_stay_the_same() {
    let plain = MatcherSettings {
        stop_words: StopWords::none(),
        ..MatcherSettings::default()
    };
    assert_eq!(
        plain.fingerprint(),
        "boundary=Word abbreviations=false salts=false accents=Fold stop_words=false:{}"
    );
    assert_eq!(
        all_options().fingerprint(),
        "boundary=None abbreviations=true salts=true accents=Keep stop_words=false:{\"acid\", \"aspirin\"}"
    );
    let shipped = MatcherSettings::default().fingerprint();
    let start = "boundary=Word abbreviations=false salts=false accents=Fold stop_words=true:{\"";
    assert!(shipped.starts_with(start), "{shipped}");
}

const SAVED: &str = r#"{"substrings":true,"abbreviations":true,"salts":true,"keep_accents":true,"rules":false,"stop_words":["acid","aspirin"]}"#;

/// The place of the settings in a saved matcher: after the header and their length.
const SETTINGS: usize = 40;

fn saved() -> Vec<u8> {
    let entries = [VocabularyEntry::new("A", "metformin", [])];
    Matcher::new(&entries, &all_options())
        .unwrap()
        .to_bytes()
        .unwrap()
}

/// A saved matcher with other settings.
fn with_settings(settings: &str) -> Vec<u8> {
    let saved = saved();
    let mut bytes = saved[..SETTINGS - 8].to_vec();
    bytes.extend_from_slice(&(settings.len() as u64).to_le_bytes());
    bytes.extend_from_slice(settings.as_bytes());
    bytes.extend_from_slice(&saved[SETTINGS + SAVED.len()..]);
    let checksum = xxh3_64(&bytes[SETTINGS - 8..]).to_le_bytes();
    bytes[24..32].copy_from_slice(&checksum);
    bytes
}

#[test]
fn saved_settings_stay_the_same() {
    let bytes = saved();
    assert_eq!(
        std::str::from_utf8(&bytes[SETTINGS..SETTINGS + SAVED.len()]).unwrap(),
        SAVED
    );
    assert_eq!(with_settings(SAVED), bytes);
    let loaded = Matcher::from_bytes(&bytes, "bytes").unwrap();
    assert_eq!(loaded.to_bytes().unwrap(), bytes);
    let entries = [VocabularyEntry::new("A", "metformin", [])];
    let built = Matcher::new(&entries, &all_options()).unwrap();
    assert_eq!(loaded.fingerprint(), built.fingerprint());
}

/// A setting of a later version changes what is found; a matcher that ignored it would find something else.
#[test]
fn unknown_and_wrong_settings_are_rejected() {
    for (known, other) in [
        ("\"salts\":true", "\"salts\":true,\"moods\":true"),
        ("\"salts\":true", "\"salts\":1"),
        ("\"rules\":false", "\"rules\":\"no\""),
        ("[\"acid\",\"aspirin\"]", "[1]"),
        ("{", "["),
    ] {
        let bytes = with_settings(&SAVED.replacen(known, other, 1));
        let error = Matcher::from_bytes(&bytes, "bytes").unwrap_err().to_string();
        assert!(error.contains("parts do not fit together"), "{other}: {error}");
    }
    // As in a matcher that was saved before there was the option.
    let bytes = with_settings(&SAVED.replacen("\"salts\":true,", "", 1));
    let loaded = Matcher::from_bytes(&bytes, "bytes").unwrap();
    let without = MatcherSettings {
        salts: false,
        ..all_options()
    };
    let entries = [VocabularyEntry::new("A", "metformin", [])];
    let built = Matcher::new(&entries, &without).unwrap();
    assert_eq!(loaded.fingerprint(), built.fingerprint());
}

#[test]
fn settings_come_back_from_the_record_of_a_run() {
    let words = |count: usize| (0..count).map(|number| format!("word {number}"));
    let of = |stop_words| MatcherSettings {
        stop_words,
        ..MatcherSettings::default()
    };
    let settings = [
        MatcherSettings::default(),
        all_options(),
        of(StopWords::none()),
        of(StopWords::of(["zinc", "\u{202e}\"quoted\"\n"])),
        of(StopWords::default().with(["Aspirin", "zinc"])),
        of(StopWords::default().with(words(1_000))),
    ];
    for settings in settings {
        let record = settings.to_record();
        let back = MatcherSettings::of_record(&record).unwrap();
        assert_eq!(back.fingerprint(), settings.fingerprint());
        let text = record.to_string();
        assert!(text.len() < 20_000, "{} bytes", text.len());
        // Whatever else is in a record, the settings are those or none.
        for (place, _) in text
            .char_indices()
            .filter(|(_, letter)| letter.is_ascii_alphanumeric())
        {
            let mut other = text.clone().into_bytes();
            other[place] = if other[place] == b'1' { b'0' } else { b'1' };
            let read = serde_json::from_slice(&other).ok();
            let read = read.and_then(|other: serde_json::Value| MatcherSettings::of_record(&other));
            assert!(read.is_none_or(|read| read.fingerprint() == settings.fingerprint()));
            if text.len() > 1_000 {
                break;
            }
        }
    }
    let many = of(StopWords::default().with(words(1_001)));
    assert!(MatcherSettings::of_record(&many.to_record()).is_none());
    for record in [
        serde_json::Value::Null,
        serde_json::json!({}),
        serde_json::json!([1]),
    ] {
        assert!(MatcherSettings::of_record(&record).is_none());
    }
}
