//! What merging changes, row by row, and the frames that come of it.

use std::ops::Range;

use polars::prelude::{BooleanChunked, DataFrame, IntoColumn, NewChunkedArray, StringChunkedBuilder};
use polars_arrow::array::Utf8ViewArray;

use super::keys::IdKey;
use super::{Fate, failed};
use crate::error::{Error, Result};
use crate::quality::MergeReason;
use crate::schema::{Flag, Flags};
use crate::silver::texts::TextLists;
use crate::sorting::{SortField, Sorted, sort_record};

/// A row that does not stay as it was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    pub row: u64,
    pub file: u32,
    /// The flags that it was read with.
    pub counted: Flags,
    /// The flags that it ends with.
    pub flags: Flags,
    pub fate: Fate,
}

impl Change {
    pub(super) fn new(key: &IdKey, counted: Flags, fate: Fate) -> Self {
        Self {
            row: key.row_number().unwrap_or_default(),
            file: key.file,
            counted,
            flags: key.flags,
            fate,
        }
    }
}

/// The reasons for which rows are merged here. A scratch file holds a reason as its index in this array.
const REASONS: [MergeReason; 4] = [
    MergeReason::HalfRow,
    MergeReason::Identical,
    MergeReason::Superseded,
    MergeReason::Deleted,
];

sort_record! { Change { row, file, counted, flags, fate } }

impl SortField for Fate {
    fn heap(&self) -> usize {
        match self {
            Self::Complete(journal) => journal.heap(),
            Self::Merged(_) => 0,
        }
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Complete(journal) => {
                bytes.push(u8::MAX);
                journal.write(bytes);
            }
            Self::Merged(reason) => {
                let place = REASONS.iter().position(|known| known == reason);
                bytes.extend(place.and_then(|place| u8::try_from(place).ok()));
            }
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        match u8::read(bytes)? {
            u8::MAX => SortField::read(bytes).map(Self::Complete),
            place => REASONS.get(usize::from(place)).copied().map(Self::Merged),
        }
    }
}

/// What becomes of all rows of a partition, to be asked in the order of the rows.
pub struct Plan {
    changes: Sorted<Change>,
    /// Runs of rows of bad files, in order.
    dropped: Vec<Range<u64>>,
    /// How many rows were asked for.
    asked: u64,
}

impl Plan {
    pub(super) fn new(changes: Sorted<Change>, dropped: Vec<Range<u64>>) -> Self {
        Self {
            changes,
            dropped,
            asked: 0,
        }
    }

    /// Whether all rows that are not asked for yet stay as they are.
    pub fn changes_nothing(&self) -> bool {
        self.dropped.is_empty() && self.changes.peek().is_none()
    }

    /// Returns the fates of the next `rows` rows, and calls `each` with every change to them.
    pub fn next(&mut self, rows: u64, mut each: impl FnMut(&Change)) -> Result<Fates> {
        let rows = self.asked..self.asked + rows;
        self.asked = rows.end;
        let mut fates = Fates {
            gone: Vec::new(),
            completed: Vec::new(),
            rows: rows.clone(),
        };
        for run in &self.dropped {
            fates
                .gone
                .extend(run.start.max(rows.start)..run.end.min(rows.end));
        }
        while let Some(change) = self
            .changes
            .next_if(|change| change.row < rows.end)
            .map_err(failed)?
        {
            each(&change);
            match change.fate {
                Fate::Merged(_) => fates.gone.push(change.row),
                Fate::Complete(_) => fates.completed.push(change),
            }
        }
        Ok(fates)
    }
}

/// What becomes of some rows that follow each other.
pub struct Fates {
    /// The numbers of those that do not stay, each once.
    gone: Vec<u64>,
    /// Those that get a journal, in order.
    completed: Vec<Change>,
    rows: Range<u64>,
}

impl Fates {
    /// Whether all rows stay as they are.
    pub fn all_stay(&self) -> bool {
        self.gone.is_empty() && self.completed.is_empty()
    }

    /// Whether no row stays.
    pub fn all_go(&self) -> bool {
        self.gone.len() as u64 == self.rows.end - self.rows.start
    }

    /// The rows that stay of a frame that holds these rows, completed.
    pub fn apply(&self, frame: DataFrame) -> Result<DataFrame> {
        let frame = if self.completed.is_empty() {
            frame
        } else {
            complete(frame, self.rows.start, &self.completed)?
        };
        if self.gone.is_empty() {
            return Ok(frame);
        }
        let mut kept = vec![true; frame.height()];
        for row in &self.gone {
            kept[(row - self.rows.start) as usize] = false;
        }
        let few = self.gone.len() * 2 > kept.len();
        let frame = frame.filter(&BooleanChunked::from_slice("kept".into(), &kept))?;
        if few { compact(frame) } else { Ok(frame) }
    }
}

/// The rows of a frame without the texts of those that are gone: a filtered column holds on to all of them.
fn compact(mut frame: DataFrame) -> Result<DataFrame> {
    let names: Vec<_> = frame.get_column_names_owned();
    for name in names {
        let column = frame.column(&name)?;
        let Ok(texts) = column.str() else { continue };
        let mut own = StringChunkedBuilder::new(name, frame.height());
        texts.iter().for_each(|text| own.append_option(text));
        frame.with_column(own.finish().into_column())?;
    }
    Ok(frame)
}

/// Puts journals and flags into their rows.
fn complete(mut frame: DataFrame, first: u64, completed: &[Change]) -> Result<DataFrame> {
    for name in ["journal", "journal_key"] {
        let column = frame.column(name)?.str()?;
        let mut values = StringChunkedBuilder::new(name.into(), frame.height());
        let mut changes = completed.iter().peekable();
        for (row, value) in (first..).zip(column.iter()) {
            match changes
                .next_if(|change| change.row == row)
                .map(|change| &change.fate)
            {
                Some(Fate::Complete(journal)) if name == "journal" => values.append_value(&journal.0),
                Some(Fate::Complete(journal)) => values.append_value(&journal.1),
                _ => values.append_option(value),
            }
        }
        frame.with_column(values.finish().into_column())?;
    }
    let mut flags = TextLists::new("flags", frame.height());
    let mut changes = completed.iter().peekable();
    for (row, own) in (first..).zip(flags_of(&frame)?) {
        flags.push_flags(
            changes
                .next_if(|change| change.row == row)
                .map_or(own, |change| change.flags),
        )?;
    }
    frame.with_column(flags.finish()?)?;
    Ok(frame)
}

/// The flags of each row of a frame.
fn flags_of(frame: &DataFrame) -> Result<Vec<Flags>> {
    let mut all = Vec::with_capacity(frame.height());
    for lists in frame.column("flags")?.list()?.downcast_iter() {
        let names = lists
            .values()
            .as_any()
            .downcast_ref::<Utf8ViewArray>()
            .ok_or_else(|| Error::internal("the column of flags holds no texts"))?;
        for range in lists
            .offsets()
            .windows(2)
            .map(|ends| ends[0] as usize..ends[1] as usize)
        {
            let flags = range.filter_map(|place| Flag::from_name(names.value(place)));
            all.push(flags.collect());
        }
    }
    Ok(all)
}
