//! The options of the command line as settings of the core.

use super::options::{GoldOptions, InputOptions, Matching, Reading};
use crate::api::matching::read_stop_words;
use crate::api::source_lists::Lists;
use crate::api::vocabulary::read_vocabulary;
use crate::error::{Error, Result};
use crate::formats::{self, MostRatio};
use crate::graph::AnswerSettings;
use crate::matcher::{MatcherSettings, StopWords, VocabularyEntry};
use crate::steps::gold::GoldSettings;
use crate::steps::silver::SilverSettings;
use crate::task::Task;
use crate::text::date::NumericOrder;

/// The entries of the vocabularies. Standard input cannot be a list of them and the texts.
pub(super) fn entries(
    words: &[String],
    reading: formats::ReadOptions,
    texts_from_standard_input: bool,
    lists: &mut Lists,
    task: &Task,
) -> Result<Vec<VocabularyEntry>> {
    let uris = lists.names(words, task)?;
    if texts_from_standard_input && lists.took_standard_input() {
        return Err(Error::argument(
            "--vocabulary",
            "a list on standard input, where the texts are to come from",
            "a list in a file",
        ));
    }
    read_vocabulary(&uris, reading, task)
}

pub(super) fn reading(bytes: &InputOptions) -> formats::ReadOptions {
    formats::ReadOptions {
        encoding: bytes.encoding.unwrap_or_default(),
        most_ratio: MostRatio(bytes.max_ratio),
    }
}

pub(super) fn silver_settings(words: &Reading) -> SilverSettings {
    let order = if words.month_first {
        NumericOrder::MonthFirst
    } else {
        NumericOrder::DayFirst
    };
    let formats::ReadOptions { encoding, most_ratio } = reading(&words.bytes);
    SilverSettings {
        encoding,
        order,
        on_bad_file: words.on_bad_file,
        most_ratio,
        ..SilverSettings::default()
    }
}

pub(super) fn gold_settings(matching: &Matching, options: &GoldOptions, task: &Task) -> Result<GoldSettings> {
    Ok(GoldSettings {
        matcher: matcher_settings(matching, task)?,
        abstracts: options.abstracts,
        answers: AnswerSettings {
            unit: options.unit,
            max_exclusive: options.max_exclusive,
        },
        graph: options.graph,
        ..GoldSettings::default()
    })
}

pub(super) fn matcher_settings(matching: &Matching, task: &Task) -> Result<MatcherSettings> {
    let stop_words = match &matching.stop_words {
        _ if matching.no_stop_words => StopWords::none(),
        None => StopWords::default(),
        Some(file) => StopWords::of(read_stop_words(file, task)?),
    };
    let stop_words = match &matching.extra_stop_words {
        Some(file) => stop_words.with(read_stop_words(file, task)?),
        None => stop_words,
    };
    Ok(MatcherSettings {
        boundary: matching.boundary,
        accents: matching.accents,
        abbreviations: matching.abbreviations,
        salts: matching.salts,
        stop_words,
    })
}
