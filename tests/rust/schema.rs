//! Tables, flags and reasons.

use drugs_rs::schema::{Flag, Flags, PUBLICATIONS, Reason, SourceTable};
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
    let frame = frame.drop("dt").unwrap();
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
