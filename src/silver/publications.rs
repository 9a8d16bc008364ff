//! Cleaning publications: one batch of raw rows to one batch of the table [`PUBLICATIONS`].

use std::borrow::Cow;

use chrono::NaiveDate;
use polars::prelude::{
    DataFrame, DataType, Int32Chunked, IntoColumn, IntoSeries, NamedFrom, NewChunkedArray, Series,
    StringChunked, StringChunkedBuilder,
};
use uuid::Uuid;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::details::{DetailColumns, RawDetails, RowDetails};
use super::journal_ids::BatchJournals;
use super::journals::CleanJournal;
use super::merge::{HalfRow, RowKey};
use super::shapes::{Layout, trial_summary};
use super::texts::{TextLists, TextRuns, nul_byte, source_rows};
use crate::error::Result;
use crate::formats::{Deletion, RawBatch};
use crate::schema::{
    DatePrecision, Flag, JournalIds, PUBLICATIONS, PublicationKind, Reason, Rejected, SourceShape,
};
use crate::text::date::{NumericOrder, Parsed, parse};
use crate::text::{Cleaned, clean, given_id};

/// The namespace of synthetic ids: a random UUID, fixed for ever.
const SYNTHETIC_IDS: Uuid = Uuid::from_u128(0x8f27_26a1_2c1b_5d0f_9e55_6f6d_1a3b_7c42);

/// What all rows of one file have in common.
#[derive(Debug, Clone)]
pub struct Context {
    pub kind: PublicationKind,
    pub uri: String,
    /// Where the file stands among the files of its partition.
    pub file: u32,
    pub order: NumericOrder,
}

/// What a cleaned batch is beside its rows in the frame. `keys` has one entry for every row that was not rejected.
#[derive(Debug)]
pub struct CleanBatch {
    pub keys: Vec<RowKey>,
    pub halves: Vec<(usize, HalfRow)>,
    /// The file that the rows come from: the source, or a file in an archive.
    pub uri: String,
    /// Rows that the format could not read and rows that are no publication, by place.
    pub rejected: Vec<Rejected>,
    /// Notices of deletion; their `behind` counts the rows of this batch.
    pub deletions: Vec<Deletion>,
    /// The ids that the rows give their journals.
    pub journals: Vec<JournalIds>,
}

/// Cleans batches of one partition, whose rows become one frame: a frame of its own for each of a hundred thousand small
/// files would cost far more than their rows do.
pub struct Cleaner {
    out: Columns,
}

impl Cleaner {
    /// Reserves room for about `rows` rows.
    pub fn new(rows: usize) -> Self {
        Self {
            out: Columns::new(rows),
        }
    }

    /// Cleans a batch.
    pub fn add(&mut self, raw: RawBatch, context: &Context) -> Result<CleanBatch> {
        add_batch(&mut self.out, raw, context)
    }

    /// The rows of all batches, in order.
    pub fn finish(self) -> Result<DataFrame> {
        self.out.finish()
    }
}

/// Cleans one batch into a frame of its own.
pub fn clean_batch(raw: RawBatch, context: &Context) -> Result<(CleanBatch, DataFrame)> {
    let mut cleaner = Cleaner::new(raw.frame.height());
    let batch = cleaner.add(raw, context)?;
    Ok((batch, cleaner.finish()?))
}

