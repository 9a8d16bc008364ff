//! Corrected rows in the places of rejected ones.
//!
//! A correction is looked up at the moment of rejection: when a reader or the cleaning rejects a row, and there is a correction
//! for that row of that file with that text, the corrected row is read in its place, as if the source had been right. A
//! correction that meets no rejected row changes nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, Series};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::publications::{self, first_values};
use super::{shapes, vocabulary};
use crate::error::Result;
use crate::formats::{Deletion, RawBatch, ReaderNotes, RowReader};
use crate::schema::{Rejected, SourceShape, SourceTable};
use crate::task::Task;
use crate::text::date::NumericOrder;

/// What a person made of a rejected row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectedRow {
    /// The copy in bronze that has the rejected row, relative to the lake.
    pub file: String,
    /// The source and the row, as `silver/rejected` names them.
    pub source_uri: String,
    pub source_row: u64,
    /// A value for each of [`value_columns`].
    pub values: BTreeMap<String, String>,
}

/// Corrected rows by the ids of the rejected ones.
pub type CorrectionSet = BTreeMap<String, CorrectedRow>;

/// The columns of a table that can be corrected.
pub fn value_columns(table: SourceTable) -> &'static [&'static str] {
    match table.publication_kind().map(|kind| kind.description().shape) {
        None => &["atccode", "drug", "synonyms"],
        Some(SourceShape::Articles) => &["id", "title", "date", "journal", "abstract"],
        Some(SourceShape::Trials) => &["id", "title", "date", "journal", "abstract", "interventions"],
    }
}

