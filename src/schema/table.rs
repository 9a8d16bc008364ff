//! The tables of the lake: names, types and whether a value may be missing.

use polars::prelude::{DataFrame, DataType, Field, PlSmallStr, Schema};

use crate::error::{Error, Result};

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text.
    Text,
    /// A list of texts.
    TextList,
    /// A calendar day.
    Date,
    /// The number of a row.
    Number,
    /// A place in a text. Signed, for engines compute with it, and some have no function that takes an unsigned one.
    Offset,
}

impl ColumnType {
    fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::String,
            Self::TextList => DataType::List(Box::new(DataType::String)),
            Self::Date => DataType::Date,
            Self::Number => DataType::UInt64,
            Self::Offset => DataType::Int64,
        }
    }
}

/// One column of a [`Table`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableColumn {
    pub name: &'static str,
    pub column_type: ColumnType,
    pub nullable: bool,
    /// Whether many rows share few values, so that a file stores them in a dictionary.
    pub repeats: bool,
}

impl TableColumn {
    const fn repeating(mut self) -> Self {
        self.repeats = true;
        self
    }

    /// Whether it holds texts of which each row has its own.
    #[must_use]
    pub fn is_free_text(&self) -> bool {
        matches!(self.column_type, Text) && !self.repeats
    }
}

/// A table of the lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [TableColumn],
}

const fn required(name: &'static str, column_type: ColumnType) -> TableColumn {
    TableColumn {
        name,
        column_type,
        nullable: false,
        repeats: false,
    }
}

const fn optional(name: &'static str, column_type: ColumnType) -> TableColumn {
    TableColumn {
        name,
        column_type,
        nullable: true,
        repeats: false,
    }
}

use ColumnType::{Date, Number, Offset, Text, TextList};

/// `silver/drugs`: one row an entry of the vocabulary.
pub const DRUGS: Table = Table {
    name: "drugs",
    columns: &[
        required("atccode", Text),
        required("drug", Text),
        required("synonyms", TextList),
        required("flags", TextList),
        required("source_uri", Text).repeating(),
        required("source_row", Number),
    ],
};

/// `silver/publications`: one row a publication of one partition.
pub const PUBLICATIONS: Table = Table {
    name: "publications",
    columns: &[
        required("publication_id", Text),
        required("kind", Text).repeating(),
        required("title", Text),
        optional("abstract", Text),
        optional("date", Date),
        optional("date_precision", Text).repeating(),
        optional("journal", Text).repeating(),
        optional("journal_key", Text).repeating(),
        required("flags", TextList),
        required("source_uri", Text).repeating(),
        required("source_row", Number),
        required("dt", Text).repeating(),
    ],
};

/// `silver/rejected/<table>`: one row a rejected row.
pub const REJECTED: Table = Table {
    name: "rejected",
    columns: &[
        required("reason", Text).repeating(),
        required("message", Text),
        required("raw", Text),
        required("source_uri", Text).repeating(),
        required("source_row", Number),
    ],
};

/// `silver/deleted/publications`: one row a notice that a publication is deleted.
pub const DELETED: Table = Table {
    name: "deleted",
    columns: &[
        required("publication_id", Text),
        required("source_uri", Text).repeating(),
        required("source_row", Number),
    ],
};

/// `silver/journals`: one row for each set of ids under which sources know a journal.
pub const JOURNALS: Table = Table {
    name: "journals",
    columns: &[
        required("journal_key", Text),
        optional("nlm_id", Text),
        optional("issn", Text),
    ],
};

/// `gold/mentions`: one row a drug found at one place of a publication.
pub const MENTIONS: Table = Table {
    name: "mentions",
    columns: &[
        required("atccode", Text).repeating(),
        required("drug", Text).repeating(),
        required("substance", Text).repeating(),
        required("publication_id", Text),
        required("kind", Text).repeating(),
        optional("journal", Text).repeating(),
        optional("date", Date),
        required("field", Text).repeating(),
        required("start", Offset),
        required("end", Offset),
        required("surface", Text).repeating(),
        required("rule", Text).repeating(),
    ],
};

impl Table {
    /// The polars schema of the table.
    pub fn schema(&self) -> Schema {
        self.columns
            .iter()
            .map(|column| Field::new(column.name.into(), column.column_type.data_type()))
            .collect()
    }

    /// An empty frame of the table.
    pub fn empty(&self) -> DataFrame {
        DataFrame::empty_with_schema(&self.schema())
    }

    /// Checks names, order, types and missing values of a frame, and reports every difference at once.
    pub fn check(&self, frame: &DataFrame) -> Result<()> {
        let mut faults = Vec::new();
        let found: Vec<&str> = frame
            .get_column_names()
            .into_iter()
            .map(PlSmallStr::as_str)
            .collect();
        let wanted: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        if found != wanted {
            faults.push(format!("columns {found:?} instead of {wanted:?}"));
        }
        for column in self.columns {
            let Ok(values) = frame.column(column.name) else {
                continue;
            };
            let data_type = column.column_type.data_type();
            if values.dtype() != &data_type {
                faults.push(format!(
                    "`{}` is {} instead of {data_type}",
                    column.name,
                    values.dtype()
                ));
            }
            if !column.nullable && values.null_count() > 0 {
                faults.push(format!(
                    "`{}` has {} missing values",
                    column.name,
                    values.null_count()
                ));
            }
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(Error::Internal {
            message: format!("table {}: {}", self.name, faults.join("; ")),
        })
    }
}