fn add_batch(out: &mut Columns, raw: RawBatch, context: &Context) -> Result<CleanBatch> {
    let with_nul = raw.nul_bytes()?;
    let RawBatch {
        shape,
        frame,
        raw: texts,
        mut rejected,
        mut deletions,
        member,
    } = raw;
    let layout = Layout::of(context.kind, shape);
    let rows = frame.column("source_row")?.u64()?.clone();
    let column = |name: &str| -> Result<StringChunked> { Ok(frame.column(name)?.str()?.clone()) };
    let (ids, titles, dates) = (column("id")?, column("title")?, column("date")?);
    let (journals, abstracts) = (column("journal")?, column("abstract")?);
    let more = |name: &str| {
        frame
            .column(name)
            .ok()
            .map(|column| column.str().cloned())
            .transpose()
    };
    let (versions, brief_titles, interventions) =
        (more("version")?, more("brief_title")?, more("interventions")?);
    let details = RawDetails::of(&frame)?;
    let (nlm_ids, issns, years) = (more("nlm_id")?, more("issn")?, more("year")?);
    let mut nlm_ids = nlm_ids.as_ref().map(StringChunked::iter);
    let mut issns = issns.as_ref().map(StringChunked::iter);
    let of = |column: &Option<StringChunked>, row: usize| -> Option<String> {
        column.as_ref()?.get(row).map(str::to_owned)
    };
    let uri = member.map_or_else(
        || context.uri.clone(),
        |member| format!("{}/{member}", context.uri),
    );
    out.begin(frame.height());
    let values = rows
        .into_no_null_iter()
        .zip(ids.iter())
        .zip(titles.iter())
        .zip(dates.iter())
        .zip(journals.iter())
        .zip(abstracts.iter());
    for (number, (((((row, id), title), date), journal), summary)) in values.enumerate() {
        let nlm_id = nlm_ids.as_mut().and_then(|ids| ids.next().flatten());
        let issn = issns.as_mut().and_then(|issns| issns.next().flatten());
        let brief_title = of(&brief_titles, number);
        let mut title = clean(title.unwrap_or_default());
        if title.text.is_empty() {
            title = clean(brief_title.as_deref().unwrap_or_default());
        }
        let refused = match with_nul.get(&number) {
            Some(column) => Some(nul_byte(row, column)),
            None if title.text.is_empty() => Some((
                Reason::BlankTitle,
                format!("row {row}: the title is blank; a publication needs one"),
            )),
            None => None,
        };
        if let Some((reason, message)) = refused {
            // What stood behind this row stands one row nearer now.
            deletions
                .iter_mut()
                .filter(|deletion| deletion.behind > out.keys.len())
                .for_each(|deletion| deletion.behind -= 1);
            rejected.push(Rejected {
                reason,
                message,
                raw: texts.get(number).into_owned(),
                source_row: row,
            });
            continue;
        }
        let summary = match context.kind.description().shape {
            SourceShape::Articles => summary.map(Cow::Borrowed),
            SourceShape::Trials => trial_summary(
                &title.text,
                brief_title.as_deref(),
                summary,
                of(&interventions, number).as_deref(),
            ),
        };
        let given = journal.unwrap_or_default();
        let mut its_details = details.row(number);
        if layout == Layout::LegacyPubmed {
            its_details = its_details.with_citation(date.unwrap_or_default());
        }
        let row = RawPublication {
            source_row: row,
            id,
            version: versions
                .as_ref()
                .and_then(|versions| versions.get(number)?.trim().parse().ok()),
            title: &title,
            date: layout.date(
                date.unwrap_or_default(),
                given,
                years.as_ref().and_then(|years| years.get(number)),
            ),
            journal: layout.journal(given),
            summary: summary.as_deref(),
            nlm_id,
            issn,
            details: its_details,
        };
        out.push(context, row)?;
    }
    out.source_uris.push(&uri, out.keys.len());
    rejected.sort_by_key(|row| row.source_row);
    Ok(CleanBatch {
        keys: std::mem::take(&mut out.keys),
        halves: std::mem::take(&mut out.halves),
        uri,
        rejected,
        deletions,
        journals: out.known.take(),
    })
}

/// The values of the first row of a batch by their names in the plain shape, not cleaned.
pub(crate) fn first_values(raw: &RawBatch, kind: PublicationKind) -> Result<Vec<(&'static str, String)>> {
    let layout = Layout::of(kind, raw.shape);
    let value = |name: &str| -> Result<Option<String>> {
        match raw.frame.column(name) {
            Ok(column) => Ok(column.str()?.get(0).map(str::to_owned)),
            Err(_) => Ok(None),
        }
    };
    let (date, journal) = (
        value("date")?.unwrap_or_default(),
        value("journal")?.unwrap_or_default(),
    );
    let year = value("year")?;
    let mut values = vec![
        ("date", layout.date(&date, &journal, year.as_deref()).to_owned()),
        ("journal", layout.journal(&journal).to_owned()),
    ];
    for name in ["id", "title", "abstract", "interventions"] {
        values.extend(value(name)?.map(|value| (name, value)));
    }
    Ok(values)
}

/// The values of one row, as they were taken out of their columns.
#[derive(Clone, Copy)]
struct RawPublication<'r> {
    source_row: u64,
    id: Option<&'r str>,
    version: Option<u32>,
    title: &'r Cleaned<'r>,
    date: &'r str,
    journal: &'r str,
    summary: Option<&'r str>,
    nlm_id: Option<&'r str>,
    issn: Option<&'r str>,
    details: RowDetails<'r>,
}

/// Builds the columns of a frame.
struct Columns {
    ids: StringChunkedBuilder,
    titles: StringChunkedBuilder,
    abstracts: StringChunkedBuilder,
    dates: Vec<Option<i32>>,
    precisions: Vec<Option<&'static str>>,
    journals: StringChunkedBuilder,
    journal_keys: StringChunkedBuilder,
    details: DetailColumns,
    flags: TextLists,
    source_uris: TextRuns,
    source_rows: Vec<u64>,
    /// The keys and half rows of the batch.
    keys: Vec<RowKey>,
    halves: Vec<(usize, HalfRow)>,
    /// What the rows of the batch say of their journals.
    known: BatchJournals,
}

impl Columns {
    fn new(rows: usize) -> Self {
        let text = |name: &str| StringChunkedBuilder::new(name.into(), rows);
        Self {
            ids: text("publication_id"),
            titles: text("title"),
            abstracts: text("abstract"),
            dates: Vec::with_capacity(rows),
            precisions: Vec::with_capacity(rows),
            journals: text("journal"),
            journal_keys: text("journal_key"),
            details: DetailColumns::new(),
            flags: TextLists::new("flags", rows),
            source_uris: TextRuns::new("source_uri"),
            source_rows: Vec::with_capacity(rows),
            keys: Vec::new(),
            halves: Vec::new(),
            known: BatchJournals::default(),
        }
    }

