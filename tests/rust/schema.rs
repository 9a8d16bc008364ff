//! Tables, flags and reasons.

use std::collections::BTreeSet;

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

/// The page repeats flags and reasons with remarks, so it is not generated.
#[test]
fn the_page_of_the_data_model_has_the_flags_and_reasons_of_the_code() {
    let page = include_str!("../../docs/data-model.md");
    let rows = |heading: &str| -> Vec<Vec<&str>> {
        let (_, section) = page.split_once(heading).unwrap();
        let section = section.split_once("\n## ").unwrap().0;
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
        rows.map(|row| row.split('|').map(|cell| cell.trim().trim_matches('`')).collect())
            .collect()
    };
    let flags = rows("\n## Flags\n");
    let names: Vec<&str> = flags.iter().map(|row| row[0]).collect();
    assert_eq!(names, Flag::ALL.map(Flag::name));
    for (row, flag) in flags.iter().zip(Flag::ALL) {
        assert!(row[2].starts_with(flag.sentence()), "{row:?} {}", flag.sentence());
    }
    let reasons = rows("\n## Reasons\n");
    let names: Vec<&str> = reasons.iter().map(|row| row[0]).collect();
    assert_eq!(names, Reason::ALL.map(Reason::name));
    for (row, reason) in reasons.iter().zip(Reason::ALL) {
        assert!(
            row[1].starts_with(reason.sentence()),
            "{row:?} {}",
            reason.sentence()
        );
    }
}

#[test]
fn the_schema_of_the_graph_has_the_tables_and_lists_of_the_kinds() {
    let schema = include_str!("../../python/drugs_rs/schemas/drug_graph.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let names = |properties: &serde_json::Value| -> BTreeSet<String> {
        properties.as_object().unwrap().keys().cloned().collect()
    };
    let kinds = PublicationKind::ALL.map(|kind| kind.name().to_owned());
    let tables = kinds.into_iter().chain(["drug", "journal"].map(str::to_owned));
    assert_eq!(names(&schema["properties"]), tables.collect());
    let lists = PublicationKind::ALL.map(|kind| kind.description().ids.to_owned());
    let keys = lists.into_iter().chain(["name".to_owned()]);
    let drug = &schema["$defs"]["drug"]["properties"];
    assert_eq!(names(drug), keys.collect());
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
