//! Blocks: some records of one table in the table's format, with the truth about them.

use std::ops::Range;

use super::GenerateSettings;
use super::format::{Format, MadeTable};
use super::random::drugs::Drugs;
use super::record::{MadeRow, RecordMaker};
use super::truth::{self, Counts};
use super::writers::{medline, plain, pubmed_xml, registry};

/// The outputs of some records.
#[derive(Debug, Default)]
pub struct Block {
    /// Text for the file; empty for Parquet and for studies in files of their own.
    pub text: Vec<u8>,
    /// For Parquet the columns, in the order of [`Block::columns`].
    pub cells: Vec<Vec<Option<String>>>,
    /// For studies in files of their own, each name and its content.
    pub files: Vec<(String, Vec<u8>)>,
    /// Mentions, one on each line.
    pub truth: Vec<u8>,
    /// The corrected records of earlier deliveries, one on each line.
    pub corrected: Vec<u8>,
    pub counts: Counts,
}

impl Block {
    /// The columns of a Parquet file of a table.
    pub fn columns(table: MadeTable) -> &'static [&'static str] {
        match table {
            MadeTable::Drugs => &["atccode", "drug", "synonyms"],
            MadeTable::Articles => &["id", "title", "date", "journal", "abstract"],
            MadeTable::Trials => &["id", "scientific_title", "date", "journal", "abstract"],
        }
    }

    /// The beginning of a file.
    pub fn head(table: MadeTable, format: Format) -> &'static str {
        match format {
            Format::Csv => plain::header(table),
            Format::Json | Format::StudiesJson => "[\n",
            Format::PubmedXml => pubmed_xml::HEAD,
            Format::PubmedCsv => registry::PUBMED_HEADER,
            Format::CtgovCsv => registry::NEW_HEADER,
            Format::CtgovClassicCsv => registry::CLASSIC_HEADER,
            _ => "",
        }
    }

    /// The end of a file.
    pub fn tail(format: Format) -> &'static str {
        match format {
            Format::Json | Format::StudiesJson => "\n]\n",
            Format::PubmedXml => pubmed_xml::TAIL,
            _ => "",
        }
    }

    /// The text between two blocks of a file.
    pub fn between(format: Format) -> &'static str {
        match format {
            Format::Json | Format::StudiesJson => ",\n",
            _ => "",
        }
    }
}

/// Generates records of articles or trials.
pub fn block(settings: &GenerateSettings, table: MadeTable, numbers: Range<u64>) -> Block {
    let maker = RecordMaker::new(settings, table);
    let (format, mut block) = Block::of(settings, table);
    let mut later = Vec::new();
    let mut deleted = Vec::new();
    for number in numbers {
        let record = maker.record(number);
        block.counts.add(&record, format);
        truth::write(&record, table, &mut block.truth);
        block.write(table, format, &record.row, false);
        if record.deleted {
            deleted.push(record.row.id);
        }
        later.extend(record.later);
    }
    // Second rows come after all others, so that comparing neighbours is not enough to find them.
    for row in &later {
        block.write(table, format, row, true);
    }
    pubmed_xml::delete(&deleted, &mut block.text);
    block
}

/// Generates corrections of articles or trials of earlier deliveries.
pub fn corrections_block(settings: &GenerateSettings, table: MadeTable, corrections: Range<u64>) -> Block {
    let maker = RecordMaker::new(settings, table);
    let (format, mut block) = Block::of(settings, table);
    let Some(delivery) = &settings.delivery else {
        return block;
    };
    for record in corrections.filter_map(|correction| maker.correction(delivery, correction)) {
        block.counts.add(&record, format);
        truth::write(&record, table, &mut block.truth);
        truth::write_correction(&record, table, &mut block.corrected);
        block.write(table, format, &record.row, false);
    }
    block
}

/// Generates rows of the vocabulary.
pub fn drugs_block(settings: &GenerateSettings, numbers: Range<u64>) -> Block {
    let drugs = Drugs {
        seed: settings.seed,
        count: settings.drugs,
    };
    let mut block = Block::default();
    block.counts.rows_in = numbers.end - numbers.start;
    let parquet = settings.drugs_format == Format::Parquet;
    if parquet {
        block.cells = vec![Vec::new(); 3];
    }
    for number in numbers {
        let row = drugs.row(number);
        if parquet {
            for (cells, value) in block.cells.iter_mut().zip(row) {
                cells.push((!value.is_empty()).then_some(value));
            }
        } else {
            plain::drug(settings.drugs_format, &row, &mut block.text);
        }
    }
    block
}

impl Block {
    /// The format of a table, and a block of it without a record.
    fn of(settings: &GenerateSettings, table: MadeTable) -> (Format, Self) {
        let format = settings.format(table);
        let mut block = Self::default();
        if format == Format::Parquet {
            block.cells = vec![Vec::new(); Self::columns(table).len()];
        }
        (format, block)
    }

    fn write(&mut self, table: MadeTable, format: Format, row: &MadeRow, again: bool) {
        let out = &mut self.text;
        match format {
            Format::Csv | Format::Json | Format::Ndjson => plain::publication(table, format, row, out),
            Format::Parquet => {
                let values = [
                    &row.id,
                    &row.shown_title(),
                    &row.date.text(),
                    &row.journal,
                    &row.summary,
                ];
                for (cells, value) in self.cells.iter_mut().zip(values) {
                    cells.push((!value.is_empty()).then(|| value.clone()));
                }
            }
            Format::PubmedXml => pubmed_xml::article(row, again, out),
            Format::Medline => medline::record(row, out),
            Format::PubmedCsv | Format::CtgovCsv | Format::CtgovClassicCsv => {
                registry::export(format, row, out);
            }
            Format::StudiesJson | Format::StudiesNdjson => registry::study(format, row, out),
            Format::StudyFiles => {
                let mut study = Vec::new();
                registry::study(format, row, &mut study);
                // The second one sorts after the first: `_` is greater than `.`.
                let name = if again {
                    format!("{}_2.json", row.id)
                } else {
                    format!("{}.json", row.id)
                };
                self.files.push((name, study));
            }
        }
    }
}
