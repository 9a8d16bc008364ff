//! Writes the vocabulary and the classes that its codes belong to.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{Column, DataFrame, IntoColumn, ListBuilderTrait, ListStringChunkedBuilder};

use crate::error::Result;
use crate::lake::layout;
use crate::matcher::VocabularyEntry;
use crate::schema::{ATC_CLASSES, CURRENT_DRUGS};
use crate::silver::drugs::is_atc;
use crate::storage::Transaction;
use crate::tables::output_file::OutputFile;
use crate::tables::table_writer::TableWriter;
use crate::text::substance;

/// Writes the vocabulary that the mentions were found with.
pub(crate) fn write_vocabulary(
    entries: &[VocabularyEntry],
    transaction: &mut dyn Transaction,
) -> Result<OutputFile> {
    let text = |name: &str, value: &dyn Fn(&VocabularyEntry) -> String| {
        Column::new(name.into(), entries.iter().map(value).collect::<Vec<String>>())
    };
    let mut synonyms = ListStringChunkedBuilder::new("synonyms".into(), entries.len(), entries.len());
    for entry in entries {
        synonyms.append_values_iter(entry.synonyms.iter().map(|name| &**name));
    }
    let columns = vec![
        text("atccode", &|entry| entry.atccode.clone()),
        text("drug", &|entry| entry.drug.clone()),
        text("substance", &|entry| substance(&entry.drug)),
        synonyms.finish().into_column(),
    ];
    let mut file = TableWriter::create(transaction, layout::table_file(&CURRENT_DRUGS), &CURRENT_DRUGS)?;
    file.write(&DataFrame::new(entries.len(), columns)?)?;
    file.finish()
}

/// The lengths of the codes of the ATC classes of a code, by level.
const ATC_LENGTHS: [usize; 5] = [1, 3, 4, 5, 7];

/// Writes the classes that the codes of a vocabulary belong to.
pub(crate) fn write_atc_classes(
    entries: &[VocabularyEntry],
    transaction: &mut dyn Transaction,
) -> Result<OutputFile> {
    let codes: BTreeSet<&str> = entries
        .iter()
        .map(|entry| &*entry.atccode)
        .filter(|code| is_atc(code))
        .collect();
    let mut classes: BTreeMap<&str, (i64, Option<&str>, i64)> = BTreeMap::new();
    for code in codes {
        let mut parent = None;
        for (level, length) in (1..).zip(ATC_LENGTHS) {
            let Some(class) = code.get(..length) else { break };
            classes.entry(class).or_insert((level, parent, 0)).2 += 1;
            parent = Some(class);
        }
    }
    let values = || classes.values();
    let columns = vec![
        Column::new("atc_class".into(), classes.keys().copied().collect::<Vec<&str>>()),
        Column::new(
            "level".into(),
            values().map(|(level, ..)| *level).collect::<Vec<i64>>(),
        ),
        Column::new(
            "parent".into(),
            values()
                .map(|(_, parent, _)| *parent)
                .collect::<Vec<Option<&str>>>(),
        ),
        Column::new(
            "codes".into(),
            values().map(|(.., codes)| *codes).collect::<Vec<i64>>(),
        ),
    ];
    let mut file = TableWriter::create(transaction, layout::table_file(&ATC_CLASSES), &ATC_CLASSES)?;
    file.write(&DataFrame::new(classes.len(), columns)?)?;
    file.finish()
}
