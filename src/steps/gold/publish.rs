//! Writes the graph and the answers, and counts their contents.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Write as _};

use polars::prelude::{Column, DataFrame, IntoColumn, ListBuilderTrait, ListStringChunkedBuilder};

use super::GoldSettings;
use crate::error::{Error, Result};
use crate::gold::newest::Outdated;
use crate::graph::{JournalTotals, LargeGraph};
use crate::lake::dt::Dt;
use crate::lake::layout;
use crate::lake::report::GoldNumbers;
use crate::matcher::VocabularyEntry;
use crate::schema::{
    ATC_CLASSES, CURRENT_DRUGS, ColumnType, GraphOutput, JOURNAL_DRUGS, JOURNALS, Table, TableColumn,
};
use crate::silver::drugs::is_atc;
use crate::storage::{HashingWriter, Transaction};
use crate::tables::output_file::OutputFile;
use crate::tables::table_writer::TableWriter;
use crate::task::Task;
use crate::text::substance;

/// Writes the answers, the tables of journals and, if it is wanted, `drug_graph.json`; returns the files and their
/// counts. `mentions` is the number of places that name a drug.
pub(crate) fn publish(
    graph: LargeGraph,
    settings: &GoldSettings,
    (as_of, mentions, outdated): (Dt, u64, Outdated),
    transaction: &mut dyn Transaction,
    task: &Task,
) -> Result<(Vec<OutputFile>, GoldNumbers)> {
    let answers = settings.answers;
    let shown = transaction.shown(layout::DRUG_GRAPH);
    let mut tables = JournalTables::create(transaction)?;
    // Buffered, because most pieces of JSON are a few bytes, and a digest of each would be slow.
    let mut create = |path: &'static str| {
        transaction.create(path).map(|file| {
            let (writer, digest) = HashingWriter::new(file);
            (path, BufWriter::with_capacity(1 << 16, writer), digest)
        })
    };
    let mut graph_file = match settings.graph {
        GraphOutput::Json => Some(create(layout::DRUG_GRAPH)?),
        GraphOutput::None => None,
    };
    let mut top = create(layout::TOP_JOURNALS)?;
    let mut exclusive = create(layout::EXCLUSIVE_DRUGS)?;
    let mut nowhere = std::io::sink();
    let to: &mut dyn std::io::Write = match &mut graph_file {
        Some((_, file, _)) => file,
        None => &mut nowhere,
    };
    let answer_files: (&mut dyn std::io::Write, &mut dyn std::io::Write) = (&mut top.1, &mut exclusive.1);
    let written = graph.write(
        &shown,
        to,
        answer_files,
        &mut |journal| tables.add(&journal),
        task,
    )?;
    let mut outputs = Vec::new();
    for (path, mut file, digest) in graph_file.into_iter().chain([top, exclusive]) {
        file.flush()
            .map_err(|error| Error::storage(transaction.shown(path), "write", error))?;
        let (bytes, sha256) = digest.finish();
        outputs.push(OutputFile {
            path: path.to_owned(),
            rows: 0,
            bytes,
            sha256,
        });
    }
    outputs.extend(tables.finish()?);
    let numbers = GoldNumbers {
        as_of: as_of.to_string(),
        drugs: written.drugs,
        publications: written.publications,
        superseded: outdated.superseded,
        deleted: outdated.deleted,
        unit: answers.unit,
        substances: written.substances,
        mentions,
        pairs: written.pairs,
        journals: written.answers.journals,
        top_journals: written.answers.top_journals.into_iter().collect(),
        max_exclusive: answers.max_exclusive,
        exclusive_cut: written.answers.exclusive_cut,
    };
    Ok((outputs, numbers))
}

/// Rows that wait until they are written as one frame.
const ROWS_AT_ONCE: usize = 1 << 14;

/// The tables `journals` and `journal_drugs`, journal by journal.
struct JournalTables {
    journals: RowsOfTable,
    drugs: RowsOfTable,
}

impl JournalTables {
    fn create(transaction: &mut dyn Transaction) -> Result<Self> {
        Ok(Self {
            journals: RowsOfTable::create(transaction, &JOURNALS)?,
            drugs: RowsOfTable::create(transaction, &JOURNAL_DRUGS)?,
        })
    }

    fn add(&mut self, journal: &JournalTotals<'_>) -> Result<()> {
        let mut substances: Vec<&str> = journal.pairs.iter().map(|(substance, ..)| *substance).collect();
        substances.dedup();
        let counts = [journal.publications, substances.len() as u64, journal.codes];
        self.journals.push(&[journal.name], &counts)?;
        for (substance, kind, pairs) in journal.pairs {
            self.drugs
                .push(&[journal.name, substance, kind.name()], &[*pairs])?;
        }
        Ok(())
    }

    fn finish(self) -> Result<[OutputFile; 2]> {
        Ok([self.journals.finish()?, self.drugs.finish()?])
    }
}

/// A table that is written row by row. Its texts come before its numbers.
struct RowsOfTable {
    table: &'static Table,
    file: TableWriter,
    texts: Vec<Vec<String>>,
    numbers: Vec<Vec<i64>>,
}

impl RowsOfTable {
    fn create(transaction: &mut dyn Transaction, table: &'static Table) -> Result<Self> {
        let is_number = |column: &&TableColumn| column.column_type == ColumnType::Number;
        let numbers = table.columns.iter().filter(is_number).count();
        Ok(Self {
            table,
            file: TableWriter::create(transaction, layout::table_file(table), table)?,
            texts: vec![Vec::new(); table.columns.len() - numbers],
            numbers: vec![Vec::new(); numbers],
        })
    }

    fn push(&mut self, texts: &[&str], numbers: &[u64]) -> Result<()> {
        let columns = self.texts.iter_mut().zip(texts);
        columns.for_each(|(column, text)| column.push((*text).to_owned()));
        let columns = self.numbers.iter_mut().zip(numbers);
        columns.for_each(|(column, number)| column.push(number.cast_signed()));
        if self.texts[0].len() == ROWS_AT_ONCE {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<()> {
        let height = self.texts[0].len();
        let mut names = self.table.columns.iter().map(|column| column.name);
        let mut columns: Vec<Column> = Vec::with_capacity(self.table.columns.len());
        for (name, texts) in names.by_ref().zip(&mut self.texts) {
            columns.push(Column::new(name.into(), std::mem::take(texts)));
        }
        let names = &self.table.columns[self.texts.len()..];
        for (column, numbers) in names.iter().zip(&mut self.numbers) {
            columns.push(Column::new(column.name.into(), std::mem::take(numbers)));
        }
        self.file.write(&DataFrame::new(height, columns)?)
    }

    fn finish(mut self) -> Result<OutputFile> {
        self.write()?;
        self.file.finish()
    }
}

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
