//! Tables, flags and reasons.

use drugs_rs::graph::ANSWERS;
use drugs_rs::schema::{Flag, Flags, PUBLICATIONS, PublicationKind, Reason, SourceTable};
use polars::prelude::{Column, DataFrame};

#[test]
fn a_wrong_frame_is_told_all_its_faults_at_once() {
    let mut frame: DataFrame = PUBLICATIONS.empty();
    PUBLICATIONS.check(&frame).unwrap();
    frame
        .with_column(Column::new_empty(
            "title".into(),
            &polars::prelude::DataType::Int32,
        ))
        .unwrap();
    let frame = frame.drop("source_row").unwrap();
    let message = PUBLICATIONS.check(&frame).unwrap_err().to_string();
    assert!(
        message.contains("columns [") && message.contains("`title` is i32 instead of str"),
        "{message}"
    );
}

#[test]
fn names_lead_back_and_sentences_end() {
    for flag in Flag::ALL {
        assert_eq!(Flag::from_name(flag.name()), Some(flag));
        assert!(flag.sentence().ends_with('.'), "{}", flag.sentence());
    }
    for reason in Reason::ALL {
        assert_eq!(Reason::from_name(reason.name()), Some(reason));
        assert!(reason.sentence().ends_with('.'), "{}", reason.sentence());
    }
    for table in SourceTable::ALL {
        assert_eq!(SourceTable::from_name(table.name()), Some(table));
    }
    assert_eq!(Flag::from_name("nothing"), None);
}

#[test]
fn a_set_of_flags_is_a_set() {
    let mut flags: Flags = [Flag::BadDate, Flag::SharedCode, Flag::BadDate]
        .into_iter()
        .collect();
    assert_eq!(
        flags.iter().collect::<Vec<_>>(),
        [Flag::BadDate, Flag::SharedCode]
    );
    flags.remove(Flag::BadDate);
    assert!(!flags.contains(Flag::BadDate) && flags.contains(Flag::SharedCode));
}

#[test]
fn every_kind_is_described_without_contradiction() {
    let names = PublicationKind::ALL.map(PublicationKind::name);
    // The graph has its tables, and a drug its lists, in the order of their names.
    assert!(names.is_sorted(), "{names:?}");
    assert!(PublicationKind::ALL.is_sorted_by_key(|kind| kind.description().ids));
    assert_eq!(PublicationKind::in_turn().count(), names.len());
    for kind in PublicationKind::ALL {
        let description = kind.description();
        assert_eq!(SourceTable::ALL[description.turn].publication_kind(), Some(kind));
        assert_eq!(kind.source_table().name(), description.sources);
        assert_eq!(description.ids, format!("{}_id", description.name));
        assert_eq!(description.flag, description.sources.replace('_', "-"));
        assert!(!["drug", "journal", "name"].contains(&description.name));
        // Manifests have the names that serde makes of the variants.
        let quoted = |name: &str| format!("\"{name}\"");
        assert_eq!(serde_json::to_string(&kind).unwrap(), quoted(kind.name()));
        let table = kind.source_table();
        assert_eq!(serde_json::to_string(&table).unwrap(), quoted(table.name()));
    }
}

#[test]
fn an_option_means_the_same_in_all_answers() {
    assert!(ANSWERS.is_sorted_by_key(|answer| answer.name));
    let mut known = std::collections::BTreeMap::new();
    for answer in ANSWERS {
        assert!(answer.sentence.ends_with('.'), "{}", answer.sentence);
        assert!(
            answer.options.iter().any(|option| option.name == "unit"),
            "{}",
            answer.name
        );
        for option in answer.options {
            assert_eq!(option.flag, option.name.replace('_', "-"));
            assert_eq!(known.entry(option.name).or_insert(option), &option);
        }
    }
}
