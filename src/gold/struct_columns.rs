//! Lists of structs in silver tables, read without a series for each row.

use polars::prelude::{ChunkExplode as _, Column, ListChunked, StringChunked, StructChunked};

use crate::error::Result;

/// A column of lists of structs: where each row's structs begin and end, and the values of their fields.
pub struct StructListColumn {
    starts: Vec<usize>,
    structs: StructChunked,
}

/// A field of text lists inside of structs.
pub struct TextListField {
    starts: Vec<usize>,
    texts: StringChunked,
}

impl StructListColumn {
    /// The lists of a column.
    pub fn of(column: &Column) -> Result<Self> {
        let lists = column.list()?.rechunk().into_owned();
        Ok(Self {
            starts: starts(&lists)?,
            structs: lists.get_inner().struct_()?.clone(),
        })
    }

    /// The numbers of the structs of a row.
    pub fn of_row(&self, row: usize) -> std::ops::Range<usize> {
        between(&self.starts, row)
    }

    /// A field of all structs.
    pub fn texts(&self, field: &str) -> Result<StringChunked> {
        Ok(self.structs.field_by_name(field)?.str()?.clone())
    }

    /// A field of lists of all structs.
    pub fn text_lists(&self, field: &str) -> Result<TextListField> {
        TextListField::of(self.structs.field_by_name(field)?.list()?)
    }
}

impl TextListField {
    /// The lists of a column.
    pub fn of(lists: &ListChunked) -> Result<Self> {
        let lists = lists.rechunk().into_owned();
        Ok(Self {
            starts: starts(&lists)?,
            texts: lists.get_inner().str()?.clone(),
        })
    }

    /// The texts of one list.
    pub fn of_row(&self, row: usize) -> impl Iterator<Item = &str> {
        between(&self.starts, row).filter_map(|place| self.texts.get(place))
    }
}

/// The places of a list's values; none for a row that is not there.
fn between(starts: &[usize], row: usize) -> std::ops::Range<usize> {
    match starts.get(row..row + 2) {
        Some([start, end]) => *start..*end,
        _ => 0..0,
    }
}

/// Where each list begins, and where the last one ends.
fn starts(lists: &ListChunked) -> Result<Vec<usize>> {
    let offsets = lists.offsets()?;
    Ok(offsets.as_slice().iter().map(|offset| *offset as usize).collect())
}
