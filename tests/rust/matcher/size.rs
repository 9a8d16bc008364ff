//! Large inputs: the time is linear in the length of the text, whatever the names and the text are.
//!
//! Where it matters, two sizes are timed in one process and their ratio is checked, with tolerance for a busy machine:
//! four times the text must cost well under the sixteen times of quadratic work.

use std::time::{Duration, Instant};

use drugs_rs::error::Error;
use drugs_rs::matcher::{MOST_WORDS, Matcher, MatcherSettings, VocabularyEntry};
use drugs_rs::task::Task;

use super::{entries, everything, find};

/// The least time of several searches, and the number of mentions.
fn timed(matcher: &Matcher, text: &str) -> (Duration, usize) {
    let mut count = 0;
    let least = (0..5).map(|_| {
        let started = Instant::now();
        count = 0;
        matcher.finder().each(text, |_| count += 1);
        started.elapsed()
    });
    (least.min().unwrap_or_default(), count)
}

/// A busy machine distorts one measurement or the other; quadratic work fails every time.
const TRIES: usize = 6;

/// Four times the text, at most eight times the time.
fn assert_linear(names: &[String], settings: &MatcherSettings, piece: &str, times: usize) {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let matcher = Matcher::new(&entries(&names), settings).unwrap();
    let (short_text, long_text) = (piece.repeat(times), piece.repeat(4 * times));
    let mut measured = Vec::new();
    let linear = (0..TRIES).any(|_| {
        let (short, long) = (timed(&matcher, &short_text).0, timed(&matcher, &long_text).0);
        measured.push((short, long));
        long < 8 * short + Duration::from_millis(2)
    });
    assert!(
        linear,
        "for {times} times and for four times as many of {:?}: {measured:?}",
        piece.chars().take(40).collect::<String>()
    );
}

#[test]
fn repeated_words_cost_no_more_than_their_number() {
    // Each name is the beginning of the next; some texts hold them, and others break off just before the end.
    let runs: Vec<String> = (1..=60).map(|count| vec!["a"; count].join(" ")).collect();
    let longest_alone = &runs[59..];
    for piece in ["a ", "a-", "a a a b ", "a, "] {
        assert_linear(&runs, &everything(), piece, 4_000);
        assert_linear(longest_alone, &everything(), piece, 4_000);
    }
    let signs: Vec<String> = (1..=60).map(|count| "+".repeat(count)).collect();
    assert_linear(&signs, &everything(), "+", 4_000);
    assert_linear(&signs, &everything(), "+a ", 4_000);
}

#[test]
fn abbreviations_cost_no_more_than_the_text() {
    let settings = MatcherSettings {
        abbreviations: true,
        ..everything()
    };
    let names = ["doxorubicin".to_owned()];
    for piece in [
        "doxorubicin (DOX) DOX ",
        "doxorubicin (DOX) [doxorubicin",
        "(doxorubicin)",
        "doxorubicin(",
        "DOX(doxorubicin)",
    ] {
        assert_linear(&names, &settings, piece, 2_000);
    }
}

#[test]
fn marks_and_gaps_without_end_cost_no_more_than_their_number() {
    let names = ["a b".to_owned(), "é".to_owned()];
    for piece in ["\u{301}", "a\u{301}", " ", "\u{200b}", "é", "ﷺ"] {
        assert_linear(&names, &everything(), piece, 10_000);
    }
}

#[test]
fn a_long_name_is_found_and_explained() {
    for name in [
        "abcdefghi ".repeat(MOST_WORDS),
        "x".repeat(10_000),
        "a-".repeat(MOST_WORDS),
        "+".repeat(MOST_WORDS),
    ] {
        let vocabulary = entries(&[&name, "abcdefghi", "aspirin"]);
        let matcher = Matcher::new(&vocabulary, &everything()).unwrap();
        let text = format!("one, {}, two; {}", name.trim_end_matches([' ', '-']), &name[1..]);
        assert_eq!(
            matcher
                .find(&text)
                .first()
                .map(drugs_rs::matcher::Mention::atccode),
            Some("C000")
        );
        assert!(
            matcher
                .explain(&text, &name)
                .unwrap()
                .contains("is found at 5 to ")
        );
        assert!(
            matcher
                .explain("aspirin", &name)
                .unwrap()
                .contains("is not found")
        );
    }
}

/// The matcher follows a name word by word from each word of a text, so without a limit the cost was the product of
/// both lengths.
#[test]
fn a_name_of_more_words_than_the_bound_is_refused() {
    for name in ["a b ".repeat(MOST_WORDS / 2 + 1), "a+".repeat(MOST_WORDS / 2 + 1)] {
        let refused = Matcher::new(&entries(&["aspirin", &name]), &everything()).unwrap_err();
        assert!(matches!(refused, Error::Argument { .. }));
        let message = refused.to_string();
        assert!(
            message.contains("a name of 514 words and signs for the code C001"),
            "{message}"
        );
        assert!(message.contains("at most 512"), "{message}");
    }
    let longest = ["a b ".repeat(MOST_WORDS / 2)];
    assert_linear(&longest, &everything(), "a b ", 2_000);
    assert_linear(&longest, &everything(), "a b a ", 2_000);
}

