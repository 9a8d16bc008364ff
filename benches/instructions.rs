//! Five hot paths on fixed input, for a count of their instructions: `instructions PATH` runs one of them once.
//!
//! `benches/instructions.py` runs each under callgrind, which counts from the entry of the path's function to its return:
//! making the input is not counted. The input comes from `drugs_rs::generate`, whose bytes depend on the seed alone.
//! Everything is in one thread.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measuring program, not the product"
)]

use std::hint::black_box;
use std::io::Cursor;

use drugs_rs::formats::{Encoding, Field, Fields, Input, open};
use drugs_rs::generate::{Block, Format, GenerateSettings, MadeTable, block, drugs_block};
use drugs_rs::matcher::{Matcher, MatcherSettings, VocabularyEntry};
use drugs_rs::task::Task;
use drugs_rs::text::date::{self, NumericOrder, Parsed};
use drugs_rs::text::{clean, journal_key};

const DRUGS: u64 = 5_000;
const RECORDS: u64 = 4_000;

fn main() {
    // `cargo bench` adds `--bench`.
    let path = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with("--"));
    let found = match path.as_deref() {
        Some("build_index") => {
            let entries = entries();
            counted(|| matcher(&entries).len())
        }
        Some("find_names") => {
            let (matcher, titles) = (matcher(&entries()), titles());
            counted(|| find_names(&matcher, &titles))
        }
        Some("clean_cells") => {
            let rows = rows();
            counted(|| clean_cells(&rows))
        }
        Some("read_csv") => {
            let bytes = articles(Format::Csv);
            counted(|| read(bytes))
        }
        Some("read_pubmed_xml") => {
            let bytes = articles(Format::PubmedXml);
            counted(|| read(bytes))
        }
        _ => {
            println!("no path: run `make instructions`");
            return;
        }
    };
    println!("{found}");
}

/// Does the work of a path. Callgrind counts between the entry of this function and its return, so it must not be inlined.
#[inline(never)]
fn counted(work: impl FnOnce() -> usize) -> usize {
    black_box(work())
}

fn matcher(entries: &[VocabularyEntry]) -> Matcher {
    Matcher::new(entries, &MatcherSettings::default()).unwrap()
}

/// The number of mentions.
fn find_names(matcher: &Matcher, titles: &[String]) -> usize {
    let mut finder = matcher.finder();
    let mut count = 0;
    for title in titles {
        finder.each(title, |mention| count += usize::from(black_box(mention.end) > 0));
    }
    count
}

/// Cleans what silver cleans in each row, its title, date and journal, and returns their bytes and dates.
fn clean_cells(rows: &[Vec<String>]) -> usize {
    let mut count = 0;
    for row in rows {
        let date = date::parse(&row[2], NumericOrder::DayFirst);
        count += clean(&row[1]).text.len();
        count += usize::from(matches!(date, Parsed::Date(..)));
        count += journal_key(&clean(&row[3]).text).len();
    }
    count
}

/// The number of rows.
fn read(bytes: Vec<u8>) -> usize {
    let fields = fields();
    let input = Input::new("made", Box::new(Cursor::new(bytes)), Encoding::Utf8).unwrap();
    let mut reader = open(input, &fields).unwrap();
    let task = Task::new();
    let mut count = 0;
    while let Some(batch) = reader.next_batch(&task).unwrap() {
        count += black_box(batch.frame.height());
    }
    count
}

/// The columns of publications; PubMed's XML has all of them.
fn fields() -> Fields {
    Fields::new([
        Field::required("id", &["id"]),
        Field::required("title", &["title"]),
        Field::required("date", &["date"]),
        Field::required("journal", &["journal"]),
        Field::optional("abstract", &["abstract"]),
        Field::optional("doi", &[]),
        Field::optional("pmcid", &[]),
        Field::optional("publication_types", &[]),
        Field::optional("mesh", &[]),
        Field::optional("substances", &[]),
        Field::optional("trial_ids", &[]),
    ])
}

fn settings(articles_format: Format) -> GenerateSettings {
    GenerateSettings {
        articles: RECORDS,
        drugs: DRUGS,
        drugs_format: Format::Parquet,
        articles_format,
        abstracts: 0.5,
        ..GenerateSettings::default()
    }
}

/// A file of articles.
fn articles(format: Format) -> Vec<u8> {
    let head = Block::head(MadeTable::Articles, format).as_bytes();
    let records = block(&settings(format), MadeTable::Articles, 0..RECORDS).text;
    [head, &records, Block::tail(format).as_bytes()].concat()
}

/// The articles as rows of id, title, date, journal and abstract; a missing value is empty.
fn rows() -> Vec<Vec<String>> {
    let columns = block(&settings(Format::Parquet), MadeTable::Articles, 0..RECORDS).cells;
    rows_of(&columns)
}

fn titles() -> Vec<String> {
    rows().into_iter().map(|mut row| row.swap_remove(1)).collect()
}

fn entries() -> Vec<VocabularyEntry> {
    let columns = drugs_block(&settings(Format::Parquet), 0..DRUGS).cells;
    rows_of(&columns)
        .into_iter()
        .map(|row| {
            let synonyms = row[2].split('|').map(|synonym| synonym.trim().to_owned());
            VocabularyEntry::new(row[0].as_str(), row[1].as_str(), synonyms)
        })
        .collect()
}

fn rows_of(columns: &[Vec<Option<String>>]) -> Vec<Vec<String>> {
    let row = |row: usize| {
        let cells = columns
            .iter()
            .map(|column| column[row].clone().unwrap_or_default());
        cells.collect()
    };
    (0..columns[0].len()).map(row).collect()
}
