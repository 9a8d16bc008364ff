//! The options of the command line as settings of the core.

use super::options::matching::Matching;
use super::options::{GoldOptions, InputOptions, Reading};
use crate::api::contracts::read_contract;
use crate::api::source_lists::Lists;
use crate::api::vocabulary::read_vocabulary;
use crate::error::{Error, Result};
use crate::formats::{self, MostRatio};
use crate::gold::mentions::SearchSettings;
use crate::graph::AnswerSettings;
use crate::matcher::VocabularyEntry;
use crate::schema::{SearchedField, SearchedFields};
use crate::steps::gold::GoldSettings;
use crate::steps::silver::{ExpectedRows, SilverSettings};
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

pub(super) fn silver_settings(words: &Reading, task: &Task) -> Result<SilverSettings> {
    let order = if words.month_first {
        NumericOrder::MonthFirst
    } else {
        NumericOrder::DayFirst
    };
    let formats::ReadOptions { encoding, most_ratio } = reading(&words.bytes);
    let expected = words.expect_rows.as_deref().map(ExpectedRows::parse);
    Ok(SilverSettings {
        encoding,
        order,
        on_bad_file: words.on_bad_file,
        most_ratio,
        expect_rows: expected.transpose()?,
        contract: read_contract(words.contract.as_deref(), task)?,
        ..SilverSettings::default()
    })
}

fn search_settings(options: &GoldOptions) -> Result<SearchSettings> {
    let fields = SearchedFields::of(options.fields.clone())?;
    Ok(SearchSettings {
        fields: match options.abstracts {
            true => fields.with(SearchedField::Abstract),
            false => fields,
        },
        exclude_status: options.exclude_status.iter().copied().collect(),
    })
}

pub(super) fn gold_settings(matching: &Matching, options: &GoldOptions, task: &Task) -> Result<GoldSettings> {
    Ok(GoldSettings {
        matcher: matching.settings(task)?,
        search: search_settings(options)?,
        answers: AnswerSettings {
            unit: options.unit,
            max_exclusive: options.max_exclusive,
        },
        graph: options.graph,
        keep: options.keep.parse()?,
        ..GoldSettings::default()
    })
}
