//! What must be true of cleaning, folding and reading dates for any text; shared like `matcher.rs` beside this file.

use drugs_rs::matcher::Accents;
use drugs_rs::text::date::{self, NumericOrder, Parsed};
use drugs_rs::text::fold::{Class, class, fold};
use drugs_rs::text::{clean, journal_key};

/// Panics where something is not true that must be.
pub fn check(text: &str) {
    let once = clean(text).text.into_owned();
    let twice = clean(&once);
    assert_eq!(twice.text, once, "cleaning a clean text changes it");
    assert_eq!(
        twice.flags.iter().count(),
        0,
        "a clean text has nothing to repair"
    );
    assert_eq!(
        journal_key(&once).is_empty(),
        once.is_empty(),
        "a journal with a name has a key"
    );
    for letter in text.chars() {
        check_folding(letter);
    }
    check_dates(text);
}

/// Every line of a text as a date.
pub fn check_dates(text: &str) {
    for order in [NumericOrder::DayFirst, NumericOrder::MonthFirst] {
        for line in text.lines() {
            check_date(line, order);
        }
    }
}

/// Folded letters belong to words and fold to themselves.
pub fn check_folding(letter: char) {
    for accents in [Accents::Fold, Accents::Keep] {
        if !matches!(class(letter), Class::Word | Class::Mark) {
            continue;
        }
        let mut folded = Vec::new();
        fold(letter, accents, |part| folded.push(part));
        for part in folded {
            assert!(
                matches!(class(part), Class::Word | Class::Mark),
                "{letter:?} folds to {part:?}"
            );
            let mut again = Vec::new();
            fold(part, accents, |part| again.push(part));
            assert_eq!(again, [part], "{letter:?} is folded twice");
        }
    }
}

/// A date that was read is read from its ISO form as the same day; blanks around it and capitals in what was read mean nothing; only
/// blanks are a missing one.
fn check_date(line: &str, order: NumericOrder) {
    let found = date::parse(line, order);
    assert_eq!(
        found,
        date::parse(&format!(" {line}\t"), order),
        "{line:?} between blanks"
    );
    if let Parsed::Date(..) = found {
        assert_eq!(
            found,
            date::parse(&line.to_ascii_uppercase(), order),
            "{line:?} in capitals"
        );
    }
    assert_eq!(found == Parsed::Missing, line.trim().is_empty(), "{line:?}");
    if let Parsed::Date(day, _) = date::parse(line, order) {
        match date::parse(&day.to_string(), order) {
            Parsed::Date(again, _) => assert_eq!(day, again, "{line:?}"),
            other => panic!("{line:?} is {day}, which is {other:?}"),
        }
    }
}