    fn begin(&mut self, rows: usize) {
        self.keys = Vec::with_capacity(rows);
        self.halves = Vec::new();
    }

    fn push(&mut self, context: &Context, row: RawPublication<'_>) -> Result<()> {
        let RawPublication {
            source_row,
            id,
            version,
            title,
            date,
            journal,
            summary,
            nlm_id,
            issn,
            details,
        } = row;
        let mut flags = title.flags;
        let (date, precision) = match parse(date, context.order) {
            Parsed::Date(date, precision) => (Some(date), Some(precision)),
            Parsed::Missing => {
                flags.insert(Flag::MissingDate);
                (None, None)
            }
            Parsed::Bad => {
                flags.insert(Flag::BadDate);
                (None, None)
            }
        };
        let named = CleanJournal::of(journal);
        let (journal, key) = (named.name.as_deref(), named.key.as_deref());
        flags.extend(named.flags);
        if journal.is_none() {
            flags.insert(Flag::MissingJournal);
        }
        let summary = clean(summary.unwrap_or_default());
        flags.extend(summary.flags);
        let summary = (!summary.text.is_empty()).then_some(summary.text);
        let given = id.and_then(given_id);
        let synthetic = given.is_none().then(|| {
            flags.insert(Flag::SyntheticId);
            synthetic_id(context.kind, &title.text, date, journal)
        });
        let id = given.or(synthetic.as_deref()).unwrap_or_default();
        if given.is_none() != journal.is_none()
            && let Some(date) = date
        {
            let half = HalfRow {
                place: half_key(context, &title.text, date),
                journal: journal
                    .zip(key)
                    .map(|(journal, key)| (journal.to_owned(), key.to_owned())),
            };
            self.halves.push((self.keys.len(), half));
        }
        if let Some(key) = key {
            self.known.add(key, nlm_id, issn);
        }
        self.keys.push(RowKey {
            id: id_hash(id),
            content: content_hash(&title.text, summary.as_deref(), date, precision, &details),
            journal: named.hash,
            flags,
            version: version.unwrap_or(0),
        });
        self.ids.append_value(id);
        self.titles.append_value(&title.text);
        self.abstracts.append_option(summary.as_deref());
        self.dates.push(date.map(|date| date.to_epoch_days()));
        self.precisions.push(precision.map(DatePrecision::name));
        self.journals.append_option(journal);
        self.journal_keys.append_option(key);
        self.details.push(details, version)?;
        self.flags.push_flags(flags)?;
        self.source_rows.push(source_row);
        Ok(())
    }

    fn finish(self) -> Result<DataFrame> {
        let height = self.source_rows.len();
        let dates = Int32Chunked::from_slice_options("date".into(), &self.dates)
            .into_series()
            .cast(&DataType::Date)?;
        let mut columns = vec![
            self.ids.finish().into_column(),
            self.titles.finish().into_column(),
            self.abstracts.finish().into_column(),
            dates.into_column(),
            Series::new("date_precision".into(), self.precisions).into_column(),
            self.journals.finish().into_column(),
            self.journal_keys.finish().into_column(),
        ];
        columns.extend(self.details.finish()?);
        columns.extend([
            self.flags.finish()?,
            self.source_uris.finish(),
            source_rows(self.source_rows),
        ]);
        let frame = DataFrame::new(height, columns)?;
        PUBLICATIONS.check(&frame)?;
        Ok(frame)
    }
}

/// The hash by which ids are compared.
pub fn id_hash(id: &str) -> u128 {
    xxh3_128(id.as_bytes())
}

/// The same row has the same id on every run, on every machine.
fn synthetic_id(
    kind: PublicationKind,
    title: &str,
    date: Option<NaiveDate>,
    journal: Option<&str>,
) -> String {
    let date = date.map(|date| date.to_string()).unwrap_or_default();
    // A control character parts them, which no title is likely to hold.
    let name = [kind.name(), title, &date, journal.unwrap_or_default()].join("\u{1f}");
    Uuid::new_v5(&SYNTHETIC_IDS, name.as_bytes()).to_string()
}

fn half_key(context: &Context, title: &str, date: NaiveDate) -> u128 {
    let mut hash = Xxh3::new();
    hash.update(&context.file.to_le_bytes());
    hash.update(&date.to_epoch_days().to_le_bytes());
    hash.update(title.as_bytes());
    hash.digest128()
}

fn content_hash(
    title: &str,
    summary: Option<&str>,
    date: Option<NaiveDate>,
    precision: Option<DatePrecision>,
    details: &RowDetails<'_>,
) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(title.as_bytes());
    hash.update(&[0xff, u8::from(summary.is_some())]);
    hash.update(summary.unwrap_or_default().as_bytes());
    hash.update(&[0xff]);
    hash.update(&date.map_or(i32::MIN, |date| date.to_epoch_days()).to_le_bytes());
    hash.update(precision.map_or("", DatePrecision::name).as_bytes());
    details.hash(&mut hash);
    hash.digest()
}
