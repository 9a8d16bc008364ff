//! Options with named values, as the command line and Python parse them.

use std::fmt::Debug;
use std::str::FromStr;

use drugs_rs::choice::{Choice, UnknownChoice};
use drugs_rs::formats::Encoding;
use drugs_rs::generate::{Format, MadeTable, Packing};
use drugs_rs::matcher::{Accents, Boundary};
use drugs_rs::schema::{DrugUnit, PublicationKind, SourceTable};

fn check<T: Choice + FromStr<Err = UnknownChoice> + PartialEq + Debug>() {
    for choice in T::CHOICES {
        assert_eq!(choice.choice_name().parse(), Ok(*choice));
    }
    let unknown = "nonsense".parse::<T>().unwrap_err().of("option").to_string();
    assert!(
        unknown.starts_with("option: `nonsense`; expected \""),
        "{unknown}"
    );
    assert!(!unknown.contains("did you mean"), "{unknown}");
    for choice in T::CHOICES {
        assert!(
            unknown.contains(&format!("\"{}\"", choice.choice_name())),
            "{unknown}"
        );
    }
    assert!("".parse::<T>().is_err());
}

#[test]
fn every_name_is_parsed_and_another_one_lists_them() {
    check::<Encoding>();
    check::<Boundary>();
    check::<Accents>();
    check::<DrugUnit>();
    check::<SourceTable>();
    check::<PublicationKind>();
    check::<Packing>();
    #[cfg(feature = "tables")]
    check::<drugs_rs::steps::silver::OnBadFile>();
}

#[test]
fn the_probable_name_is_in_the_message() {
    for (text, probable) in [("codes", "code"), ("CODE", "code"), ("substanec", "substance")] {
        let message = text.parse::<DrugUnit>().unwrap_err().of("unit").to_string();
        assert!(
            message.ends_with(&format!("; did you mean \"{probable}\"?")),
            "{message}"
        );
    }
    let message = "utf8".parse::<Encoding>().unwrap_err().to_string();
    assert_eq!(
        message,
        "`utf8` is unknown; expected \"utf-8\" or \"windows-1252\"; did you mean \"utf-8\"?"
    );
    let message = Format::named("pubmed-xlm", MadeTable::Articles, "articles_format")
        .unwrap_err()
        .to_string();
    assert!(message.ends_with("did you mean \"pubmed-xml\"?"), "{message}");
    // A format of another table is not accepted for this one.
    assert!(Format::named("ctgov-csv", MadeTable::Articles, "articles_format").is_err());
}

#[test]
fn names_are_exact_but_for_encodings() {
    assert!("Substance".parse::<DrugUnit>().is_err());
    assert_eq!("UTF-8".parse(), Ok(Encoding::Utf8));
    assert_eq!("Windows-1252".parse(), Ok(Encoding::Windows1252));
}

#[test]
fn a_long_text_is_cut_in_the_message_and_compared_with_nothing() {
    let message = "code"
        .repeat(1 << 18)
        .parse::<DrugUnit>()
        .unwrap_err()
        .of("unit")
        .to_string();
    assert!(message.len() < 1000, "{}", message.len());
    assert!(!message.contains("did you mean"));
}