/// The id of a rejected row: a digest of the copy in bronze, the file in an archive, the place and the text. It begins with a
/// letter, so that no spreadsheet takes it for a number.
pub fn row_id(file: &str, member: &str, source_row: u64, raw: &str) -> String {
    let mut hash = Xxh3::new();
    for text in [file, member, raw] {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.update(&source_row.to_le_bytes());
    format!("r{:032x}", hash.digest128())
}

/// A value as it is compared and kept: in one line, without blanks around it. Cleaning makes one blank of white space.
pub fn in_one_line(value: &str) -> String {
    value.replace(['\r', '\n'], " ").trim().to_owned()
}

/// The corrections of a partition while it is cleaned, and which of them met their row.
#[derive(Debug, Default)]
pub struct Corrections {
    rows: CorrectionSet,
    /// The rows with corrections, by file.
    places: BTreeMap<String, BTreeSet<u64>>,
    /// How often, by id.
    met: Mutex<BTreeMap<String, u64>>,
}

impl Corrections {
    pub fn new(rows: CorrectionSet) -> Self {
        let mut places: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
        for row in rows.values() {
            places.entry(row.file.clone()).or_default().insert(row.source_row);
        }
        Self {
            rows,
            places,
            met: Mutex::default(),
        }
    }

    pub fn rows(&self) -> &CorrectionSet {
        &self.rows
    }

    /// How many rejected rows were corrected, by file.
    pub fn corrected(&self) -> BTreeMap<&str, u64> {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let mut files = BTreeMap::new();
        for (id, count) in met.iter() {
            if let Some(row) = self.rows.get(id) {
                *files.entry(row.file.as_str()).or_default() += count;
            }
        }
        files
    }

    /// The ids of the corrections that met no rejected row.
    pub fn stale(&self) -> Vec<String> {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let ids = self.rows.keys().filter(|id| !met.contains_key(*id));
        ids.cloned().collect()
    }

    /// Forgets what was met in a file, which was rejected as a whole.
    pub fn drop_file(&self, file: &str) {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        met.retain(|id, _| self.rows.get(id).is_none_or(|row| row.file != file));
    }

    fn meet(&self, id: String) {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        *met.entry(id).or_default() += 1;
    }
}

/// Why silver rejects the only row of a batch, if it does.
pub fn rejection(table: SourceTable, row: RawBatch) -> Result<Option<Rejected>> {
    let rejected = match table.publication_kind() {
        Some(kind) => {
            let context = publications::Context {
                kind,
                uri: String::new(),
                file: 0,
                order: NumericOrder::default(),
            };
            publications::clean_batch(row, &context)?.0.rejected
        }
        None => {
            let shape = &vocabulary::SHAPES[row.shape];
            vocabulary::clean_batch(row, shape, 0)?.1
        }
    };
    Ok(rejected.into_iter().next())
}

/// A corrected row in the plain shape of its table.
pub fn plain_row(table: SourceTable, source_row: u64, values: &BTreeMap<String, String>) -> Result<RawBatch> {
    let shapes = match table.publication_kind() {
        Some(kind) => shapes::shapes(kind),
        None => vocabulary::shapes(),
    };
    RawBatch::of_values(&shapes[0], source_row, |name| {
        values.get(name).map(String::as_str)
    })
}

/// A corrected row with all that its source says beside the corrected columns. A vocabulary's row is what was corrected alone.
fn row_in_source(
    table: SourceTable,
    mut original: RawBatch,
    source_row: u64,
    values: &BTreeMap<String, String>,
) -> Result<RawBatch> {
    let Some(kind) = table.publication_kind() else {
        return plain_row(table, source_row, values);
    };
    // Some shapes hold journal and date inside of other texts. Those texts stay if neither was changed.
    let read = first_values(&original, kind)?;
    let is_same = |name: &str| {
        let found = read.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| in_one_line(value)).as_ref() == values.get(name)
    };
    let keeps_date = is_same("date") && is_same("journal");
    let columns = original.frame.columns().iter().map(|column| -> Result<Column> {
        let name = column.name();
        let stays = keeps_date && matches!(name.as_str(), "date" | "journal");
        let value = match (name.as_str(), values.get(name.as_str())) {
            ("source_row", _) => return Ok(column.clone()),
            (_, Some(value)) if !stays => Some(value.as_str()),
            // A NUL byte may be why the row was rejected.
            _ => column.str()?.get(0).filter(|text| !text.contains('\0')),
        };
        Ok(Series::new(name.clone(), [value]).into_column())
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    original.frame = DataFrame::new(1, columns)?;
    if !keeps_date {
        original.shape = 0;
    }
    Ok(original)
}

/// Reads a file with corrected rows in the places of its rejected ones.
pub struct CorrectingReader {
    reader: Box<dyn RowReader>,
    table: SourceTable,
    /// The copy in bronze.
    file: String,
    corrections: Arc<Corrections>,
    /// What was read and is not returned yet.
    ready: VecDeque<RawBatch>,
}

/// A corrected row and its place in a batch.
struct Cut {
    /// The rows before it.
    start: usize,
    /// The end of what it replaces.
    end: usize,
    source_row: u64,
    row: RawBatch,
}

impl CorrectingReader {
    /// The reader of a file; itself if there is no correction for that file.
    pub fn over(
        reader: Box<dyn RowReader>,
        table: SourceTable,
        file: &str,
        corrections: &Arc<Corrections>,
    ) -> Box<dyn RowReader> {
        if !corrections.places.contains_key(file) {
            return reader;
        }
        Box::new(Self {
            reader,
            table,
            file: file.to_owned(),
            corrections: Arc::clone(corrections),
            ready: VecDeque::new(),
        })
    }

    /// The correction of a row.
    fn find(&self, member: Option<&str>, source_row: u64, raw: &str) -> Option<(String, &CorrectedRow)> {
        let places = self.corrections.places.get(&self.file)?;
        if !places.contains(&source_row) {
            return None;
        }
        // The rejected rows of a vocabulary do not say which file of an archive they are from.
        let member = member.filter(|_| self.table.publication_kind().is_some());
        let id = row_id(&self.file, member.unwrap_or_default(), source_row, raw);
        let row = self.corrections.rows.get(&id)?;
        Some((id, row))
    }

    /// Takes a corrected row, unless it would be rejected too.
    fn take(&self, id: String, row: RawBatch) -> Result<Option<RawBatch>> {
        if rejection(self.table, row.rows(0..1))?.is_some() {
            return Ok(None);
        }
        self.corrections.meet(id);
        Ok(Some(row))
    }

    /// The corrected rows of a batch, in order. Their rejected rows are taken out of those of the batch.
    fn cuts(&self, batch: &mut RawBatch) -> Result<Vec<Cut>> {
        let numbers: Vec<u64> = batch
            .frame
            .column("source_row")?
            .u64()?
            .into_no_null_iter()
            .collect();
        let member = batch.member.clone();
        let mut cuts = Vec::new();
        for (start, source_row) in numbers.iter().copied().enumerate() {
            let Some((id, corrected)) = self.find(member.as_deref(), source_row, &batch.raw.get(start))
            else {
                continue;
            };
            let original = batch.rows(start..start + 1);
            if rejection(self.table, batch.rows(start..start + 1))?.is_none() {
                continue;
            }
            let row = row_in_source(self.table, original, source_row, &corrected.values)?;
            if let Some(row) = self.take(id, row)? {
                cuts.push(Cut {
                    start,
                    end: start + 1,
                    source_row,
                    row,
                });
            }
        }
        for rejected in std::mem::take(&mut batch.rejected) {
            let source_row = rejected.source_row;
            let mut taken = None;
            if let Some((id, corrected)) = self.find(member.as_deref(), source_row, &rejected.raw) {
                let mut row = plain_row(self.table, source_row, &corrected.values)?;
                row.member.clone_from(&member);
                taken = self.take(id, row)?;
            }
            match taken {
                None => batch.rejected.push(rejected),
                Some(row) => {
                    let start = numbers.partition_point(|number| *number < source_row);
                    cuts.push(Cut {
                        start,
                        end: start,
                        source_row,
                        row,
                    });
                }
            }
        }
        cuts.sort_by_key(|cut| (cut.start, cut.source_row));
        Ok(cuts)
    }

    /// A batch with its corrected rows, in pieces: these have the plain shape, and the others that of the source.
    fn correct(&self, mut batch: RawBatch) -> Result<VecDeque<RawBatch>> {
        let cuts = self.cuts(&mut batch)?;
        if cuts.is_empty() {
            return Ok(VecDeque::from([batch]));
        }
        let mut pieces = VecDeque::new();
        let mut rejected = std::mem::take(&mut batch.rejected).into_iter().peekable();
        let mut deletions = std::mem::take(&mut batch.deletions).into_iter().peekable();
        let mut first = 0;
        for cut in cuts {
            let mut piece = batch.rows(first..cut.start);
            while let Some(row) = rejected.next_if(|row| row.source_row < cut.source_row) {
                piece.rejected.push(row);
            }
            while let Some(notice) =
                deletions.next_if(|notice| notice.behind <= cut.start && notice.source_row < cut.source_row)
            {
                piece.deletions.push(behind(notice, first));
            }
            pieces.extend([piece, cut.row]);
            first = cut.end;
        }
        let mut piece = batch.rows(first..batch.frame.height());
        piece.rejected.extend(rejected);
        piece
            .deletions
            .extend(deletions.map(|notice| behind(notice, first)));
        pieces.push_back(piece);
        Ok(pieces)
    }
}

/// A notice in a piece that begins with the row `first`.
fn behind(notice: Deletion, first: usize) -> Deletion {
    Deletion {
        behind: notice.behind.saturating_sub(first),
        ..notice
    }
}

impl RowReader for CorrectingReader {
    fn format(&self) -> &'static str {
        self.reader.format()
    }

    fn next_batch(&mut self, task: &Task) -> Result<Option<RawBatch>> {
        if let Some(batch) = self.ready.pop_front() {
            return Ok(Some(batch));
        }
        let Some(batch) = self.reader.next_batch(task)? else {
            return Ok(None);
        };
        self.ready = self.correct(batch)?;
        Ok(self.ready.pop_front())
    }

    fn notes(&self) -> ReaderNotes {
        self.reader.notes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Reason;

    /// A reader of one batch.
    struct OneBatch(Option<RawBatch>);

    impl RowReader for OneBatch {
        fn format(&self) -> &'static str {
            "test"
        }

        fn next_batch(&mut self, _task: &Task) -> Result<Option<RawBatch>> {
            Ok(self.0.take())
        }

        fn notes(&self) -> ReaderNotes {
            ReaderNotes::default()
        }
    }

    fn values(title: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("title".to_owned(), title.to_owned())])
    }

    fn correction(source_row: u64, raw: &str, title: &str) -> (String, CorrectedRow) {
        let row = CorrectedRow {
            file: "a".to_owned(),
            source_uri: "a".to_owned(),
            source_row,
            values: values(title),
        };
        (row_id("a", "", source_row, raw), row)
    }

    #[test]
    fn corrected_rows_stand_before_the_notices_that_came_after_them() -> Result<()> {
        let table = SourceTable::Pubmed;
        let mut batch = plain_row(table, 1, &values("First"))?;
        let third = plain_row(table, 3, &values(""))?;
        batch.frame.vstack_mut(&third.frame)?;
        batch.rejected = [(2, "two"), (4, "four")]
            .map(|(source_row, raw)| Rejected {
                reason: Reason::MalformedRow,
                message: String::new(),
                raw: raw.to_owned(),
                source_row,
            })
            .to_vec();
        batch.deletions = [(1, 1), (1, 2), (2, 3), (2, 4)]
            .map(|(behind, source_row)| Deletion {
                behind,
                publication_id: source_row.to_string(),
                source_row,
            })
            .to_vec();
        let corrections = Arc::new(Corrections::new(CorrectionSet::from([
            correction(2, "two", "Second"),
            correction(3, "", "Third"),
            correction(4, "another text", "Stale"),
        ])));
        let mut reader = CorrectingReader::over(Box::new(OneBatch(Some(batch))), table, "a", &corrections);
        let (mut titles, mut notices, mut rejected) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(batch) = reader.next_batch(&Task::new())? {
            for notice in &batch.deletions {
                notices.push((titles.len() + notice.behind, notice.source_row));
            }
            let texts = batch.frame.column("title")?.str()?.clone();
            titles.extend(texts.iter().map(|title| title.unwrap_or_default().to_owned()));
            rejected.extend(batch.rejected.iter().map(|row| row.source_row));
        }
        assert_eq!(titles, ["First", "Second", "Third"]);
        assert_eq!(notices, [(1, 1), (2, 2), (3, 3), (3, 4)]);
        assert_eq!(rejected, [4]);
        assert_eq!(corrections.corrected(), BTreeMap::from([("a", 2)]));
        assert_eq!(corrections.stale(), [row_id("a", "", 4, "another text")]);
        Ok(())
    }

    #[test]
    fn an_id_is_no_number_and_of_one_row_alone() {
        let id = row_id("a", "b", 1, "c");
        assert!(id.starts_with('r') && id.len() == 33);
        for other in [
            row_id("ab", "", 1, "c"),
            row_id("a", "b", 2, "c"),
            row_id("a", "bc", 1, ""),
        ] {
            assert_ne!(id, other);
        }
    }
}