#[test]
fn a_search_stops_within_a_text() {
    let matcher = Matcher::new(&entries(&["aspirin", "valsartan and sacubitril"]), &everything()).unwrap();
    let task = Task::new();
    for text in [
        "aspirin ".repeat(100_000),
        "sacubitril/valsartan ".repeat(100_000),
    ] {
        let mut count = 0;
        let mut finder = matcher.finder_under(&task);
        finder.each(&text, |_| count += 1);
        assert_eq!(count, 100_000);
    }
    let text = format!("aspirin {}", "nothing ".repeat(10_000));
    assert_eq!(matcher.find_under(&text, &task).unwrap().len(), 1);
    task.cancel();
    let mut count = 0;
    matcher
        .finder_under(&task)
        .each(&"aspirin ".repeat(100_000), |_| count += 1);
    assert!(count < 10_000, "{count} mentions after the task was cancelled");
    assert!(matches!(matcher.find_under(&text, &task), Err(Error::Cancelled)));
    assert!(matches!(
        matcher.explain_under(&text, "aspirin", &task),
        Err(Error::Cancelled)
    ));
}

/// The table of first words rejected two with the same stored bits, and a million words always have two: building tried
/// one seed after the other for ever.
#[test]
fn a_million_names_of_one_word_are_built() {
    let vocabulary: Vec<VocabularyEntry> = (0..1_000_000)
        .map(|number| VocabularyEntry::new(format!("C{number}"), format!("drug{number}"), []))
        .collect();
    let matcher = Matcher::new(&vocabulary, &everything()).unwrap();
    assert_eq!(matcher.len(), vocabulary.len());
    let mut text = String::new();
    for number in (0..1_000_000).step_by(7) {
        text.push_str(&format!("drug{number}, not drug{}; ", number + 1_000_000));
    }
    let found = matcher.find(&text);
    assert_eq!(found.len(), 142_858);
    for (mention, number) in found.iter().zip((0..).step_by(7)) {
        assert_eq!(mention.drug(), format!("drug{number}"));
    }
}

#[test]
fn a_nul_is_a_sign() {
    let text = "\0aspirin\0 a\0b ab\0 \0";
    let found = find(&entries(&["aspirin", "a\0b", "\0"]), &everything(), text);
    let surfaces: Vec<_> = found.iter().map(|(start, end, ..)| &text[*start..*end]).collect();
    assert_eq!(
        surfaces,
        ["aspirin", "a\0b", "\0"],
        "but not where it touches a letter"
    );
}

#[test]
fn names_that_differ_in_case_or_accent_alone_are_one_name() {
    let vocabulary = entries(&["levodopa", "LEVODOPA", "Lévodopa", "le\u{301}vodopa"]);
    assert_eq!(Matcher::new(&vocabulary, &everything()).unwrap().len(), 1);
    let codes: Vec<_> = find(&vocabulary, &everything(), "levodopa")
        .into_iter()
        .map(|found| found.2)
        .collect();
    assert_eq!(codes, ["C000", "C001", "C002", "C003"]);
}

#[test]
#[ignore = "large: make test-matcher"]
fn a_million_names_are_built_in_seconds() {
    let vocabulary: Vec<VocabularyEntry> = (0..1_000_000_u32)
        .map(|number| {
            let name = format!(
                "drug{} of maker {}",
                number % 1_000,
                number.wrapping_mul(2_654_435_761)
            );
            VocabularyEntry::new(format!("C{number}"), name, [])
        })
        .collect();
    let started = Instant::now();
    let matcher = Matcher::new(&vocabulary, &everything()).unwrap();
    let built = started.elapsed();
    println!("a million names in {built:?}");
    assert_eq!(matcher.len(), 1_000_000);
    assert!(built < Duration::from_secs(20), "{built:?}");
    for entry in vocabulary.iter().step_by(9_973) {
        let found = matcher.find(&entry.drug);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].drug(), entry.drug);
    }
}

#[test]
#[ignore = "large: make test-matcher"]
fn a_text_of_a_hundred_megabytes_is_one_text() {
    let sentence =
        "Once-daily METFORMIN (500 mg) or Lévodopa, but no norepinephrine at all in α-tocopherol. ";
    let text = sentence.repeat(100_000_000 / sentence.len() + 1);
    for abbreviations in [false, true] {
        let settings = MatcherSettings {
            abbreviations,
            ..everything()
        };
        let names = ["metformin", "levodopa", "epinephrine", "alpha tocopherol"];
        let matcher = Matcher::new(&entries(&names), &settings).unwrap();
        let (started, mut count, mut last) = (Instant::now(), 0, 0);
        matcher.finder().each(&text, |mention| {
            count += 1;
            last = mention.end;
        });
        println!("{} bytes in {:?}", text.len(), started.elapsed());
        assert_eq!(count, 3 * (text.len() / sentence.len()));
        assert_eq!(last, text.len() - 2);
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}
